/**
 * Anthropic's Messages API on the wire: a request to a body, and a body to a generation.
 *
 * It opens no connection (`Anthropic` does), writes no message (`Messages`) and reads no stream (`MessagesStream`). Decoding is lenient: only what is used is
 * looked at, and blocks of types that nobody knew are kept whole, so that the next turn can send them back.
 *
 * **Details**: `reasoningEffort` is `output_config.effort` together with adaptive thinking; `none` turns thinking off. Older
 * models think only with a budget, which `extraBody: { thinking: { type: "enabled", budget_tokens: 2048 } }` gives.
 *
 * **Source**: Claude documentation, "Messages", "Effort" and "Stop reasons" (read November 2026).
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
import type { ToolCall, ToolChoice, ToolDefinition } from "@infermesh/core/operation/ToolCall"
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
import { isRecord, merge, refuseOptions, unsupported } from "../RequestBody.ts"
import * as ResponseBody from "../ResponseBody.ts"
import { Count, nullish } from "../ResponseBody.ts"
import { enforceable } from "./EnforcedSchema.ts"
import * as Fault from "./Fault.ts"
import * as Messages from "./Messages.ts"
import { abilities } from "./Models.ts"
import * as OutputForm from "./OutputForm.ts"

const provider = "anthropic"

// ---- request body

/** Our option names as the API's; those of which the form changes too are handled beside it. */
const fields: { readonly [K in keyof ModelOptions]?: string } = {
  maxTokens: "max_tokens",
  temperature: "temperature",
  topP: "top_p",
  topK: "top_k",
  serviceTier: "service_tier"
}

/** What the API has no field for. */
const unknownOptions: ReadonlyArray<keyof ModelOptions> = [
  "seed",
  "n",
  "presencePenalty",
  "frequencyPenalty",
  "logprobs",
  "topLogprobs"
]

/**
 * `max_tokens` where nobody gives one: the API requires the field.
 *
 * **Units**: tokens of output, thinking included; a thinking budget is added to it.
 *
 * **Source**: the smallest output limit among Claude models (Claude 3), which all of them accept; "Models overview".
 */
const defaultMaxTokens = 4096

/**
 * A request as this API takes it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Encoded {
  /** The body, but for `model` and what the deployment adds. */
  readonly body: Json
  /** The tool whose input is the answer, where the answer's form is asked for in that way. */
  readonly answerTool: string | undefined
}

// ---- response

const Counts = {
  input_tokens: Count,
  output_tokens: Count,
  cache_read_input_tokens: Count,
  cache_creation_input_tokens: Count
}

/**
 * Token counts, of a whole response or of what has been used so far.
 *
 * @category schemas
 * @since 0.1.0
 */
export const UsageBody = Schema.Struct({
  ...Counts,
  output_tokens_details: nullish(Schema.Struct({ thinking_tokens: Count })),
  iterations: nullish(Schema.Array(Schema.Struct({ type: nullish(Schema.String), ...Counts })))
})

type UsageBody = typeof UsageBody.Type

/**
 * A content block: its type, and what blocks of that type have.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Block = Schema.Record(Schema.String, Schema.Unknown)

/**
 * A response body, as far as it is used.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Body = Schema.Struct({
  id: nullish(Schema.String),
  model: nullish(Schema.String),
  content: nullish(Schema.Array(Block)),
  stop_reason: nullish(Schema.String),
  stop_details: nullish(Schema.Struct({ explanation: nullish(Schema.String) })),
  usage: nullish(UsageBody),
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
 * Reads a response body.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = ResponseBody.reader("Anthropic message", Schema.decodeUnknownResult(Body))

/**
 * What is known about a response before its body is read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Context extends ResponseBody.Context {
  /** The tool whose input is the answer, where the answer's form was asked for in that way. */
  readonly answerTool: string | undefined
}

// ---- encode

/**
 * The body of a request, but for `model` and what the deployment adds.
 *
 * **Errors**: `Unsupported` for what the API, or the model, cannot be told.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (
  request: GenerateRequest,
  model: string
): Result.Result<Encoded, AttemptError> => {
  const { options } = request
  const refused = refuseOptions(provider, options, unknownOptions)
  if (refused !== undefined) return Result.fail(refused)
  const conversation = Messages.encode(request.prompt)
  if (Result.isFailure(conversation)) return Result.fail(conversation.failure)
  const { messages, system } = conversation.success
  const form = OutputForm.encode(request, model)
  const reasoning = reasoningFields(options.reasoningEffort, model)
  const user = metadata(options)
  if (form instanceof AttemptError) return Result.fail(form)
  if (reasoning instanceof AttemptError) return Result.fail(reasoning)
  if (user instanceof AttemptError) return Result.fail(user)
  // A model that thinks cannot be made to call a tool.
  if (form.answerTool !== undefined && reasoning["thinking"] === adaptive) {
    return Result.fail(
      unsupported(
        provider,
        "thinking together with an output schema of this form",
        "Leave out reasoningEffort, or close the schema's objects"
      )
    )
  }
  const body: Record<string, unknown> = { ...(system === undefined ? {} : { system }), messages }
  for (const name in fields) {
    const value = options[name as keyof typeof fields]
    if (value !== undefined) body[fields[name as keyof typeof fields] ?? name] = value
  }
  if (options.stop !== undefined) {
    body["stop_sequences"] = typeof options.stop === "string" ? [options.stop] : options.stop
  }
  Object.assign(body, user, toolFields(request, model))
  return Result.succeed({
    body: merge(merge(merge(body, reasoning), form.fields), options.extraBody),
    answerTool: form.answerTool
  })
}

/**
 * The whole body: what the deployment adds, beneath what the request says.
 *
 * @category encoding
 * @since 0.1.0
 */
