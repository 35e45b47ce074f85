/**
 * OpenAI's chat completions on the wire: a request to a body, and a body to a generation.
 *
 * It opens no connection and knows no vendor but by its `Dialect`. Streams are read in `ChatStream`. Decoding is lenient:
 * only what is used is looked at, because an answer that was paid for must not fail for a field nobody knew.
 *
 * **Source**: OpenAI API reference, "Create chat completion" (read November 2026).
 *
 * @since 0.1.0
 */
import type {
  Choice,
  FinishReason,
  GenerateRequest,
  Generation
} from "@infermesh/core/operation/Generate"
import type { ModelOptions } from "@infermesh/core/operation/GenerateOptions"
import type { ToolCall } from "@infermesh/core/operation/ToolCall"
import type { TokenUsage } from "@infermesh/core/operation/Usage"
import * as Usage from "@infermesh/core/operation/Usage"
import * as Reasoning from "@infermesh/core/output/Reasoning"
import { AttemptError } from "@infermesh/core/provider/Provider"
import { Unsupported } from "@infermesh/core/Reason"
import * as AiError from "effect/ai/AiError"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

import type { Dialect } from "./Dialect.ts"
import * as Messages from "./Messages.ts"

type Json = { readonly [key: string]: unknown }

// ---- request body

/** Our option names as the API's; those of which the form changes too are handled beside it. */
const fields: { readonly [K in keyof ModelOptions]?: string } = {
  temperature: "temperature",
  topP: "top_p",
  topK: "top_k",
  stop: "stop",
  seed: "seed",
  n: "n",
  presencePenalty: "presence_penalty",
  frequencyPenalty: "frequency_penalty",
  logprobs: "logprobs",
  topLogprobs: "top_logprobs",
  reasoningEffort: "reasoning_effort",
  serviceTier: "service_tier",
  user: "user",
  metadata: "metadata"
}

/**
 * The body of a request, but for `model` and what the deployment adds.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (
  request: GenerateRequest,
  dialect: Dialect
): Result.Result<Json, AttemptError> => {
  const messages = Messages.encode(request.prompt)
  if (Result.isFailure(messages)) return Result.fail(messages.failure)
  const format = responseFormat(request, dialect)
  if (format instanceof AttemptError) return Result.fail(format)
  const body: Record<string, unknown> = { messages: messages.success }
  const options = request.options as Readonly<Record<string, unknown>>
  for (const name in fields) {
    if (options[name] !== undefined)
      body[fields[name as keyof typeof fields] ?? name] = options[name]
  }
  if (request.options.topK !== undefined && dialect.name === "openai") {
    return Result.fail(refuse(dialect.name, "the option 'topK'"))
  }
  if (request.options.maxTokens !== undefined) {
    body[dialect.maxTokensField ?? "max_tokens"] = request.options.maxTokens
  }
  if (format !== undefined) body["response_format"] = format
  if (request.tools.length > 0) {
    body["tools"] = request.tools.map(({ description, name, parameters, strict }) => ({
      type: "function",
      function: { name, description, parameters, strict }
    }))
  }
  if (request.toolChoice !== undefined) {
    body["tool_choice"] =
      typeof request.toolChoice === "string"
        ? request.toolChoice
        : { type: "function", function: { name: request.toolChoice.tool } }
  }
  return Result.succeed(
    request.options.extraBody === undefined ? body : { ...body, ...request.options.extraBody }
  )
}

/**
 * The failure of asking a vendor for what it has not.
 *
 * @category constructors
 * @since 0.1.0
 */
export const refuse = (provider: string, feature: string): AttemptError =>
  new AttemptError({ reason: new Unsupported({ provider, feature }), outcome: "unsent" })

const responseFormat = (
  { output }: GenerateRequest,
  dialect: Dialect
): Json | AttemptError | undefined => {
  if (output === undefined) return undefined
  switch (dialect.structuredOutput ?? "json_schema") {
    case "json_schema":
      return {
        type: "json_schema",
        json_schema: { name: output.name, schema: output.jsonSchema, strict: output.strict }
      }
    case "json_object":
      return { type: "json_object" }
    case "none":
      return refuse(dialect.name, "structured output")
  }
}

