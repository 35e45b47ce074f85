/**
 * infermesh for programs that do not speak Effect: the same operations as promises and async iterables.
 *
 * Nothing is done here but running: every method is the Effect of the same name, run on one `ManagedRuntime`, and a failure
 * rejects with the same typed `InferenceError`. Options are those of the Effect, and a `signal` besides.
 *
 * @since 0.1.0
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import type { Settled } from "@infermesh/core/batch/Batch"
import type { BatchResult } from "@infermesh/core/batch/BatchResult"
import * as Inference from "@infermesh/core/Inference"
import type { Vector, VectorType } from "@infermesh/core/inference/EmbedOperation"
import type { InferenceError } from "@infermesh/core/InferenceError"
import type { AudioBlock, AudioBlockOptions } from "@infermesh/core/operation/AudioBlock"
import { audio } from "@infermesh/core/operation/AudioBlock"
import type { DocumentBlock, DocumentOptions } from "@infermesh/core/operation/Document"
import { document } from "@infermesh/core/operation/Document"
import type { EmbeddingResult, EmbedResult } from "@infermesh/core/operation/Embed"
import type { GenerateInput, GenerationResult } from "@infermesh/core/operation/Generate"
import type { ImageBlock, ImageOptions } from "@infermesh/core/operation/Image"
import { image } from "@infermesh/core/operation/Image"
import type { Source } from "@infermesh/core/operation/MediaSource"
import type { ChatMessage } from "@infermesh/core/operation/Message"
import type { Answered, ToolResult } from "@infermesh/core/operation/NextTurn"
import { nextTurn } from "@infermesh/core/operation/NextTurn"
import type { TranscriptionResult } from "@infermesh/core/operation/Transcribe"
import * as Scheduler from "@infermesh/core/Scheduler"
import type { SchedulerSnapshot } from "@infermesh/core/SchedulerSnapshot"
import type { SettingsError } from "@infermesh/core/SettingsError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Stream from "effect/Stream"

/**
 * Ends a call early: the request is interrupted, its connection closed, and the promise or loop rejects with the signal's
 * reason.
 *
 * @category models
 * @since 0.1.0
 */
export interface Abortable {
  readonly signal?: AbortSignal | undefined
}

/**
 * Many inputs, at hand or still to come; a string is one input and is none of these.
 *
 * @category models
 * @since 0.1.0
 */
export type Inputs<A> = (Iterable<A> & object) | AsyncIterable<A>

/**
 * What can be transcribed: what `transcribe` takes, and the bytes as an async iterable, such as Node's streams.
 *
 * @category models
 * @since 0.1.0
 */
export type AudioInput = Inference.TranscribeInput | AsyncIterable<Uint8Array>

interface FailFast {
  readonly mode: "failFast"
}
interface Collect {
  readonly mode?: "collect" | undefined
}
interface Ordered {
  readonly ordered?: boolean | undefined
}

