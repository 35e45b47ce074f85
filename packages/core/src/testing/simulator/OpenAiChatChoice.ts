/**
 * One choice of a chat completion: what the simulated model says, cut where the request says to stop.
 *
 * It decides content and finish reason; how they are written as JSON or as events is `OpenAiChat`'s matter.
 *
 * @since 0.1.0
 */
import * as JsonSample from "./JsonSample.ts"
import type { ChatRequest, ChatTool } from "./OpenAiChatRequest.ts"
import * as Prose from "./Prose.ts"
import { cut, tokensOf } from "./TokenCount.ts"
import type { AnswerContext } from "./WireFormat.ts"

/**
 * A call of a tool.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChatToolCall {
  readonly id: string
  readonly kind: "function" | "custom"
  readonly name: string
  /** Arguments as JSON text, or the input of a custom tool. */
  readonly input: string
}

/**
 * A choice.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChatChoice {
  readonly content: string | null
  readonly refusal: string | null
  readonly toolCalls: ReadonlyArray<ChatToolCall>
  readonly finishReason: "stop" | "length" | "tool_calls" | "content_filter"
  readonly tokens: number
}

/** Tokens around each tool call, for its name and its borders. */
const tokensPerCall = 4

/**
 * Draws the choice of the given index.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (request: ChatRequest, context: AnswerContext, index: number): ChatChoice => {
  switch (context.fault) {
    case "refusal":
      return textChoice({
        refusal: cut("I'm sorry, I can't assist with that request.", request.maxTokens)
      })
    case "contentFilter":
      return { ...textChoice({ content: "" }), finishReason: "content_filter" }
    default:
      return request.calls.length > 0
        ? calling(request, context, index)
        : speaking(request, context, index)
  }
}

const textChoice = (said: {
  readonly content?: string
  readonly refusal?: string
}): ChatChoice => ({
  content: said.content ?? null,
  refusal: said.refusal ?? null,
  toolCalls: [],
  finishReason: "stop",
  tokens: tokensOf(said.content ?? said.refusal ?? "")
})

const speaking = (request: ChatRequest, context: AnswerContext, index: number): ChatChoice => {
  const whole = textOf(request, context, index)
  const ends = request.stop.map((stop) => whole.indexOf(stop)).filter((at) => at >= 0)
  const stopped = ends.length > 0 ? whole.slice(0, Math.min(...ends)) : whole
  const content = cut(stopped, request.maxTokens)
  const choice = textChoice({ content })
  return content === stopped ? choice : { ...choice, finishReason: "length" }
}

const textOf = (request: ChatRequest, context: AnswerContext, index: number): string => {
  const draw = context.draw("text", index)
  const { max, min } = context.outputTokens
  if (request.output === "text" || context.fault === "schemaMismatch") {
    return Prose.sentences(draw, draw.between(min, max))
  }
  const schema = request.output === "object" ? anyObject : request.output.schema
  return JSON.stringify(JsonSample.sample(schema, draw))
}

/** What `json_object` answers with, where the request names no schema. */
const anyObject = {
  type: "object",
  properties: {
    answer: { type: "string" },
    confidence: { type: "number", minimum: 0, maximum: 1 },
    tags: { type: "array", items: { type: "string" }, maxItems: 3 }
  },
  required: ["answer", "confidence", "tags"]
}

const calling = (request: ChatRequest, context: AnswerContext, index: number): ChatChoice => {
  const toolCalls: Array<ChatToolCall> = []
  let tokens = 0
  for (const [position, tool] of request.calls.entries()) {
    const whole = inputOf(tool, context, index * 128 + position)
    const room = Math.max(0, request.maxTokens - tokens - tokensPerCall - tokensOf(tool.name))
    const input = cut(whole, room)
    tokens += tokensPerCall + tokensOf(tool.name) + tokensOf(input)
    toolCalls.push({
      id: `call_${context.draw("call", index * 128 + position).letters(24)}`,
      kind: tool.kind,
      name: tool.name,
      input
    })
    if (input !== whole) {
      return { content: null, refusal: null, toolCalls, finishReason: "length", tokens }
    }
  }
  // A call that `tool_choice` forced by name finishes with `stop` (OpenAI "Function calling", edge cases).
  const finishReason = request.callIsNamed ? "stop" : "tool_calls"
  return { content: null, refusal: null, toolCalls, finishReason, tokens }
}

const inputOf = (tool: ChatTool, context: AnswerContext, ordinal: number): string => {
  const draw = context.draw("input", ordinal)
  if (tool.kind === "custom") return Prose.sentences(draw, 8)
  if (context.fault === "schemaMismatch") return `{"unexpected": "${Prose.words(draw, 2)}`
  return JSON.stringify(JsonSample.sample(tool.parameters, draw))
}
