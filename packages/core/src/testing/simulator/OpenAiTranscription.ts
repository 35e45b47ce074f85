/**
 * The wire format of OpenAI's audio transcriptions: a form in, a transcript out.
 *
 * How a transcript is written is `OpenAiTranscript`'s matter.
 *
 * **Details**: the text depends on the seed, the model and the content of the file alone. A request costs one request and
 * no tokens, since transcription is limited by requests.
 *
 * **Source**: OpenAI API reference, "Create transcription", and error bodies of the API (read November 2026).
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"

import * as AudioDuration from "./AudioDuration.ts"
import { Fingerprint } from "./Draw.ts"
import type { SimulatedRequest } from "./Exchange.ts"
import * as MultipartForm from "./MultipartForm.ts"
import { invalid, missing } from "./OpenAiError.ts"
import * as OpenAiHttp from "./OpenAiHttp.ts"
import * as OpenAiTranscript from "./OpenAiTranscript.ts"
import * as OpenAiTranscriptionFields from "./OpenAiTranscriptionFields.ts"
import type { Fields } from "./OpenAiTranscriptionFields.ts"
import * as Prose from "./Prose.ts"
import type { WireError } from "./Vendor.ts"
import type { AnswerContext, ModelLimits, WireAnswer, WireFormat } from "./WireFormat.ts"

/**
 * POST /v1/audio/transcriptions.
 *
 * @category formats
 * @since 0.1.0
 */
export const format: WireFormat = {
  name: "openai-transcription",
  vendor: OpenAiHttp.vendor,
  metered: true,
  contentFaults: [],
  matches: OpenAiHttp.isPost("/audio/transcriptions"),
  decode: (request, limits) =>
    Result.map(decode(request, limits), (asked) => ({
      model: asked.fields.model,
      hash: new Fingerprint().add(asked.fields.model).addBytes(asked.file.bytes).value,
      promptTokens: 0,
      // The API ignores the wish for a stream where the model cannot.
      stream: asked.fields.stream && !isWhisper(asked.fields.model),
      answer: (context) => answer(asked, context)
    }))
}

const isWhisper = (model: string): boolean => model.includes("whisper")
const isDiarizing = (model: string): boolean => model.includes("diarize")
/** OpenAI's models that came after Whisper charge tokens and know fewer formats. */
const isTranscribe = (model: string): boolean => model.includes("-transcribe")

interface Asked {
  readonly fields: Fields
  readonly file: MultipartForm.Part
  readonly seconds: number
}

const decode = (
  request: SimulatedRequest,
  limits: ModelLimits
): Result.Result<Asked, WireError> => {
  const { body } = request
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body
  const parts = MultipartForm.parse(bytes, request.headers["content-type"])
  if (parts === undefined) return Result.fail(noForm)
  const file = parts.find((part) => part.name === "file")
  const large = file !== undefined && file.bytes.length > maximumBytes
  if (large) return Result.fail(tooLarge(file.bytes.length))
  const fields = OpenAiTranscriptionFields.read(parts, limits)
  if (Result.isFailure(fields)) return Result.fail(fields.failure)
  if (file?.fileName === undefined) return Result.fail(missing("file"))
  if (!endings.includes(file.fileName.split(".").at(-1)?.toLowerCase() ?? "")) {
    return Result.fail(wrongEnding)
  }
  const seconds = AudioDuration.ofFile(file.fileName, file.bytes)
  if (seconds === undefined) return Result.fail(corrupted)
  if (seconds < minimumSeconds) return Result.fail(tooShort)
  const unfit = firstUnfit(fields.success, seconds)
  if (unfit !== undefined) return Result.fail(unfit)
  return Result.succeed({ fields: fields.success, file, seconds })
}

/** What the models can do differs: Whisper knows no speakers, the later models no times, one of them speakers alone. */
const firstUnfit = (fields: Fields, seconds: number): WireError | undefined => {
  const { granularities, model, prompt, responseFormat } = fields
  const known = isWhisper(model)
    ? ["json", "text", "srt", "verbose_json", "vtt"]
    : isDiarizing(model)
      ? ["json", "text", "diarized_json"]
      : isTranscribe(model)
        ? ["json", "text"]
        : undefined
  if (known?.includes(responseFormat) === false) {
    return invalid(
      `response_format '${responseFormat}' is not compatible with model '${model}'. Use ${known.map((name) => `'${name}'`).join(" or ")} instead.`,
      "response_format",
      "unsupported_value"
    )
  }
  if (granularities.length > 0 && responseFormat !== "verbose_json") {
    return invalid(
      "timestamp_granularities are only supported with response_format 'verbose_json'.",
      "timestamp_granularities"
    )
  }
  if (!isDiarizing(model)) return undefined
  if (prompt !== undefined) {
    return invalid("prompt is not supported for diarization models.", "prompt")
  }
  return seconds > 30 && fields.chunkingStrategy === undefined
    ? invalid("chunking_strategy is required for diarization models", "chunking_strategy")
    : undefined
}

// ---- files

/** OpenAI "Speech to text": file uploads are limited to 25 MB, and the error names 26214400 bytes. */
const maximumBytes = 26_214_400
const minimumSeconds = 0.1
const endings = ["flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm"]

const noForm = invalid("Could not parse multipart form", null)

const wrongEnding = invalid(
  `Invalid file format. Supported formats: [${endings.map((ending) => `'${ending}'`).join(", ")}]`,
  null
)

const corrupted = invalid("Audio file might be corrupted or unsupported", "file", "invalid_value")

const tooShort = invalid(
  `Audio file is too short. Minimum audio length is ${minimumSeconds} seconds.`,
  "file",
  "audio_too_short"
)

const tooLarge = (bytes: number): WireError => ({
  status: 413,
  message: `Maximum content size limit (${maximumBytes}) exceeded (${bytes} bytes read)`,
  type: "server_error",
  param: null,
  code: null
})

// ---- answer

const answer = ({ fields, seconds }: Asked, context: AnswerContext): WireAnswer => {
  const { granularities, knownSpeakers, language, model, responseFormat } = fields
  const transcript = (): OpenAiTranscript.Transcript => {
    const draw = context.draw("text", 0)
    const { max, min } = context.outputTokens
    return {
      text: Prose.sentences(draw, draw.between(min, max)),
      seconds,
      language: language ?? "english",
      chargesTokens: isTranscribe(model),
      speakers: knownSpeakers.length > 0 ? knownSpeakers : ["A", "B"],
      draw
    }
  }
  const plain = responseFormat === "text" || responseFormat === "srt" || responseFormat === "vtt"
  return {
    completionTokens: 0,
    ...(plain && { contentType: "text/plain; charset=utf-8" }),
    body: () => write(transcript(), responseFormat, granularities),
    stream: {
      events: () => OpenAiTranscript.events(transcript(), isDiarizing(model)),
      failure: OpenAiHttp.errorEvents
    }
  }
}

const write = (
  transcript: OpenAiTranscript.Transcript,
  responseFormat: string,
  granularities: ReadonlyArray<string>
): string => {
  switch (responseFormat) {
    case "text":
      return `${transcript.text}\n`
    case "srt":
      return OpenAiTranscript.srt(transcript)
    case "vtt":
      return OpenAiTranscript.vtt(transcript)
    case "verbose_json":
      return OpenAiTranscript.verboseJson(
        transcript,
        granularities.length > 0 ? granularities : ["segment"]
      )
    case "diarized_json":
      return OpenAiTranscript.diarizedJson(transcript)
    default:
      return OpenAiTranscript.json(transcript)
  }
}
