/**
 * What a test provider is told to answer, and the answers it makes of that.
 *
 * It answers nothing by itself: when a script is run, logged and held still is `TestProvider`'s matter.
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

import type { Embeddings, EmbedRequest } from "../operation/Embed.ts"
import type { Choice, GenerateRequest, Generation } from "../operation/Generate.ts"
import type { TranscribeRequest, Transcript } from "../operation/Transcribe.ts"
import type { TokenUsage } from "../operation/Usage.ts"
import * as Usage from "../operation/Usage.ts"
import type { Answer, GenerationPart, Target } from "../provider/Provider.ts"
import { AttemptError } from "../provider/Provider.ts"
import type { RateLimitHeaders } from "../provider/ResponseHeaders.ts"

/**
 * One attempt that the provider was asked for.
 *
 * @category models
 * @since 0.1.0
 */
export interface Asked {
  /** Position in the log, from 0. */
  readonly index: number
  readonly target: Target
  readonly request: GenerateRequest
  /** The text of the last user message. */
  readonly text: string
}

/**
 * One embedding attempt that the provider was asked for.
 *
 * @category models
 * @since 0.1.0
 */
export interface AskedEmbed {
  /** Position in the log of embeddings, from 0. */
  readonly index: number
  readonly target: Target
  readonly request: EmbedRequest
}

/**
 * One transcription attempt that the provider was asked for, its audio read to the end.
 *
 * @category models
 * @since 0.1.0
 */
export interface AskedTranscribe {
  /** Position in the log of transcriptions, from 0. */
  readonly index: number
  readonly target: Target
  readonly request: TranscribeRequest
  readonly bytes: Uint8Array
}

/**
 * An answer in detail.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReplyDetail extends Partial<Choice> {
  readonly choices?: readonly [Choice, ...ReadonlyArray<Choice>] | undefined
  readonly usage?: TokenUsage | undefined
  readonly modelId?: string | undefined
  readonly requestId?: string | undefined
  readonly rateLimits?: RateLimitHeaders | undefined
  readonly body?: unknown
}

/**
 * What the script answers: a text, an answer in detail, or a failure.
 *
 * @category models
 * @since 0.1.0
 */
export type Reply = string | ReplyDetail | AttemptError

/**
 * One step of a scripted stream: a text (a delta of the first choice), another part, a pause, or a failure, which ends it.
 *
 * @category models
 * @since 0.1.0
 */
export type StreamStep = string | GenerationPart | { readonly pause: Duration.Input } | AttemptError

/**
 * A scripted stream.
 *
 * @category models
 * @since 0.1.0
 */
export interface StreamScript {
  /** Taken one by one, each when the reader has room for it. */
  readonly steps: Iterable<StreamStep>
  /** The whole answer at the end. Default: what the steps came to. `"none"`: the stream ends without it. */
  readonly answer?: ReplyDetail | "none" | undefined
}

/**
 * How embeddings are answered.
 *
 * @category models
 * @since 0.1.0
 */
export interface EmbedScript {
  /** A text for which the whole request is refused as invalid. Default: none. */
  readonly poison?: ((text: string) => boolean) | undefined
  /** The most texts and tokens (four characters each) in a request; one above them is refused as invalid. */
  readonly limits?: { readonly texts: number; readonly tokens: number } | undefined
  /** A failure of the request, or the vectors instead of `vectorOf`; `undefined` for neither. */
  readonly reply?: ((asked: AskedEmbed) => Scripted<EmbedReply>) | undefined
}

/**
 * A failure of an embedding request, or its vectors; `undefined` for neither.
 *
 * @category models
 * @since 0.1.0
 */
export type EmbedReply = ReadonlyArray<Float32Array> | AttemptError | undefined

/**
 * What a script says at once or after an effect.
 *
 * @category models
 * @since 0.1.0
 */
export type Scripted<A> = A | Effect.Effect<A, AttemptError>

/**
 * What a script says, failing with a failure that it says.
 *
 * @category conversions
 * @since 0.1.0
 */
export const said = <A>(
  scripted: Scripted<A>
): Effect.Effect<Exclude<A, AttemptError>, AttemptError> =>
  Effect.flatMap(
    // A failure is an effect too, of another kind.
    (Effect.isEffect(scripted) && !(scripted instanceof AttemptError)
      ? scripted
      : Effect.succeed(scripted)) as Effect.Effect<A, AttemptError>,
    (reply) =>
      reply instanceof AttemptError
        ? Effect.fail(reply)
        : Effect.succeed(reply as Exclude<A, AttemptError>)
  )

/**
 * What a transcription is answered with.
 *
 * @category models
 * @since 0.1.0
 */
export type TranscribeReply = string | (Transcript & { readonly usage?: TokenUsage }) | AttemptError

