/**
 * Parts an answer from the thinking that came with it.
 *
 * Some servers return thinking in fields of its own ({@link join}), others leave it in the text between tags
 * ({@link split}). It is not a parser of streams and knows no vendor: provider files say where the fields are.
 *
 * **Details**: the tags are `<think>` (DeepSeek R1, Qwen 3, GLM, MiniMax and most open models, and what vLLM and SGLang strip) and
 * `<thinking>` (Amazon Nova 1; source: its user guide, "Invoking a tool"). Only thinking at the very start counts: tags
 * further on are part of the answer, which may well be about them.
 *
 * **Gotchas**: chat templates that open the block themselves make the model answer `reason…</think>answer`. So a text whose
 * first tag is `</think>` is split there, even if the tag was meant as text.
 *
 * @since 0.1.0
 */

/**
 * An answer without its thinking.
 *
 * @category models
 * @since 0.1.0
 */
export interface Parted {
  readonly text: string
  /** The thinking, or `undefined` where there is none. */
  readonly reasoning: string | undefined
}

/**
 * Takes inline thinking off the start of an answer.
 *
 * **Details**: several blocks in a row are joined by a blank line, and the white space around them goes with them. A block that
 * never closes means the model ran out of tokens while thinking: all of it is reasoning and the text is empty. Without thinking
 * the text comes back unchanged, to the byte.
 *
 * @category combinators
 * @since 0.1.0
 */
export const split = (text: string): Parted => {
  const bodies: Array<string> = []
  let rest = text
  const prefilled = prefilledEnd(text)
  if (prefilled !== undefined) {
    bodies.push(text.slice(0, prefilled))
    rest = text.slice(prefilled + closer.length)
  }
  for (;;) {
    const opener = leadingOpener.exec(rest)
    if (opener === null) break
    const start = opener[0].length
    const closing = `</${opener[1]}>`
    const end = rest.indexOf(closing, start)
    bodies.push(end === -1 ? rest.slice(start) : rest.slice(start, end))
    rest = end === -1 ? "" : rest.slice(end + closing.length)
  }
  return bodies.length === 0
    ? { text, reasoning: undefined }
    : { text: rest.trimStart(), reasoning: join(bodies) }
}

/**
 * Joins thinking that came in parts: each trimmed, empty ones dropped, a blank line between.
 *
 * **Details**: `undefined` when nothing is left, and then inline thinking should still be looked for.
 *
 * @category combinators
 * @since 0.1.0
 */
export const join = (structured: ReadonlyArray<string | null | undefined>): string | undefined => {
  let joined: string | undefined
  for (const part of structured) {
    const trimmed = part?.trim()
    if (trimmed) joined = joined === undefined ? trimmed : `${joined}\n\n${trimmed}`
  }
  return joined
}

const closer = "</think>"

const leadingOpener = /^\s*<(think|thinking)>/

/** Where the thinking ends whose opener was in the prompt: at a closer with no opener before it. */
const prefilledEnd = (text: string): number | undefined => {
  const end = text.indexOf(closer)
  if (end === -1) return undefined
  const opener = text.indexOf("<think>")
  return (opener !== -1 && opener < end) || leadingOpener.test(text) ? undefined : end
}
