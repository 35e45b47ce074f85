// Checked by the compiler: what programs that call infermesh have in their types.
import type { Settled } from "@infermesh/core/batch/Batch"
import type { BatchResult } from "@infermesh/core/batch/BatchResult"
import * as Inference from "@infermesh/core/Inference"
import type { InferenceError } from "@infermesh/core/InferenceError"
import type { AudioBlock } from "@infermesh/core/operation/AudioBlock"
import { audio } from "@infermesh/core/operation/AudioBlock"
import type { DocumentBlock } from "@infermesh/core/operation/Document"
import { document } from "@infermesh/core/operation/Document"
import type { EmbeddingResult, EmbedResult } from "@infermesh/core/operation/Embed"
import type { GenerationResult, ResponsesInput } from "@infermesh/core/operation/Generate"
import type { ImageBlock } from "@infermesh/core/operation/Image"
import { image } from "@infermesh/core/operation/Image"
import type { ChatMessage } from "@infermesh/core/operation/Message"
import { nextTurn } from "@infermesh/core/operation/NextTurn"
import type { TranscriptionResult } from "@infermesh/core/operation/Transcribe"
import type { InvalidInput } from "@infermesh/core/Reason"
import type { Effect, FileSystem, Stream } from "effect"
import { Schema } from "effect"
import type { Prompt } from "effect/ai"
import { expectTypeOf } from "vitest"

const Summary = Schema.Struct({ headline: Schema.String, at: Schema.optionalKey(Schema.Date) })
type Summary = { readonly headline: string; readonly at?: Date }

type Asks<A> = Effect.Effect<A, InferenceError, Inference.Inference>
type Streams<A> = Stream.Stream<A, InferenceError, Inference.Inference>

// ---- generate: `outputParsed` has the schema's type, and is undefined where there is none

expectTypeOf(Inference.generate("x")).toEqualTypeOf<Asks<GenerationResult>>()
expectTypeOf(Inference.generate("x", { temperature: 0 })).toEqualTypeOf<Asks<GenerationResult>>()
expectTypeOf(Inference.generate("x", { output: Summary, maxRepairs: 1 })).toEqualTypeOf<
  Asks<GenerationResult<Summary>>
>()
expectTypeOf(Inference.generate("x", { output: { type: "object" } })).toEqualTypeOf<
  Asks<GenerationResult<unknown>>
>()
expectTypeOf<GenerationResult["outputParsed"]>().toEqualTypeOf<undefined>()
expectTypeOf<GenerationResult<Summary>["outputParsed"]>().toEqualTypeOf<Summary>()
// @ts-expect-error a temperature is a number
expectTypeOf(Inference.generate("x", { temperature: "hot" })).toBeObject()
// @ts-expect-error there is no such option
expectTypeOf(Inference.generate("x", { temprature: 1 })).toBeObject()
// @ts-expect-error streams have an operation of their own
expectTypeOf(Inference.generate("x", { stream: true })).toBeObject()
// @ts-expect-error roles are known
expectTypeOf(Inference.generate([{ role: "robot", content: "x" }])).toBeObject()

expectTypeOf(Inference.generateStream("x")).toEqualTypeOf<Streams<Inference.GenerateEvent>>()
expectTypeOf(Inference.generateStream("x", { output: Summary })).toEqualTypeOf<
  Streams<Inference.GenerateEvent<Summary>>
>()
expectTypeOf<
  Extract<Inference.GenerateEvent<Summary>, { readonly type: "finish" }>["result"]["outputParsed"]
>().toEqualTypeOf<Summary>()

// ---- batches: failures are data, unless the first is the batch's

expectTypeOf(Inference.generateBatch(["x"], { mode: "failFast" })).toEqualTypeOf<
  Asks<BatchResult<GenerationResult, never>>
>()
expectTypeOf(Inference.generateBatch(["x"], { output: Summary })).toEqualTypeOf<
  Asks<BatchResult<GenerationResult<Summary>, InferenceError>>
