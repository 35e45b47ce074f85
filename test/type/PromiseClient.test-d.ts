// Checked by the compiler: what programs that do not speak Effect have in their types.
import type { Settled } from "@infermesh/core/batch/Batch"
import type { BatchResult } from "@infermesh/core/batch/BatchResult"
import type { InferenceError } from "@infermesh/core/InferenceError"
import type { EmbeddingResult, EmbedResult } from "@infermesh/core/operation/Embed"
import type { GenerationResult } from "@infermesh/core/operation/Generate"
import type { TranscriptionResult } from "@infermesh/core/operation/Transcribe"
import { Schema } from "effect"
import type { PromiseClient } from "infermesh/PromiseClient"
import { expectTypeOf } from "vitest"

declare const client: PromiseClient
declare const signal: AbortSignal
declare const arriving: AsyncIterable<string>

const Summary = Schema.Struct({ headline: Schema.String })
type Summary = { readonly headline: string }

expectTypeOf(client.generate("x")).toEqualTypeOf<Promise<GenerationResult>>()
expectTypeOf(client.generate("x", { output: Summary, signal })).toEqualTypeOf<
  Promise<GenerationResult<Summary>>
>()
expectTypeOf(client.generateBatch(["x"], { output: Summary })).toEqualTypeOf<
  Promise<BatchResult<GenerationResult<Summary>, InferenceError>>
>()
expectTypeOf(client.generateBatch(["x"], { mode: "failFast" })).toEqualTypeOf<
  Promise<BatchResult<GenerationResult, never>>
>()
expectTypeOf(client.generateBatchStream(arriving, { signal })).toEqualTypeOf<
  AsyncIterable<Settled<GenerationResult, InferenceError>>
>()
expectTypeOf(client.embed("x")).toEqualTypeOf<Promise<EmbeddingResult>>()
expectTypeOf(client.embed(["x"], { vectors: "array" })).toEqualTypeOf<
  Promise<EmbedResult<ReadonlyArray<number>>>
>()
expectTypeOf(client.embedBatchStream(["x"])).toEqualTypeOf<
  AsyncIterable<Settled<EmbeddingResult, InferenceError>>
>()
expectTypeOf(client.transcribeBatch(["a.wav"], { mode: "failFast" })).toEqualTypeOf<
  Promise<BatchResult<TranscriptionResult, never>>
>()
// @ts-expect-error one string is one input
expectTypeOf(client.generateBatch("x")).toBeObject()
// @ts-expect-error one string is one input
expectTypeOf(client.generateBatchStream("x")).toBeObject()
