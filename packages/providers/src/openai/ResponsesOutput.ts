/**
 * A response of OpenAI's Responses API, read: its items as text, reasoning, tool calls and the parts for the next turn.
 *
 * It reads no stream (`ResponsesStream`) and writes no request (`ResponsesProtocol`). Decoding is lenient: only what is used is
 * looked at, and items of types that nobody knew are kept whole.
 *
 * **Details**: `content` of the choice has every item in its order. What an item has beside its text (its id, its `phase`, the
 * `encrypted_content` of reasoning) is under `options.openai.item` of its parts; an item that is neither message, reasoning nor
 * call of a tool (`web_search_call`, `mcp_call`, …) is a file part that carries it whole there. `ResponsesInput` writes them back.
 *
 * **Source**: OpenAI API reference, "The response object" (read November 2026).
 *
 * @since 0.1.0
 */
import type { Choice, FinishReason, Generation } from "@infermesh/core/operation/Generate"
import type { ToolCall } from "@infermesh/core/operation/ToolCall"
import type { TokenUsage } from "@infermesh/core/operation/Usage"
import * as Usage from "@infermesh/core/operation/Usage"
import * as Reasoning from "@infermesh/core/output/Reasoning"
import type { Answer } from "@infermesh/core/provider/Provider"
import { AttemptError } from "@infermesh/core/provider/Provider"
import * as ResponseHeaders from "@infermesh/core/provider/ResponseHeaders"
import * as Prompt from "effect/ai/Prompt"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

import type { Json } from "../RequestBody.ts"
import { isRecord } from "../RequestBody.ts"
import * as ResponseBody from "../ResponseBody.ts"
import { Count, nullish } from "../ResponseBody.ts"
import * as Fault from "./Fault.ts"

// ---- response

const UsageBody = Schema.Struct({
  input_tokens: Count,
  output_tokens: Count,
  total_tokens: Count,
  input_tokens_details: nullish(Schema.Struct({ cached_tokens: Count, cache_write_tokens: Count })),
  output_tokens_details: nullish(Schema.Struct({ reasoning_tokens: Count }))
})

/**
 * A response object, as far as it is used; in events it is not yet whole.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Body = Schema.Struct({
  id: nullish(Schema.String),
  model: nullish(Schema.String),
  status: nullish(Schema.String),
  // What items of its type have.
  output: nullish(Schema.Array(Schema.Record(Schema.String, Schema.Unknown))),
  incomplete_details: nullish(Schema.Struct({ reason: nullish(Schema.String) })),
  store: nullish(Schema.Boolean),
  usage: nullish(UsageBody),
  error: Schema.optionalKey(Schema.Unknown)
})

/**
 * A response object, as far as it is used.
 *
 * @category models
 * @since 0.1.0
 */
export type Body = typeof Body.Type

/**
 * Reads a response body.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = ResponseBody.reader("response object", Schema.decodeUnknownResult(Body))

// ---- decode

/**
 * The answer in a response body.
 *
 * **Details**: a response that is made in the background answers at once, with finish reason `pause` and its id in the body.
 *
 * **Errors**: that of a body with an error or with status `failed`; `InvalidResponseError` for one without output.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (
  { json, value: body }: ResponseBody.Read<Body>,
  context: ResponseBody.Context
): Result.Result<Answer<Generation>, AttemptError> => {
  const used = usage(body)
  if (body.status === "failed" || (body.error !== undefined && body.error !== null)) {
    return Result.fail(failure(body, context))
  }
  const { output } = body
  if (output === undefined || output === null) {
    return Result.fail(ResponseBody.invalid("the answer has no output", used))
  }
  if (output.length === 0 && (body.status ?? "completed") === "completed") {
    return Result.fail(ResponseBody.invalid("the answer is complete and has no items", used))
  }
  return Result.succeed({
    value: { modelId: body.model ?? context.model, choices: [toChoice(output, body)] },
    usage: used,
    requestId: ResponseHeaders.requestId(context.headers) ?? body.id ?? undefined,
    rateLimits: ResponseHeaders.rateLimits(context.headers, context.nowMillis),
    body: json
  })
}

/**
 * The failure that a response object tells; it may have used tokens before.
 *
 * @category decoding
 * @since 0.1.0
 */
