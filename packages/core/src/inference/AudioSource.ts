/**
 * From what a caller gives as audio (a path, bytes, a Blob, a stream) to audio that a provider can send.
 *
 * Files are looked at, not read: their bytes go from disk to socket while they are sent. The size limit also holds for streams,
 * whose size is known only at their end.
 *
 * **Units**: bytes.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Mime from "effect/http/Mime"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

import type { Audio } from "../operation/Audio.ts"
import type { SizeLimit } from "../operation/FileFault.ts"
import {
  baseName,
  checkFile,
  fileFault,
  limitFault,
  pathOf,
  sizeFault
} from "../operation/FileFault.ts"
import { InvalidInput } from "../Reason.ts"

/**
 * Audio as callers give it: a path, a `file:` URL, bytes, a Blob, or a stream of bytes.
 *
 * @category models
 * @since 0.1.0
 */
export type AudioInput = string | URL | Uint8Array | Blob | Stream.Stream<Uint8Array, unknown>

/**
 * What callers may say about audio whose name tells nothing.
 *
 * @category models
 * @since 0.1.0
 */
export interface AudioOptions {
  /** The name sent to the provider, which tells the format by its ending. Default: the file's, else `audio` and the type's. */
  readonly fileName?: string | undefined
  /** The media type, such as `audio/mpeg`. Default: by the name's ending. */
  readonly mediaType?: string | undefined
  /** The most bytes that are sent. Default 25 MiB, the limit of OpenAI's endpoint; `Infinity` for none. */
  readonly maxBytes?: number | undefined
}

/** OpenAI's limit on uploads to /audio/transcriptions: 25 MiB (API reference, read November 2026). */
const defaultMaxBytes = 26_214_400

/**
 * Checks audio and makes it ready to be sent.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  input: AudioInput,
  options: AudioOptions
): Effect.fn.Return<Audio, InvalidInput, FileSystem.FileSystem> {
  const limit = { what: "audio", maxBytes: options.maxBytes ?? defaultMaxBytes }
  const wrong = limitFault(limit)
  if (wrong !== undefined) return yield* wrong
  if (typeof input === "string" || input instanceof URL) {
    const url = typeof input === "string" ? urlIn(input) : input
    if (url !== undefined && url.protocol !== "file:") {
      return yield* new InvalidInput({
        input: `${url.protocol}//…`,
        problem: "audio cannot be given as a web address",
        hint: "Download it and give the file, or its bytes as a stream"
      })
    }
    const path = url === undefined ? String(input) : yield* Effect.fromResult(pathOf(url))
    const { fileSystem, sizeBytes } = yield* checkFile(path, limit)
    const bytes = Stream.mapError(fileSystem.stream(path), (error) => fileFault(path, error))
    // The file may change between the look and the reading, and its size has been told by then.
    return { ...named(path, options), sizeBytes, bytes: bounded(path, bytes, limit, sizeBytes) }
  }
  if (input instanceof Uint8Array) {
    const fault = sizeFault("audio", input.byteLength, limit)
    if (fault !== undefined) return yield* fault
    return {
      ...named(undefined, options),
      sizeBytes: input.byteLength,
      bytes: Stream.succeed(input)
    }
  }
  if (input instanceof Blob) {
    const fault = sizeFault("audio", input.size, limit)
    if (fault !== undefined) return yield* fault
    const name = "name" in input && typeof input.name === "string" ? input.name : undefined
    const type = options.mediaType ?? (input.type === "" ? undefined : input.type)
    return {
      ...named(name, { ...options, mediaType: type }),
      sizeBytes: input.size,
      bytes: Stream.fromReadableStream({ evaluate: () => input.stream(), onError: unreadable })
    }
  }
  if (Stream.isStream(input)) {
    const bytes = Stream.mapError(input as Stream.Stream<Uint8Array, unknown>, unreadable)
    return {
      ...named(undefined, options),
      sizeBytes: undefined,
      bytes: bounded("audio", bytes, limit)
    }
  }
  return yield* new InvalidInput({
    input: "audio",
    problem: "this is no audio",
    hint: "Give a path, a Uint8Array, a Blob or a Stream of bytes"
  })
})

/** A URL, where the text is one that names its scheme; a path otherwise, those of Windows' drives too. */
const urlIn = (text: string): URL | undefined =>
  /^(?:https?|file):\/\//i.test(text) ? (URL.parse(text) ?? undefined) : undefined

const unreadable = () =>
  new InvalidInput({ input: "audio", problem: "its bytes could not be read to the end" })

const named = (
  name: string | undefined,
  options: AudioOptions
): Pick<Audio, "fileName" | "mediaType"> => {
  // Of a path only the last part: where the file lies is nobody's business.
  const given = baseName(options.fileName ?? name ?? "") || undefined
  const mediaType =
    options.mediaType ?? (given === undefined ? undefined : typeOf(given)) ?? unknownType
  return { fileName: given ?? `audio.${endingOf(mediaType)}`, mediaType }
}

const unknownType = "application/octet-stream"

const typeOf = (name: string): string | undefined =>
  /\.flac$/i.test(name) ? "audio/flac" : Option.getOrUndefined(Mime.getType(name))

/**
 * Endings of the formats that OpenAI's endpoint knows (API reference, read November 2026), where the general table has none
 * or one that the endpoint refuses.
 */
const endings: { readonly [mediaType: string]: string } = {
  "audio/flac": "flac",
  "audio/x-flac": "flac",
  "audio/mpeg": "mp3",
  "audio/ogg": "ogg",
  "audio/opus": "ogg",
  "audio/webm": "webm",
  "audio/wave": "wav",
  "audio/x-wav": "wav",
  "audio/x-m4a": "m4a",
  // Nothing is known: the most common of what is recorded without a name.
  [unknownType]: "wav"
}

/** Providers tell the format by the name's ending and refuse names without one. */
const endingOf = (mediaType: string): string => {
  const [bare = ""] = mediaType.toLowerCase().split(";", 1)
  return endings[bare.trim()] ?? Option.getOrElse(Mime.getExtension(bare), () => "wav")
}

/** The bytes, failing once they are more than allowed, when there were none, or not as many as expected. */
const bounded = (
  input: string,
  bytes: Stream.Stream<Uint8Array, InvalidInput>,
  limit: SizeLimit,
  expected?: number
): Stream.Stream<Uint8Array, InvalidInput> =>
  Stream.suspend(() => {
    let seen = 0
    const check = (ended: boolean): Effect.Effect<void, InvalidInput> => {
      const fault = sizeFault(input, seen, limit)
      if (fault !== undefined) return fault
      if (expected === undefined || (ended ? seen === expected : seen <= expected)) {
        return Effect.void
      }
      const problem = `it changed while it was read: ${seen} bytes have been read of ${expected}`
      return new InvalidInput({ input, problem, hint: "Try again once nobody writes it" })
    }
    return bytes.pipe(
      Stream.tap((chunk) => {
        if (!(chunk instanceof Uint8Array)) return noBytes(input)
        seen += chunk.byteLength
        return seen > Math.min(limit.maxBytes, expected ?? Infinity) ? check(false) : Effect.void
      }),
      Stream.concat(Stream.fromEffectDrain(Effect.suspend(() => check(true))))
    )
  })

const noBytes = (input: string) =>
  new InvalidInput({
    input,
    problem: "the stream holds something else than bytes",
    hint: "Its elements must be Uint8Array"
  })
