/**
 * Gemini's `generateContent` on the wire: a request to a body, and a body to a generation.
 *
 * It opens no connection (`Gemini` does), writes no message (`Contents`) and reads no stream (`GenerateContentStream`).
 * Decoding is lenient: only what is used is looked at, and parts of kinds that nobody knew are kept whole, so that the next
 * turn can send them back.
 *
 * **Details**: `reasoningEffort` is the model's thinking level, or the budget that stands for it on models without levels. The
 * model's thoughts are answered only when asked for: `extraBody: { generationConfig: { thinkingConfig: { includeThoughts: true
 * } } }`.
 *
 * **Source**: Gemini API reference, "Generating content" (v1beta, read November 2026).
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
import { merge, refuseOptions, unsupported } from "../RequestBody.ts"
import * as ResponseBody from "../ResponseBody.ts"
import { Count, nullish } from "../ResponseBody.ts"
import * as Contents from "./Contents.ts"
import * as Fault from "./Fault.ts"
import { abilities, budgets } from "./Models.ts"

const provider = "gemini"

// ---- request body

/** Our option names as those of `generationConfig`; those of which the form changes too are handled beside it. */
const fields: { readonly [K in keyof ModelOptions]?: string } = {
  temperature: "temperature",
  topP: "topP",
  topK: "topK",
  maxTokens: "maxOutputTokens",
  seed: "seed",
  n: "candidateCount",
  presencePenalty: "presencePenalty",
  frequencyPenalty: "frequencyPenalty",
  logprobs: "responseLogprobs",
  topLogprobs: "logprobs"
}

/** What the API has no field for. */
const unknownOptions: ReadonlyArray<keyof ModelOptions> = ["user", "metadata"]

// ---- response

const FunctionCall = Schema.Struct({
  id: nullish(Schema.String),
  name: nullish(Schema.String),
  args: Schema.optionalKey(Schema.Unknown)
})

/** A part of a content: what parts of its kind have. */
const Part = Schema.Record(Schema.String, Schema.Unknown)

const LogprobsBody = Schema.Record(Schema.String, Schema.Unknown)

const CandidateBody = Schema.Struct({
  index: Count,
  content: nullish(Schema.Struct({ parts: nullish(Schema.Array(Part)) })),
  finishReason: nullish(Schema.String),
  finishMessage: nullish(Schema.String),
  logprobsResult: nullish(LogprobsBody)
})

/**
 * One candidate of a response, whole or not.
 *
 * @category models
 * @since 0.1.0
 */
export type Candidate = typeof CandidateBody.Type

const UsageBody = Schema.Struct({
  promptTokenCount: Count,
  candidatesTokenCount: Count,
  totalTokenCount: Count,
  thoughtsTokenCount: Count,
  toolUsePromptTokenCount: Count,
  cachedContentTokenCount: Count
})

