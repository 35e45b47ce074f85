/**
 * What a job does with its rows: how a row is read, how many are asked at once, and how the answer is written.
 *
 * `Generate`, `Embed` and `Transcribe` make the three there are; a job knows no more of them than this.
 *
 * @since 0.1.0
 */
import type { Inference } from "@infermesh/core/Inference"
import type * as Effect from "effect/Effect"
import type * as Result from "effect/Result"

import type { SettledRow } from "./SettledRow.ts"

/**
 * A row that is ready to be asked.
 *
 * @category models
 * @since 0.1.0
 */
export interface Task<I, O> {
  readonly index: number
  readonly input: I
  /** The row's own options, which win over the job's. */
  readonly options: O | undefined
}

/**
 * How rows are put together into requests.
 *
 * @category models
 * @since 0.1.0
 */
export interface Packing<I> {
  /** Most rows of one request. */
  readonly rows: number
  /** Splits rows that arrived together, at most `rows`, into those of each request. */
  readonly split: (inputs: ReadonlyArray<I>) => ReadonlyArray<number>
}

/**
 * An operation over rows.
 *
 * @category models
 * @since 0.1.0
 */
export interface Operation<I, O, Row extends SettledRow> {
  readonly name: "generate" | "embed" | "transcribe"
  /** The settings that belong to the job's identity. */
  readonly identity: Effect.Effect<{ readonly [setting: string]: unknown }>
  /** The input that a row is asked with when there is no mapper; a sentence when there is none in it. */
  readonly read: (row: unknown) => Result.Result<I, string>
  /** Absent where every row is a request of its own. */
  readonly packing: Packing<I> | undefined
  /** One settled row for each task, in any order; those that failed too. */
  readonly ask: (
    inference: Inference["Service"],
    tasks: ReadonlyArray<Task<I, O>>
  ) => Effect.Effect<ReadonlyArray<Row>>
  /** A row as a line of the output, with its line end. */
  readonly toLine: (row: Row | SettledRow) => string
}

/**
 * A row as an object, which every operation's rows are.
 *
 * @category guards
 * @since 0.1.0
 */
export const isObject = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)