export const failure = (body: Body, context: ResponseBody.Context): AttemptError => {
  const said = body.error ?? { message: "the response failed and does not say why" }
  const error = ResponseBody.inBand(said, Fault, context)
  const used = usage(body)
  if (used === undefined) return error
  const { rateLimits, reason, requestId } = error
  return new AttemptError({ reason, outcome: "unknown", requestId, rateLimits, usage: used })
}

/**
 * The choice that the items of a response make, whole or not.
 *
 * @category decoding
 * @since 0.1.0
 */
export const toChoice = (output: ReadonlyArray<Json>, body: Body): Choice => {
  const blocks = output.flatMap((item) => (item["type"] === "message" ? list(item["content"]) : []))
  const words = (type: string, field: string) =>
    blocks.filter((block) => block["type"] === type).map((block) => text(block[field]))
  const said = Reasoning.split(words("output_text", "text").join(""))
  const refusals = words("refusal", "refusal")
  const toolCalls = output.filter(isCall).map(toToolCall)
  const logprobs = blocks.flatMap((block) => list(block["logprobs"]))
  const thoughts = output.filter(isReasoning).flatMap(reasoningTexts)
  return {
    text: said.text,
    reasoning: Reasoning.join([...thoughts.map((one) => text(one["text"])), said.reasoning]),
    refusal: refusals.length === 0 ? undefined : refusals.join(""),
    toolCalls,
    finishReason: finishReason(body, toolCalls.length > 0),
    ...(logprobs.length === 0 ? {} : { logprobs }),
    content: toParts(output, body)
  }
}

const text = (value: unknown): string => (typeof value === "string" ? value : "")

const list = (value: unknown): ReadonlyArray<Json> =>
  Array.isArray(value) ? value.filter(isRecord) : []

/**
 * Whether an item is a call of one of the caller's tools.
 *
 * @category guards
 * @since 0.1.0
 */
export const isCall = ({ type }: Json): boolean =>
  type === "function_call" || type === "custom_tool_call"

const isReasoning = ({ type }: Json): boolean => type === "reasoning"

/** Summaries, and where a server discloses it the reasoning itself. */
const reasoningTexts = ({ content, summary }: Json): ReadonlyArray<Json> => [
  ...list(summary),
  ...list(content)
]

/**
 * The call that an item is; its result carries `call_id`, the item's own id is another.
 *
 * @category decoding
 * @since 0.1.0
 */
export const toToolCall = (item: Json): ToolCall => {
  const { arguments: source = item["input"], call_id: callId, id, name } = item
  return {
    id: text(callId ?? id),
    name: text(name),
    arguments:
      source === undefined || source === null
        ? undefined
        : typeof source === "string"
          ? source
          : JSON.stringify(source)
  }
}

const incompleteReasons: { readonly [reason: string]: FinishReason } = {
  max_output_tokens: "length",
  max_tokens: "length",
  content_filter: "content-filter"
}

const finishReason = (
  { incomplete_details: details, status }: Body,
  hasToolCalls: boolean
): FinishReason => {
  switch (status) {
    case "completed":
      return hasToolCalls ? "tool-calls" : "stop"
    case "incomplete":
      return incompleteReasons[details?.reason ?? ""] ?? "other"
    case "queued":
    case "in_progress":
      return "pause"
    case undefined:
    case null:
      return hasToolCalls ? "tool-calls" : "unknown"
    default:
      return "other"
  }
}

// ---- parts for the next turn

type Part = Prompt.AssistantMessagePart

