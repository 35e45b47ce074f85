import * as AnswerText from "./AnswerText.ts"
/**
 * A message of the simulated Claude: thoughts, then text or calls of tools, and why it stopped.
 *
 * It decides what is said; how it is written as JSON or as events is `AnthropicMessages`' matter.
 *
 * @since 0.1.0
 */
import type { MessagesRequest } from "./AnthropicRequest.ts"
import * as Cutoff from "./Cutoff.ts"
import * as Prose from "./Prose.ts"
import { tokensOf } from "./TokenCount.ts"
import * as ToolCall from "./ToolCall.ts"
import type { AnswerContext } from "./WireFormat.ts"

/**
 * A block of a message.
 *
 * @category models
 * @since 0.1.0
 */
export type ContentBlock =
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | { readonly type: "text"; readonly text: string }
  | {
      readonly type: "tool_use"
      readonly id: string
      readonly name: string
      readonly input: string
    }

/**
 * A message.
 *
 * **Units**: tokens; those of thinking are among all.
 *
 * @category models
 * @since 0.1.0
 */
export interface Message {
  readonly content: ReadonlyArray<ContentBlock>
  readonly stopReason:
    | "end_turn"
    | "max_tokens"
    | "stop_sequence"
    | "tool_use"
    | "refusal"
    | "model_context_window_exceeded"
  readonly stopSequence: string | null
  readonly tokens: number
  /** Absent where no thinking was asked for. */
  readonly thinkingTokens: number | undefined
}

/**
 * Draws the message.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (request: MessagesRequest, context: AnswerContext): Message => {
  if (context.fault === "noChoices" || context.fault === "refusal") {
    const stopReason = context.fault === "refusal" ? "refusal" : "end_turn"
    return { content: [], stopReason, stopSequence: null, tokens: 1, thinkingTokens: undefined }
  }
  const thoughts = think(request, context)
  const spent = thoughts?.tokens ?? 0
  const rest = answer(request, context, request.maxTokens - spent)
  return {
    content: [...(thoughts === undefined ? [] : [thoughts.block]), ...rest.content],
    stopReason:
      rest.stopReason === "max_tokens" && request.contextEnds
        ? "model_context_window_exceeded"
        : rest.stopReason,
    stopSequence: rest.stopSequence,
    tokens: spent + rest.tokens,
    thinkingTokens: thoughts?.tokens
  }
}

/** Tokens of a thought, at most; real budgets begin at 1024 and are not used up for easy questions. */
const longestThought = 64

const think = (
  { maxTokens, thinkingBudget, thoughtsShown }: MessagesRequest,
  context: AnswerContext
): { readonly block: ContentBlock; readonly tokens: number } | undefined => {
  if (thinkingBudget === undefined) return undefined
  const draw = context.draw("thought", 0)
  const most = Math.min(longestThought, thinkingBudget, maxTokens)
  const text = Prose.sentences(draw, draw.between(Math.ceil(most / 2), most))
  const signature = `EqoB${context.draw("signature", 0).letters(160)}`
  const block = { type: "thinking", thinking: thoughtsShown ? text : "", signature } as const
  return { block, tokens: tokensOf(text) }
}

interface Rest {
  readonly content: ReadonlyArray<ContentBlock>
  readonly stopReason: "end_turn" | "max_tokens" | "stop_sequence" | "tool_use"
  readonly stopSequence: string | null
  readonly tokens: number
}

const answer = (request: MessagesRequest, context: AnswerContext, room: number): Rest => {
  if (room <= 0) return { content: [], stopReason: "max_tokens", stopSequence: null, tokens: 0 }
  if (request.calls.length > 0) {
    const { calls, complete, tokens } = ToolCall.make(request.calls, context, 0, room)
    const content = calls.map(({ input, letters, name }) => ({
      type: "tool_use" as const,
      id: `toolu_${letters}`,
      name,
      input
    }))
    return { content, stopReason: complete ? "tool_use" : "max_tokens", stopSequence: null, tokens }
  }
  const whole = AnswerText.make(request.output, context, 0)
  const { reason, stopSequence = null, text } = Cutoff.make(whole, request.stop, room)
  return {
    content: text === "" ? [] : [{ type: "text", text }],
    stopReason: stopReasons[reason],
    stopSequence,
    tokens: tokensOf(text)
  }
}

const stopReasons = { end: "end_turn", stop: "stop_sequence", length: "max_tokens" } as const
