/**
 * What OpenAI's chat and text completions answer: a body to a generation.
 *
 * The two endpoints differ in where a choice has its text, and vendors in the fields they add, so one reader reads them all.
 * Streams are put together in `ChatStream` and then read here. Decoding is lenient: only what is used is looked at, because an
 * answer that was paid for must not fail for a field nobody knew.
 *
 * **Details**: `Choice.content` is there where a message has more than text and calls of functions: reasoning in a field of its
 * own, calls of custom tools, what a vendor adds to a call. `Messages` sends it back in the next turn.
 *
 * **Source**: OpenAI API reference, "The chat completion object" and "The completion object"; the reasoning of DeepSeek, Groq,
 * Mistral and OpenRouter ("Reasoning tokens") in their references (read November 2026).
 *
 * @since 0.1.0
 */
import type { Choice, FinishReason, Generation } from "@infermesh/core/operation/Generate"
import type { TokenUsage } from "@infermesh/core/operation/Usage"
import * as Usage from "@infermesh/core/operation/Usage"
import * as Reasoning from "@infermesh/core/output/Reasoning"
import type { Answer, AttemptError } from "@infermesh/core/provider/Provider"
import * as ResponseHeaders from "@infermesh/core/provider/ResponseHeaders"
import * as Prompt from "effect/ai/Prompt"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

import type { Json } from "../RequestBody.ts"
import { isRecord } from "../RequestBody.ts"
import * as ResponseBody from "../ResponseBody.ts"
import { Count, nullish } from "../ResponseBody.ts"
import * as Fault from "./Fault.ts"
import * as PlainEvent from "./PlainEvent.ts"

// ---- response

const UsageBody = Schema.Struct({
  prompt_tokens: Count,
  completion_tokens: Count,
  total_tokens: Count,
  prompt_tokens_details: nullish(
    Schema.Struct({ cached_tokens: Count, cache_write_tokens: Count })
  ),
  completion_tokens_details: nullish(Schema.Struct({ reasoning_tokens: Count })),
  // DeepSeek's and Together's names for cached tokens.
  prompt_cache_hit_tokens: Count,
  cached_tokens: Count
})

/** A part of a message: its type, and what parts of that type have. */
const Block = Schema.Record(Schema.String, Schema.Unknown)

const MessageBody = Schema.Struct({
  content: nullish(Schema.Union([Schema.String, Schema.Array(Block)])),
  refusal: nullish(Schema.String),
  reasoning_content: nullish(Schema.String),
  reasoning: Schema.optionalKey(Schema.Unknown),
  reasoning_details: nullish(Schema.Array(Block)),
  tool_calls: nullish(Schema.Array(Block)),
  // The one call of the time before tools.
  function_call: nullish(Block)
})

const ChoiceBody = Schema.Struct({
  index: Count,
  message: nullish(MessageBody),
  delta: nullish(MessageBody),
  // Text completions have no message.
  text: nullish(Schema.String),
  finish_reason: nullish(Schema.String),
  logprobs: nullish(Block),
  error: Schema.optionalKey(Schema.Unknown)
})

const Body = Schema.Struct({
  id: nullish(Schema.String),
  model: nullish(Schema.String),
  choices: nullish(Schema.Array(ChoiceBody)),
  usage: nullish(UsageBody),
  // Groq reports the usage of a stream here.
  x_groq: nullish(Schema.Struct({ usage: nullish(UsageBody) })),
  error: Schema.optionalKey(Schema.Unknown),
  // vLLM once wrote its errors without a field around them.
  object: nullish(Schema.String),
  message: nullish(Schema.String),
  code: Schema.optionalKey(Schema.Unknown),
  type: nullish(Schema.String),
  // Cerebras says beside the error what its status would be.
  status_code: Count
})

/**
 * A response body or an event of a stream, as far as it is used: they differ in `message` and `delta` only.
 *
 * @category models
 * @since 0.1.0
 */
export type Body = typeof Body.Type

/**
 * One choice of a body.
 *
 * @category models
 * @since 0.1.0
 */
export type ChoiceBody = typeof ChoiceBody.Type

/**
 * The message of a choice, whole or a delta.
 *
 * @category models
 * @since 0.1.0
 */
export type MessageBody = typeof MessageBody.Type

