/**
 * Many generations: collected, failing fast, or as a stream in bounded memory.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

import type { BatchOptions, Settled } from "../batch/Batch.ts"
import * as Batch from "../batch/Batch.ts"
import type { BatchResult } from "../batch/BatchResult.ts"
import type { InferenceError } from "../InferenceError.ts"
import type { GenerateInput, GenerationResult } from "../operation/Generate.ts"
import * as BatchSpans from "../telemetry/BatchSpans.ts"
import type { GenerateOptions } from "./GenerateInputs.ts"
import type { OutputType } from "./GenerateOperation.ts"
import type { AnyOutput } from "./InferenceService.ts"
import { Inference } from "./InferenceService.ts"
import type { NotAString, StreamContext, StreamError } from "./Inputs.ts"
import { aString, withoutBatchFields } from "./Inputs.ts"

/**
 * One input of a batch that has options of its own; they win over the batch's, field by field.
 *
 * @category models
 * @since 0.1.0
 */
export interface GenerateItem {
  readonly input: GenerateInput
  readonly options?: GenerateOptions<never> | undefined
}

/**
 * Settings of a batch: those of every generation, and those of the batch.
 *
 * @category models
 * @since 0.1.0
 */
export type GenerateBatchOptions<O, R> = GenerateOptions<O> &
  BatchOptions<GenerationResult<OutputType<O>>, InferenceError, R>

/**
 * Generates for every input: one result or typed failure each, in input order.
 *
 * **Details**: with `mode: "failFast"` the first failure interrupts the rest and is the batch's. Interrupting a batch stops
 * every attempt and returns every reservation.
 *
 * @category operations
 * @since 0.1.0
 */
export const generateBatch: {
  <I extends Iterable<GenerateInput | GenerateItem>, O extends AnyOutput = undefined, R = never>(
    inputs: NotAString<I>,
    options: GenerateBatchOptions<O, R> & { readonly mode: "failFast" }
  ): Effect.Effect<
    BatchResult<GenerationResult<OutputType<O>>, never>,
    InferenceError,
    Inference | R
  >
  <I extends Iterable<GenerateInput | GenerateItem>, O extends AnyOutput = undefined, R = never>(
    inputs: NotAString<I>,
    options?: GenerateBatchOptions<O, R> & { readonly mode?: "collect" | undefined }
  ): Effect.Effect<
    BatchResult<GenerationResult<OutputType<O>>, InferenceError>,
    InferenceError,
    Inference | R
  >
} = ((
  inputs: Iterable<GenerateInput | GenerateItem>,
  options: GenerateBatchOptions<AnyOutput, never> & {
    readonly mode?: "collect" | "failFast" | undefined
  } = {}
) =>
  typeof inputs === "string"
    ? Effect.fail(aString("generate"))
    : Effect.flatMap(Inference, (inference) => {
        const run = itemRunner(inference, options)
        const settle = options.mode === "failFast" ? Batch.failFast : Batch.collect
        return settle(inputs, run, options) as Effect.Effect<unknown, InferenceError>
      }).pipe(BatchSpans.batch("generate"))) as never

/**
 * Generates for every input of an iterable or stream, as a stream of settled inputs, in bounded memory.
 *
 * **Details**: in order of completion, or in input order with `ordered: true`. The stream itself fails only when its source
 * does; failed inputs are elements.
 *
 * @category operations
 * @since 0.1.0
 */
export const generateBatchStream = <
  I extends
    | Iterable<GenerateInput | GenerateItem>
    | Stream.Stream<GenerateInput | GenerateItem, unknown, unknown>,
  O extends AnyOutput = undefined,
  R = never
>(
  inputs: NotAString<I>,
  options: GenerateBatchOptions<O, R> & { readonly ordered?: boolean | undefined } = {}
): Stream.Stream<
  Settled<GenerationResult<OutputType<O>>, InferenceError>,
  StreamError<I> | InferenceError,
  StreamContext<I> | Inference | R
> =>
  typeof inputs === "string"
    ? Stream.fail(aString("generate"))
    : Stream.unwrap(
        Effect.map(Inference, (inference) =>
          Batch.stream(
            inputs as Stream.Stream<GenerateInput | GenerateItem, StreamError<I>, StreamContext<I>>,
            itemRunner(inference, options),
            options
          )
        )
      ).pipe(BatchSpans.batchStream("generate"))

/** One input of a batch; the batch's options are one object for all inputs, so they are checked once. */
const itemRunner = <O extends AnyOutput>(
  inference: Inference["Service"],
  options: GenerateBatchOptions<O, unknown>
) => {
  const shared: GenerateOptions<O> = withoutBatchFields(options)
  return (item: GenerateInput | GenerateItem) =>
    isItem(item)
      ? inference.generate(
          item.input,
          item.options === undefined ? shared : { ...shared, ...item.options }
        )
      : inference.generate(item, shared)
}

const isItem = (item: GenerateInput | GenerateItem): item is GenerateItem =>
  typeof item === "object" && item !== null && "input" in item