/**
 * A client whose methods give promises.
 *
 * **Errors**: promises and loops reject with `InferenceError`, and with `SettingsError` at the first call when a setting cannot
 * be used. After `close` they reject with an `AbortError`.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseClient extends AsyncDisposable {
  readonly generate: <O extends Inference.AnyOutput = undefined>(
    input: GenerateInput,
    options?: Inference.GenerateOptions<O> & Abortable
  ) => Promise<GenerationResult<Inference.OutputType<O>>>
  /** Parts as they are written; leaving the loop closes the connection. */
  readonly generateStream: <O extends Inference.AnyOutput = undefined>(
    input: GenerateInput,
    options?: Inference.GenerateOptions<O> & Abortable
  ) => AsyncIterable<Inference.GenerateEvent<Inference.OutputType<O>>>
  /** One result or typed failure per input, in input order; with `mode: "failFast"` the first failure rejects. */
  readonly generateBatch: {
    <O extends Inference.AnyOutput = undefined>(
      inputs: ReadonlyArray<GenerateInput | Inference.GenerateItem>,
      options: Inference.GenerateBatchOptions<O, never> & Abortable & FailFast
    ): Promise<BatchResult<GenerationResult<Inference.OutputType<O>>, never>>
    <O extends Inference.AnyOutput = undefined>(
      inputs: ReadonlyArray<GenerateInput | Inference.GenerateItem>,
      options?: Inference.GenerateBatchOptions<O, never> & Abortable & Collect
    ): Promise<BatchResult<GenerationResult<Inference.OutputType<O>>, InferenceError>>
  }
  /** Settled inputs in order of completion (or of input, with `ordered`), in bounded memory. */
  readonly generateBatchStream: <O extends Inference.AnyOutput = undefined>(
    inputs: Inputs<GenerateInput | Inference.GenerateItem>,
    options?: Inference.GenerateBatchOptions<O, never> & Abortable & Ordered
  ) => AsyncIterable<Settled<GenerationResult<Inference.OutputType<O>>, InferenceError>>
  readonly embed: {
    <T extends VectorType = "float32">(
      text: string,
      options?: Inference.EmbedOptions<T> & Abortable
    ): Promise<EmbeddingResult<Vector<T>>>
    /** Several texts in one request, one vector each, in input order. */
    <T extends VectorType = "float32">(
      texts: ReadonlyArray<string>,
      options?: Inference.EmbedOptions<T> & Abortable
    ): Promise<EmbedResult<Vector<T>>>
  }
  readonly embedBatch: {
    <T extends VectorType = "float32">(
      texts: ReadonlyArray<string>,
      options: Inference.EmbedBatchOptions<T, never> & Abortable & FailFast
    ): Promise<BatchResult<EmbeddingResult<Vector<T>>, never>>
    <T extends VectorType = "float32">(
      texts: ReadonlyArray<string>,
      options?: Inference.EmbedBatchOptions<T, never> & Abortable & Collect
    ): Promise<BatchResult<EmbeddingResult<Vector<T>>, InferenceError>>
  }
  readonly embedBatchStream: <T extends VectorType = "float32">(
    texts: Inputs<string>,
    options?: Inference.EmbedBatchOptions<T, never> & Abortable & Ordered
  ) => AsyncIterable<Settled<EmbeddingResult<Vector<T>>, InferenceError>>
  readonly transcribe: (
    input: AudioInput,
    options?: Inference.TranscribeOptions & Abortable
  ) => Promise<TranscriptionResult>
  readonly transcribeBatch: {
    (
      inputs: ReadonlyArray<AudioInput>,
      options: Inference.TranscribeBatchOptions<never> & Abortable & FailFast
    ): Promise<BatchResult<TranscriptionResult, never>>
    (
      inputs: ReadonlyArray<AudioInput>,
      options?: Inference.TranscribeBatchOptions<never> & Abortable & Collect
    ): Promise<BatchResult<TranscriptionResult, InferenceError>>
  }
  readonly transcribeBatchStream: (
    inputs: Inputs<AudioInput>,
    options?: Inference.TranscribeBatchOptions<never> & Abortable & Ordered
  ) => AsyncIterable<Settled<TranscriptionResult, InferenceError>>
  /** The content block of an image, for a chat message; rejects with `InvalidInput`, as the next three do. */
  readonly image: (source: Source, options?: ImageOptions) => Promise<ImageBlock>
  readonly document: (source: Source, options?: DocumentOptions) => Promise<DocumentBlock>
  readonly audio: (source: Source, options?: AudioBlockOptions) => Promise<AudioBlock>
  /** The messages of the next turn: those so far, the answer, and what its tools came to. */
  readonly nextTurn: (
    input: string | ReadonlyArray<ChatMessage>,
    answer: Answered,
    results?: ReadonlyArray<ToolResult>
  ) => Promise<ReadonlyArray<ChatMessage>>
  /** What the client is doing now: who waits and for what, slots, quotas and health. */
  readonly snapshot: () => Promise<SchedulerSnapshot>
  /** Interrupts what is under way and closes the connections. May be called more than once. */
  readonly close: () => Promise<void>
}

type Services = Inference.Inference | Scheduler.Scheduler | FileSystem.FileSystem

