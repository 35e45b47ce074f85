/**
 * Many transcriptions: one transcript or typed failure per input, files opened only when their turn comes.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

import type { BatchOptions, Settled } from "../batch/Batch.ts"
import * as Batch from "../batch/Batch.ts"
import type { BatchResult } from "../batch/BatchResult.ts"
import type { InferenceError } from "../InferenceError.ts"
import type { TranscriptionResult } from "../operation/Transcribe.ts"
import * as BatchSpans from "../telemetry/BatchSpans.ts"
import { Inference } from "./InferenceService.ts"
import type { NotAString, StreamContext, StreamError } from "./Inputs.ts"
import { aString, withoutBatchFields } from "./Inputs.ts"
import type { TranscribeInput, TranscribeOptions } from "./TranscribeOperation.ts"

/**
 * Settings of a batch of transcriptions.
 *
 * @category models
 * @since 0.1.0
 */
export type TranscribeBatchOptions<R> = TranscribeOptions &
  BatchOptions<TranscriptionResult, InferenceError, R>

/**
 * Transcribes every input: one transcript or typed failure each, in input order.
 *
 * **Details**: with `mode: "failFast"` the first failure interrupts the rest and is the batch's.
 *
 * @category operations
 * @since 0.1.0
 */
export const transcribeBatch: {
  <I extends Iterable<TranscribeInput>, R = never>(
    inputs: NotAString<I>,
    options: TranscribeBatchOptions<R> & { readonly mode: "failFast" }
  ): Effect.Effect<BatchResult<TranscriptionResult, never>, InferenceError, Inference | R>
  <I extends Iterable<TranscribeInput>, R = never>(
    inputs: NotAString<I>,
    options?: TranscribeBatchOptions<R> & { readonly mode?: "collect" | undefined }
  ): Effect.Effect<BatchResult<TranscriptionResult, InferenceError>, InferenceError, Inference | R>
} = ((
  inputs: Iterable<TranscribeInput>,
  options: TranscribeBatchOptions<never> & {
    readonly mode?: "collect" | "failFast" | undefined
  } = {}
) =>
  typeof inputs === "string"
    ? Effect.fail(aString("transcribe"))
    : Effect.flatMap(Inference, (inference) => {
        const shared = withoutBatchFields(options)
        const settle = options.mode === "failFast" ? Batch.failFast : Batch.collect
        return settle(
          inputs,
          (input: TranscribeInput) => inference.transcribe(input, shared),
          options
        ) as Effect.Effect<unknown, InferenceError>
      }).pipe(BatchSpans.batch("transcribe"))) as never

/**
 * Transcribes the inputs of an iterable or stream, as a stream of settled inputs, in bounded memory.
 *
 * @category operations
 * @since 0.1.0
 */
export const transcribeBatchStream = <
  I extends Iterable<TranscribeInput> | Stream.Stream<TranscribeInput, unknown, unknown>,
  R = never
>(
  inputs: NotAString<I>,
  options: TranscribeBatchOptions<R> & { readonly ordered?: boolean | undefined } = {}
): Stream.Stream<
  Settled<TranscriptionResult, InferenceError>,
  StreamError<I> | InferenceError,
  StreamContext<I> | Inference | R
> =>
  typeof inputs === "string"
    ? Stream.fail(aString("transcribe"))
    : Stream.unwrap(
        Effect.map(Inference, (inference) => {
          const shared = withoutBatchFields(options)
          return Batch.stream(
            inputs as Stream.Stream<TranscribeInput, StreamError<I>, StreamContext<I>>,
            (input) => inference.transcribe(input, shared),
            options
          )
        })
      ).pipe(BatchSpans.batchStream("transcribe"))
