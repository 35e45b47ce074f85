/**
 * The wire format of Gemini's content: `generateContent` and `streamGenerateContent`.
 *
 * What is said is drawn by `GeminiCandidate`, what is asked is read by `GeminiRequest`.
 *
 * **Details**: without `alt=sse` a streamed answer comes as a JSON list, all at once.
 *
 * **Source**: Gemini API reference, "GenerateContentResponse" (read November 2026), and recorded responses of the API (keys
 * and their order).
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"

import type { Candidate } from "./GeminiCandidate.ts"
import * as GeminiCandidate from "./GeminiCandidate.ts"
import * as GeminiHttp from "./GeminiHttp.ts"
import { type ContentRequest, decode } from "./GeminiRequest.ts"
import { pieces } from "./TokenCount.ts"
import type { ToolCall } from "./ToolCall.ts"
import type { AnswerContext, WireAnswer, WireFormat } from "./WireFormat.ts"

/**
 * POST /v1beta/models/MODEL:generateContent and :streamGenerateContent.
 *
 * @category formats
 * @since 0.1.0
 */
export const format: WireFormat = {
  name: "gemini-content",
  vendor: GeminiHttp.vendor,
  metered: true,
  contentFaults: ["noChoices", "refusal", "contentFilter", "schemaMismatch"],
  matches: GeminiHttp.isMethod("generateContent", "streamGenerateContent"),
  decode: (request, limits) =>
    Result.map(decode(request, limits), (asked) => {
      const streamed = GeminiHttp.target(request).method === "streamGenerateContent"
      return {
        model: asked.model,
        hash: asked.hash,
        promptTokens: asked.promptTokens,
        stream: streamed && GeminiHttp.parameter(request, "alt") === "sse",
        answer: (context) => answer(asked, context, streamed)
      }
    })
}

const answer = (request: ContentRequest, context: AnswerContext, streamed: boolean): WireAnswer => {
  const silent = context.fault === "noChoices" || context.fault === "refusal"
  const candidates = Array.from({ length: silent ? 0 : request.candidates }, (_, index) =>
    GeminiCandidate.make(request, context, index)
  )
  const tokens = candidates.reduce((sum, one) => sum + one.tokens, 0)
  const thoughts = candidates.reduce((sum, one) => sum + one.thoughtTokens, 0)
  const write = (list: ReadonlyArray<object>, spoken: number): string =>
    JSON.stringify({
      ...(list.length > 0 && { candidates: list }),
      ...(context.fault === "refusal" && { promptFeedback: { blockReason: "PROHIBITED_CONTENT" } }),
      usageMetadata: usage(request, spoken, thoughts),
      modelVersion: request.model,
      responseId: context.id.slice(0, 22)
    })
  return {
    completionTokens: tokens + thoughts,
    body: () =>
      streamed
        ? `[${chunks(candidates, write).join(",\r\n")}]`
        : write(candidates.map(whole), tokens),
    stream: {
      events: () => chunks(candidates, write).map((chunk) => `data: ${chunk}\n\n`),
      failure: GeminiHttp.errorEvents
    }
  }
}

const usage = (request: ContentRequest, spoken: number, thoughts: number) => ({
  promptTokenCount: request.promptTokens,
  candidatesTokenCount: spoken,
  totalTokenCount: request.promptTokens + spoken + thoughts,
  promptTokensDetails: [{ modality: "TEXT", tokenCount: request.promptTokens }],
  ...(thoughts > 0 && { thoughtsTokenCount: thoughts })
})

const whole = (candidate: Candidate, index: number): object => {
  const { calls, finishReason, signature, text, thought } = candidate
  const parts = [
    ...(thought === "" ? [] : [{ text: thought, thought: true }]),
    ...(text === "" ? [] : [{ text, ...signatureOf(signature) }]),
    ...calls.map((call, position) => callPart(call, position === 0 ? signature : undefined))
  ]
  return {
    content: { ...(parts.length > 0 && { parts }), role: "model" },
    finishReason,
    index,
    ...(calls.length > 0 && { finishMessage: "Model generated function call(s)." })
  }
}

const signatureOf = (signature: string | undefined) =>
  signature === undefined ? {} : { thoughtSignature: signature }

/** Of several calls the first bears the signature. */
const callPart = ({ input, name }: ToolCall, signature: string | undefined) => ({
  functionCall: { name, args: JSON.parse(input) as unknown },
  ...signatureOf(signature)
})

// ---- streamed

type Write = (candidates: ReadonlyArray<object>, spoken: number) => string

/** A chunk for each token; the last chunk of a candidate is empty and says why it ended. */
const chunks = (candidates: ReadonlyArray<Candidate>, write: Write): ReadonlyArray<string> => {
  if (candidates.length === 0) return [write([], 0)]
  const all: Array<string> = []
  let spoken = 0
  for (const [index, candidate] of candidates.entries()) {
    const before = spoken
    const step = (part: object): void => {
      all.push(write([{ content: { parts: [part], role: "model" }, index }], spoken))
    }
    for (const text of pieces(candidate.thought)) step({ text, thought: true })
    for (const text of pieces(candidate.text)) {
      spoken++
      step({ text })
    }
    spoken = before + candidate.tokens
    for (const [position, call] of candidate.calls.entries()) {
      step(callPart(call, position === 0 ? candidate.signature : undefined))
    }
    const last = {
      text: "",
      ...signatureOf(candidate.text === "" ? undefined : candidate.signature)
    }
    all.push(
      write(
        [
          {
            content: { parts: [last], role: "model" },
            finishReason: candidate.finishReason,
            index
          }
        ],
        spoken
      )
    )
  }
  return all
}
