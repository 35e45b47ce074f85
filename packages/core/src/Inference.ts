/**
 * The front door: `generate` one request or many, with everything the pipeline does behind it.
 *
 * The service `Inference` is all that a program needs in its context; the functions here call it, so a program that uses them
 * has `Inference` in its requirements and `InferenceError` in its errors, and nothing else. What the stages are and in which
 * order is in `Pipeline`.
 *
 * **Example** (One request, and a thousand)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Inference from "@infermesh/core/Inference"
 *
 * const program = Effect.gen(function* () {
 *   const one = yield* Inference.generate("Summarise the French Revolution.", { maxTokens: 200 })
 *   const many = yield* Inference.generateBatch(["cat", "dog"].map((word) => `Translate '${word}' to French.`))
 *   return [one.outputText, many.failures.length]
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"

import type { TokenEstimate } from "./admission/TokenEstimate.ts"
import type { Retry } from "./attempt/Retry.ts"
import type { EmbedOptions, Vector, VectorType } from "./inference/EmbedOperation.ts"
import * as EmbedOperation from "./inference/EmbedOperation.ts"
import type { GenerateDefaults, GenerateOptions } from "./inference/GenerateInputs.ts"
import type { OutputType } from "./inference/GenerateOperation.ts"
import * as GenerateOperation from "./inference/GenerateOperation.ts"
import type { GenerateEvent } from "./inference/GenerateStream.ts"
import * as GenerateStream from "./inference/GenerateStream.ts"
import type { AnyOutput } from "./inference/InferenceService.ts"
import { Inference } from "./inference/InferenceService.ts"
import type { TranscribeInput, TranscribeOptions } from "./inference/TranscribeOperation.ts"
import * as TranscribeOperation from "./inference/TranscribeOperation.ts"
import type { InferenceError } from "./InferenceError.ts"
import type { EmbeddingResult, EmbedResult } from "./operation/Embed.ts"
import type { GenerateInput, GenerationResult } from "./operation/Generate.ts"
import type { TranscriptionResult } from "./operation/Transcribe.ts"
import type { PipelineOptions } from "./Pipeline.ts"
import * as Pipeline from "./Pipeline.ts"
import { Scheduler } from "./Scheduler.ts"
import { Pricing } from "./telemetry/Pricing.ts"
import { Recorder } from "./telemetry/Recorder.ts"

export { embedBatch, embedBatchStream } from "./inference/EmbedBatch.ts"
export type { EmbedBatchOptions } from "./inference/EmbedBatch.ts"
export type { EmbedOptions } from "./inference/EmbedOperation.ts"
export { generateBatch, generateBatchStream } from "./inference/GenerateBatch.ts"
export type { GenerateBatchOptions, GenerateItem } from "./inference/GenerateBatch.ts"
export type { GenerateDefaults, GenerateOptions } from "./inference/GenerateInputs.ts"
export type { OutputType } from "./inference/GenerateOperation.ts"
export type { GenerateEvent } from "./inference/GenerateStream.ts"
export { Inference } from "./inference/InferenceService.ts"
export type { AnyOutput } from "./inference/InferenceService.ts"
export { transcribeBatch, transcribeBatchStream } from "./inference/TranscribeBatch.ts"
export type { TranscribeBatchOptions } from "./inference/TranscribeBatch.ts"
export type { TranscribeInput, TranscribeOptions } from "./inference/TranscribeOperation.ts"

/**
 * Settings of the client as a whole.
 *
 * @category models
 * @since 0.1.0
 */
export interface InferenceOptions extends PipelineOptions {
  /** Options of every request, unless a call sets them itself. */
  readonly defaults?: GenerateDefaults | undefined
}

/**
 * Builds the service: composes the pipeline, once.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (options: InferenceOptions = {}) {
  const scheduler = yield* Scheduler
  const recorder = new Recorder(scheduler.usualDeployment)
  const pipeline = yield* Pipeline.make(options, recorder)
  const pricing = yield* Pricing
  const fileSystem = yield* Effect.serviceOption(FileSystem.FileSystem)
  const environment = { pipeline, recorder, pricing, defaults: options.defaults ?? {} }
  return Inference.of({
    generate: GenerateOperation.make(environment),
    generateStream: GenerateStream.make(environment),
    embed: EmbedOperation.make(environment),
    get embedLimits() {
      return scheduler.embedLimits()
    },
    transcribe: TranscribeOperation.make(environment, fileSystem)
  })
})

/**
 * The service over the stages in context.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options?: InferenceOptions
): Layer.Layer<Inference, never, Scheduler | TokenEstimate | Retry | Pricing> =>
  Layer.effect(Inference, make(options))

/**
 * Generates text.
 *
 * **Details**: with an `output` Schema, `outputParsed` has its type; an answer that does not fit fails with the reason
 * `StructuredOutputError`, and the error carries the whole result.
 *
 * @category operations
 * @since 0.1.0
 */
export const generate = <O extends AnyOutput = undefined>(
  input: GenerateInput,
  options?: GenerateOptions<O>
): Effect.Effect<GenerationResult<OutputType<O>>, InferenceError, Inference> =>
  Effect.flatMap(Inference, (inference) => inference.generate(input, options))

/**
 * Generates text and gives it as it is written; the last element, `finish`, carries the whole result.
 *
 * **Details**: a reader that stops closes the connection; a slow one slows it down. A failure after the first part has the
 * reason `StreamInterrupted` and carries the text so far.
 *
 * @category operations
 * @since 0.1.0
 */
export const generateStream = <O extends AnyOutput = undefined>(
  input: GenerateInput,
  options?: GenerateOptions<O>
): Stream.Stream<GenerateEvent<OutputType<O>>, InferenceError, Inference> =>
  Stream.unwrap(Effect.map(Inference, (inference) => inference.generateStream(input, options)))

/**
 * Embeds one text, or several in one request.
 *
 * **Shape**: one vector per text, in input order. For many texts use `embedBatch`, which packs them into requests.
 *
 * @category operations
 * @since 0.1.0
 */
export const embed: {
  <T extends VectorType = "float32">(
    text: string,
    options?: EmbedOptions<T>
  ): Effect.Effect<EmbeddingResult<Vector<T>>, InferenceError, Inference>
  <T extends VectorType = "float32">(
    texts: ReadonlyArray<string>,
    options?: EmbedOptions<T>
  ): Effect.Effect<EmbedResult<Vector<T>>, InferenceError, Inference>
} = ((input: string | ReadonlyArray<string>, options?: EmbedOptions<VectorType>) =>
  Effect.flatMap(Inference, (inference): Effect.Effect<unknown, InferenceError> =>
    typeof input === "string"
      ? Effect.map(inference.embed([input], options), single)
      : inference.embed(input, options)
  )) as never

const single = <V>(result: EmbedResult<V>) => ({
  modelId: result.modelId,
  embedding: result.embeddings[0],
  tokenUsage: result.tokenUsage,
  requestId: result.requestId,
  cost: result.cost,
  metrics: result.metrics
})

/**
 * Transcribes audio: a path, bytes, a Blob or a stream of bytes.
 *
 * @category operations
 * @since 0.1.0
 */
export const transcribe = (
  input: TranscribeInput,
  options?: TranscribeOptions
): Effect.Effect<TranscriptionResult, InferenceError, Inference> =>
  Effect.flatMap(Inference, (inference) => inference.transcribe(input, options))
