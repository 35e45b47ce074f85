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
import { baseName, checkFile, fileFault, sizeFault } from "../operation/FileFault.ts"
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
  if (typeof input === "string" || input instanceof URL) {
    const path = typeof input === "string" ? input : decodeURIComponent(input.pathname)
    if (input instanceof URL && input.protocol !== "file:") {
      return yield* new InvalidInput({
        input: `${input.protocol}//…`,
        problem: "audio cannot be given as a web address",
        hint: "Download it and give the file, or its bytes as a stream"
      })
    }
    const { fileSystem, sizeBytes } = yield* checkFile(path, limit)
    const bytes = Stream.mapError(fileSystem.stream(path), (error) => fileFault(path, error))
    // The file may grow between the look and the reading.
    return { ...named(baseName(path), options), sizeBytes, bytes: bounded(path, bytes, limit) }
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

const unreadable = () =>
  new InvalidInput({ input: "audio", problem: "its bytes could not be read to the end" })

const named = (
  name: string | undefined,
  options: AudioOptions
): Pick<Audio, "fileName" | "mediaType"> => {
  const given = options.fileName === undefined ? name : baseName(options.fileName)
  const byName = given === undefined ? undefined : Option.getOrUndefined(Mime.getType(given))
  const mediaType = options.mediaType ?? byName ?? "application/octet-stream"
  // Providers tell the format by the name's ending and refuse names without one.
  const ending = Option.getOrElse(Mime.getExtension(mediaType), () => "wav")
  return { fileName: given ?? `audio.${ending === "bin" ? "wav" : ending}`, mediaType }
}

/** The bytes, failing once they are more than allowed or when there were none. */
const bounded = (
  input: string,
  bytes: Stream.Stream<Uint8Array, InvalidInput>,
  limit: { readonly what: string; readonly maxBytes: number }
): Stream.Stream<Uint8Array, InvalidInput> =>
  Stream.suspend(() => {
    let seen = 0
    const check = (): Effect.Effect<void, InvalidInput> =>
      sizeFault(input, seen, limit) ?? Effect.void
    return bytes.pipe(
      Stream.tap((chunk) => {
        seen += chunk.byteLength
        return seen > limit.maxBytes ? check() : Effect.void
      }),
      Stream.concat(Stream.fromEffectDrain(Effect.suspend(check)))
    )
  })
