/**
 * The body of a streamed response: events at the model's pace, and the ways such a body can break.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

import { type ConnectionCut, connectionCut } from "./Exchange.ts"

/**
 * How a body ends: complete, cut, or silent for ever.
 *
 * @category models
 * @since 0.1.0
 */
export type Ending = "complete" | "cut" | "stalled"

/**
 * The bytes of texts that follow one another, each `paceMillis` after the one before.
 *
 * **Details**: without a pace all but the last come as one chunk, which spares a server a write per event.
 * `onComplete` runs when the last text is asked for, not when the reader asks what follows it: readers of event streams stop
 * at the last event.
 *
 * **Errors**: `ConnectionCut` at the end of a cut body.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: {
  readonly texts: ReadonlyArray<string>
  readonly paceMillis: number
  readonly ending: Ending
  readonly onComplete: () => void
}): Stream.Stream<Uint8Array, ConnectionCut> => {
  const { ending, onComplete, paceMillis, texts } = options
  const paced =
    paceMillis === 0
      ? Stream.fromEffect(Effect.sync(() => encoder.encode(texts.slice(0, -1).join(""))))
      : Stream.fromArray(texts.slice(0, -1)).pipe(
          Stream.mapEffect((text) => Effect.as(Effect.sleep(paceMillis), encoder.encode(text)))
        )
  const last = Stream.fromEffect(
    Effect.map(paceMillis === 0 ? Effect.void : Effect.sleep(paceMillis), () => {
      if (ending === "complete") onComplete()
      return encoder.encode(texts.at(-1) ?? "")
    })
  )
  const sent = Stream.concat(paced, last)
  switch (ending) {
    case "complete":
      return sent
    case "cut":
      return Stream.concat(sent, Stream.fail(connectionCut))
    case "stalled":
      return Stream.concat(sent, Stream.never)
  }
}

const encoder = new TextEncoder()
