/**
 * The rows of a transcription job's files.
 *
 * **Details**: the keys of the Python library (`text`, `duration_s`, `language`, `request_id`, `error`) with `_index` before and
 * ours behind them; every row has the same keys, `null` where nothing is known.
 *
 * @since 0.1.0
 */
import type { InferenceError } from "@infermesh/core/InferenceError"
import { nullable } from "@infermesh/core/operation/Nullable"
import { RequestMetricsRow } from "@infermesh/core/operation/Timing"
import type { TranscriptionResult } from "@infermesh/core/operation/Transcribe"
import { Segment, Word } from "@infermesh/core/operation/Transcribe"
import { TokenUsageRow } from "@infermesh/core/operation/Usage"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

import { isObject } from "./Operation.ts"
import * as RowText from "./RowText.ts"
import * as SettledRow from "./SettledRow.ts"

/**
 * The audio file a row asks with, its `path`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const toInput = (row: unknown): Result.Result<string, string> => {
  if (!isObject(row)) return Result.fail('the line is no JSON object; write {"path": "…"}')
  const path = row["path"] ?? undefined
  if (path === undefined) return Result.fail("the row has no 'path'")
  return typeof path === "string" && path !== ""
    ? Result.succeed(path)
    : Result.fail("'path' is no path of a file")
}

const fields = {
  index: Schema.Int,
  text: nullable(Schema.String),
  durationSeconds: nullable(Schema.Finite),
  language: nullable(Schema.String),
  requestId: nullable(Schema.String),
  error: nullable(Schema.String),
  errorReason: nullable(Schema.String),
  modelId: nullable(Schema.String),
  segments: nullable(Schema.Array(Segment)),
  words: nullable(Schema.Array(Word)),
  tokenUsage: nullable(TokenUsageRow),
  cost: nullable(Schema.Finite),
  metrics: nullable(RequestMetricsRow),
  /** The audio file, where it was given as a path. */
  path: nullable(Schema.String),
  /** The files with the subtitles; a key only of jobs that write them. */
  subtitles: Schema.optionalKey(Schema.Array(Schema.String)),
  metadata: Schema.optionalKey(Schema.Unknown)
}

const keys = {
  index: "_index",
  durationSeconds: "duration_s",
  requestId: "request_id",
  errorReason: "error_reason",
  modelId: "model_id",
  tokenUsage: "token_usage"
} as const

/**
 * One line of output.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TranscribeRow = Schema.Struct(fields).pipe(Schema.encodeKeys(keys))

/**
 * One line of output.
 *
 * @category models
 * @since 0.1.0
 */
export type TranscribeRow = typeof TranscribeRow.Type

/**
 * The row of an answer.
 *
 * @category constructors
 * @since 0.1.0
 */
export const answered = (
  index: number,
  path: string | undefined,
  result: TranscriptionResult
): TranscribeRow => ({
  index,
  path,
  text: result.text,
  durationSeconds: result.durationSeconds,
  language: result.language,
  requestId: result.requestId,
  modelId: result.modelId,
  segments: result.segments,
  words: result.words,
  tokenUsage: result.tokenUsage,
  cost: result.cost,
  metrics: result.metrics
})

/**
 * The row of a failed request.
 *
 * @category constructors
 * @since 0.1.0
 */
export const failed = (
  index: number,
  path: string | undefined,
  error: InferenceError
): TranscribeRow => ({ path, ...SettledRow.failed(index, error) })

const write = RowText.writer(fields, keys)

/**
 * The row as a line of a file, with its line end.
 *
 * @category encoding
 * @since 0.1.0
 */
export const toLine = (row: TranscribeRow): string => write(row)
