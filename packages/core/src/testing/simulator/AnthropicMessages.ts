/**
 * The wire format of Anthropic's Messages API: whole answers and streamed ones.
 *
 * What is said is drawn by `AnthropicMessage`, what is asked is read by `AnthropicRequest`.
 *
 * **Source**: Claude documentation, "Messages" and "Streaming messages", and recorded responses of the API (keys and their
 * order, where pings come).
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"

import * as AnthropicHttp from "./AnthropicHttp.ts"
import type { ContentBlock, Message } from "./AnthropicMessage.ts"
import * as AnthropicMessage from "./AnthropicMessage.ts"
import { decode, type MessagesRequest } from "./AnthropicRequest.ts"
import { pieces } from "./TokenCount.ts"
import type { AnswerContext, WireAnswer, WireFormat } from "./WireFormat.ts"

/**
 * POST /v1/messages.
 *
 * @category formats
 * @since 0.1.0
 */
export const format: WireFormat = {
  name: "anthropic-messages",
  vendor: AnthropicHttp.vendor,
  metered: true,
  contentFaults: ["noChoices", "refusal", "schemaMismatch"],
  matches: (method, path) => method === "POST" && path === "/v1/messages",
  decode: (request, limits) =>
    Result.map(decode(request, limits), (asked) => ({
      model: asked.model,
      hash: asked.hash,
      promptTokens: asked.inputTokens,
      stream: asked.stream,
      answer: (context) => answer(asked, context)
    }))
}

const answer = (request: MessagesRequest, context: AnswerContext): WireAnswer => {
  const message = AnthropicMessage.make(request, context)
  return {
    completionTokens: message.tokens,
    body: () =>
      JSON.stringify({
        ...head(request, context),
        content: message.content.map(whole),
        ...ending(message),
        usage: usage(request, message.tokens, message.thinkingTokens)
      }),
    stream: {
      events: () => events(request, context, message),
      failure: AnthropicHttp.errorEvents
    }
  }
}

const head = (request: MessagesRequest, context: AnswerContext) => ({
  model: request.model,
  id: `msg_01${context.id.slice(0, 22)}`,
  type: "message",
  role: "assistant"
})

const ending = ({ stopReason, stopSequence }: Message) => ({
  stop_reason: stopReason,
  stop_sequence: stopSequence,
  ...(stopReason === "refusal" && {
    stop_details: {
      type: "refusal",
      category: "cyber",
      explanation: "This request triggered restrictions and was blocked under the usage policy.",
      recommended_model: null
    }
  })
})

const cacheUsage = { cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }

const usage = (request: MessagesRequest, outputTokens: number, thinkingTokens?: number) => ({
  input_tokens: request.inputTokens,
  ...cacheUsage,
  cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
  output_tokens: outputTokens,
  ...(thinkingTokens !== undefined && {
    output_tokens_details: { thinking_tokens: thinkingTokens }
  }),
  service_tier: "standard",
  inference_geo: "not_available"
})

const whole = (block: ContentBlock): object =>
  block.type === "tool_use"
    ? { type: block.type, id: block.id, name: block.name, input: parsed(block.input) }
    : block

/** An input that broke off, or is no JSON, comes as an empty object. */
const parsed = (input: string): unknown =>
  Result.getOrElse(
    Result.try((): unknown => JSON.parse(input)),
    () => ({})
  )

// ---- streamed

const events = (
  request: MessagesRequest,
  context: AnswerContext,
  message: Message
): ReadonlyArray<string> => {
  const all: Array<string> = []
  const emit = (type: string, fields: object = {}): void => {
    all.push(AnthropicHttp.event({ type, ...fields }))
  }
  const begun = { content: [], stop_reason: null, stop_sequence: null, usage: usage(request, 1) }
  emit("message_start", { message: { ...head(request, context), ...begun } })
  if (message.content.length === 0) emit("ping")
  for (const [index, block] of message.content.entries()) {
    emit("content_block_start", { index, content_block: empty(block) })
    // The one ping of a short stream; the input of a tool begins with an empty delta before it.
    const pingAt = index > 0 ? undefined : block.type === "tool_use" ? 1 : 0
    for (const [position, delta] of deltas(block).entries()) {
      if (position === pingAt) emit("ping")
      emit("content_block_delta", { index, delta })
    }
    emit("content_block_stop", { index })
  }
  emit("message_delta", {
    delta: ending(message),
    usage: { input_tokens: request.inputTokens, ...cacheUsage, output_tokens: message.tokens }
  })
  emit("message_stop")
  return all
}

const empty = (block: ContentBlock): object => {
  switch (block.type) {
    case "thinking":
      return { type: block.type, thinking: "", signature: "" }
    case "text":
      return { type: block.type, text: "" }
    case "tool_use":
      return { type: block.type, id: block.id, name: block.name, input: {} }
  }
}

const deltas = (block: ContentBlock): ReadonlyArray<object> => {
  switch (block.type) {
    case "thinking":
      return [
        ...pieces(block.thinking).map((thinking) => ({ type: "thinking_delta", thinking })),
        { type: "signature_delta", signature: block.signature }
      ]
    case "text":
      return pieces(block.text).map((text) => ({ type: "text_delta", text }))
    case "tool_use":
      return ["", ...pieces(block.input)].map((partial_json) => ({
        type: "input_json_delta",
        partial_json
      }))
  }
}
