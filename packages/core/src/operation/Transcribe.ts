/**
 * Transcription: the request a provider gets and the result the caller receives.
 *
 * It sends nothing. Speech in a language is text in that language; translation is another endpoint.
 *
 * **Units**: durations and times of segments and words in seconds from the start of the audio.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

import type { Audio } from "./Audio.ts"
import { ExtraBody } from "./ExtraBody.ts"
import { nullable } from "./Nullable.ts"
import type { RequestMetrics } from "./Timing.ts"
import { RequestMetricsRow } from "./Timing.ts"
import type { TokenUsage } from "./Usage.ts"
import { TokenUsageRow } from "./Usage.ts"

/**
 * The form in which a provider shall write the transcript.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TranscriptFormat = Schema.Literals([
  "json",
  "text",
  "verbose_json",
  "srt",
  "vtt",
  "diarized_json"
])

/**
 * The form in which a provider shall write the transcript.
 *
 * @category models
 * @since 0.1.0
 */
export type TranscriptFormat = typeof TranscriptFormat.Type

/**
 * The model options of a transcription request.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TranscribeModelOptions = Schema.Struct({
  /** ISO-639-1, such as `en`; the model detects it otherwise. */
  language: Schema.optional(Schema.NonEmptyString),
  prompt: Schema.optional(Schema.String),
  temperature: Schema.optional(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))),
  responseFormat: Schema.optional(TranscriptFormat),
  /** Times of segments and of words, with `verbose_json`. */
  timestampGranularities: Schema.optional(Schema.Array(Schema.Literals(["segment", "word"]))),
  /** Further form fields of the request, sent as they are. */
  extraBody: Schema.optional(ExtraBody),
  /** Further HTTP headers of the request. */
  headers: Schema.optional(Schema.Record(Schema.String, Schema.String))
})

/**
 * The model options of a transcription request.
 *
 * @category models
 * @since 0.1.0
 */
export type TranscribeModelOptions = typeof TranscribeModelOptions.Type

/**
 * A validated transcription request, as providers receive it.
 *
 * @category models
 * @since 0.1.0
 */
export interface TranscribeRequest {
  readonly audio: Audio
  readonly options: TranscribeModelOptions
}

/**
 * A stretch of speech.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Segment = Schema.Struct({
  start: Schema.Finite,
  end: Schema.Finite,
  text: Schema.String,
  /** Who speaks, where the provider tells speakers apart. */
  speaker: Schema.optional(Schema.String)
})

/**
 * A stretch of speech.
 *
 * @category models
 * @since 0.1.0
 */
export type Segment = typeof Segment.Type

/**
 * A spoken word.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Word = Schema.Struct({ start: Schema.Finite, end: Schema.Finite, word: Schema.String })

/**
 * A spoken word.
 *
 * @category models
 * @since 0.1.0
 */
export type Word = typeof Word.Type

/**
 * What a provider understood of an answer.
 *
 * @category models
 * @since 0.1.0
 */
export interface Transcript {
  /** The transcript; with `srt` and `vtt` the file's whole text. */
  readonly text: string
  readonly durationSeconds?: number | undefined
  readonly language?: string | undefined
  readonly segments?: ReadonlyArray<Segment> | undefined
  readonly words?: ReadonlyArray<Word> | undefined
}

/**
 * The result of a transcription.
 *
 * **Details**: `language` is the one the provider detected, else the one that was asked for.
 *
 * @category models
 * @since 0.1.0
 */
export interface TranscriptionResult extends Transcript {
  readonly modelId: string
  readonly tokenUsage: TokenUsage | undefined
  readonly requestId: string | undefined
  readonly cost: number | undefined
  readonly metrics: RequestMetrics
  /** The response body, parsed; only when `rawResponse: true` was asked for. */
  readonly rawResponse: unknown
}

/**
 * `TranscriptionResult` as result files hold it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TranscriptionResultRow = Schema.Struct({
  modelId: Schema.String,
  text: Schema.String,
  durationSeconds: nullable(Schema.Finite),
  language: nullable(Schema.String),
  segments: nullable(Schema.Array(Segment)),
  words: nullable(Schema.Array(Word)),
  tokenUsage: nullable(TokenUsageRow),
  requestId: nullable(Schema.String),
  cost: nullable(Schema.Finite),
  metrics: RequestMetricsRow
}).pipe(
  Schema.encodeKeys({
    modelId: "model_id",
    durationSeconds: "duration_s",
    tokenUsage: "token_usage",
    requestId: "request_id"
  })
)
