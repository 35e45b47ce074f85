/**
 * What the batches of all operations have in common: what may be given as inputs, and which options are the batch's own.
 *
 * @since 0.1.0
 */
import type * as Stream from "effect/Stream"

import type { Operation } from "../Call.ts"
import type { InferenceError } from "../InferenceError.ts"
import { InvalidInput } from "../Reason.ts"
import * as Run from "./Run.ts"

/**
 * Inputs of a batch. A string is one input, not a list of characters, and is refused.
 *
 * @category models
 * @since 0.1.0
 */
export type NotAString<I> = I extends string ? never : I

/**
 * The errors of a stream of inputs; none for an iterable.
 *
 * @category models
 * @since 0.1.0
 */
export type StreamError<I> = I extends Stream.Stream<infer _A, infer E, infer _R> ? E : never

/**
 * The requirements of a stream of inputs; none for an iterable.
 *
 * @category models
 * @since 0.1.0
 */
export type StreamContext<I> = I extends Stream.Stream<infer _A, infer _E, infer R> ? R : never

/**
 * The failure of giving one string where many inputs are asked for.
 *
 * @category constructors
 * @since 0.1.0
 */
export const aString = (operation: Operation): InferenceError =>
  Run.refused(
    operation,
    new InvalidInput({
      input: "inputs",
      problem: "a batch takes a list of inputs, not one string",
      hint: `Use ${operation} for one input, or put it into a list`
    })
  )

const batchFields = new Set(["concurrency", "mode", "onItem", "onProgress", "ordered"])

/**
 * The options of one request among a batch's: one object for all inputs, frozen, so that it is checked once. `more` are
 * further fields of the batch's own.
 *
 * @category getters
 * @since 0.1.0
 */
export const withoutBatchFields = <O extends object>(
  options: O,
  more: ReadonlyArray<string> = []
): O => {
  const own = Object.entries(options).filter(
    ([key]) => !batchFields.has(key) && !more.includes(key)
  )
  return Object.freeze(Object.fromEntries(own)) as O
}