/**
 * A failure with the given reason that the provider counted as a request.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fail = (
  reason: AttemptError["reason"],
  outcome: AttemptError["outcome"] = "refused"
): AttemptError => new AttemptError({ reason, outcome })

/**
 * The text of the last user message.
 *
 * @category getters
 * @since 0.1.0
 */
export const lastText = (request: GenerateRequest): string => {
  const message = request.prompt.content.findLast(({ role }) => role === "user")
  if (message?.role !== "user") return ""
  return message.content.map((part) => (part.type === "text" ? part.text : "")).join("")
}

/** Four characters a token, as a rule of thumb; tests that care give their own usage. */
const tokensOf = (text: string): number => Math.ceil(text.length / 4)

/**
 * The answer that a reply stands for.
 *
 * @category conversions
 * @since 0.1.0
 */
export const answer = (
  reply: Exclude<Reply, AttemptError>,
  question: Asked
): Answer<Generation> => {
  const detail = typeof reply === "string" ? { text: reply } : reply
  const choice: Choice = {
    text: detail.text ?? "",
    reasoning: detail.reasoning,
    refusal: detail.refusal,
    toolCalls: detail.toolCalls ?? [],
    finishReason: detail.finishReason ?? "stop",
    logprobs: detail.logprobs
  }
  return {
    value: {
      modelId: detail.modelId ?? question.target.model,
      choices: detail.choices ?? [choice]
    },
    usage:
      "usage" in detail
        ? detail.usage
        : Usage.make({
            promptTokens: tokensOf(question.text),
            completionTokens: tokensOf(choice.text)
          }),
    requestId: detail.requestId ?? `test-${question.index}`,
    rateLimits: detail.rateLimits,
    body: detail.body
  }
}

/**
 * A scripted stream, run.
 *
 * @category conversions
 * @since 0.1.0
 */
export const run = (
  script: StreamScript,
  question: Asked
): Stream.Stream<GenerationPart | Answer<Generation>, AttemptError> =>
  Stream.suspend(() => {
    const soFar = { text: "", reasoning: undefined as string | undefined }
    const step = (one: StreamStep): Effect.Effect<ReadonlyArray<GenerationPart>, AttemptError> => {
      if (one instanceof AttemptError) return Effect.fail(one)
      if (typeof one === "object" && "pause" in one) return Effect.as(Effect.sleep(one.pause), [])
      const part: GenerationPart =
        typeof one === "string" ? { type: "text-delta", text: one, choice: 0 } : one
      if (part.type === "text-delta" && part.choice === 0) soFar.text += part.text
      if (part.type === "reasoning-delta" && part.choice === 0)
        soFar.reasoning = (soFar.reasoning ?? "") + part.text
      return Effect.succeed([part])
    }
    return Stream.fromIterable(script.steps, { chunkSize: 1 }).pipe(
      Stream.mapEffect(step),
      Stream.flattenIterable,
      Stream.concat(
        Stream.suspend(() =>
          script.answer === "none"
            ? Stream.empty
            : Stream.succeed(answer({ ...soFar, ...script.answer }, question))
        )
      )
    )
  })

/**
 * The vector of a text: its length, and the code of its first character.
 *
 * @category getters
 * @since 0.1.0
 */
export const vectorOf = (text: string): Float32Array =>
  Float32Array.of(text.length, text.charCodeAt(0))

/**
 * The answer of a script to a request for embeddings.
 *
 * @category conversions
 * @since 0.1.0
 */
export const embed = (
  script: EmbedScript,
  asked: AskedEmbed
): Effect.Effect<Answer<Embeddings>, AttemptError> => {
  const { texts } = asked.request
  const tokens = texts.reduce((sum, text) => sum + tokensOf(text), 0)
  const { limits, poison } = script
  const refusal =
    limits !== undefined && (texts.length > limits.texts || tokens > limits.tokens)
      ? "too many texts or tokens"
      : poison !== undefined && texts.some(poison)
        ? "one of the texts is not acceptable"
        : undefined
  if (refusal !== undefined)
    return Effect.fail(fail(new AiError.InvalidRequestError({ description: refusal })))
  return Effect.map(said(script.reply?.(asked)), (vectors) => ({
    value: { modelId: asked.target.model, vectors: vectors ?? texts.map(vectorOf) },
    usage: Usage.make({ promptTokens: tokens, completionTokens: 0 }),
    requestId: `test-embed-${asked.index}`,
    rateLimits: undefined,
    body: undefined
  }))
}

/**
 * The answer of a script to a transcription.
 *
 * @category conversions
 * @since 0.1.0
 */
export const transcript = (
  reply: Exclude<TranscribeReply, AttemptError>,
  asked: AskedTranscribe
): Answer<Transcript> => {
  const { usage, ...value } = typeof reply === "string" ? { text: reply } : { ...reply }
  return {
    value,
    usage,
    requestId: `test-transcribe-${asked.index}`,
    rateLimits: undefined,
    body: undefined
  }
}
