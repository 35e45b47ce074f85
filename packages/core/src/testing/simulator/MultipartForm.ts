/**
 * A form as browsers and HTTP clients send it, `multipart/form-data`, read from its bytes.
 *
 * It reads a body that has arrived whole; a server of its own would read it as it comes.
 *
 * **Source**: RFC 7578 and the WHATWG HTML standard, "multipart/form-data encoding algorithm" (`%22`, `%0D`, `%0A` in
 * names).
 *
 * @since 0.1.0
 */

/**
 * One field of a form.
 *
 * @category models
 * @since 0.1.0
 */
export interface Part {
  readonly name: string
  /** Present where the field is a file. */
  readonly fileName: string | undefined
  /** A view of the body, not a copy. */
  readonly bytes: Uint8Array
}

/**
 * Reads the fields, in order; `undefined` where the body is no such form or breaks off.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parse = (
  body: Uint8Array,
  contentType: string | undefined
): ReadonlyArray<Part> | undefined => {
  const boundary = /^multipart\/form-data\s*;.*?boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(
    contentType ?? ""
  )
  if (boundary === null) return undefined
  const delimiter = encoder.encode(`--${boundary[1] ?? boundary[2]}`)
  const parts: Array<Part> = []
  let at = startsWith(body, 0, delimiter) ? 0 : find(body, 0, lineThen(delimiter)) + 2
  if (at === 1) return undefined
  for (;;) {
    at += delimiter.length
    if (startsWith(body, at, dashes)) return parts
    const head = find(body, at, blankLine)
    if (head < 0) return undefined
    const end = find(body, head + blankLine.length, lineThen(delimiter))
    if (end < 0) return undefined
    const bytes = body.subarray(head + blankLine.length, end)
    const part = describe(decoder.decode(body.subarray(at, head)), bytes)
    if (part === undefined) return undefined
    parts.push(part)
    at = end + 2
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const dashes = encoder.encode("--")
const blankLine = encoder.encode("\r\n\r\n")

const lineThen = (delimiter: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(delimiter.length + 2)
  bytes.set([13, 10])
  bytes.set(delimiter, 2)
  return bytes
}

const describe = (head: string, bytes: Uint8Array): Part | undefined => {
  const disposition = /^content-disposition:\s*form-data\s*;(.*)$/im.exec(head)?.[1]
  const name = parameter(disposition, "name")
  if (name === undefined) return undefined
  return { name, fileName: parameter(disposition, "filename"), bytes }
}

const parameter = (disposition: string | undefined, name: string): string | undefined => {
  const found = new RegExp(`(?:^|;)\\s*${name}=(?:"([^"]*)"|([^;\\s]+))`, "i").exec(
    disposition ?? ""
  )
  return (found?.[1] ?? found?.[2])
    ?.replaceAll("%22", '"')
    .replaceAll(/%0d/gi, "\r")
    .replaceAll(/%0a/gi, "\n")
}

const startsWith = (bytes: Uint8Array, at: number, wanted: Uint8Array): boolean => {
  for (let index = 0; index < wanted.length; index++) {
    if (bytes[at + index] !== wanted[index]) return false
  }
  return true
}

const find = (bytes: Uint8Array, from: number, wanted: Uint8Array): number => {
  const first = wanted[0]!
  let at = bytes.indexOf(first, from)
  while (at >= 0 && !startsWith(bytes, at, wanted)) at = bytes.indexOf(first, at + 1)
  return at
}
