/**
 * The rows of an embedding job's files.
 *
 * **Details**: the keys of the Python library (`embedding`, `dimensions`, `request_id`, `token_usage`, `error`) with `_index` before
 * and ours behind them; every row has the same keys, `null` where nothing is known.
 *
 * @since 0.1.0
 */
import type { InferenceError } from "@infermesh/core/InferenceError"
import type { EmbeddingResult } from "@infermesh/core/operation/Embed"
import { nullable } from "@infermesh/core/operation/Nullable"
import { RequestMetricsRow } from "@infermesh/core/operation/Timing"
import { TokenUsageRow } from "@infermesh/core/operation/Usage"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

import { isObject } from "./Operation.ts"
import * as RowText from "./RowText.ts"
import * as SettledRow from "./SettledRow.ts"

/**
 * The text a row asks with, its `text`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const toInput = (row: unknown): Result.Result<string, string> => {
  if (!isObject(row)) return Result.fail('the line is no JSON object; write {"text": "…"}')
  const text = row["text"] ?? undefined
  if (text === undefined) return Result.fail("the row has no 'text'")
  return typeof text === "string" ? Result.succeed(text) : Result.fail("'text' is no text")
}

const fields = {
  index: Schema.Int,
  /** `null` too when vectors are left out, or are in a matrix beside the rows. */
  embedding: nullable(Schema.Array(Schema.Finite)),
  dimensions: nullable(Schema.Int),
  requestId: nullable(Schema.String),
  tokenUsage: nullable(TokenUsageRow),
  error: nullable(Schema.String),
  errorReason: nullable(Schema.String),
  modelId: nullable(Schema.String),
  cost: nullable(Schema.Finite),
  metrics: nullable(RequestMetricsRow),
  /** The row of the matrix that has the vector, from 0; a key only of jobs that write one. */
  matrixRow: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  metadata: Schema.optionalKey(Schema.Unknown)
}

const keys = {
  index: "_index",
  requestId: "request_id",
  tokenUsage: "token_usage",
  errorReason: "error_reason",
  modelId: "model_id",
  matrixRow: "matrix_row"
} as const

/**
 * One line of output.
 *
 * @category schemas
 * @since 0.1.0
 */
export const EmbedRow = Schema.Struct(fields).pipe(Schema.encodeKeys(keys))

/**
 * One line of output, its vector as it came.
 *
 * @category models
 * @since 0.1.0
 */
export interface EmbedRow extends Omit<typeof EmbedRow.Type, "embedding"> {
  readonly embedding?: Float32Array | undefined
}

/**
 * The row of an answer.
 *
 * @category constructors
 * @since 0.1.0
 */
export const answered = (index: number, result: EmbeddingResult): EmbedRow => ({
  index,
  embedding: result.embedding,
  dimensions: result.embedding.length,
  requestId: result.requestId,
  tokenUsage: result.tokenUsage,
  modelId: result.modelId,
  cost: result.cost,
  metrics: result.metrics
})

/**
 * The row of a failed request.
 *
 * @category constructors
 * @since 0.1.0
 */
export const failed = (index: number, error: InferenceError): EmbedRow =>
  SettledRow.failed(index, error)

const write = RowText.writer(fields, keys)

/**
 * The row as a line of a file, with its line end.
 *
 * @category encoding
 * @since 0.1.0
 */
export const toLine = (row: EmbedRow): string => write(row)
