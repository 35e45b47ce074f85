/**
 * The service `Inference`: what a program that runs inference has in its requirements, and all it has there.
 *
 * Tests put a stub in its place; `Inference.layer` is the real one. Batches are functions over it, so a stub serves them too.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"

import type { PackLimits } from "../batch/Packing.ts"
import type { InferenceError } from "../InferenceError.ts"
import type { EmbedResult } from "../operation/Embed.ts"
import type { GenerateInput, GenerationResult } from "../operation/Generate.ts"
import type { TranscriptionResult } from "../operation/Transcribe.ts"
import type { Output } from "../output/StructuredOutput.ts"
import type { EmbedOptions, Vector, VectorType } from "./EmbedOperation.ts"
import type { GenerateOptions } from "./GenerateInputs.ts"
import type { OutputType } from "./GenerateOperation.ts"
import type { GenerateEvent } from "./GenerateStream.ts"
import type { TranscribeInput, TranscribeOptions } from "./TranscribeOperation.ts"

/**
 * Any `output` option.
 *
 * @category models
 * @since 0.1.0
 */
export type AnyOutput = Output<unknown> | undefined

/**
 * Runs inference.
 *
 * @category services
 * @since 0.1.0
 */
export class Inference extends Context.Service<
  Inference,
  {
    readonly generate: <O extends AnyOutput = undefined>(
      input: GenerateInput,
      options?: GenerateOptions<O>
    ) => Effect.Effect<GenerationResult<OutputType<O>>, InferenceError>
    readonly generateStream: <O extends AnyOutput = undefined>(
      input: GenerateInput,
      options?: GenerateOptions<O>
    ) => Stream.Stream<GenerateEvent<OutputType<O>>, InferenceError>
    /** Makes one request over all the texts. */
    readonly embed: <T extends VectorType = "float32">(
      texts: ReadonlyArray<string>,
      options?: EmbedOptions<T>
    ) => Effect.Effect<EmbedResult<Vector<T>>, InferenceError>
    /** The most texts and tokens that one `embed` may hold, where the providers say so: batches pack by it. */
    readonly embedLimits?: PackLimits | undefined
    readonly transcribe: (
      input: TranscribeInput,
      options?: TranscribeOptions
    ) => Effect.Effect<TranscriptionResult, InferenceError>
  }
>()("@infermesh/core/Inference") {}
