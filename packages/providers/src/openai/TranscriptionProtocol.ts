/**
 * OpenAI's transcriptions on the wire: a request to the fields of a form, and a body to a transcript.
 *
 * It opens no connection and reads no audio (`TranscriptionEndpoint` does). A body is JSON or text, as the request asked;
 * which formats a model has, the server says.
 *
 * **Units**: seconds.
 *
 * **Source**: OpenAI API reference, "Create transcription"; Groq "Speech to Text", Mistral "Audio transcriptions", vLLM
 * "Transcriptions API" (read November 2026).
 *
 * @since 0.1.0
 */
import type { TranscribeRequest, Transcript } from "@infermesh/core/operation/Transcribe"
import type { TokenUsage } from "@infermesh/core/operation/Usage"
import * as Usage from "@infermesh/core/operation/Usage"
import type { Answer, AttemptError } from "@infermesh/core/provider/Provider"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

import type { Json } from "../RequestBody.ts"
import type { Context } from "../ResponseBody.ts"
import * as ResponseBody from "../ResponseBody.ts"
import { Count, nullish } from "../ResponseBody.ts"
import * as Fault from "./Fault.ts"

type Read = Pick<Answer<Transcript>, "value" | "usage" | "body">

// ---- request

/**
 * The members of the form beside its file; `more` are the deployment's own, over which the request's win.
 *
 * **Details**: where speakers are told apart, long audio is refused without a `chunking_strategy`, so it is `auto` unless
 * `extraBody` says otherwise.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = ({ options }: TranscribeRequest, model: string, more: Json): Json => ({
  model,
  ...(options.responseFormat === "diarized_json" && { chunking_strategy: "auto" }),
  ...more,
  ...given({
    language: options.language,
    prompt: options.prompt,
    temperature: options.temperature,
    response_format: options.responseFormat,
    timestamp_granularities: options.timestampGranularities
  }),
  ...options.extraBody
})

const given = (members: Json): Json =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))

// ---- response

/** Older servers write durations as text. */
const Seconds = nullish(Schema.Union([Schema.Finite, Schema.String]))

const SegmentBody = Schema.Struct({
  start: Schema.Finite,
  end: Schema.Finite,
  text: Schema.String,
  speaker: nullish(Schema.String)
})

const WordBody = Schema.Struct({ start: Schema.Finite, end: Schema.Finite, word: Schema.String })

const UsageBody = Schema.Struct({
  input_tokens: Count,
  output_tokens: Count,
  total_tokens: Count,
  // Mistral's names for the same.
  prompt_tokens: Count,
  completion_tokens: Count,
  // Models that are paid by the time of the audio.
  seconds: Count
})

const Body = Schema.Struct({
  text: nullish(Schema.String),
  duration: Seconds,
  language: nullish(Schema.String),
  segments: nullish(Schema.Array(SegmentBody)),
  words: nullish(Schema.Array(WordBody)),
  usage: nullish(UsageBody),
  error: Schema.optionalKey(Schema.Unknown)
})

const parse = ResponseBody.reader(
  "transcript",
  // A server may write a text as JSON, too.
  Schema.decodeUnknownResult(Schema.Union([Body, Schema.String]))
)

// ---- decode

/** The formats whose bodies are the transcript itself. */
const textFormats = new Set<unknown>(["text", "srt", "vtt"])

/**
 * The transcript in a response; `asked` are the members of the form.
 *
 * **Errors**: `InvalidResponseError` for what is no transcript in the form that was asked for; an error with status 200 is
 * what it would be with its own.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (
  text: string,
  asked: Json,
  context: Context
): Result.Result<Read, AttemptError> => {
  const format = asked["response_format"] ?? "json"
  const isJson = /\bjson\b/i.test(context.headers["content-type"] ?? "")
  if (textFormats.has(format) && !isJson) return plain(text, format)
  return Result.flatMap(parse(text, context.url), ({ json, value }) => {
    if (typeof value === "string") return plain(value, format)
    if (value.error !== undefined && value.error !== null) {
      return Result.fail(ResponseBody.inBand(value.error, Fault, context))
    }
    const used = usage(value)
    if (typeof value.text !== "string") {
      return Result.fail(ResponseBody.invalid("the transcript has no text", used))
    }
    if (format === "srt" || format === "vtt") {
      return Result.fail(ResponseBody.invalid(`it is JSON and no ${format} file`, used))
    }
    return Result.succeed({ value: transcript(value, value.text), usage: used, body: json })
  })
}

const plain = (text: string, format: unknown): Result.Result<Read, AttemptError> => {
  const misfit = wrongFile(text, format)
  if (misfit !== undefined) return Result.fail(ResponseBody.invalid(misfit))
  // A text ends with a line break that nobody said.
  const said = format === "text" ? text.replace(/\r?\n$/, "") : text
  return Result.succeed({ value: { text: said }, usage: undefined, body: text })
}

const wrongFile = (text: string, format: unknown): string | undefined => {
  if (format === "vtt" && !/^\uFEFF?WEBVTT\b/.test(text)) return "it does not begin as a vtt file"
  // Silence makes a file without a single title.
  if (format === "srt" && text.trim() !== "" && !text.includes("-->")) return "it is no srt file"
  return undefined
}

const transcript = (body: typeof Body.Type, text: string): Transcript => ({
  text,
  durationSeconds: seconds(body.duration) ?? body.usage?.seconds ?? undefined,
  language: body.language ?? undefined,
  segments: body.segments?.map(({ end, speaker, start, text: said }) =>
    typeof speaker === "string" ? { start, end, text: said, speaker } : { start, end, text: said }
  ),
  words: body.words?.map(({ end, start, word }) => ({ start, end, word }))
})

const seconds = (duration: number | string | null | undefined): number | undefined => {
  const value = Number.parseFloat(String(duration))
  return Number.isFinite(value) ? value : undefined
}

/** What models that are paid by tokens used; others say how long the audio was. */
const usage = (body: typeof Body.Type): TokenUsage | undefined => {
  const prompt = body.usage?.input_tokens ?? body.usage?.prompt_tokens ?? undefined
  if (prompt === undefined) return undefined
  return Usage.make({
    promptTokens: prompt,
    completionTokens: body.usage?.output_tokens ?? body.usage?.completion_tokens ?? 0,
    totalTokens: body.usage?.total_tokens ?? undefined
  })
}
