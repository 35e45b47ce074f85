/**
 * Many requests: collected in memory, failing fast, or as a stream in bounded memory.
 *
 * It knows no operation: what is done with an input is told to it. It does not limit attempts (slots and quotas do); its
 * `concurrency` limits how many inputs are under way, waiting ones included, and so how much memory they take.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"

import { BatchResult } from "./BatchResult.ts"

/**
 * How many inputs of a batch are under way at once, where the call does not say.
 *
 * **Details**: the default, 256, is above the slots most clients have, so that inputs waiting to be tried again do not keep
 * slots idle.
 *
 * @category references
 * @since 0.1.0
 */
export const Concurrency = Context.Reference<number>("@infermesh/core/batch/Batch/Concurrency", {
  defaultValue: () => 256
})

/**
 * How far a batch has come.
 *
 * @category models
 * @since 0.1.0
 */
export interface Progress {
  readonly done: number
  readonly failed: number
  /** The number of inputs, where it is known. */
  readonly total: number | undefined
}

/**
 * One settled input.
 *
 * @category models
 * @since 0.1.0
 */
export interface Settled<A, E> {
  /** The input's position. */
  readonly index: number
  readonly result: Result.Result<A, E>
}

/**
 * Settings of a batch.
 *
 * @category models
 * @since 0.1.0
 */
export interface BatchOptions<A, E, R = never> {
  /** Inputs under way at once. Default: `Concurrency`. */
  readonly concurrency?: number | undefined
  /** Called after each input. Its failure is logged and changes nothing. */
  readonly onItem?: ((settled: Settled<A, E>) => Effect.Effect<unknown, unknown, R>) | undefined
  /** Called after each input, after `onItem`; `done` only grows. Its failure is logged and changes nothing. */
  readonly onProgress?: ((progress: Progress) => Effect.Effect<unknown, unknown, R>) | undefined
}

/**
 * Runs all inputs and gives one result or failure for each.
 *
 * @category combinators
 * @since 0.1.0
 */
export const collect = Effect.fnUntraced(function* <I, A, E, R, R2 = never>(
  inputs: Iterable<I>,
  run: (input: I, index: number) => Effect.Effect<A, E, R>,
  options: BatchOptions<A, E, R2> = {}
) {
  const items = Array.from(inputs)
  const results = new Array<Result.Result<A, E>>(items.length)
  const observe = observer(options, items.length)
  yield* Effect.forEach(
    items,
    (input, index) =>
      Effect.flatMap(Effect.result(run(input, index)), (result) => {
        results[index] = result
        return observe({ index, result })
      }),
    { concurrency: options.concurrency ?? (yield* Concurrency), discard: true }
  )
  return new BatchResult(results)
})

/**
 * Runs all inputs; the first failure interrupts the rest and is the batch's.
 *
 * @category combinators
 * @since 0.1.0
 */
export const failFast = Effect.fnUntraced(function* <I, A, E, R, R2 = never>(
  inputs: Iterable<I>,
  run: (input: I, index: number) => Effect.Effect<A, E, R>,
  options: BatchOptions<A, E, R2> = {}
) {
  const items = Array.from(inputs)
  const results = new Array<Result.Result<A>>(items.length)
  const observe = observer(options, items.length)
  yield* Effect.forEach(
    items,
    (input, index) =>
      Effect.flatMap(Effect.result(run(input, index)), (result) =>
        Effect.andThen(
          observe({ index, result }),
          Effect.map(Effect.fromResult(result), (value) => {
            results[index] = Result.succeed(value)
          })
        )
      ),
    { concurrency: options.concurrency ?? (yield* Concurrency), discard: true }
  )
  return new BatchResult(results)
})

/**
 * Settles inputs as a stream, from any iterable or stream, in memory bounded by `concurrency`.
 *
 * **Details**: in order of completion, or in input order with `ordered: true` (then a slow input holds back those behind it,
 * and at most `concurrency` of them are kept). Pulling slower than inputs settle slows the inputs down.
 *
 * @category combinators
 * @since 0.1.0
 */
export const stream = <I, E0, R0, A, E, R, R2 = never>(
  inputs: Iterable<I> | Stream.Stream<I, E0, R0>,
  run: (input: I, index: number) => Effect.Effect<A, E, R>,
  options: BatchOptions<A, E, R2> & { readonly ordered?: boolean | undefined } = {}
): Stream.Stream<Settled<A, E>, E0, R0 | R | R2> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const concurrency = options.concurrency ?? (yield* Concurrency)
      const observe = observer(options, undefined)
      const source: Stream.Stream<I, E0, R0> = Stream.isStream(inputs)
        ? inputs
        : // Small chunks: a lazy iterable must not be run far ahead of what is under way.
          Stream.fromIterable(inputs, { chunkSize: 64 })
      let next = 0
      return Stream.mapEffect(
        source,
        (input) => {
          const index = next++
          return Effect.flatMap(Effect.result(run(input, index)), (result) => {
            const settled = { index, result }
            return Effect.as(observe(settled), settled)
          })
        },
        { concurrency, unordered: options.ordered !== true }
      )
    })
  )

/**
 * The hooks as one effect that cannot fail: an observer's fault must not lose a paid batch.
 *
 * @category combinators
 * @since 0.1.0
 */
export const observer = <A, E, R>(
  options: BatchOptions<A, E, R>,
  total: number | undefined
): ((settled: Settled<A, E>) => Effect.Effect<void, never, R>) => {
  const { onItem, onProgress } = options
  if (onItem === undefined && onProgress === undefined) return () => Effect.void
  let done = 0
  let failed = 0
  return (settled) =>
    Effect.gen(function* () {
      if (onItem !== undefined) yield* guard("onItem", () => onItem(settled))
      done++
      if (Result.isFailure(settled.result)) failed++
      if (onProgress !== undefined)
        yield* guard("onProgress", () => onProgress({ done, failed, total }))
    })
}

const guard = <R>(
  hook: string,
  run: () => Effect.Effect<unknown, unknown, R>
): Effect.Effect<void, never, R> =>
  Effect.catchCause(Effect.asVoid(Effect.suspend(run)), (cause) =>
    Effect.logWarning(`The batch hook ${hook} failed; the batch goes on`, cause)
  )
