/**
 * Where an answer ends before its end: at a stop sequence, or where its tokens are used up.
 *
 * @since 0.1.0
 */
import { cut } from "./TokenCount.ts"

/**
 * The part of an answer that is given.
 *
 * @category models
 * @since 0.1.0
 */
export interface Cutoff {
  readonly text: string
  readonly reason: "end" | "stop" | "length"
  /** The sequence it stopped at, which is not part of the text. */
  readonly stopSequence: string | undefined
}

/**
 * Cuts an answer at the first of the stop sequences and at the most tokens it may have.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (whole: string, stop: ReadonlyArray<string>, maxTokens: number): Cutoff => {
  let stopSequence: string | undefined
  let end = whole.length
  for (const sequence of stop) {
    const at = whole.indexOf(sequence)
    if (at >= 0 && at < end) {
      end = at
      stopSequence = sequence
    }
  }
  const stopped = whole.slice(0, end)
  const text = cut(stopped, maxTokens)
  if (text !== stopped) return { text, reason: "length", stopSequence: undefined }
  return { text, reason: stopSequence === undefined ? "end" : "stop", stopSequence }
}
