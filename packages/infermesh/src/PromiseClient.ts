import type { Settled } from "@infermesh/core/batch/Batch"
/**
 * infermesh for programs that do not speak Effect: the same operations as promises and async iterables.
 *
 * Nothing is done here but running: every method is the Effect of the same name, run on one `ManagedRuntime`, and a failure
 * rejects with the same typed `InferenceError`.
 *
 * @since 0.1.0
 */
import type { BatchResult } from "@infermesh/core/batch/BatchResult"
import * as Inference from "@infermesh/core/Inference"
import type { Vector, VectorType } from "@infermesh/core/inference/EmbedOperation"
import type { InferenceError } from "@infermesh/core/InferenceError"
import type { EmbeddingResult } from "@infermesh/core/operation/Embed"
import type { GenerateInput, GenerationResult } from "@infermesh/core/operation/Generate"
import type { TranscriptionResult } from "@infermesh/core/operation/Transcribe"
import * as Scheduler from "@infermesh/core/Scheduler"
import type { SchedulerSnapshot } from "@infermesh/core/SchedulerSnapshot"
import type { SettingsError } from "@infermesh/core/SettingsError"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Stream from "effect/Stream"

/**
 * Ends a call early: the request is interrupted and its connection closed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Abortable {
  readonly signal?: AbortSignal | undefined
}

/**
 * A client whose methods give promises.
 *
 * **Errors**: promises reject with `InferenceError`, and with `SettingsError` at the first call when a setting cannot be used.
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
    options?: Inference.GenerateOptions<O>
  ) => AsyncIterable<Inference.GenerateEvent<Inference.OutputType<O>>>
  /** One result or typed failure per input, in input order. */
  readonly generateBatch: <O extends Inference.AnyOutput = undefined>(
    inputs: ReadonlyArray<GenerateInput | Inference.GenerateItem>,
    options?: Inference.GenerateBatchOptions<O, never> & Abortable
  ) => Promise<BatchResult<GenerationResult<Inference.OutputType<O>>, InferenceError>>
  /** Settled inputs in order of completion (or of input, with `ordered`), in bounded memory. */
  readonly generateBatchStream: <O extends Inference.AnyOutput = undefined>(
    inputs: Iterable<GenerateInput | Inference.GenerateItem>,
    options?: Inference.GenerateBatchOptions<O, never> & { readonly ordered?: boolean | undefined }
  ) => AsyncIterable<Settled<GenerationResult<Inference.OutputType<O>>, InferenceError>>
  readonly embed: <T extends VectorType = "float32">(
    text: string,
    options?: Inference.EmbedOptions<T> & Abortable
  ) => Promise<EmbeddingResult<Vector<T>>>
  readonly embedBatch: <T extends VectorType = "float32">(
    texts: ReadonlyArray<string>,
    options?: Inference.EmbedBatchOptions<T, never> & Abortable
  ) => Promise<BatchResult<EmbeddingResult<Vector<T>>, InferenceError>>
  readonly transcribe: (
    input: Inference.TranscribeInput,
    options?: Inference.TranscribeOptions & Abortable
  ) => Promise<TranscriptionResult>
  readonly transcribeBatch: (
    inputs: ReadonlyArray<Inference.TranscribeInput>,
    options?: Inference.TranscribeBatchOptions<never> & Abortable
  ) => Promise<BatchResult<TranscriptionResult, InferenceError>>
  /** What the client is doing now: who waits and for what, slots, quotas and health. */
  readonly snapshot: () => Promise<SchedulerSnapshot>
  /** Interrupts what is under way and closes the connections. May be called more than once. */
  readonly close: () => Promise<void>
}

/**
 * Runs a client's Layer for promises; it is built at the first call.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  layer: Layer.Layer<Inference.Inference | Scheduler.Scheduler, SettingsError>
): PromiseClient => {
  const runtime = ManagedRuntime.make(layer)
  const run = <O extends Abortable, A>(
    options: O | undefined,
    operation: (options: Omit<O, "signal">) => Effect.Effect<A, InferenceError, Inference.Inference>
  ): Promise<A> => {
    const { signal, ...rest } = options ?? ({} as O)
    return runtime.runPromise(operation(rest), signal === undefined ? undefined : { signal })
  }
  const iterate = <A>(
    stream: Stream.Stream<A, InferenceError, Inference.Inference>
  ): AsyncIterable<A> => ({
    async *[Symbol.asyncIterator]() {
      yield* Stream.toAsyncIterableWith(stream, await runtime.context())
    }
  })
  return {
    generate: (input, options) => run(options, (own) => Inference.generate(input, own)),
    generateStream: (input, options) => iterate(Inference.generateStream(input, options)),
    generateBatch: (inputs, options) =>
      run(options, (own) => Inference.generateBatch(inputs, { ...own, mode: "collect" })),
    generateBatchStream: (inputs, options) =>
      iterate(Inference.generateBatchStream(inputs, options)),
    embed: (text, options) => run(options, (own) => Inference.embed(text, own)),
    embedBatch: (texts, options) =>
      run(options, (own) => Inference.embedBatch(texts, { ...own, mode: "collect" })),
    transcribe: (input, options) => run(options, (own) => Inference.transcribe(input, own)),
    transcribeBatch: (inputs, options) =>
      run(options, (own) => Inference.transcribeBatch(inputs, { ...own, mode: "collect" })),
    snapshot: () => runtime.runPromise(Scheduler.snapshot),
    close: () => runtime.dispose(),
    [Symbol.asyncDispose]: () => runtime.dispose()
  }
}