/**
 * Reads a response body or an event of a stream.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = ResponseBody.reader(
  "completion",
  Schema.decodeUnknownResult(Body),
  (value): value is Body => PlainEvent.isPlain(value)
)

// ---- parts of a message

const text = (value: unknown): string => (typeof value === "string" ? value : "")

const joined = (blocks: unknown): string =>
  Array.isArray(blocks)
    ? blocks.map((block) => (isRecord(block) ? text(block["text"]) : text(block))).join("")
    : text(blocks)

/**
 * The text of a choice: its own, or that of its message, whose content is a text or a list of blocks.
 *
 * @category getters
 * @since 0.1.0
 */
export const textOf = ({ text: own }: ChoiceBody, { content }: MessageBody): string =>
  own ?? joined(content)

/**
 * The reasoning a vendor gives apart from the text: in a field, as a block of the content (Mistral), or in details only.
 *
 * @category getters
 * @since 0.1.0
 */
export const reasoningOf = (message: MessageBody): string => {
  const { content, reasoning, reasoning_content: named, reasoning_details: details } = message
  const field = text(named) || text(reasoning)
  if (field !== "") return field
  const blocks = Array.isArray(content) ? (content as ReadonlyArray<Json>) : []
  const thoughts = blocks.map(({ thinking, type }) => (type === "thinking" ? joined(thinking) : ""))
  const told = (details ?? []).map((detail) => text(detail["text"]) || text(detail["summary"]))
  return thoughts.join("") || told.join("")
}

/**
 * A call of a tool, as a message has it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Call {
  readonly id: string
  readonly name: string
  /** JSON, or for custom tools any text; absent when there is none. */
  readonly source: string | undefined
  readonly isCustom: boolean
  /** What the vendor adds, such as a signature of the model's thoughts. */
  readonly more: Json
}

/**
 * The calls in a message, that of the time before tools among them: it has no id, so its answer carries the function's name.
 *
 * @category getters
 * @since 0.1.0
 */
export const callsOf = (message: MessageBody): ReadonlyArray<Json> => {
  const { function_call: only, tool_calls: calls } = message
  if (only === undefined || only === null) return calls ?? []
  return [{ id: only["name"], function: only, index: 0 }, ...(calls ?? [])]
}

/**
 * Reads one call, whole or a delta.
 *
 * @category decoding
 * @since 0.1.0
 */
export const readCall = (call: Json): Call => {
  const { custom, function: called, id, index: _, type: __, ...more } = call
  const given = isRecord(called) ? called : isRecord(custom) ? custom : {}
  const source = given["arguments"] ?? given["input"]
  return {
    id: text(id),
    name: text(given["name"]),
    source:
      source === undefined || source === null
        ? undefined
        : typeof source === "string"
          ? source
          : JSON.stringify(source),
    isCustom: !isRecord(called) && isRecord(custom),
    more
  }
}

// ---- decode

/**
 * The failure that a body or one of its choices tells, if it tells one.
 *
 * @category decoding
 * @since 0.1.0
 */
export const failure = (body: Body, context: ResponseBody.Context): AttemptError | undefined => {
  const told =
    body.error ??
    (body.object === "error" ? body : (body.choices ?? []).find((one) => isTold(one.error))?.error)
  if (!isTold(told)) return undefined
  const status = body.status_code ?? undefined
  const error = status !== undefined && isRecord(told) ? { ...told, status } : told
  return ResponseBody.inBand(error, Fault, context)
}

const isTold = (error: unknown): boolean => error !== undefined && error !== null

/**
 * The answer in a response body.
 *
 * **Errors**: that of an error body; `InvalidResponseError` for a body without choices.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (
  { json, value: body }: ResponseBody.Read<Body>,
  context: ResponseBody.Context
): Result.Result<Answer<Generation>, AttemptError> => {
  const failed = failure(body, context)
  if (failed !== undefined) return Result.fail(failed)
  const [first, ...others] = (body.choices ?? []).map(toChoice)
  const used = usage(body)
  if (first === undefined) {
    return Result.fail(ResponseBody.invalid("the answer has no choices", used))
  }
  return Result.succeed({
    value: { modelId: body.model || context.model, choices: [first, ...others] },
    usage: used,
    requestId: ResponseHeaders.requestId(context.headers) ?? (body.id || undefined),
    rateLimits: ResponseHeaders.rateLimits(context.headers, context.nowMillis),
    body: json
  })
}

/**
 * One choice, whole or not, with its inline reasoning separated.
 *
 * @category decoding
 * @since 0.1.0
 */