export const complete = (model: string, extraBody: Json, encoded: Json): Json => {
  const body = merge(merge({ model }, extraBody), encoded)
  if (body["max_tokens"] !== undefined) return body
  const thinking = body["thinking"]
  const budget = isRecord(thinking) ? thinking["budget_tokens"] : undefined
  return { ...body, max_tokens: defaultMaxTokens + (typeof budget === "number" ? budget : 0) }
}

const adaptive = { type: "adaptive" }

const reasoningFields = (effort: string | undefined, model: string): Json | AttemptError => {
  if (effort === undefined) return {}
  const can = abilities(model)
  if (effort === "none") return can.adaptiveThinking ? { thinking: { type: "disabled" } } : {}
  if (effort === "minimal") {
    return unsupported(provider, "reasoningEffort 'minimal'", "The lowest effort is 'low'")
  }
  if (!can.effort) {
    return unsupported(
      provider,
      `reasoningEffort on ${model}`,
      "Give a thinking budget in extraBody: { thinking: { type: 'enabled', budget_tokens: 2048 } }"
    )
  }
  return {
    output_config: { effort },
    ...(can.adaptiveThinking ? { thinking: adaptive } : {})
  }
}

const metadata = ({ metadata: given, user }: ModelOptions): Json | AttemptError => {
  const { user_id: userId, ...others } = given ?? {}
  const [other] = Object.keys(others)
  if (other !== undefined) {
    return unsupported(provider, `the metadata '${other}'`, "It takes 'user_id' only")
  }
  const id = user ?? userId
  return id === undefined ? {} : { metadata: { user_id: id } }
}

const toolFields = ({ options, toolChoice, tools }: GenerateRequest, model: string): Json => {
  // The API refuses a choice among no tools, and there it says nothing.
  if (tools.length === 0 && options.extraBody?.["tools"] === undefined) return {}
  return {
    ...(tools.length === 0 ? {} : { tools: tools.map((tool) => toTool(tool, model)) }),
    ...(toolChoice === undefined ? {} : { tool_choice: toToolChoice(toolChoice) })
  }
}

const toTool = ({ description, name, parameters, strict }: ToolDefinition, model: string): Json => {
  const schema =
    strict === true && abilities(model).structuredOutput ? enforceable(parameters) : undefined
  return {
    name,
    ...(description === undefined ? {} : { description }),
    input_schema: schema ?? parameters,
    ...(schema === undefined ? {} : { strict: true })
  }
}

const toToolChoice = (choice: ToolChoice): Json =>
  typeof choice === "object"
    ? { type: "tool", name: choice.tool }
    : { type: choice === "required" ? "any" : choice }

// ---- decode

/**
 * The answer in a response body.
 *
 * **Errors**: that of an error body; `InvalidResponseError` for a body without content.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (
  { json, value: body }: ResponseBody.Read<Body>,
  context: Context
): Result.Result<Answer<Generation>, AttemptError> => {
  if (body.error !== undefined && body.error !== null) {
    return Result.fail(ResponseBody.inBand(body.error, Fault, context))
  }
  const used = usage(body.usage)
  if (body.content === undefined || body.content === null) {
    return Result.fail(ResponseBody.invalid("the answer has no content", used))
  }
  return Result.succeed({
    value: {
      modelId: body.model ?? context.model,
      choices: [toChoice(body.content, body, context.answerTool)]
    },
    usage: used,
    requestId: ResponseHeaders.requestId(context.headers) ?? body.id ?? undefined,
    rateLimits: ResponseHeaders.rateLimits(context.headers, context.nowMillis),
    body: json
  })
}

/**
 * The answer in the content of a body, whole or not.
 *
 * @category decoding
 * @since 0.1.0
 */
