/**
 * The wire format of OpenAI's chat completions: whole answers and streamed ones.
 *
 * It writes; what is said is drawn by `OpenAiChatChoice`, and what is asked is read by `OpenAiChatRequest`.
 *
 * **Source**: OpenAI API reference, "The chat completion object" and "The chat completion chunk object", and recorded
 * responses of the API (key order, `obfuscation`, `usage: null` in every chunk but the last).
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"

import { type ChatChoice, make as makeChoice } from "./OpenAiChatChoice.ts"
import { type ChatRequest, decode } from "./OpenAiChatRequest.ts"
import * as OpenAiHttp from "./OpenAiHttp.ts"
import { pieces } from "./TokenCount.ts"
import type { ToolCall } from "./ToolCall.ts"
import type { AnswerContext, WireAnswer, WireFormat } from "./WireFormat.ts"

/**
 * POST /v1/chat/completions.
 *
 * @category formats
 * @since 0.1.0
 */
export const format: WireFormat = {
  name: "openai-chat",
  vendor: OpenAiHttp.vendor,
  metered: true,
  contentFaults: ["noChoices", "refusal", "contentFilter", "schemaMismatch"],
  matches: OpenAiHttp.isPost("/chat/completions"),
  decode: (request, limits) =>
    Result.map(decode(request, limits), (chat) => ({
      model: chat.model,
      hash: chat.hash,
      promptTokens: chat.promptTokens,
      stream: chat.stream,
      answer: (context) => answer(chat, context)
    }))
}

const answer = (request: ChatRequest, context: AnswerContext): WireAnswer => {
  const choices: Array<ChatChoice> = []
  let completionTokens = 0
  for (let index = 0; index < request.choices; index++) {
    const choice = makeChoice(request, context, index)
    choices.push(choice)
    completionTokens += choice.tokens
  }
  return {
    completionTokens,
    body: () => whole(request, context, choices, completionTokens),
    stream: {
      events: () => events(request, context, choices, completionTokens),
      failure: OpenAiHttp.errorEvents
    }
  }
}

// ---- whole

const whole = (
  request: ChatRequest,
  context: AnswerContext,
  choices: ReadonlyArray<ChatChoice>,
  completionTokens: number
): string =>
  JSON.stringify({
    id: `chatcmpl-${context.id}`,
    object: "chat.completion",
    created: context.createdSeconds,
    model: request.model,
    choices:
      context.fault === "noChoices"
        ? []
        : choices.map((choice, index) => ({
            index,
            message: {
              role: "assistant",
              content: choice.content,
              refusal: choice.refusal,
              annotations: [],
              ...(choice.toolCalls.length > 0 && { tool_calls: choice.toolCalls.map(toolCall) })
            },
            logprobs: logprobs(request, context, choice.content, index),
            finish_reason: choice.finishReason
          })),
    usage: usage(request, completionTokens),
    service_tier: "default",
    system_fingerprint: systemFingerprint
  })

const systemFingerprint = "fp_5eed5eed5e"

const toolCall = ({ input, kind, letters, name }: ToolCall) => {
  const id = `call_${letters}`
  return kind === "custom"
    ? { id, type: kind, custom: { name, input } }
    : { id, type: kind, function: { name, arguments: input } }
}

const usage = (request: ChatRequest, completionTokens: number) => ({
  prompt_tokens: request.promptTokens,
  completion_tokens: completionTokens,
  total_tokens: request.promptTokens + completionTokens,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: 0,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0
  }
})

/** Log probabilities of the tokens of a text, where they were asked for. */
const logprobs = (
  request: ChatRequest,
  context: AnswerContext,
  text: string | null,
  index: number
) => {
  const { topLogprobs } = request
  if (topLogprobs === undefined || text === null) return null
  const draw = context.draw("logprobs", index)
  const one = (token: string, logprob: number) => ({
    token,
    logprob,
    bytes: [...new TextEncoder().encode(token)]
  })
  const content = pieces(text).map((token) => {
    const logprob = -draw.next()
    // The token that was taken is the likeliest; each further one is ten times less likely, or less.
    const top = Array.from({ length: topLogprobs }, (_, rank) =>
      rank === 0 ? one(token, logprob) : one(draw.letters(2), logprob - 2.3 * rank - draw.next())
    )
    return Object.assign(one(token, logprob), { top_logprobs: top })
  })
  return { content, refusal: null }
}

// ---- streamed

/** One step of a choice in a stream. */
interface Step {
  readonly delta: unknown
  readonly logprobs: unknown
  readonly finishReason: ChatChoice["finishReason"] | null
}

const events = (
  request: ChatRequest,
  context: AnswerContext,
  choices: ReadonlyArray<ChatChoice>,
  completionTokens: number
): ReadonlyArray<string> => {
  const head = `data: ${JSON.stringify({
    id: `chatcmpl-${context.id}`,
    object: "chat.completion.chunk",
    created: context.createdSeconds,
    model: request.model,
    service_tier: "default",
    system_fingerprint: systemFingerprint
  }).slice(0, -1)}`
  const padding = context.draw("obfuscation", 0)
  const chunk = (choice: string, counts: string): string => {
    const usageField = request.includeUsage ? `,"usage":${counts}` : ""
    const obfuscation = request.includeObfuscation
      ? `,"obfuscation":"${padding.letters(padding.between(2, 12))}"`
      : ""
    return `${head},"choices":[${choice}]${usageField}${obfuscation}}\n\n`
  }
  const all: Array<string> = []
  if (context.fault === "noChoices") {
    all.push(chunk("", "null"))
  } else {
    const lanes = choices.map((choice, index) => steps(request, context, choice, index))
    const longest = Math.max(...lanes.map((lane) => lane.length))
    // The choices of one request are generated side by side, so their chunks alternate.
    for (let position = 0; position < longest; position++) {
      for (const [index, lane] of lanes.entries()) {
        const step = lane[position]
        if (step === undefined) continue
        const { delta, finishReason, logprobs } = step
        all.push(
          chunk(JSON.stringify({ index, delta, logprobs, finish_reason: finishReason }), "null")
        )
      }
    }
  }
  if (request.includeUsage) all.push(chunk("", JSON.stringify(usage(request, completionTokens))))
  all.push("data: [DONE]\n\n")
  return all
}

const steps = (
  request: ChatRequest,
  context: AnswerContext,
  choice: ChatChoice,
  index: number
): ReadonlyArray<Step> => {
  const step = (delta: unknown, logprobs: unknown = null): Step => ({
    delta,
    logprobs,
    finishReason: null
  })
  const content = choice.content === null ? null : ""
  const list = [step({ role: "assistant", content, refusal: null })]
  const probabilities = logprobs(request, context, choice.content, index)?.content
  for (const [position, piece] of pieces(choice.content ?? "").entries()) {
    const one = probabilities?.[position]
    list.push(
      step({ content: piece }, one === undefined ? null : { content: [one], refusal: null })
    )
  }
  for (const piece of pieces(choice.refusal ?? "")) list.push(step({ refusal: piece }))
  for (const [position, call] of choice.toolCalls.entries()) {
    list.push(step({ tool_calls: [{ index: position, ...toolCall({ ...call, input: "" }) }] }))
    for (const piece of pieces(call.input)) {
      const part =
        call.kind === "custom" ? { custom: { input: piece } } : { function: { arguments: piece } }
      list.push(step({ tool_calls: [{ index: position, ...part }] }))
    }
  }
  list.push({ ...step({}), finishReason: choice.finishReason })
  return list
}
