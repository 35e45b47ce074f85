/**
 * Separates the reasoning that a server leaves inline at the head of a streamed text, while it arrives.
 *
 * `Reasoning` of core does it to a whole text, and so decides what the answer is; this hands out the parts of a stream alike.
 * A tag that may be cut between two pieces is held back until it is known to be one.
 *
 * **Gotchas**: a closing tag without an opening one shows too late that what came before was reasoning: those parts were text,
 * and only the answer has it right.
 *
 * @since 0.1.0
 */
import type { GenerationPart } from "@infermesh/core/provider/Provider"

/**
 * A piece of a text, of one kind.
 *
 * @category models
 * @since 0.1.0
 */
export interface Piece {
  readonly type: Exclude<GenerationPart["type"], "tool-call-delta">
  readonly text: string
}

/**
 * Reads one text.
 *
 * @category models
 * @since 0.1.0
 */
export interface Splitter {
  readonly push: (text: string) => ReadonlyArray<Piece>
  /** What was held back at the end of the text. */
  readonly end: () => ReadonlyArray<Piece>
}

const opener = /^<(think|thinking)>/
const openers = ["<think>", "<thinking>"]

/**
 * Builds a splitter.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Splitter => {
  let held = ""
  let place: "head" | "inside" | "text" = "head"
  let closer = ""
  let blocks = 0
  const read = (atEnd: boolean): ReadonlyArray<Piece> => {
    const pieces: Array<Piece> = []
    const give = (type: Piece["type"], text: string) => {
      if (text !== "") pieces.push({ type, text })
    }
    for (;;) {
      if (place === "head") {
        const bare = held.trimStart()
        const tag = opener.exec(bare)
        if (tag !== null) {
          held = bare.slice(tag[0].length)
          place = "inside"
          closer = `</${tag[1]}>`
          if (blocks++ > 0) give("reasoning-delta", "\n\n")
          continue
        }
        if (!atEnd && openers.some((one) => one.startsWith(bare))) return pieces
        // White space before a text is the text's own, after a block it is not.
        give("text-delta", blocks > 0 ? bare : held)
        held = ""
        place = "text"
      }
      if (place === "text") {
        give("text-delta", held)
        held = ""
        return pieces
      }
      const end = held.indexOf(closer)
      const until = end !== -1 ? end : atEnd ? held.length : held.length - overlap(held, closer)
      give("reasoning-delta", held.slice(0, until))
      held = held.slice(end === -1 ? until : end + closer.length)
      if (end === -1) return pieces
      place = "head"
    }
  }
  return {
    push: (text) => {
      if (place === "text") return text === "" ? [] : [{ type: "text-delta", text }]
      held += text
      return read(false)
    },
    end: () => read(true)
  }
}

/** How many characters at the end of a text may be the beginning of a tag. */
const overlap = (text: string, tag: string): number => {
  let length = Math.min(text.length, tag.length - 1)
  while (!text.endsWith(tag.slice(0, length))) length--
  return length
}
