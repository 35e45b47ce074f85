/**
 * A chat completions request, read: what of it the answer depends on.
 *
 * Its checks are in `OpenAiChatFields` (one field) and `OpenAiChatRules` (several).
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"

import { Fingerprint } from "./Draw.ts"
import * as FieldCheck from "./FieldCheck.ts"
import { invalid, isObject } from "./FieldCheck.ts"
import * as OpenAiChatFields from "./OpenAiChatFields.ts"
import type { Body } from "./OpenAiChatFields.ts"
import * as OpenAiChatRules from "./OpenAiChatRules.ts"
import { tokensOf } from "./TokenCount.ts"
import type { ModelLimits, WireError } from "./WireFormat.ts"

/**
 * A tool the model may call.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChatTool {
  readonly kind: "function" | "custom"
  readonly name: string
  /** JSON Schema of the arguments of a function. */
  readonly parameters: unknown
}

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
  /** What the text has to be: JSON of a schema, any JSON object, or prose. */
  readonly output: { readonly schema: unknown } | "object" | "text"
  /** The tools to be called; empty for an answer in text. */
  readonly calls: ReadonlyArray<ChatTool>
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
  text: string,
  limits: ModelLimits
): Result.Result<ChatRequest, WireError> => {
  const json = parse(text)
  if (!isObject(json)) return Result.fail(unreadable)
  if (json["model"] === undefined || json["model"] === "") {
    return Result.fail(invalid("you must provide a model parameter", null))
  }
  if (json["messages"] === undefined) return Result.fail(FieldCheck.missing("messages"))
  const wrong = OpenAiChatFields.check(json, "")
  if (wrong !== undefined) return Result.fail(wrong)
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

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const unreadable = invalid(
  "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)",
  null
)

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

const outputOf = (request: Body): ChatRequest["output"] => {
  switch (request.response_format?.type) {
    case "json_schema":
      return { schema: request.response_format.json_schema?.schema ?? {} }
    case "json_object":
      return "object"
    default:
      return "text"
  }
}

const toolsOf = (request: Body): ReadonlyArray<ChatTool> =>
  (request.tools ?? []).map((tool) => ({
    kind: tool.type,
    name: OpenAiChatRules.toolName(tool),
    parameters: tool.function?.parameters ?? { type: "object", properties: {} }
  }))

/**
 * The tools to call: where `tool_choice` demands it, or where the last message says "call the tool".
 *
 * **Details**: of several tools the one named in the message is called, else the first; "call the tools" calls all of them
 * unless `parallel_tool_calls` is false.
 */
const callsOf = (request: Body): ReadonlyArray<ChatTool> => {
  const choice = request.tool_choice ?? "auto"
  if (request.tools === undefined || choice === "none") return []
  const tools = toolsOf(request)
  const named = OpenAiChatRules.chosenName(request.tool_choice)
  if (named !== undefined) return tools.filter((tool) => tool.name === named)
  const allowed = isObject(choice) ? choice.allowed_tools : undefined
  const allowedNames = allowed?.tools.map(OpenAiChatRules.toolName)
  const usable = tools.filter((tool) => allowedNames?.includes(tool.name) ?? true)
  const last = request.messages.at(-1)
  const text =
    typeof last?.content === "string" ? last.content : JSON.stringify(last?.content ?? "")
  const asked = last?.role === "user" && /call the tool/i.test(text)
  if (!asked && choice !== "required" && allowed?.mode !== "required") return []
  if (/call the tools/i.test(text) && request.parallel_tool_calls !== false) return usable
  return [usable.find((tool) => text.includes(tool.name)) ?? usable[0]].filter(
    (tool) => tool !== undefined
  )
}