export const toChoice = (
  content: ReadonlyArray<Json>,
  body: Body,
  answerTool: string | undefined
): Choice => {
  const parts = content.map((block) => toPart(block, answerTool))
  const toolCalls = content.flatMap((block) =>
    block["type"] === "tool_use" && block["name"] !== answerTool ? [toToolCall(block)] : []
  )
  return {
    text: parts.map((part) => (part.type === "text" ? part.text : "")).join(""),
    reasoning: Reasoning.join(parts.map((part) => (part.type === "reasoning" ? part.text : ""))),
    refusal: refusal(body),
    toolCalls,
    finishReason: finishReason(body.stop_reason, toolCalls.length > 0),
    content: parts
  }
}

const text = (value: unknown): string => (typeof value === "string" ? value : "")

const toPart = (block: Json, answerTool: string | undefined): Prompt.AssistantMessagePart => {
  const { type, ...fields } = block
  switch (type) {
    case "text": {
      const { citations, text: content } = fields
      const cited = Array.isArray(citations) && citations.length > 0
      return Prompt.makePart("text", {
        text: text(content),
        options: cited ? { anthropic: { citations: citations as Array<Schema.Json> } } : {}
      })
    }
    case "thinking":
      return Prompt.makePart("reasoning", {
        text: text(fields["thinking"]),
        options: { anthropic: { signature: text(fields["signature"]) } }
      })
    case "redacted_thinking":
      return Prompt.makePart("reasoning", {
        text: "",
        options: { anthropic: { type: "redacted_thinking", data: text(fields["data"]) } }
      })
    case "tool_use": {
      const call = toToolCall(block)
      if (call.name === answerTool) {
        return Prompt.makePart("text", { text: call.arguments ?? "", options: {} })
      }
      return Prompt.makePart("tool-call", {
        id: call.id,
        name: call.name,
        params: ResponseBody.parsedOrText(call.arguments ?? ""),
        providerExecuted: false,
        options: {}
      })
    }
    default:
      // A block of the provider's own (a search, a summary of the conversation): carried whole, and sent back as it came.
      return Prompt.makePart("file", {
        mediaType: "application/octet-stream",
        data: "",
        options: { anthropic: { block: block as { readonly [key: string]: Schema.Json } } }
      })
  }
}

/** The input of a whole response is a value, that of a stream the model's own text. */
const toToolCall = ({ id, input, name }: Json): ToolCall => ({
  id: text(id),
  name: text(name),
  arguments: typeof input === "string" ? input : JSON.stringify(input ?? {})
})

const refusal = (body: Body): string | undefined =>
  body.stop_reason === "refusal"
    ? (body.stop_details?.explanation ?? "the model declined to answer")
    : undefined

const finishReasons = new Map<string, FinishReason>(
  Object.entries({
    end_turn: "stop",
    stop_sequence: "stop",
    max_tokens: "length",
    model_context_window_exceeded: "length",
    tool_use: "tool-calls",
    pause_turn: "pause",
    refusal: "content-filter"
  })
)

const finishReason = (reason: string | null | undefined, hasToolCalls: boolean): FinishReason => {
  if (reason === null || reason === undefined) return hasToolCalls ? "tool-calls" : "unknown"
  // The tool that carries the answer is no tool the caller knows.
  if (reason === "tool_use" && !hasToolCalls) return "stop"
  return finishReasons.get(reason) ?? "other"
}

/** Runs of this request whose tokens the totals leave out: the API says to add them up. */
const countedIterations = new Set<string | null | undefined>(["message", "compaction"])

/**
 * The usage in a body or an event; `undefined` where it says nothing.
 *
 * **Details**: the prompt is what was read anew, from the cache and into the cache.
 *
 * @category decoding
 * @since 0.1.0
 */
export const usage = (counts: UsageBody | null | undefined): TokenUsage | undefined => {
  if (counts === undefined || counts === null) return undefined
  const iterations = (counts.iterations ?? []).filter(({ type }) => countedIterations.has(type))
  const runs = iterations.length > 0 ? iterations : [counts]
  if (!runs.some((run) => isCount(run.input_tokens) || isCount(run.output_tokens))) return undefined
  const sum = (name: keyof typeof Counts) =>
    runs.reduce((total, run) => total + (run[name] ?? 0), 0)
  const read = sum("cache_read_input_tokens")
  const written = sum("cache_creation_input_tokens")
  return Usage.make({
    promptTokens: sum("input_tokens") + read + written,
    completionTokens: sum("output_tokens"),
    cachedTokens: runs.some((run) => isCount(run.cache_read_input_tokens)) ? read : undefined,
    cacheWriteTokens: runs.some((run) => isCount(run.cache_creation_input_tokens))
      ? written
      : undefined,
    reasoningTokens: counts.output_tokens_details?.thinking_tokens ?? undefined
  })
}

const isCount = (value: number | null | undefined): value is number =>
  value !== null && value !== undefined
