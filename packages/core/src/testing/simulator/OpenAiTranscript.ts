/**
 * A transcript in the forms OpenAI writes it: JSON of three kinds, plain text, subtitles, events of a stream.
 *
 * **Units**: seconds from the start of the recording.
 *
 * **Source**: OpenAI API reference, "The transcription object" and those beside it (read November 2026), recorded responses.
 *
 * @since 0.1.0
 */
import type { Draw } from "./Draw.ts"
import { pieces, tokensOf } from "./TokenCount.ts"

/**
 * What was heard.
 *
 * @category models
 * @since 0.1.0
 */
export interface Transcript {
  readonly text: string
  readonly seconds: number
  /** In English, such as `german`. */
  readonly language: string
  /** Whether the model charges tokens rather than seconds. */
  readonly chargesTokens: boolean
  /** Who speaks in turn. */
  readonly speakers: ReadonlyArray<string>
  readonly draw: Draw
}

interface Span {
  readonly text: string
  readonly start: number
  readonly end: number
}

/** Spans of the text share the time by their length; they follow one another without a gap. */
const spans = (texts: ReadonlyArray<string>, seconds: number): ReadonlyArray<Span> => {
  const total = texts.reduce((sum, text) => sum + text.length, 0)
  const at = (length: number): number => Math.round((seconds * length * 100) / total) / 100
  let passed = 0
  return texts.map((text) => {
    const start = at(passed)
    passed += text.length
    return { text, start: Math.min(start, seconds), end: passed === total ? seconds : at(passed) }
  })
}

const sentences = ({ seconds, text }: Transcript): ReadonlyArray<Span> =>
  spans(text.match(/[^.]+\.?/g) ?? [], seconds)

// ---- whole

/**
 * The body for `json`.
 *
 * @category encoding
 * @since 0.1.0
 */
export const json = (transcript: Transcript): string =>
  JSON.stringify({ text: transcript.text, usage: usage(transcript) })

const usage = ({ chargesTokens, seconds, text }: Transcript) => {
  if (!chargesTokens) return { type: "duration", seconds: Math.ceil(seconds) }
  // OpenAI, "Managing Realtime costs": a token of audio for each tenth of a second.
  const audio = Math.ceil(seconds * 10)
  const output = tokensOf(text)
  return {
    type: "tokens",
    total_tokens: audio + output,
    input_tokens: audio,
    input_token_details: { text_tokens: 0, audio_tokens: audio },
    output_tokens: output
  }
}

/**
 * The body for `verbose_json`, with times of the given kinds.
 *
 * @category encoding
 * @since 0.1.0
 */
export const verboseJson = (
  transcript: Transcript,
  granularities: ReadonlyArray<string>
): string => {
  const { language, seconds, text } = transcript
  return JSON.stringify({
    task: "transcribe",
    language,
    duration: seconds,
    text,
    ...(granularities.includes("word") && { words: words(transcript) }),
    ...(granularities.includes("segment") && { segments: segments(transcript) }),
    usage: usage(transcript)
  })
}

const words = ({ seconds, text }: Transcript) =>
  spans(text.split(" "), seconds).map(({ end, start, text: word }) => ({
    word: word.replace(/[.,]$/, ""),
    start,
    end
  }))

const segments = (transcript: Transcript) =>
  sentences(transcript).map(({ end, start, text }, id) => ({
    id,
    seek: 0,
    start,
    end,
    text: ` ${text.trim()}`,
    tokens: pieces(text).map(() => transcript.draw.between(220, 50_000)),
    temperature: 0,
    avg_logprob: -0.05 - transcript.draw.next() / 2,
    compression_ratio: 1 + transcript.draw.next(),
    no_speech_prob: transcript.draw.next() / 100
  }))

/**
 * The body for `diarized_json`.
 *
 * @category encoding
 * @since 0.1.0
 */
export const diarizedJson = (transcript: Transcript): string =>
  JSON.stringify({
    task: "transcribe",
    duration: transcript.seconds,
    text: transcript.text,
    segments: turns(transcript),
    usage: { type: "duration", seconds: Math.ceil(transcript.seconds) }
  })

const turns = (transcript: Transcript) =>
  sentences(transcript).map(({ end, start, text }, index) => ({
    type: "transcript.text.segment",
    id: `seg_${String(index + 1).padStart(3, "0")}`,
    start,
    end,
    text: text.trim(),
    speaker: transcript.speakers[index % transcript.speakers.length]
  }))

/**
 * The body for `srt`.
 *
 * @category encoding
 * @since 0.1.0
 */
export const srt = (transcript: Transcript): string =>
  sentences(transcript)
    .map(({ end, start, text }, index) => {
      const times = `${clock(start, ",")} --> ${clock(end, ",")}`
      return `${index + 1}\n${times}\n${text.trim()}\n\n`
    })
    .join("")

/**
 * The body for `vtt`.
 *
 * @category encoding
 * @since 0.1.0
 */
export const vtt = (transcript: Transcript): string =>
  `WEBVTT\n\n${sentences(transcript)
    .map(({ end, start, text }) => {
      const times = `${clock(start, ".")} --> ${clock(end, ".")}`
      return `${times}\n${text.trim()}\n\n`
    })
    .join("")}`

const clock = (seconds: number, separator: string): string => {
  const millis = Math.round(seconds * 1000)
  const two = (value: number): string => String(value).padStart(2, "0")
  const hours = two(Math.floor(millis / 3_600_000))
  const minutes = two(Math.floor(millis / 60_000) % 60)
  const rest = two(Math.floor(millis / 1000) % 60)
  return `${hours}:${minutes}:${rest}${separator}${String(millis % 1000).padStart(3, "0")}`
}

// ---- streamed

/**
 * The events of a streamed transcript: its tokens, or its turns where speakers are told apart.
 *
 * @category encoding
 * @since 0.1.0
 */
export const events = (transcript: Transcript, diarized: boolean): ReadonlyArray<string> => {
  const said = diarized
    ? turns(transcript)
    : pieces(transcript.text).map((delta) => ({ type: "transcript.text.delta", delta }))
  const done = {
    type: "transcript.text.done",
    text: transcript.text,
    usage: usage(transcript)
  }
  return [...said, done].map((event) => `data: ${JSON.stringify(event)}\n\n`)
}
