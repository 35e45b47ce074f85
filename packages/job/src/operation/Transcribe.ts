/**
 * Transcription as a job's operation: a row is an audio file, its answer a row with `text`.
 *
 * @since 0.1.0
 */
import type { TranscribeInput, TranscribeOptions } from "@infermesh/core/Inference"
import * as Effect from "effect/Effect"

import * as Identity from "../Identity.ts"
import type { Operation } from "./Operation.ts"
import type { TranscribeRow } from "./TranscribeRow.ts"
import * as TranscribeRows from "./TranscribeRow.ts"

/**
 * Options of a transcription, as a job or a row sets them.
 *
 * @category models
 * @since 0.1.0
 */
export type RowOptions = TranscribeOptions

/**
 * Asks with the file at `path`, which is opened when its turn comes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const transcribe = (
  settings: { readonly options?: RowOptions | undefined } = {}
): Operation<TranscribeInput, RowOptions, TranscribeRow> => {
  const shared: RowOptions = Object.freeze({ ...settings.options })
  return {
    name: "transcribe",
    identity: Effect.succeed(Identity.fromOptions(shared)),
    read: TranscribeRows.toInput,
    packing: undefined,
    ask: (inference, tasks) =>
      Effect.forEach(tasks, ({ index, input, options }) => {
        const path = typeof input === "string" ? input : undefined
        return Effect.match(
          inference.transcribe(input, options === undefined ? shared : { ...shared, ...options }),
          {
            onFailure: (error) => TranscribeRows.failed(index, path, error),
            onSuccess: (result) => TranscribeRows.answered(index, path, result)
          }
        )
      }),
    toLine: TranscribeRows.toLine
  }
}
