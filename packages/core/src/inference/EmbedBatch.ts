/**
 * Many embeddings: packed into requests, one result or failure per text.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"

import type { BatchOptions, Settled } from "../batch/Batch.ts"
import * as Batch from "../batch/Batch.ts"
import { BatchResult } from "../batch/BatchResult.ts"
import * as EmbedBatch from "../batch/EmbedBatch.ts"
import type { InferenceError } from "../InferenceError.ts"
import type { EmbeddingResult } from "../operation/Embed.ts"
import * as BatchSpans from "../telemetry/BatchSpans.ts"
import type { EmbedOptions, Vector, VectorType } from "./EmbedOperation.ts"
import { Inference } from "./InferenceService.ts"
import type { NotAString, StreamContext, StreamError } from "./Inputs.ts"
import { aString, withoutBatchFields } from "./Inputs.ts"
import * as Run from "./Run.ts"

/**
 * Settings of a batch of embeddings.
 *
 * **Units**: `concurrency` counts requests, not texts.
 *
 * @category models
 * @since 0.1.0
 */
export type EmbedBatchOptions<T extends VectorType, R> = EmbedOptions<T> &
  BatchOptions<EmbeddingResult<Vector<T>>, InferenceError, R> & {
    /** Texts per request. Default 32; never more than the provider takes. */
    readonly microBatchSize?: number | undefined
    /**
     * Estimated tokens per request. Default nine tenths of the provider's limit, and at most 270,000; never more than the
     * provider takes.
     */
    readonly maxTokensPerRequest?: number | undefined
  }

/**
 * Embeds every text: one vector or typed failure each, in input order.
 *
 * **Details**: with `mode: "failFast"` the first failure interrupts the rest and is the batch's; otherwise a request that
 * fails for one bad text is bisected until only that text fails. One that fails for every text alike (a refused key, a spent
 * account, an unknown model) before any has succeeded ends the sending: the texts that were not sent fail with its reason.
 *
 * @category operations
 * @since 0.1.0
 */
export const embedBatch: {
  <I extends Iterable<string>, T extends VectorType = "float32", R = never>(
    inputs: NotAString<I>,
    options: EmbedBatchOptions<T, R> & { readonly mode: "failFast" }
  ): Effect.Effect<BatchResult<EmbeddingResult<Vector<T>>, never>, InferenceError, Inference | R>
  <I extends Iterable<string>, T extends VectorType = "float32", R = never>(
    inputs: NotAString<I>,
    options?: EmbedBatchOptions<T, R> & { readonly mode?: "collect" | undefined }
  ): Effect.Effect<
    BatchResult<EmbeddingResult<Vector<T>>, InferenceError>,
    InferenceError,
    Inference | R
  >
} = ((
  inputs: Iterable<string>,
  options: EmbedBatchOptions<VectorType, never> & {
    readonly mode?: "collect" | "failFast" | undefined
  } = {}
) =>
  Effect.gen(function* () {
    if (typeof inputs === "string") return yield* aString("embed")
    const items = Array.from(inputs)
    const results = new Array<Result.Result<EmbeddingResult<unknown>, InferenceError>>(items.length)
    const failFast = options.mode === "failFast"
    yield* Stream.runForEach(stream(items, options, !failFast), ({ index, result }) => {
      results[index] = result
      return failFast && Result.isFailure(result) ? Effect.fail(result.failure) : Effect.void
    })
    return new BatchResult(results)
  }).pipe(BatchSpans.batch("embed"))) as never

/**
 * Embeds the texts of an iterable or stream, as a stream of settled texts, in bounded memory.
 *
 * **Details**: in order of completion, or in input order with `ordered: true`. The stream itself fails only when its source
 * does, or when `microBatchSize` or `maxTokensPerRequest` cannot be used; failed texts are elements.
 *
 * @category operations
 * @since 0.1.0
 */
export const embedBatchStream = <
  I extends Iterable<string> | Stream.Stream<string, unknown, unknown>,
  T extends VectorType = "float32",
  R = never
>(
  inputs: NotAString<I>,
  options: EmbedBatchOptions<T, R> & { readonly ordered?: boolean | undefined } = {}
): Stream.Stream<
  Settled<EmbeddingResult<Vector<T>>, InferenceError>,
  StreamError<I> | InferenceError,
  StreamContext<I> | Inference | R
> => stream(inputs, options, true).pipe(BatchSpans.batchStream("embed"))

const stream = <I, T extends VectorType, R>(
  inputs: I,
  options: EmbedBatchOptions<T, R> & { readonly ordered?: boolean | undefined },
  isolate: boolean
): Stream.Stream<
  Settled<EmbeddingResult<Vector<T>>, InferenceError>,
  StreamError<I> | InferenceError,
  StreamContext<I> | Inference | R
> => {
  if (typeof inputs === "string") return Stream.fail(aString("embed"))
  return Stream.unwrap(
    Effect.gen(function* () {
      const inference = yield* Inference
      const limits = yield* Effect.mapError(
        Effect.fromResult(EmbedBatch.packLimits(options, inference.embedLimits)),
        (reason) => Run.refused("embed", reason)
      )
      const source: Stream.Stream<string, StreamError<I>, StreamContext<I>> = Stream.isStream(
        inputs
      )
        ? (inputs as Stream.Stream<string, StreamError<I>, StreamContext<I>>)
        : Stream.fromIterable(inputs as Iterable<string>, { chunkSize: limits.texts })
      const concurrency = options.concurrency ?? (yield* Batch.Concurrency)
      // The halves of a request that is bisected take turns with the other requests.
      const turns = yield* Semaphore.make(Math.max(1, concurrency))
      const observe = Batch.observer(options, Array.isArray(inputs) ? inputs.length : undefined)
      const settle = EmbedBatch.settle<T>(
        (texts, own) => turns.withPermit(inference.embed(texts, own)),
        withoutBatchFields(options, packFields),
        isolate
      )
      let next = 0
      const items = Stream.map(source, (text) => EmbedBatch.item(next++, text))
      return EmbedBatch.packed(items, limits).pipe(
        Stream.mapEffect(
          (pack) => Effect.tap(settle(pack), Effect.forEach(observe, { discard: true })),
          { concurrency, unordered: options.ordered !== true }
        ),
        Stream.flattenIterable
      )
    })
  )
}

const packFields = ["microBatchSize", "maxTokensPerRequest"]
