/**
 * Separates a model's disclosed reasoning from its answer.
 *
 * Some servers give the reasoning in a field of its own, others leave it inline at the head of the text, as `<think>` blocks
 * or, Amazon Nova 1, as `<thinking>` blocks (source: its user guide, "Invoking a tool").
 * Pure; blocks in the middle of a text are part of the answer and are left alone, byte for byte. Texts still being written are
 * split by `ReasoningStream`.
 *
 * @since 0.1.0
 */

import type { Choice } from "../operation/Generate.ts"

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
 * The tag that opens a block, at the head of a text.
 *
 * @category constants
 * @since 0.1.0
 */
export const leadingOpener = /^<(think|thinking)>/

/**
 * Splits inline reasoning off the head of a text.
 *
 * **Details**: several leading blocks are joined by a blank line. A block that is never closed (the model ran out of tokens
 * while thinking) is all reasoning. A closer without an opener (servers whose chat template writes the opener into the
 * prompt) ends the reasoning. An empty block is none.
 *
 * **Gotchas**: so a text whose first tag is `</think>` is split there, even where the model only wrote about the tag.
 *
 * @category combinators
 * @since 0.1.0
 */
export const split = (text: string): Split => {
  const bodies: Array<string> = []
  let rest = text.trimStart()
  for (let found = leadingOpener.exec(rest); found !== null; found = leadingOpener.exec(rest)) {
    const start = found[0].length
    const closing = `</${found[1]}>`
    const end = rest.indexOf(closing)
    if (end === -1) return { text: "", reasoning: join([...bodies, rest.slice(start)]) }
    bodies.push(rest.slice(start, end))
    rest = rest.slice(end + closing.length).trimStart()
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
 * A choice with its inline reasoning apart, for providers that leave it in the text.
 *
 * **Details**: leading blocks always; a closer without an opener only where there is no other reasoning, because then the
 * text is the answer and may speak of the tag.
 *
 * @category combinators
 * @since 0.1.0
 */
export const apart = (choice: Choice): Choice => {
  const { reasoning, text } = choice
  const isInline =
    leadingOpener.test(text.trimStart()) || (reasoning === undefined && text.includes(closer))
  if (!isInline) return choice
  const found = split(text)
  return { ...choice, text: found.text, reasoning: join([reasoning, found.reasoning]) }
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
