/**
 * A chat completions request, read: what of it the answer depends on.
 *
 * Its checks are in `OpenAiChatFields` (one field) and `OpenAiChatRules` (several).
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"

import type { OutputKind } from "./AnswerText.ts"
import { Fingerprint } from "./Draw.ts"
import type { SimulatedRequest } from "./Exchange.ts"
import { isObject } from "./FieldCheck.ts"
import * as OpenAiBody from "./OpenAiBody.ts"
import * as OpenAiChatFields from "./OpenAiChatFields.ts"
import type { Body } from "./OpenAiChatFields.ts"
import * as OpenAiChatRules from "./OpenAiChatRules.ts"
import { tokensOf } from "./TokenCount.ts"
import * as ToolCall from "./ToolCall.ts"
import type { WireError } from "./Vendor.ts"
import type { ModelLimits } from "./WireFormat.ts"

/**
 * The parts of a request that shape its answer.
 *
 * **Units**: tokens.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChatRequest {
  readonly model: string
  readonly hash: number
  readonly promptTokens: number
  /** `Infinity` without a limit. */
  readonly maxTokens: number
  readonly choices: number
  readonly stop: ReadonlyArray<string>
  readonly stream: boolean
  readonly includeUsage: boolean
  readonly includeObfuscation: boolean
  readonly output: OutputKind
  /** The tools to be called; empty for an answer in text. */
  readonly calls: ReadonlyArray<ToolCall.Tool>
  /** Whether `tool_choice` named the tool, which changes the finish reason. */
  readonly callIsNamed: boolean
  /** How many alternatives per token; absent when log probabilities were not asked for. */
  readonly topLogprobs: number | undefined
}

/**
 * Reads and checks a request.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (
  source: SimulatedRequest,
  limits: ModelLimits
): Result.Result<ChatRequest, WireError> => {
  const read = OpenAiBody.read(source, OpenAiChatFields.check, ["messages"], limits)
  if (Result.isFailure(read)) return Result.fail(read.failure)
  const json = read.success
  const request = json as unknown as Body
  const prompt = measure(request)
  const broken = OpenAiChatRules.firstBroken(request, json, prompt.tokens, limits)
  if (broken !== undefined) return Result.fail(broken)
  const asked = request.max_completion_tokens ?? request.max_tokens ?? Number.POSITIVE_INFINITY
  const room = (limits.contextWindow ?? Number.POSITIVE_INFINITY) - prompt.tokens
  return Result.succeed({
    model: request.model,
    hash: prompt.hash,
    promptTokens: prompt.tokens,
    maxTokens: Math.min(asked, room, limits.maxOutputTokens ?? Number.POSITIVE_INFINITY),
    choices: request.n ?? 1,
    stop: typeof request.stop === "string" ? [request.stop] : (request.stop ?? []),
    stream: request.stream ?? false,
    includeUsage: request.stream_options?.include_usage ?? false,
    includeObfuscation: request.stream_options?.include_obfuscation ?? true,
    output: outputOf(request),
    calls: callsOf(request),
    callIsNamed: OpenAiChatRules.chosenName(request.tool_choice) !== undefined,
    topLogprobs: request.logprobs === true ? (request.top_logprobs ?? 0) : undefined
  })
}

// ---- the prompt's tokens

/** Tokens around each message, for its role and its borders, and those that open the answer. */
const tokensPerMessage = 4
const tokensForAnswer = 3
/** An image at low detail; the other parts that are not text count the same. */
const tokensPerPart = 85

/**
 * Hash and size of the prompt in one pass.
 *
 * **Source**: OpenAI cookbook, "How to count tokens with tiktoken" (4 a message with its role, 1 for a name, 3 at the
 * end); OpenAI "Images and vision" (85 at low detail). The text itself follows the simulator's own rule.
 */
const measure = (request: Body): { readonly hash: number; readonly tokens: number } => {
  const print = new Fingerprint().add(request.model)
  let tokens = tokensForAnswer
  for (const { content, name, role, tool_calls } of request.messages) {
    tokens += tokensPerMessage + (name === undefined ? 0 : 1)
    print.add(role)
    if (typeof content === "string") {
      print.add(content)
      tokens += tokensOf(content)
    } else {
      for (const part of content ?? []) {
        print.add(part.text ?? JSON.stringify(part))
        tokens += part.text === undefined ? tokensPerPart : tokensOf(part.text)
      }
    }
    if (tool_calls !== undefined) {
      const text = JSON.stringify(tool_calls)
      print.add(text)
      tokens += tokensOf(text)
    }
  }
  if (request.tools !== undefined) tokens += tokensOf(JSON.stringify(request.tools))
  return { hash: print.value, tokens }
}

// ---- what the answer has to be

const outputOf = (request: Body): OutputKind => {
  switch (request.response_format?.type) {
    case "json_schema":
      return { schema: request.response_format.json_schema?.schema ?? {} }
    case "json_object":
      return "object"
    default:
      return "text"
  }
}

const callsOf = (request: Body): ReadonlyArray<ToolCall.Tool> => {
  const choice = request.tool_choice ?? "auto"
  const allowed = isObject(choice) ? choice.allowed_tools : undefined
  const last = request.messages.at(-1)
  const text =
    typeof last?.content === "string" ? last.content : JSON.stringify(last?.content ?? "")
  return ToolCall.choose({
    tools: (request.tools ?? []).map((tool) => ({
      kind: tool.type,
      name: OpenAiChatRules.toolName(tool),
      parameters: tool.function?.parameters ?? { type: "object", properties: {} }
    })),
    mode:
      choice === "none"
        ? "none"
        : choice === "required" || allowed?.mode === "required"
          ? "required"
          : "auto",
    named: OpenAiChatRules.chosenName(request.tool_choice),
    allowed: allowed?.tools.map(OpenAiChatRules.toolName),
    lastWords: last?.role === "user" ? text : undefined,
    parallel: request.parallel_tool_calls !== false
  })
}
