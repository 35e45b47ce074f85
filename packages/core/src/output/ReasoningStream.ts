/**
 * Separates inline reasoning from an answer while it is being written.
 *
 * It does piece by piece what `Reasoning.split` does with a whole text: leading `<think>` blocks are reasoning, also one that
 * is never closed, and the white space behind them goes with them. What may yet turn out to be a tag is held back until it is
 * known.
 *
 * **Gotchas**: a closer without an opener shows only at the end that what was before it was reasoning; in a stream it has been
 * handed out as text by then. The whole answer has it apart.
 *
 * @since 0.1.0
 */
import { leadingOpener } from "./Reasoning.ts"

/**
 * A piece of an answer.
 *
 * @category models
 * @since 0.1.0
 */
export interface Piece {
  readonly isReasoning: boolean
  readonly text: string
}

/**
 * Splits the text of one choice.
 *
 * @category models
 * @since 0.1.0
 */
export interface Splitter {
  readonly push: (text: string) => ReadonlyArray<Piece>
  /** What was held back, once nothing more comes. */
  readonly end: () => ReadonlyArray<Piece>
}

/**
 * Builds a splitter.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Splitter => {
  let held = ""
  /** The tag that closes the block that is open. */
  let closing: string | undefined
  let isText = false
  /** A block was taken off: the white space behind it goes with it. */
  let isBehind = false
  /** What of the reasoning has been given: nothing of this block, nothing at all. */
  let isNewBlock = true
  let isFirst = true

  /** Reads on from the head of the text or of what is behind a block; false when more has to come first. */
  const head = (out: Array<Piece>): boolean => {
    const bare = held.trimStart()
    const opener = leadingOpener.exec(bare)
    if (opener !== null) {
      closing = `</${opener[1]}>`
      held = bare.slice(opener[0].length)
      isBehind = true
      isNewBlock = true
      return true
    }
    if ("<think>".startsWith(bare) || "<thinking>".startsWith(bare)) return false
    isText = true
    out.push({ isReasoning: false, text: isBehind ? bare : held })
    held = ""
    return false
  }

  const inside = (tag: string, out: Array<Piece>): boolean => {
    const end = held.indexOf(tag)
    const ready = end === -1 ? held.length - overlap(held, tag) : end
    reason(held.slice(0, ready), out)
    held = held.slice(end === -1 ? ready : end + tag.length)
    if (end === -1) return false
    closing = undefined
    return true
  }

  /** Blocks are parted by a blank line, as in the whole answer. */
  const reason = (text: string, out: Array<Piece>) => {
    const body = isNewBlock ? text.trimStart() : text
    if (body === "") return
    out.push({ isReasoning: true, text: isNewBlock && !isFirst ? `\n\n${body}` : body })
    isNewBlock = false
    isFirst = false
  }

  return {
    push: (text) => {
      if (isText) return text === "" ? [] : [{ isReasoning: false, text }]
      held += text
      const out: Array<Piece> = []
      while (closing === undefined ? head(out) : inside(closing, out));
      return out
    },
    end: () => {
      const out: Array<Piece> = []
      if (closing !== undefined) reason(held, out)
      else {
        const rest = isBehind ? held.trimStart() : held
        if (rest !== "") out.push({ isReasoning: false, text: rest })
      }
      held = ""
      return out
    }
  }
}

/** How many characters at the end of a text may be the beginning of a tag. */
const overlap = (text: string, tag: string): number => {
  for (let length = Math.min(text.length, tag.length - 1); length > 0; length--) {
    if (tag.startsWith(text.slice(text.length - length))) return length
  }
  return 0
}
