/**
 * The fields of a transcription's form beside its file, each with its check.
 *
 * **Source**: OpenAI API reference, "Create transcription" (read November 2026).
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"

import { anything, array, decimal, oneOf, string, struct } from "./FieldCheck.ts"
import type { Part } from "./MultipartForm.ts"
import { invalid, unsupported, word } from "./OpenAiError.ts"
import type { WireError } from "./Vendor.ts"
import type { ModelLimits } from "./WireFormat.ts"

/**
 * The fields the simulator looks at.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fields {
  readonly model: string
  readonly responseFormat: string
  /** In English, such as `german`. */
  readonly language: string | undefined
  readonly prompt: string | undefined
  readonly granularities: ReadonlyArray<string>
  readonly knownSpeakers: ReadonlyArray<string>
  readonly chunkingStrategy: string | undefined
  readonly stream: boolean
}

const check = struct({
  file: anything,
  model: string(),
  chunking_strategy: string(),
  "include[]": array(oneOf("logprobs")),
  "known_speaker_names[]": array(string(), 0, 4),
  "known_speaker_references[]": array(string(), 0, 4),
  language: string(),
  prompt: string(),
  response_format: oneOf("json", "text", "srt", "verbose_json", "vtt", "diarized_json"),
  stream: oneOf("true", "false"),
  temperature: decimal(0, 1),
  "timestamp_granularities[]": array(oneOf("word", "segment"))
})

/**
 * Reads and checks the fields.
 *
 * @category decoding
 * @since 0.1.0
 */
export const read = (
  parts: ReadonlyArray<Part>,
  limits: ModelLimits
): Result.Result<Fields, WireError> => {
  const form = gather(parts)
  const { language, model } = form
  if (typeof model !== "string" || model === "") {
    return Result.fail(invalid("you must provide a model parameter", null))
  }
  const wrong = check(form, "")
  if (wrong !== undefined) return Result.fail(word(wrong))
  const refused = limits.unsupportedParameters.find((name) => form[name] !== undefined)
  if (refused !== undefined) return Result.fail(unsupported(refused))
  const spoken = typeof language === "string" ? languageName(language) : undefined
  if (typeof language === "string" && spoken === undefined) {
    return Result.fail(unknownLanguage(language))
  }
  const text = (name: string) => (typeof form[name] === "string" ? form[name] : undefined)
  const texts = (name: string) => (Array.isArray(form[name]) ? form[name].map(String) : [])
  return Result.succeed({
    model,
    responseFormat: text("response_format") ?? "json",
    language: spoken,
    prompt: text("prompt"),
    granularities: texts("timestamp_granularities[]"),
    knownSpeakers: texts("known_speaker_names[]"),
    chunkingStrategy: text("chunking_strategy"),
    stream: form["stream"] === "true"
  })
}

/** The form as an object: lists where the name ends in brackets, a number for the one field that is one. */
const gather = (parts: ReadonlyArray<Part>): { readonly [name: string]: unknown } => {
  const form: Record<string, unknown> = {}
  for (const { bytes, fileName, name } of parts) {
    const text = fileName === undefined ? new TextDecoder().decode(bytes) : ""
    if (name.endsWith("[]")) {
      const list = (form[name] ??= []) as Array<string>
      list.push(text)
    } else {
      form[name] =
        name === "temperature" && /^[-+.\de]+$/i.test(text) && !Number.isNaN(Number(text))
          ? Number(text)
          : text
    }
  }
  return form
}

const languageNames = new Intl.DisplayNames("en", { type: "language", fallback: "none" })

/** The name of a language by its ISO-639-1 code, as Whisper gives it. */
const languageName = (code: string): string | undefined =>
  /^[a-z]{2}$/.test(code) ? languageNames.of(code)?.toLowerCase() : undefined

const unknownLanguage = (code: string): WireError =>
  invalid(
    `Invalid language '${code}'. Language parameter must be specified in ISO-639-1 format.`,
    "language",
    "invalid_language_format"
  )
