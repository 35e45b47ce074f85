/**
 * Separates a model's disclosed reasoning from its answer.
 *
 * Some servers give the reasoning in a field of its own, others leave it inline as `<think>` blocks at the head of the text.
 * Pure; blocks in the middle of a text are part of the answer and are left alone, byte for byte.
 *
 * @since 0.1.0
 */

/**
 * A text without its reasoning, and the reasoning.
 *
 * @category models
 * @since 0.1.0
 */
export interface Split {
  readonly text: string
  readonly reasoning: string | undefined
}

const opener = "<think>"
const closer = "</think>"

/**
 * Splits inline reasoning off the head of a text.
 *
 * **Details**: several leading blocks are joined by a blank line. A block that is never closed (the model ran out of tokens
 * while thinking) is all reasoning. A closer without an opener (servers whose chat template writes the opener into the
 * prompt) ends the reasoning. An empty block is none.
 *
 * @category combinators
 * @since 0.1.0
 */
export const split = (text: string): Split => {
  const bodies: Array<string> = []
  let rest = text.trimStart()
  while (rest.startsWith(opener)) {
    const end = rest.indexOf(closer)
    if (end === -1) return { text: "", reasoning: join([...bodies, rest.slice(opener.length)]) }
    bodies.push(rest.slice(opener.length, end))
    rest = rest.slice(end + closer.length).trimStart()
  }
  if (bodies.length > 0) return { text: rest, reasoning: join(bodies) }
  const end = text.indexOf(closer)
  if (end !== -1 && !text.slice(0, end).includes(opener)) {
    return {
      text: text.slice(end + closer.length).trimStart(),
      reasoning: join([text.slice(0, end)])
    }
  }
  return { text, reasoning: undefined }
}

/**
 * Joins pieces of reasoning by blank lines; pieces of white space only are none.
 *
 * @category combinators
 * @since 0.1.0
 */
export const join = (pieces: ReadonlyArray<string | null | undefined>): string | undefined => {
  const kept = pieces.map((piece) => piece?.trim() ?? "").filter((piece) => piece !== "")
  return kept.length === 0 ? undefined : kept.join("\n\n")
}