export const toChoice = (choice: ChoiceBody): Choice => {
  const message = choice.message ?? {}
  const given = reasoningOf(message)
  const inline = Reasoning.split(textOf(choice, message))
  const calls = callsOf(message).map(readCall)
  const content = toContent(message, given, inline.text, calls)
  return {
    text: inline.text,
    reasoning: Reasoning.join([given, inline.reasoning]),
    refusal: message.refusal || undefined,
    toolCalls: calls.map(({ id, name, source }) => ({ id, name, arguments: source })),
    finishReason: finishReason(choice.finish_reason, calls.length > 0),
    ...(isTold(choice.logprobs) ? { logprobs: choice.logprobs } : {}),
    ...(content === undefined ? {} : { content })
  }
}

type Options = { readonly [key: string]: Schema.Json }

const toContent = (
  message: MessageBody,
  reasoning: string,
  answer: string,
  calls: ReadonlyArray<Call>
): ReadonlyArray<Prompt.AssistantMessagePart> | undefined => {
  const details = message.reasoning_details ?? []
  const isPlain = (call: Call) => !call.isCustom && Object.keys(call.more).length === 0
  if (reasoning === "" && details.length === 0 && calls.every(isPlain)) return undefined
  const parts: Array<Prompt.AssistantMessagePart> = []
  if (reasoning !== "" || details.length > 0) {
    const kept = details.length === 0 ? {} : { openai: { reasoning_details: details } as Options }
    parts.push(Prompt.makePart("reasoning", { text: reasoning, options: kept }))
  }
  if (answer !== "") parts.push(Prompt.makePart("text", { text: answer, options: {} }))
  for (const { id, isCustom, more, name, source = "" } of calls) {
    const kept = { arguments: source, ...(isCustom ? { type: "custom" } : {}), ...callFields(more) }
    parts.push(
      Prompt.makePart("tool-call", {
        id,
        name,
        params: isCustom ? source : ResponseBody.parsedOrText(source),
        providerExecuted: false,
        options: { openai: kept }
      })
    )
  }
  return parts
}

const callFields = (more: Json): Options =>
  Object.keys(more).length === 0 ? {} : { call: more as Options }

const finishReasons = new Map<string, FinishReason>(
  Object.entries({
    stop: "stop",
    eos: "stop",
    eos_token: "stop",
    stop_sequence: "stop",
    length: "length",
    max_tokens: "length",
    model_length: "length",
    tool_calls: "tool-calls",
    function_call: "tool-calls",
    content_filter: "content-filter",
    error: "error",
    abort: "error",
    insufficient_system_resource: "error"
  })
)

const finishReason = (reason: string | null | undefined, hasToolCalls: boolean): FinishReason =>
  reason === null || reason === undefined || reason === ""
    ? hasToolCalls
      ? "tool-calls"
      : "unknown"
    : (finishReasons.get(reason) ?? "other")

/**
 * The usage in a body or an event; `undefined` where it says nothing.
 *
 * @category decoding
 * @since 0.1.0
 */
export const usage = (body: Body): TokenUsage | undefined => {
  const counts = body.usage ?? body.x_groq?.usage ?? undefined
  const prompt = counts?.prompt_tokens ?? undefined
  const completion = counts?.completion_tokens ?? undefined
  const total = counts?.total_tokens ?? undefined
  if (counts === undefined || (prompt ?? completion ?? total) === undefined) return undefined
  const reasoning = counts.completion_tokens_details?.reasoning_tokens ?? undefined
  const said = (prompt ?? 0) + (completion ?? 0)
  // xAI counts reasoning beside the completion and not within it, as its total shows.
  const beside = reasoning !== undefined && said + reasoning === total ? reasoning : 0
  return Usage.make({
    promptTokens: prompt ?? 0,
    completionTokens: (completion ?? 0) + beside,
    totalTokens: total,
    cachedTokens:
      counts.prompt_tokens_details?.cached_tokens ??
      counts.prompt_cache_hit_tokens ??
      counts.cached_tokens ??
      undefined,
    cacheWriteTokens: counts.prompt_tokens_details?.cache_write_tokens ?? undefined,
    reasoningTokens: reasoning
  })
}