// ---- response

const nullish = <T, E>(schema: Schema.Codec<T, E>) => Schema.optionalKey(Schema.NullOr(schema))

const Count = nullish(Schema.Finite)

const UsageBody = Schema.Struct({
  prompt_tokens: Count,
  completion_tokens: Count,
  total_tokens: Count,
  prompt_tokens_details: nullish(Schema.Struct({ cached_tokens: Count })),
  completion_tokens_details: nullish(Schema.Struct({ reasoning_tokens: Count })),
  // DeepSeek's name for cached tokens.
  prompt_cache_hit_tokens: Count
})

const ToolCallBody = Schema.Struct({
  index: Count,
  id: nullish(Schema.String),
  function: nullish(
    Schema.Struct({ name: nullish(Schema.String), arguments: Schema.optionalKey(Schema.Unknown) })
  ),
  custom: nullish(Schema.Struct({ name: nullish(Schema.String), input: nullish(Schema.String) }))
})

const MessageBody = Schema.Struct({
  content: nullish(
    Schema.Union([
      Schema.String,
      Schema.Array(Schema.Struct({ type: nullish(Schema.String), text: nullish(Schema.String) }))
    ])
  ),
  refusal: nullish(Schema.String),
  reasoning_content: nullish(Schema.String),
  reasoning: nullish(Schema.Union([Schema.String, Schema.Json])),
  tool_calls: nullish(Schema.Array(ToolCallBody))
})

const ChoiceBody = Schema.Struct({
  index: Count,
  message: nullish(MessageBody),
  delta: nullish(MessageBody),
  finish_reason: nullish(Schema.String),
  logprobs: Schema.optionalKey(Schema.Unknown)
})

/** A whole response, or one event of a stream: they differ in `message` and `delta` only. */
const Body = Schema.Struct({
  id: nullish(Schema.String),
  model: nullish(Schema.String),
  choices: nullish(Schema.Array(ChoiceBody)),
  usage: nullish(UsageBody),
  // Groq reports the usage of a stream here.
  x_groq: nullish(Schema.Struct({ usage: nullish(UsageBody) })),
  error: Schema.optionalKey(Schema.Unknown)
})

/**
 * A response body, as far as it is used.
 *
 * @category models
 * @since 0.1.0
 */
export type Body = typeof Body.Type

/**
 * One message of a response, whole or a delta.
 *
 * @category models
 * @since 0.1.0
 */
export type MessageBody = typeof MessageBody.Type

const read = Schema.decodeUnknownResult(Body)

