/**
 * Sounds for chat messages: a recording that a model shall hear, as the content block that messages take.
 *
 * It is sent inside the request. To have speech written down use `transcribe`, which streams files and costs less; a provider
 * whose models hear nothing refuses the request as `Unsupported` before it is sent.
 *
 * **Example** (A recording beside a question)
 *
 * ```ts fragment
 * const message = Effect.map(audio("bird.wav"), (block) => ({
 *   role: "user" as const,
 *   content: [{ type: "text" as const, text: "Which bird is this?" }, block]
 * }))
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"

import { InvalidInput } from "../Reason.ts"
import type { Kind, MediaOptions, Source } from "./MediaSource.ts"
import * as MediaSource from "./MediaSource.ts"

/**
 * The content block of a sound.
 *
 * @category models
 * @since 0.1.0
 */
export interface AudioBlock {
  readonly type: "input_audio"
  readonly input_audio: { readonly data: string; readonly format: string }
}

/**
 * Settings of a sound.
 *
 * **Units**: `maxBytes` in bytes; default 15 MB, so that a request with it stays below Gemini's 20 MB in base64.
 *
 * @category models
 * @since 0.1.0
 */
export interface AudioBlockOptions extends MediaOptions {}

const kind: Kind = {
  what: "audio",
  // Source: Gemini API documentation, "Audio understanding", inline data, read November 2026.
  maxBytes: 15_000_000,
  accepts: (mediaType) => mediaType.startsWith("audio/"),
  hint: "Give a WAV or MP3",
  example: "audio/wav",
  sniff: (bytes) => {
    const begins = (signature: string, offset?: number) =>
      MediaSource.begins(bytes, signature, offset)
    if (begins("RIFF") && begins("WAVE", 8)) return "audio/wav"
    if (begins("fLaC")) return "audio/flac"
    if (begins("OggS")) return "audio/ogg"
    if (begins("ftypM4A", 4)) return "audio/m4a"
    if (begins("ID3")) return "audio/mp3"
    const [first = 0, second = 0] = bytes
    // Eleven bits that are set begin a frame; the layer tells AAC, which has none, from MPEG audio.
    if (first !== 0xff || (second & 0xe0) !== 0xe0) return undefined
    return (second & 0xf6) === 0xf0 ? "audio/aac" : "audio/mp3"
  },
  shown: new Set(["audio/wav", "audio/flac", "audio/ogg"]),
  // Containers that may hold a video too.
  guess: (bytes) =>
    MediaSource.begins(bytes, "ftyp", 4)
      ? "audio/m4a"
      : MediaSource.begins(bytes, "\x1a\x45\xdf\xa3")
        ? "audio/webm"
        : undefined
}

/** Other names of types, as the formats that providers know. */
const formats: { readonly [subtype: string]: string } = {
  mpeg: "mp3",
  mp4: "m4a",
  wave: "wav",
  "vnd.wave": "wav"
}

/**
 * Makes the content block of a sound.
 *
 * **Details**: a string is a `data:` or `file:` URL, else a path.
 *
 * **Errors**: `InvalidInput` for a missing or unreadable file, an unknown type, what is no sound, too many bytes, and a web
 * address: models hear only what is in the request.
 *
 * @category constructors
 * @since 0.1.0
 */
export const audio: {
  (source: Uint8Array | Blob, options?: AudioBlockOptions): Effect.Effect<AudioBlock, InvalidInput>
  (
    source: string | URL,
    options?: AudioBlockOptions
  ): Effect.Effect<AudioBlock, InvalidInput, FileSystem.FileSystem>
} = ((
  source: Source,
  options: AudioBlockOptions = {}
): Effect.Effect<AudioBlock, InvalidInput, FileSystem.FileSystem> =>
  Effect.flatMap(MediaSource.load(kind, source, options), (media) => {
    if (media._tag === "Address") return Effect.fail(anAddress)
    const subtype = media.mediaType.toLowerCase().slice("audio/".length).replace(/^x-/, "")
    return Effect.succeed({
      type: "input_audio",
      input_audio: { data: MediaSource.base64(media), format: formats[subtype] ?? subtype }
    })
  })) as never

const anAddress = new InvalidInput({
  input: "audio",
  problem: "audio cannot be given as a web address",
  hint: "Download it and give the file, or its bytes"
})
