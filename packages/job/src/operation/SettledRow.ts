/**
 * What the output rows of all operations have in common, and the rows that are the same for all: those of lines and requests
 * that failed.
 *
 * @since 0.1.0
 */
import type { InferenceError } from "@infermesh/core/InferenceError"
import type { RequestMetrics } from "@infermesh/core/operation/Timing"
import type { TokenUsage } from "@infermesh/core/operation/Usage"
import * as Duration from "effect/Duration"

import type { Settlement } from "../Ledger.ts"

/**
 * A settled row, whatever was asked.
 *
 * @category models
 * @since 0.1.0
 */
export interface SettledRow {
  /** The position of the input row, from 0, blank lines not counted. */
  readonly index: number
  readonly error?: string | undefined
  /** The tag of the error's reason, such as `RateLimitError`. */
  readonly errorReason?: string | undefined
  readonly tokenUsage?: TokenUsage | undefined
  readonly requestId?: string | undefined
  readonly cost?: number | undefined
  readonly metrics?: RequestMetrics | undefined
  /** What the input row, or the mapper, had as `metadata`. */
  readonly metadata?: unknown
}

/**
 * The row of a failed request.
 *
 * @category constructors
 * @since 0.1.0
 */
export const failed = (index: number, error: InferenceError): SettledRow => ({
  index,
  error: error.message,
  errorReason: error.reason._tag,
  requestId: error.requestId,
  metrics: error.metrics
})

/**
 * The row of a line that could not be asked with.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unusable = (index: number, line: number, problem: string): SettledRow => ({
  index,
  error: `line ${line}: ${problem}`,
  errorReason: "InvalidInput"
})

/**
 * The row of a request that met a bug of the library: one such row must not end the run of all others.
 *
 * @category constructors
 * @since 0.1.0
 */
export const defective = (index: number, defect: unknown): SettledRow => ({
  index,
  error: `a bug of infermesh: ${oneLine(defect)}. Please report it`,
  errorReason: "Defect"
})

/**
 * What was thrown, in one line.
 *
 * @category getters
 * @since 0.1.0
 */
export const oneLine = (thrown: unknown): string => {
  const text = thrown instanceof Error ? thrown.message : String(thrown)
  return text.replaceAll(/\s+/g, " ").trim().slice(0, 200)
}

/**
 * What the ledger keeps of a row.
 *
 * @category conversions
 * @since 0.1.0
 */
export const settlement = (row: SettledRow, settledMillis: number): Settlement => ({
  index: row.index,
  reason: row.error === undefined ? undefined : (row.errorReason ?? "unknown"),
  settledMillis,
  costUsd: row.cost,
  promptTokens: row.tokenUsage?.promptTokens,
  completionTokens: row.tokenUsage?.completionTokens,
  endToEndMillis:
    row.metrics === undefined ? undefined : Math.round(Duration.toMillis(row.metrics.endToEnd))
})

/**
 * A row that is found in an output.
 *
 * @category models
 * @since 0.1.0
 */
export interface FoundRow extends Settlement {
  /** The entries that the file beside the output must have for this row. */
  readonly side: number
}

/**
 * What the ledger keeps of a row that is found in an output, ours or the Python library's; `undefined` when the line is no
 * row.
 *
 * @category decoding
 * @since 0.1.0
 */
export const fromLine = (line: string, settledMillis: number): FoundRow | undefined => {
  const row = parse(line)
  const index = row?.["_index"]
  if (!isIndex(index)) return undefined
  const error = row?.["error"]
  const usage = fieldsOf(row?.["token_usage"])
  const seconds = numberOf(fieldsOf(row?.["metrics"])?.["end_to_end_s"])
  const reason = row?.["error_reason"]
  return {
    index,
    // The Python library writes an empty text for errors that say nothing.
    reason:
      error === undefined || error === null
        ? undefined
        : typeof reason === "string"
          ? reason
          : "unknown",
    settledMillis,
    costUsd: numberOf(row?.["cost"]),
    promptTokens: numberOf(usage?.["prompt_tokens"]),
    completionTokens: numberOf(usage?.["completion_tokens"]),
    endToEndMillis: seconds === undefined ? undefined : Math.round(seconds * 1000),
    side: (numberOf(row?.["matrix_row"]) ?? -1) + 1
  }
}

/**
 * The position of a row that is found in an output; `undefined` when the line is no row.
 *
 * @category decoding
 * @since 0.1.0
 */
export const indexOf = (line: string): number | undefined => {
  // The rows we write begin with it, and need not be read whole.
  const start = ourStart.exec(line)?.[1]
  const index = start === undefined ? parse(line)?.["_index"] : Number(start)
  return isIndex(index) ? index : undefined
}

const ourStart = /^\{"_index":(\d+),/

/** Positions beyond this are nobody's row numbers. */
const isIndex = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 40

const parse = (line: string): Fields | undefined => {
  try {
    return fieldsOf(JSON.parse(line))
  } catch {
    return undefined
  }
}

interface Fields {
  readonly [field: string]: unknown
}

const fieldsOf = (value: unknown): Fields | undefined =>
  typeof value === "object" && value !== null ? (value as Fields) : undefined

const numberOf = (value: unknown): number | undefined =>
  typeof value === "number" ? value : undefined
