/**
 * The value of a JSON text that is still being written.
 *
 * It closes what is open (strings, arrays, objects) and drops what is only begun (a key without a value, half a literal), so
 * that a streamed structured output can be shown while it grows. It does not check a schema, and it repairs nothing: a text
 * that is wrong, not merely short, has no value. Like the reading of whole answers it passes over white space, a byte-order
 * mark and the opening of a code fence, and over nothing else.
 *
 * @since 0.1.0
 */

/**
 * Parses the beginning of a JSON text; `undefined` when nothing can be read yet.
 *
 * **Details**: what it gives for a text is a part of what it gives for any longer one: objects and arrays have fewer members,
 * and in the last of them a string may be shorter. A number or literal counts once something follows it.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parse = (text: string): unknown => {
  const start = lead.exec(text)?.[0].length ?? 0
  const closed = close(text, start)
  if (closed === undefined) return undefined
  try {
    return JSON.parse(closed)
  } catch {
    return undefined
  }
}

/** What may stand before the JSON: see `unfence`, which takes the same away from whole answers. */
const lead = /^\uFEFF?\s*(?:```[a-zA-Z]*\s*\n\s*)?/

/** The text from `start` to its last complete value, with everything open closed. */
const close = (text: string, start: number): string | undefined => {
  const open: Array<"}" | "]"> = []
  /** The last character outside strings that is no white space: it tells a key from a value. */
  let before: string | undefined
  // Where the text can be cut and closed to valid JSON, and what was open there.
  let end = -1
  let openAtEnd = ""
  const mark = (position: number) => {
    end = position
    openAtEnd = open.toReversed().join("")
  }
  for (let index = start; index < text.length; index++) {
    const char = text[index] as string
    switch (char) {
      case '"': {
        const isKey = open.at(-1) === "}" && before !== ":"
        const closing = stringEnd(text, index)
        if (closing.at === undefined) {
          return isKey
            ? cut(text, start, end, openAtEnd)
            : `${text.slice(start, closing.shown)}"${open.toReversed().join("")}`
        }
        index = closing.at
        if (!isKey) mark(index + 1)
        break
      }
      case "{":
      case "[":
        open.push(char === "{" ? "}" : "]")
        mark(index + 1)
        break
      case "}":
      case "]":
        if (open.pop() !== char) return undefined
        mark(index + 1)
        break
      case ",":
        mark(index)
        break
      case " ":
      case "\n":
      case "\r":
      case "\t":
        continue
      default:
        // A number or literal at the root: nothing can follow it that would show it to be whole.
        if (open.length === 0) return undefined
    }
    if (open.length === 0) break
    before = char
  }
  return cut(text, start, end, openAtEnd)
}

const cut = (text: string, start: number, end: number, closers: string): string | undefined =>
  end === -1 ? undefined : `${text.slice(start, end)}${closers}`

/** The position of the quote that ends a string; where there is none yet, how far the string can be shown. */
const stringEnd = (
  text: string,
  start: number
): { readonly at: number | undefined; readonly shown: number } => {
  let index = start + 1
  // Half a surrogate pair is not shown: it is no character until its other half has come.
  let high: number | undefined
  while (index < text.length) {
    const char = text[index]
    if (char === '"') return { at: index, shown: index }
    const length = char !== "\\" ? 1 : text[index + 1] === "u" ? 6 : 2
    if (index + length > text.length) break
    high = isHighSurrogate(text, index, length) ? index : undefined
    index += length
  }
  return { at: undefined, shown: high ?? index }
}

const isHighSurrogate = (text: string, index: number, length: number): boolean => {
  if (length === 2) return false
  const code =
    length === 1 ? text.charCodeAt(index) : Number.parseInt(text.slice(index + 2, index + 6), 16)
  return code >= 0xd800 && code < 0xdc00
}
