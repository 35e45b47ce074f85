/**
 * The value of a JSON text that is still being written.
 *
 * It closes what is open (strings, arrays, objects) and drops what is only begun (a key without a value, half a literal), so
 * that a streamed structured output can be shown while it grows. It does not check a schema, and it repairs nothing: a text
 * that is wrong, not merely short, has no value.
 *
 * @since 0.1.0
 */

/**
 * Parses the beginning of a JSON text; `undefined` when nothing can be read yet.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parse = (text: string): unknown => {
  const start = text.search(/[[{]/)
  if (start === -1) return undefined
  const closed = close(text.slice(start))
  if (closed === undefined) return undefined
  try {
    return JSON.parse(closed)
  } catch {
    return undefined
  }
}

/** The text up to its last complete value, with everything open closed. */
const close = (text: string): string | undefined => {
  const open: Array<"}" | "]"> = []
  let inString = false
  // The end of the last place where closing gives valid JSON, and what was open there.
  let end = -1
  let openAtEnd: ReadonlyArray<string> = []
  let isKey = false
  const mark = (position: number) => {
    end = position
    openAtEnd = [...open]
  }
  for (let index = 0; index < text.length; index++) {
    const char = text[index]
    if (inString) {
      if (char === "\\") index++
      else if (char === '"') {
        inString = false
        if (!isKey) mark(index + 1)
      }
      continue
    }
    switch (char) {
      case '"':
        inString = true
        isKey = open.at(-1) === "}" && /[{,]\s*$/.test(text.slice(0, index))
        break
      case "{":
      case "[":
        open.push(char === "{" ? "}" : "]")
        mark(index + 1)
        break
      case "}":
      case "]":
        if (open.pop() !== char) return undefined
        mark(index + 1)
        if (open.length === 0) return text.slice(0, end)
        break
      case ",":
        mark(index)
        break
      default:
        break
    }
  }
  if (inString && !isKey) {
    // A string value under way is shown as far as it has come, without half an escape.
    const shown = text.replace(/\\(?:u[0-9a-fA-F]{0,3})?$/, "")
    return `${shown}"${open.toReversed().join("")}`
  }
  return end === -1 ? undefined : `${text.slice(0, end)}${openAtEnd.toReversed().join("")}`
}
