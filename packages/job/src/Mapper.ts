/**
 * The hook between a row of input and what is asked: a function of the user's own.
 *
 * Whatever it does wrong (throwing, failing, giving no input) is an error of its row alone.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"

import { isObject } from "./operation/Operation.ts"
import { oneLine } from "./operation/SettledRow.ts"

/**
 * What a mapper makes of a row.
 *
 * @category models
 * @since 0.1.0
 */
export interface Mapped<I, O> {
  readonly input: I
  /** Carried over to the output row as it is; JSON. */
  readonly metadata?: unknown
  /** Options of this row, which win over the job's. */
  readonly options?: O | undefined
}

/**
 * Makes of a row what is asked: at once, as a Promise or as an Effect.
 *
 * @category models
 * @since 0.1.0
 */
export type Mapper<I, O, R = never> = (
  row: unknown
) => Mapped<I, O> | PromiseLike<Mapped<I, O>> | Effect.Effect<Mapped<I, O>, unknown, R>

/**
 * Maps a row; what is wrong is a sentence.
 *
 * @category combinators
 * @since 0.1.0
 */
export const apply = <I, O, R>(
  mapper: Mapper<I, O, R>,
  row: unknown
): Effect.Effect<Result.Result<Mapped<I, O>, string>, never, R> =>
  Effect.suspend(() => toEffect(mapper(row))).pipe(
    Effect.map(check),
    Effect.catchCause((cause) =>
      Effect.succeed(Result.fail(`the mapper failed: ${oneLine(Cause.squash(cause))}`))
    )
  )

const toEffect = <A, R>(
  given: A | PromiseLike<A> | Effect.Effect<A, unknown, R>
): Effect.Effect<A, unknown, R> => {
  if (Effect.isEffect(given)) return given
  return isPromise(given) ? Effect.promise(() => Promise.resolve(given)) : Effect.succeed(given)
}

const isPromise = <A>(value: unknown): value is PromiseLike<A> =>
  typeof value === "object" && value !== null && "then" in value && typeof value.then === "function"

const check = <I, O>(mapped: Mapped<I, O>): Result.Result<Mapped<I, O>, string> => {
  if (!isObject(mapped) || (mapped.input ?? undefined) === undefined) {
    return Result.fail("the mapper gave no 'input'; it returns { input, metadata?, options? }")
  }
  const options: unknown = mapped.options ?? undefined
  if (options !== undefined && !isObject(options)) {
    return Result.fail("the mapper's 'options' are no object")
  }
  const problem = metadataProblem(mapped.metadata)
  return problem === undefined
    ? Result.succeed(mapped)
    : Result.fail(`the mapper's 'metadata' ${problem}`)
}

/** Found before the request: a row that could not be written would have been paid for in vain. */
const metadataProblem = (metadata: unknown): string | undefined => {
  if (metadata === undefined) return undefined
  try {
    return JSON.stringify(metadata) === undefined ? "is nothing that JSON can hold" : undefined
  } catch (cause) {
    return `cannot be written as JSON: ${oneLine(cause)}`
  }
}
