/**
 * The rows of a generation job's files: what a line of input may be, and what a line of output is.
 *
 * Output rows are those of the Python library *infermesh*, with its snake_case keys, and more behind them: every row has the
 * same keys, `null` where nothing is known (only `metadata` is there when the input had it), so files move between the two. The codecs do that here and nowhere else.
 *
 * @since 0.1.0
 */
import type { InferenceError } from "@infermesh/core/InferenceError"
import type { GenerateInput, GenerationResult } from "@infermesh/core/operation/Generate"
import type { ChatMessage } from "@infermesh/core/operation/Message"
import { nullable } from "@infermesh/core/operation/Nullable"
import { RequestMetricsRow } from "@infermesh/core/operation/Timing"
import { ToolCallRow } from "@infermesh/core/operation/ToolCall"
import { TokenUsageRow } from "@infermesh/core/operation/Usage"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

import { isObject } from "./Operation.ts"
import * as RowText from "./RowText.ts"
import * as SettledRow from "./SettledRow.ts"

/**
 * The input a row asks with: `responses_input` before `messages` before `prompt`, the first that is there.
 *
 * **Details**: everything else in the row is left alone. What is inside the input is checked where it is asked with, so that
 * the same words are said about it everywhere.
 *
 * **Errors**: a sentence that says what is wrong with the row.
 *
 * @category decoding
 * @since 0.1.0
 */
export const toInput = (row: unknown): Result.Result<GenerateInput, string> => {
  if (!isObject(row)) {
    return Result.fail('the line is no JSON object; write {"prompt": "…"} or {"messages": […]}')
  }
  const responses = row["responses_input"] ?? undefined
  if (responses !== undefined) {
    if (Array.isArray(responses)) return Result.succeed({ input: responses })
    return typeof responses === "string" || isObject(responses)
      ? Result.succeed(responses as GenerateInput)
      : Result.fail("'responses_input' is neither text nor an object with 'input'")
  }
  const messages = row["messages"] ?? undefined
  if (messages !== undefined) {
    return Array.isArray(messages)
      ? Result.succeed(messages as ReadonlyArray<ChatMessage>)
      : Result.fail("'messages' is no list of chat messages")
  }
  const prompt = row["prompt"] ?? undefined
  if (prompt !== undefined) {
    return typeof prompt === "string"
      ? Result.succeed(prompt)
      : Result.fail("'prompt' is no text; chat messages go into 'messages'")
  }
  return Result.fail("the row has neither 'prompt' nor 'messages'")
}

/** `tool-calls` in memory, `tool_calls` in files, as OpenAI and the Python library write it. */
const FinishReasonRow = Schema.String.pipe(
  Schema.decodeTo(
    Schema.String,
    SchemaTransformation.transform({
      decode: (text: string) => text.replaceAll("_", "-"),
      encode: (text: string) => text.replaceAll("-", "_")
    })
  )
)

const fields = {
  /** The position of the input row, from 0, blank lines not counted. */
  index: Schema.Int,
  outputText: nullable(Schema.String),
  outputParsed: nullable(Schema.Unknown),
  tokenUsage: nullable(TokenUsageRow),
  requestId: nullable(Schema.String),
  finishReason: nullable(FinishReasonRow),
  error: nullable(Schema.String),
  /** The tag of the error's reason, such as `RateLimitError`. */
  errorReason: nullable(Schema.String),
  modelId: nullable(Schema.String),
  reasoning: nullable(Schema.String),
  toolCalls: nullable(Schema.Array(ToolCallRow)),
  cost: nullable(Schema.Finite),
  metrics: nullable(RequestMetricsRow),
  /** What the input row had as `metadata`; the one key that a row has only when it was given. */
  metadata: Schema.optionalKey(Schema.Unknown)
}

const keys = {
  index: "_index",
  outputText: "output_text",
  outputParsed: "output_parsed",
  tokenUsage: "token_usage",
  requestId: "request_id",
  finishReason: "finish_reason",
  errorReason: "error_reason",
  modelId: "model_id",
  toolCalls: "tool_calls"
} as const

/**
 * One line of output: an answer or an error, at its input's position.
 *
 * **Details**: a failed row has its `error` and what was paid for, if anything: text, usage and cost of an answer that did not
 * fit its schema.
 *
 * @category schemas
 * @since 0.1.0
 */
export const OutputRow = Schema.Struct(fields).pipe(Schema.encodeKeys(keys))

/**
 * One line of output.
 *
 * @category models
 * @since 0.1.0
 */
export type OutputRow = typeof OutputRow.Type

/**
 * The row of an answer.
 *
 * @category constructors
 * @since 0.1.0
 */
export const answered = (index: number, result: GenerationResult<unknown>): OutputRow => ({
  index,
  outputText: result.outputText,
  outputParsed: result.outputParsed,
  tokenUsage: result.tokenUsage,
  requestId: result.requestId,
  finishReason: result.finishReason,
  modelId: result.modelId,
  reasoning: result.reasoning,
  toolCalls: result.toolCalls.length === 0 ? undefined : result.toolCalls,
  cost: result.cost,
  metrics: result.metrics
})

/**
 * The row of a failed request; an answer that was paid for is in it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const failed = (index: number, error: InferenceError): OutputRow => ({
  ...(error.result === undefined ? undefined : answered(index, error.result)),
  ...SettledRow.failed(index, error),
  requestId: error.requestId ?? error.result?.requestId
})

const write = RowText.writer(fields, keys)

/**
 * The row as a line of a file, with its line end.
 *
 * @category encoding
 * @since 0.1.0
 */
export const toLine = (row: OutputRow): string => write(row)
