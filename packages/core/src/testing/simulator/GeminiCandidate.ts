/**
 * One candidate of an answer: what the simulated Gemini thinks and says, and why it ended.
 *
 * It decides what is said; how it is written as JSON or as events is `GeminiContent`'s matter.
 *
 * @since 0.1.0
 */
import * as AnswerText from "./AnswerText.ts"
import * as Cutoff from "./Cutoff.ts"
import type { ContentRequest } from "./GeminiRequest.ts"
import * as Prose from "./Prose.ts"
import { tokensOf } from "./TokenCount.ts"
import * as ToolCall from "./ToolCall.ts"
import type { AnswerContext } from "./WireFormat.ts"

/**
 * A candidate.
 *
 * **Units**: tokens; those of thoughts are counted apart.
 *
 * @category models
 * @since 0.1.0
 */
export interface Candidate {
  readonly thought: string
  readonly text: string
  readonly calls: ReadonlyArray<ToolCall.ToolCall>
  readonly finishReason: "STOP" | "MAX_TOKENS" | "SAFETY" | "MALFORMED_FUNCTION_CALL"
  readonly tokens: number
  readonly thoughtTokens: number
  /** Of what was said; absent where nothing is signed. */
  readonly signature: string | undefined
}

/**
 * Draws the candidate of the given index.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (request: ContentRequest, context: AnswerContext, index: number): Candidate => {
  const { maxTokens, signed, thinkingBudget } = request
  const draw = context.draw("thought", index)
  const thoughtTokens =
    thinkingBudget === 0
      ? 0
      : Math.min(maxTokens, draw.between(Math.ceil(thinkingBudget / 2), thinkingBudget))
  const thought = request.thoughtsShown ? Prose.sentences(draw, thoughtTokens) : ""
  const said = say(request, context, index, maxTokens - thoughtTokens)
  const letters = context.draw("signature", index).letters(96)
  return { ...said, thought, thoughtTokens, signature: signed ? `EoYC${letters}` : undefined }
}

type Said = Pick<Candidate, "text" | "calls" | "finishReason" | "tokens">

const say = (
  request: ContentRequest,
  context: AnswerContext,
  index: number,
  room: number
): Said => {
  if (context.fault === "contentFilter") {
    return { text: "", calls: [], finishReason: "SAFETY", tokens: 0 }
  }
  if (room <= 0) return { text: "", calls: [], finishReason: "MAX_TOKENS", tokens: 0 }
  if (request.calls.length > 0) {
    if (context.fault === "schemaMismatch") {
      return { text: "", calls: [], finishReason: "MALFORMED_FUNCTION_CALL", tokens: 0 }
    }
    const { calls, complete, tokens } = ToolCall.make(request.calls, context, index, room)
    // A call that broke off is not given: its arguments are a value, not text.
    return complete
      ? { text: "", calls, finishReason: "STOP", tokens }
      : { text: "", calls: calls.slice(0, -1), finishReason: "MAX_TOKENS", tokens }
  }
  const whole = AnswerText.make(request.output, context, index)
  const { reason, text } = Cutoff.make(whole, request.stop, room)
  const finishReason = reason === "length" ? "MAX_TOKENS" : "STOP"
  return { text, calls: [], finishReason, tokens: tokensOf(text) }
}
