/**
 * The outcome of many inputs: one result or typed failure per input, in input order; nothing is thrown away.
 *
 * It lives in memory; for more inputs than fit there, use the stream form.
 *
 * **Shape**: `results` has exactly one entry per input, at the input's position.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"

/**
 * Results and failures of a batch, by input position.
 *
 * @category models
 * @since 0.1.0
 */
export class BatchResult<A, E> implements Iterable<Result.Result<A, E>> {
  readonly results: ReadonlyArray<Result.Result<A, E>>

  constructor(results: ReadonlyArray<Result.Result<A, E>>) {
    this.results = results
  }

  /** The number of inputs. */
  get length(): number {
    return this.results.length
  }

  /** The positions and values that succeeded, in input order. */
  get successes(): ReadonlyArray<readonly [index: number, value: A]> {
    return this.results.flatMap((result, index) =>
      Result.isSuccess(result) ? [[index, result.success] as const] : []
    )
  }

  /** The positions and errors that failed, in input order. */
  get failures(): ReadonlyArray<readonly [index: number, error: E]> {
    return this.results.flatMap((result, index) =>
      Result.isFailure(result) ? [[index, result.failure] as const] : []
    )
  }

  /** The result at a position; `undefined` beyond the ends. */
  at(index: number): Result.Result<A, E> | undefined {
    return this.results.at(index)
  }

  [Symbol.iterator](): Iterator<Result.Result<A, E>> {
    return this.results[Symbol.iterator]()
  }
}