/**
 * Runs a client's Layer for promises; it is built at the first call.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  layer: Layer.Layer<Inference.Inference | Scheduler.Scheduler, SettingsError>
): PromiseClient => {
  const runtime = ManagedRuntime.make(Layer.merge(layer, NodeFileSystem.layer))
  const closing = new AbortController()

  /** The options without the signal, and the signal that ends the call: the caller's, or the client's end. */
  const parted = <O extends Abortable>(options: O | undefined) => {
    const { signal, ...own } = options ?? ({} as O)
    const end = signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal])
    return { own, end }
  }

  const run = async <O extends Abortable, A, E>(
    options: O | undefined,
    operation: (own: Omit<O, "signal">) => Effect.Effect<A, E, Services>
  ): Promise<A> => {
    const { end, own } = parted(options)
    end.throwIfAborted()
    const exit = await runtime.runPromiseExit(operation(own), { signal: end })
    if (Exit.isSuccess(exit)) return exit.value
    throw end.aborted && Cause.hasInterruptsOnly(exit.cause) ? end.reason : Cause.squash(exit.cause)
  }

  const iterate = <O extends Abortable, A>(
    options: O | undefined,
    operation: (own: Omit<O, "signal">) => Stream.Stream<A, unknown, Services>
  ): AsyncIterable<A> => ({
    async *[Symbol.asyncIterator]() {
      const { end, own } = parted(options)
      end.throwIfAborted()
      const stream = Stream.interruptWhen(operation(own), aborted(end))
      yield* Stream.toAsyncIterableWith(stream, await runtime.context())
    }
  })

  // The overloads say which inputs and options give which type; what is run is the operation of that name, which has the same.
  const overloaded =
    (operation: (inputs: never, own: never) => Effect.Effect<unknown, unknown, Services>) =>
    (inputs: unknown, options?: Abortable): Promise<never> =>
      run(options, (own) => operation(inputs as never, own as never)) as Promise<never>

  return {
    generate: (input, options) => run(options, (own) => Inference.generate(input, own)),
    generateStream: (input, options) =>
      iterate(options, (own) => Inference.generateStream(input, own)),
    generateBatch: overloaded(Inference.generateBatch),
    generateBatchStream: (inputs, options) =>
      iterate(options, (own) => Inference.generateBatchStream(source(inputs), own)),
    embed: overloaded(Inference.embed),
    embedBatch: overloaded(Inference.embedBatch),
    embedBatchStream: (texts, options) =>
      iterate(options, (own) => Inference.embedBatchStream(source(texts), own)),
    transcribe: (input, options) => run(options, (own) => Inference.transcribe(bytes(input), own)),
    transcribeBatch: overloaded((inputs: ReadonlyArray<AudioInput>, own) =>
      Inference.transcribeBatch(inputs.map(bytes), own)
    ),
    transcribeBatchStream: (inputs, options) =>
      iterate(options, (own) =>
        Inference.transcribeBatchStream(Stream.map(source(inputs), bytes), own)
      ),
    image: (from, options) => run({}, () => image(from as string, options)),
    document: (from, options) => run({}, () => document(from as string, options)),
    audio: (from, options) => run({}, () => audio(from as string, options)),
    nextTurn: (input, answer, results) => run({}, () => nextTurn(input, answer, results)),
    snapshot: () => run({}, () => Scheduler.snapshot),
    close: () => {
      if (!closing.signal.aborted) closing.abort(closed())
      return runtime.dispose()
    },
    [Symbol.asyncDispose]() {
      return this.close()
    }
  }
}

const closed = () => new DOMException("The client was closed", "AbortError")

/** Fails with the signal's reason when it is aborted. */
const aborted = (signal: AbortSignal): Effect.Effect<never, unknown> =>
  Effect.callback((resume) => {
    const abort = () => resume(Effect.fail<unknown>(signal.reason))
    if (signal.aborted) return abort()
    signal.addEventListener("abort", abort, { once: true })
    return Effect.sync(() => signal.removeEventListener("abort", abort))
  })

const isAsync = (inputs: unknown): inputs is AsyncIterable<unknown> =>
  typeof inputs === "object" && inputs !== null && Symbol.asyncIterator in inputs

const source = <A>(inputs: Inputs<A>): Stream.Stream<A, unknown> =>
  isAsync(inputs) ? Stream.fromAsyncIterable(inputs, (error) => error) : Stream.fromIterable(inputs)

const bytes = (input: AudioInput): Inference.TranscribeInput =>
  isAsync(input) && !Stream.isStream(input)
    ? Stream.fromAsyncIterable(input, (error) => error)
    : (input as Inference.TranscribeInput)
