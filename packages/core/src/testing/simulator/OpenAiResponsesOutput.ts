/**
 * The output items of a response: reasoning, then a message or calls of tools, cut where the tokens end.
 *
 * It decides what is in them; how a response is written around them, whole or as events, is `OpenAiResponses`' matter.
 *
 * **Source**: OpenAI API reference, "The response object", and recorded responses of the API.
 *
 * @since 0.1.0
 */
import * as AnswerText from "./AnswerText.ts"
import type { ResponsesRequest } from "./OpenAiResponsesRequest.ts"
import * as Prose from "./Prose.ts"
import { cut, tokensOf } from "./TokenCount.ts"
import * as ToolCall from "./ToolCall.ts"
import type { AnswerContext } from "./WireFormat.ts"

/**
 * An item of the output.
 *
 * @category models
 * @since 0.1.0
 */
export type OutputItem =
  | {
      readonly type: "reasoning"
      readonly id: string
      readonly summary: string | undefined
      readonly encryptedContent: string | undefined
    }
  | {
      readonly type: "message"
      readonly id: string
      readonly kind: "output_text" | "refusal"
      readonly text: string
      readonly complete: boolean
    }
  | {
      readonly type: "call"
      readonly id: string
      readonly call: ToolCall.ToolCall
      readonly complete: boolean
    }

/**
 * An output.
 *
 * **Units**: tokens; those of reasoning are among all.
 *
 * @category models
 * @since 0.1.0
 */
export interface Output {
  readonly items: ReadonlyArray<OutputItem>
  /** Why it is not complete. */
  readonly incomplete: "max_output_tokens" | "content_filter" | undefined
  readonly tokens: number
  readonly reasoningTokens: number
}

/**
 * Draws the output.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (request: ResponsesRequest, context: AnswerContext): Output => {
  const id = (prefix: string, ordinal: number): string =>
    `${prefix}_${context.draw("item", ordinal).letters(50).toLowerCase()}`
  const reasoningTokens = Math.min(thought(request, context), request.maxTokens)
  const thinking =
    request.effort === undefined ? [] : [reason(request, context, id("rs", 0), reasoningTokens)]
  if (context.fault === "noChoices") {
    return { items: [], incomplete: undefined, tokens: reasoningTokens, reasoningTokens }
  }
  const room = request.maxTokens - reasoningTokens
  if (room === 0) {
    return {
      items: thinking,
      incomplete: "max_output_tokens",
      tokens: reasoningTokens,
      reasoningTokens
    }
  }
  const { incomplete, items, tokens } =
    request.calls.length > 0 && context.fault !== "refusal" && context.fault !== "contentFilter"
      ? calling(request, context, id, room)
      : speaking(request, context, id("msg", 1), room)
  return {
    items: [...thinking, ...items],
    incomplete,
    tokens: reasoningTokens + tokens,
    reasoningTokens
  }
}

/** Reasoning tokens by effort, at most; a model that thinks harder thinks longer. */
const longestThought: { readonly [effort: string]: number } = {
  minimal: 8,
  low: 32,
  medium: 64,
  high: 128,
  xhigh: 256
}

const thought = ({ effort }: ResponsesRequest, context: AnswerContext): number => {
  if (effort === undefined) return 0
  const most = longestThought[effort] ?? 64
  return context.draw("thought", 0).between(most / 2, most)
}

const reason = (
  { body, encrypted }: ResponsesRequest,
  context: AnswerContext,
  id: string,
  tokens: number
): OutputItem => ({
  type: "reasoning",
  id,
  summary:
    body.reasoning?.summary == null
      ? undefined
      : `**Thinking**\n\n${Prose.sentences(context.draw("summary", 0), Math.max(8, tokens / 4))}`,
  encryptedContent: encrypted ? `gAAAAAB${context.draw("encrypted", 0).letters(120)}` : undefined
})

interface Part {
  readonly items: ReadonlyArray<OutputItem>
  readonly incomplete: Output["incomplete"]
  readonly tokens: number
}

const calling = (
  request: ResponsesRequest,
  context: AnswerContext,
  id: (prefix: string, ordinal: number) => string,
  room: number
): Part => {
  const { calls, complete, tokens } = ToolCall.make(request.calls, context, 0, room)
  const last = calls.length - 1
  return {
    items: calls.map((call, index) => ({
      type: "call",
      id: id(call.kind === "custom" ? "ctc" : "fc", index + 1),
      call,
      complete: complete || index < last
    })),
    incomplete: complete ? undefined : "max_output_tokens",
    tokens
  }
}

const speaking = (
  request: ResponsesRequest,
  context: AnswerContext,
  id: string,
  room: number
): Part => {
  if (context.fault === "contentFilter") {
    return { items: [], incomplete: "content_filter", tokens: 0 }
  }
  const kind = context.fault === "refusal" ? "refusal" : "output_text"
  const whole =
    kind === "refusal"
      ? "I'm sorry, I can't assist with that request."
      : AnswerText.make(request.output, context, 0)
  const text = cut(whole, room)
  const complete = text === whole
  return {
    items: [{ type: "message", id, kind, text, complete }],
    incomplete: complete ? undefined : "max_output_tokens",
    tokens: tokensOf(text)
  }
}