const toParts = (output: ReadonlyArray<Json>, body: Body): ReadonlyArray<Part> => {
  // An id stands for what the provider has stored. Where it stores nothing and gave the reasoning not even encrypted, every id
  // leads to an item that it cannot find: the items go back as if they were the caller's own, the reasoning not at all.
  const isFindable =
    body.store !== false || output.every((item) => !isReasoning(item) || isEncrypted(item))
  return output.flatMap((item) => itemParts(item, isFindable ? [] : ["id"]))
}

const isEncrypted = (item: Json): boolean => typeof item["encrypted_content"] === "string"

const itemParts = (item: Json, lost: ReadonlyArray<string>): ReadonlyArray<Part> => {
  switch (item["type"]) {
    case "message": {
      const own = fields(item, ["type", "role", "content", ...lost])
      return list(item["content"]).map((block) => messagePart(block, own))
    }
    case "reasoning": {
      const own = fields(item, ["type", "summary", "content", ...lost])
      const texts = reasoningTexts(item)
      return (texts.length === 0 ? [noSummary] : texts).map((block) => reasoningPart(block, own))
    }
    case "function_call":
    case "custom_tool_call":
      return [callPart(item, fields(item, ["call_id", "name", "arguments", "input", ...lost]))]
    default:
      // An item of the provider's own (a search, a call of a remote tool): carried whole, and sent back as it came.
      return [
        Prompt.makePart("file", {
          mediaType: "application/octet-stream",
          data: "",
          options: { openai: { item: fields(item, []) } }
        })
      ]
  }
}

type Fields = { readonly [key: string]: Schema.Json }

/** The fields of an item or a block that say something; they are JSON because they were read as such. */
const fields = (item: Json, others: ReadonlyArray<string>): Fields =>
  Object.fromEntries(
    Object.entries(item).filter(
      ([name, value]) => value !== null && value !== undefined && !others.includes(name)
    )
  ) as Fields

const noSummary: Json = { type: "summary_text", text: "" }

const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0

const messagePart = (block: Json, item: Fields): Part => {
  const { annotations, type } = block
  const part = fields(block, [
    ...(type === "output_text" ? ["type"] : []),
    ...(isEmpty(annotations) ? ["annotations"] : []),
    "text",
    "refusal",
    // Nobody reads them in an input.
    "logprobs"
  ])
  return Prompt.makePart("text", {
    text: text(block["text"] ?? block["refusal"]),
    options: { openai: { item, ...(Object.keys(part).length === 0 ? {} : { part }) } }
  })
}

const reasoningPart = (block: Json, item: Fields): Part => {
  const { type } = block
  return Prompt.makePart("reasoning", {
    text: text(block["text"]),
    options: {
      openai: { item, ...(type === "summary_text" ? {} : { part: { type: text(type) } }) }
    }
  })
}

/** The model's own spelling of the arguments goes back as it was: written anew it would miss the provider's prompt cache. */
const callPart = (call: Json, item: Fields): Part => {
  const { arguments: source = "", id, name } = toToolCall(call)
  return Prompt.makePart("tool-call", {
    id,
    name,
    params: call["type"] === "custom_tool_call" ? source : ResponseBody.parsedOrText(source),
    providerExecuted: false,
    options: { openai: { item, arguments: source } }
  })
}

// ---- usage

/**
 * The usage in a response object; `undefined` where it says nothing.
 *
 * @category decoding
 * @since 0.1.0
 */
export const usage = ({ usage: counts }: Body): TokenUsage | undefined => {
  if (counts === undefined || counts === null) return undefined
  const { input_tokens: input, output_tokens: output, total_tokens: total } = counts
  if (!isCount(input) && !isCount(output) && !isCount(total)) return undefined
  return Usage.make({
    promptTokens: input ?? 0,
    completionTokens: output ?? 0,
    totalTokens: total ?? undefined,
    cachedTokens: counts.input_tokens_details?.cached_tokens ?? undefined,
    cacheWriteTokens: counts.input_tokens_details?.cache_write_tokens ?? undefined,
    reasoningTokens: counts.output_tokens_details?.reasoning_tokens ?? undefined
  })
}

const isCount = (value: number | null | undefined): boolean => value !== null && value !== undefined
