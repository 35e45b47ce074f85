/**
 * The simulator's own tokenizer: a token is four bytes of UTF-8.
 *
 * It is no real tokenizer and need not be one: what matters is that usage, limits and stream pieces follow one documented,
 * deterministic rule that a test can compute by hand.
 *
 * @since 0.1.0
 */

/**
 * Bytes of one token.
 *
 * **Source**: OpenAI help centre, "What are tokens and how to count them?": about four characters of English.
 *
 * @category constants
 * @since 0.1.0
 */
export const bytesPerToken = 4

/**
 * The length of a text in UTF-8, in bytes.
 *
 * @category getters
 * @since 0.1.0
 */
export const utf8Length = (text: string): number => {
  let bytes = text.length
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    // Each half of a surrogate pair counts two, which makes the four bytes of the pair.
    if (code > 0x7ff) bytes += code >= 0xd800 && code <= 0xdfff ? 1 : 2
    else if (code > 0x7f) bytes += 1
  }
  return bytes
}

/**
 * The tokens of a text: a quarter of its bytes, rounded up.
 *
 * @category getters
 * @since 0.1.0
 */
export const tokensOf = (text: string): number => Math.ceil(utf8Length(text) / bytesPerToken)

/**
 * The longest beginning of a text that has at most this many tokens; never half a character.
 *
 * @category combinators
 * @since 0.1.0
 */
export const cut = (text: string, tokens: number): string => {
  const budget = tokens * bytesPerToken
  if (utf8Length(text) <= budget) return text
  let bytes = 0
  let end = 0
  for (const character of text) {
    bytes += utf8Length(character)
    if (bytes > budget) break
    end += character.length
  }
  return text.slice(0, end)
}

/**
 * A text in pieces of one token each, in order; together they are the text.
 *
 * @category combinators
 * @since 0.1.0
 */
export const pieces = (text: string): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let part = ""
  let bytes = 0
  for (const character of text) {
    const length = utf8Length(character)
    if (bytes + length > bytesPerToken) {
      parts.push(part)
      part = ""
      bytes = 0
    }
    part += character
    bytes += length
  }
  if (part !== "") parts.push(part)
  return parts
}
