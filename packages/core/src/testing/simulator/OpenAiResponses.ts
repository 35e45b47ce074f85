/**
 * The wire format of OpenAI's Responses API.
 *
 * What is said is drawn by `OpenAiResponsesOutput`, what is asked is read by `OpenAiResponsesRequest`, streams are written
 * by `OpenAiResponsesEvents`.
 *
 * **Source**: OpenAI API reference, "The response object", and recorded responses of the API (key order).
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"

import * as OpenAiHttp from "./OpenAiHttp.ts"
import * as OpenAiResponsesEvents from "./OpenAiResponsesEvents.ts"
import { type Envelope, envelope, writeItem } from "./OpenAiResponsesJson.ts"
import * as OpenAiResponsesOutput from "./OpenAiResponsesOutput.ts"
import { decode, type ResponsesRequest } from "./OpenAiResponsesRequest.ts"
import type { AnswerContext, WireAnswer, WireFormat } from "./WireFormat.ts"

/**
 * POST /v1/responses.
 *
 * @category formats
 * @since 0.1.0
 */
export const format: WireFormat = {
  name: "openai-responses",
  vendor: OpenAiHttp.vendor,
  metered: true,
  contentFaults: ["noChoices", "refusal", "contentFilter", "schemaMismatch"],
  matches: OpenAiHttp.isPost("/responses"),
  decode: (request, limits) =>
    Result.map(decode(request, limits), (asked) => ({
      model: asked.body.model,
      hash: asked.hash,
      promptTokens: asked.inputTokens,
      stream: asked.body.stream ?? false,
      answer: (context) => answer(asked, context)
    }))
}

const answer = (request: ResponsesRequest, context: AnswerContext): WireAnswer => {
  const output = OpenAiResponsesOutput.make(request, context)
  const write = (state: Envelope): object => envelope(request, context, state)
  const ended: Envelope = {
    status: output.incomplete === undefined ? "completed" : "incomplete",
    incomplete: output.incomplete,
    output: output.items.map((item) => writeItem(item)),
    usage: {
      input_tokens: request.inputTokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: output.tokens,
      output_tokens_details: { reasoning_tokens: output.reasoningTokens },
      total_tokens: request.inputTokens + output.tokens
    }
  }
  return {
    completionTokens: output.tokens,
    body: () => JSON.stringify(write({ ...ended, billing: true })),
    stream: {
      events: () => OpenAiResponsesEvents.make(request, context, output.items, write, ended),
      failure: (error, sent) => OpenAiResponsesEvents.failure(error, sent, write)
    }
  }
}