/**
 * Reads a response body or an event of a stream.
 *
 * **Errors**: a text that is visibly cut is a broken connection, which may be tried again; anything else that is no JSON, or
 * not of this API, is an `InvalidResponseError`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (text: string, url: string): Result.Result<Body, AttemptError> => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return Result.fail(
      isCut(text) ? cut(url) : invalid(`the body is no JSON: ${text.trim().slice(0, 80)}`)
    )
  }
  const body = read(json)
  return Result.isSuccess(body)
    ? Result.succeed(body.success)
    : Result.fail(
        invalid(`the body is no chat completion: ${body.failure.message.replaceAll(/\s+/g, " ")}`)
      )
}

/** Whether a text is the beginning of a JSON text: something that was opened is never closed. */
const isCut = (text: string): boolean => {
  const bare = text.trim()
  if (bare === "") return true
  if (!/^[[{]/.test(bare)) return false
  let depth = 0
  let inString = false
  for (let index = 0; index < bare.length; index++) {
    const char = bare[index]
    if (inString) {
      if (char === "\\") index++
      else if (char === '"') inString = false
    } else if (char === '"') inString = true
    else if (char === "{" || char === "[") depth++
    else if (char === "}" || char === "]") depth--
  }
  return inString || depth > 0
}

const cut = (url: string) =>
  new AttemptError({
    reason: new AiError.NetworkError({
      reason: "TransportError",
      method: "POST",
      url,
      description: "the response body was cut short"
    }),
    outcome: "unknown"
  })

const invalid = (description: string, usage?: TokenUsage) =>
  new AttemptError({
    reason: new AiError.InvalidResponseError({ description }),
    outcome: "unknown",
    usage
  })

/**
 * The generation in a whole response.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (body: Body, model: string): Result.Result<Generation, AttemptError> => {
  const [first, ...others] = (body.choices ?? []).map((choice) =>
    toChoice(choice.message ?? {}, choice.finish_reason, choice.logprobs)
  )
  if (first === undefined) return Result.fail(invalid("the answer has no choices", usage(body)))
  return Result.succeed({ modelId: body.model ?? model, choices: [first, ...others] })
}

/**
 * One choice out of a message, with its inline reasoning separated.
 *
 * @category decoding
 * @since 0.1.0
 */
export const toChoice = (
  message: MessageBody,
  finish: string | null | undefined,
  logprobs: unknown
): Choice => {
  const given = Reasoning.join([structuredReasoning(message)])
  const inline = Reasoning.split(contentText(message))
  const toolCalls = (message.tool_calls ?? []).map(toToolCall)
  return {
    text: inline.text,
    reasoning: Reasoning.join([given, inline.reasoning]),
    refusal: message.refusal ?? undefined,
    toolCalls,
    finishReason: finishReason(finish, toolCalls.length > 0),
    ...(logprobs === undefined || logprobs === null ? {} : { logprobs })
  }
}

/** The reasoning a vendor gives in a field of its own. */
export const structuredReasoning = (message: MessageBody): string | undefined =>
  message.reasoning_content ??
  (typeof message.reasoning === "string" ? message.reasoning : undefined)

/** The text of a message whose content is a text or a list of blocks. */
export const contentText = ({ content }: MessageBody): string =>
  typeof content === "string" ? content : (content ?? []).map(({ text }) => text ?? "").join("")

const toToolCall = (call: typeof ToolCallBody.Type): ToolCall => {
  const source = call.function?.arguments ?? call.custom?.input
  return {
    id: call.id ?? "",
    name: call.function?.name ?? call.custom?.name ?? "",
    arguments:
      source === undefined || source === null
        ? undefined
        : typeof source === "string"
          ? source
          : JSON.stringify(source)
  }
}

const finishReasons: { readonly [reason: string]: FinishReason } = {
  stop: "stop",
  eos: "stop",
  length: "length",
  max_tokens: "length",
  tool_calls: "tool-calls",
  function_call: "tool-calls",
  content_filter: "content-filter",
  error: "error"
}

/** The API's words for why a model stopped, in those of `effect/ai`. */
export const finishReason = (
  reason: string | null | undefined,
  hasToolCalls: boolean
): FinishReason =>
  reason === null || reason === undefined
    ? hasToolCalls
      ? "tool-calls"
      : "unknown"
    : (finishReasons[reason] ?? "other")

/**
 * The usage in a response or an event; `undefined` where it says nothing.
 *
 * @category decoding
 * @since 0.1.0
 */
export const usage = (body: Body): TokenUsage | undefined => {
  const counts = body.usage ?? body.x_groq?.usage
  if (counts === undefined || counts === null) return undefined
  const { completion_tokens: completion, prompt_tokens: prompt, total_tokens: total } = counts
  if (prompt === undefined && completion === undefined && total === undefined) return undefined
  return Usage.make({
    promptTokens: prompt ?? 0,
    completionTokens: completion ?? 0,
    totalTokens: total ?? undefined,
    cachedTokens:
      counts.prompt_tokens_details?.cached_tokens ?? counts.prompt_cache_hit_tokens ?? undefined,
    reasoningTokens: counts.completion_tokens_details?.reasoning_tokens ?? undefined
  })
}
