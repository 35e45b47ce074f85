/**
 * One choice of a chat completion: what the simulated model says, cut where the request says to stop.
 *
 * It decides content and finish reason; how they are written as JSON or as events is `OpenAiChat`'s matter.
 *
 * @since 0.1.0
 */
import * as AnswerText from "./AnswerText.ts"
import * as Cutoff from "./Cutoff.ts"
import type { ChatRequest } from "./OpenAiChatRequest.ts"
import { cut, tokensOf } from "./TokenCount.ts"
import * as ToolCall from "./ToolCall.ts"
import type { AnswerContext } from "./WireFormat.ts"

/**
 * A choice.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChatChoice {
  readonly content: string | null
  readonly refusal: string | null
  readonly toolCalls: ReadonlyArray<ToolCall.ToolCall>
  readonly finishReason: "stop" | "length" | "tool_calls" | "content_filter"
  readonly tokens: number
}

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
  const whole = AnswerText.make(request.output, context, index)
  const { reason, text: content } = Cutoff.make(whole, request.stop, request.maxTokens)
  const choice = textChoice({ content })
  return reason === "length" ? { ...choice, finishReason: "length" } : choice
}

const calling = (request: ChatRequest, context: AnswerContext, index: number): ChatChoice => {
  const { calls, complete, tokens } = ToolCall.make(
    request.calls,
    context,
    index,
    request.maxTokens
  )
  // A call that `tool_choice` forced by name finishes with `stop` (OpenAI "Function calling", edge cases).
  const finishReason = !complete ? "length" : request.callIsNamed ? "stop" : "tool_calls"
  return { content: null, refusal: null, toolCalls: calls, finishReason, tokens }
}