>()
expectTypeOf(Inference.generateBatchStream(["x"], { output: Summary })).toEqualTypeOf<
  Streams<Settled<GenerationResult<Summary>, InferenceError>>
>()
declare const source: Stream.Stream<string, "gone", "store">
expectTypeOf(Inference.generateBatchStream(source)).toEqualTypeOf<
  Stream.Stream<
    Settled<GenerationResult, InferenceError>,
    InferenceError | "gone",
    Inference.Inference | "store"
  >
>()
// @ts-expect-error one string is one input
expectTypeOf(Inference.generateBatch("x")).toBeObject()
// @ts-expect-error one string is one input
expectTypeOf(Inference.embedBatch("x")).toBeObject()
// @ts-expect-error one string is one input
expectTypeOf(Inference.transcribeBatch("x")).toBeObject()

// ---- embed: one text or several, as Float32Array or plain numbers

expectTypeOf(Inference.embed("x")).toEqualTypeOf<Asks<EmbeddingResult>>()
expectTypeOf(Inference.embed(["x"], { vectors: "array" })).toEqualTypeOf<
  Asks<EmbedResult<ReadonlyArray<number>>>
>()
expectTypeOf(Inference.embedBatch(["x"])).toEqualTypeOf<
  Asks<BatchResult<EmbeddingResult, InferenceError>>
>()
expectTypeOf(Inference.embedBatch(["x"], { mode: "failFast", vectors: "array" })).toEqualTypeOf<
  Asks<BatchResult<EmbeddingResult<ReadonlyArray<number>>, never>>
>()
expectTypeOf(Inference.embedBatchStream(["x"])).toEqualTypeOf<
  Streams<Settled<EmbeddingResult, InferenceError>>
>()
// @ts-expect-error texts are strings
expectTypeOf(Inference.embed([null])).toBeObject()

// ---- transcribe

expectTypeOf(Inference.transcribe("a.wav")).toEqualTypeOf<Asks<TranscriptionResult>>()
expectTypeOf(Inference.transcribeBatch(["a.wav"])).toEqualTypeOf<
  Asks<BatchResult<TranscriptionResult, InferenceError>>
>()
expectTypeOf(Inference.transcribeBatch(["a.wav"], { mode: "failFast" })).toEqualTypeOf<
  Asks<BatchResult<TranscriptionResult, never>>
>()
expectTypeOf(Inference.transcribeBatchStream(["a.wav"])).toEqualTypeOf<
  Streams<Settled<TranscriptionResult, InferenceError>>
>()

// ---- parts of messages: a path needs a file system, bytes do not

expectTypeOf(image("a.png")).toEqualTypeOf<
  Effect.Effect<ImageBlock, InvalidInput, FileSystem.FileSystem>
>()
expectTypeOf(document(new Uint8Array())).toEqualTypeOf<Effect.Effect<DocumentBlock, InvalidInput>>()
expectTypeOf(audio(new Blob([]))).toEqualTypeOf<Effect.Effect<AudioBlock, InvalidInput>>()
expectTypeOf<ImageBlock | DocumentBlock | AudioBlock>().toExtend<
  Extract<ChatMessage, { readonly role: "user" }>["content"][number]
>()

// ---- the next turn has the form of the one before

declare const answer: GenerationResult<Summary>
declare const prompt: Prompt.Prompt
declare const responses: ResponsesInput
expectTypeOf(nextTurn("x", answer)).toEqualTypeOf<
  Effect.Effect<ReadonlyArray<ChatMessage>, InvalidInput>
>()
expectTypeOf(nextTurn(prompt, answer)).toEqualTypeOf<Effect.Effect<Prompt.Prompt, InvalidInput>>()
expectTypeOf(nextTurn(responses, answer)).toEqualTypeOf<
  Effect.Effect<ResponsesInput, InvalidInput>
>()