/** A whole response, or one event of a stream: they have the same form. */
const Body = Schema.Struct({
  candidates: nullish(Schema.Array(CandidateBody)),
  promptFeedback: nullish(
    Schema.Struct({
      blockReason: nullish(Schema.String),
      blockReasonMessage: nullish(Schema.String)
    })
  ),
  usageMetadata: nullish(UsageBody),
  modelVersion: nullish(Schema.String),
  responseId: nullish(Schema.String),
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
 * Reads a response body or an event of a stream.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = ResponseBody.reader("Gemini response", Schema.decodeUnknownResult(Body))

/**
 * Reads the call in a part; fails where it has none.
 *
 * @category decoding
 * @since 0.1.0
 */
export const readCall = Schema.decodeUnknownResult(FunctionCall)

// ---- encode

/**
 * The body of a request, but for what the deployment adds.
 *
 * **Errors**: `Unsupported` for what the API, or the model, cannot be told.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (
  request: GenerateRequest,
  model: string
): Result.Result<Json, AttemptError> => {
  const { options } = request
  const refused = refuseOptions(provider, options, unknownOptions)
  if (refused !== undefined) return Result.fail(refused)
  const conversation = Contents.encode(request.prompt, model)
  if (Result.isFailure(conversation)) return Result.fail(conversation.failure)
  const { contents, systemInstruction } = conversation.success
  const thinking = thinkingConfig(options.reasoningEffort, model)
  if (thinking instanceof AttemptError) return Result.fail(thinking)
  const config: Record<string, unknown> = { ...thinking, ...outputFields(request) }
  for (const name in fields) {
    const value = options[name as keyof typeof fields]
    if (value !== undefined) config[fields[name as keyof typeof fields] ?? name] = value
  }
  if (options.stop !== undefined) {
    config["stopSequences"] = typeof options.stop === "string" ? [options.stop] : options.stop
  }
  const body: Json = {
    ...(systemInstruction === undefined ? {} : { systemInstruction }),
    contents,
    ...toolFields(request),
    ...(Object.keys(config).length === 0 ? {} : { generationConfig: config }),
    ...(options.serviceTier === undefined ? {} : { service_tier: options.serviceTier })
  }
  return Result.succeed(merge(body, options.extraBody))
}

const thinkingConfig = (effort: string | undefined, model: string): Json | AttemptError => {
  if (effort === undefined) return {}
  switch (abilities(model).thinking) {
    case "level":
      return effort === "none"
        ? unsupported(provider, `reasoningEffort 'none' on ${model}`, "The lowest is 'minimal'")
        : { thinkingConfig: { thinkingLevel: effort } }
    case "budget": {
      const thinkingBudget = budgets[effort]
      return thinkingBudget === undefined
        ? unsupported(
            provider,
            `reasoningEffort '${effort}' on ${model}`,
            `It knows ${Object.keys(budgets).join(", ")}`
          )
        : { thinkingConfig: { thinkingBudget } }
    }
    case "none":
      return effort === "none"
        ? {}
        : unsupported(provider, `reasoningEffort on ${model}`, "Use a model that thinks")
  }
}

/** Keywords without one of which a schema says "any object", and the API refuses it as empty. */
const contentKeywords = ["properties", "additionalProperties", "anyOf", "oneOf", "$ref"]

const saysSomething = (schema: Json): boolean =>
  schema["type"] !== "object" ||
  contentKeywords.some((keyword) => {
    const value = schema[keyword]
    return value !== undefined && (keyword !== "properties" || Object.keys(value ?? {}).length > 0)
  })

const outputFields = ({ output }: GenerateRequest): Json =>
  output === undefined
    ? {}
    : {
        responseMimeType: "application/json",
        ...(saysSomething(output.jsonSchema) ? { responseJsonSchema: output.jsonSchema } : {})
      }

const toolFields = ({ options, toolChoice, tools }: GenerateRequest): Json => {
  // A choice among no tools says nothing.
  if (tools.length === 0 && options.extraBody?.["tools"] === undefined) return {}
  return {
    ...(tools.length === 0 ? {} : { tools: [{ functionDeclarations: tools.map(toDeclaration) }] }),
    ...(toolChoice === undefined
      ? {}
      : { toolConfig: { functionCallingConfig: callingConfig(toolChoice) } })
  }
}

const toDeclaration = ({ description, name, parameters }: ToolDefinition): Json => ({
  name,
  ...(description === undefined ? {} : { description }),
  ...(hasParameters(parameters) ? { parametersJsonSchema: parameters } : {})
})

/** A tool without parameters is told by leaving them out. */
const hasParameters = (schema: Json): boolean =>
  saysSomething(
    schema["additionalProperties"] === false
      ? { ...schema, additionalProperties: undefined }
      : schema
  )

const modes = { auto: "AUTO", none: "NONE", required: "ANY" } as const

const callingConfig = (choice: ToolChoice): Json =>
  typeof choice === "object"
    ? { mode: "ANY", allowedFunctionNames: [choice.tool] }
    : { mode: modes[choice] }

// ---- decode

/**
 * The answer in a response body.
 *
 * **Details**: a prompt that was blocked is an answer that refuses.
 *
 * **Errors**: that of an error body; `InvalidResponseError` for a body without candidates.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (
  { json, value: body }: ResponseBody.Read<Body>,
  context: ResponseBody.Context
): Result.Result<Answer<Generation>, AttemptError> => {
  if (body.error !== undefined && body.error !== null) {
    return Result.fail(ResponseBody.inBand(body.error, Fault, context))
  }
  const used = usage(body)
  const [first = blocked(body), ...others] = (body.candidates ?? []).map((candidate) =>
    toChoice(candidate, body.responseId ?? "")
  )
  if (first === undefined) {
    return Result.fail(ResponseBody.invalid("the answer has no candidates", used))
  }
  return Result.succeed({
    value: { modelId: body.modelVersion ?? context.model, choices: [first, ...others] },
    usage: used,
    requestId: ResponseHeaders.requestId(context.headers) ?? body.responseId ?? undefined,
    rateLimits: ResponseHeaders.rateLimits(context.headers, context.nowMillis),
    body: json
  })
}

const blocked = ({ promptFeedback }: Body): Choice | undefined => {
  const reason = promptFeedback?.blockReason
  if (reason === undefined || reason === null) return undefined
  return {
    text: "",
    refusal: promptFeedback?.blockReasonMessage ?? `the prompt was blocked (${reason})`,
    toolCalls: [],
    finishReason: "content-filter"
  }
}

/**
 * The choice that a candidate is.
 *
 * @category decoding
 * @since 0.1.0
 */
export const toChoice = (candidate: Candidate, responseId: string): Choice => {
  const given = candidate.content?.parts ?? []
  const toolCalls: Array<ToolCall> = []
  const parts = given.map((part) => {
    const one = toPart(part, ownId(responseId, candidate.index ?? 0, toolCalls.length))
    if (one.type === "tool-call") {
      toolCalls.push({ id: one.id, name: one.name, arguments: JSON.stringify(one.params) })
    }
    return one
  })
  const { finishMessage, finishReason: reason, logprobsResult: logprobs } = candidate
  const finish = finishReason(reason, toolCalls.length > 0)
  return {
    text: parts.map((part) => (part.type === "text" ? part.text : "")).join(""),
    reasoning: Reasoning.join([
      parts.map((part) => (part.type === "reasoning" ? part.text : "")).join("")
    ]),
    refusal:
      finish === "content-filter"
        ? (finishMessage ?? `the answer was stopped (${reason})`)
        : undefined,
    toolCalls,
    finishReason: finish,
    ...(logprobs === undefined || logprobs === null ? {} : { logprobs }),
    content: parts
  }
}

/**
 * The id of a call that the API gave none: one that no call of another response has.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ownId = (responseId: string, choice: number, call: number): string =>
  `${Contents.ownIdPrefix}${responseId}-${choice}-${call}`

const toPart = (part: Json, id: string): Prompt.AssistantMessagePart => {
  const { functionCall, text, thought, thoughtSignature } = part
  const options = typeof thoughtSignature === "string" ? { gemini: { thoughtSignature } } : {}
  const call =
    functionCall === undefined ? undefined : Result.getOrUndefined(readCall(functionCall))
  if (call !== undefined) {
    return Prompt.makePart("tool-call", {
      id: call.id ?? id,
      name: call.name ?? "",
      params: call.args ?? {},
      providerExecuted: false,
      options
    })
  }
  if (typeof text === "string") {
    return thought === true
      ? Prompt.makePart("reasoning", { text, options })
      : Prompt.makePart("text", { text, options })
  }
  // A part of another kind (an image, code that the provider ran): carried whole, and sent back as it came.
  return Prompt.makePart("file", {
    mediaType: "application/octet-stream",
    data: "",
    options: { gemini: { part: part as { readonly [key: string]: Schema.Json } } }
  })
}

const finishReasons = new Map<string, FinishReason>(
  Object.entries({
    STOP: "stop",
    MAX_TOKENS: "length",
    SAFETY: "content-filter",
    RECITATION: "content-filter",
    BLOCKLIST: "content-filter",
    PROHIBITED_CONTENT: "content-filter",
    SPII: "content-filter",
    IMAGE_SAFETY: "content-filter",
    IMAGE_PROHIBITED_CONTENT: "content-filter",
    IMAGE_RECITATION: "content-filter",
    MALFORMED_FUNCTION_CALL: "error",
    MALFORMED_RESPONSE: "error",
    UNEXPECTED_TOOL_CALL: "error",
    TOO_MANY_TOOL_CALLS: "error",
    MISSING_THOUGHT_SIGNATURE: "error"
  })
)

const finishReason = (reason: string | null | undefined, hasToolCalls: boolean): FinishReason => {
  if (reason === null || reason === undefined) return hasToolCalls ? "tool-calls" : "unknown"
  // The API stops for a call as it stops for an end.
  if (reason === "STOP" && hasToolCalls) return "tool-calls"
  return finishReasons.get(reason) ?? "other"
}

/**
 * The usage in a response or an event; `undefined` where it says nothing.
 *
 * **Details**: the API counts thoughts beside the answer, and the input of its own tools beside the prompt.
 *
 * @category decoding
 * @since 0.1.0
 */
export const usage = ({ usageMetadata: counts }: Body): TokenUsage | undefined => {
  if (counts === undefined || counts === null || Object.keys(counts).length === 0) return undefined
  const thoughts = counts.thoughtsTokenCount ?? undefined
  return Usage.make({
    promptTokens: (counts.promptTokenCount ?? 0) + (counts.toolUsePromptTokenCount ?? 0),
    completionTokens: (counts.candidatesTokenCount ?? 0) + (thoughts ?? 0),
    totalTokens: counts.totalTokenCount ?? undefined,
    cachedTokens: counts.cachedContentTokenCount ?? undefined,
    reasoningTokens: thoughts
  })
}
