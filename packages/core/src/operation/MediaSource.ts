/**
 * The bytes and the type of what a chat message shall carry: an image, a document or a sound, out of a file, an address, a data
 * URL, a Blob or bytes.
 *
 * It makes no content block; `Image`, `Document` and `AudioBlock` do, each for its kind. What is not of the kind is refused
 * here, before anything is spent.
 *
 * **Units**: `maxBytes` in bytes.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import type * as FileSystem from "effect/FileSystem"
import * as Mime from "effect/http/Mime"
import * as Option from "effect/Option"

import { InvalidInput } from "../Reason.ts"
import { baseName, checkFile, fileFault, limitFault, pathOf, sizeFault } from "./FileFault.ts"

/**
 * Where media can come from.
 *
 * **Details**: a string is an `http:`, `https:`, `data:` or `file:` URL, else a path.
 *
 * @category models
 * @since 0.1.0
 */
export type Source = string | URL | Uint8Array | Blob

/**
 * What callers may say about media.
 *
 * @category models
 * @since 0.1.0
 */
export interface MediaOptions {
  /** The media type, such as `image/png`. Default: by the first bytes, then by the file's ending. */
  readonly mimeType?: string | undefined
  /** The most bytes that are sent along; what is at a web address is not looked at. */
  readonly maxBytes?: number | undefined
}

/**
 * A kind of media: what it is called in messages, and how it is known.
 *
 * @category models
 * @since 0.1.0
 */
export interface Kind {
  readonly what: string
  readonly maxBytes: number
  readonly accepts: (mediaType: string) => boolean
  /** What may be given instead of something that is not of this kind. */
  readonly hint: string
  /** A media type of this kind, for the message that asks for one. */
  readonly example: string
  /** The type that the first bytes show for certain. */
  readonly sniff: (bytes: Uint8Array) => string | undefined
  /** The types that `sniff` knows: bytes that are called one of them and show nothing are not of it. */
  readonly shown: ReadonlySet<string>
  /** The type of bytes of which nothing is said. */
  readonly guess?: ((bytes: Uint8Array) => string | undefined) | undefined
}

/**
 * Media ready to be written: at a web address, in a data URL as it was given, or as bytes.
 *
 * @category models
 * @since 0.1.0
 */
export type Media =
  | { readonly _tag: "Address"; readonly url: string; readonly mediaType: string | undefined }
  | { readonly _tag: "DataUrl"; readonly url: string; readonly mediaType: string }
  | {
      readonly _tag: "Bytes"
      readonly bytes: Uint8Array
      readonly mediaType: string
      /** The base name of the file, never its path. */
      readonly fileName: string | undefined
    }

/**
 * Reads media and checks that they are of the kind.
 *
 * **Errors**: `InvalidInput` for a missing or unreadable file, an unknown type, what is not of the kind, and too many bytes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const load = (
  kind: Kind,
  source: Source,
  options: MediaOptions
): Effect.Effect<Media, InvalidInput, FileSystem.FileSystem> => {
  const wrong = limitFault(limitOf(kind, options))
  if (wrong !== undefined) return Effect.fail(wrong)
  if (source instanceof Uint8Array) return fromBytes(kind, kind.what, source, options)
  if (source instanceof Blob) return fromBlob(kind, source, options)
  if (typeof source !== "string" && !((source as unknown) instanceof URL)) {
    const given = source === null ? "null" : `a value of type '${typeof source}'`
    return refuse(
      kind.what,
      `${given} is no ${kind.what}`,
      "Give a URL, a path, a Uint8Array or a Blob"
    )
  }
  const text = String(source)
  if (/^https?:\/\//i.test(text)) {
    const mediaType = options.mimeType ?? typeByEnding(URL.parse(text)?.pathname ?? "")
    return Effect.succeed({ _tag: "Address", url: text, mediaType })
  }
  if (/^data:/i.test(text)) return fromDataUrl(kind, text, options)
  const url = source instanceof URL ? source : /^file:\/\//i.test(text) ? URL.parse(text) : null
  if (url === null) return fromFile(kind, text, options)
  return Effect.flatMap(Effect.fromResult(pathOf(url)), (path) => fromFile(kind, path, options))
}

/**
 * The base64 of media that are not at a web address.
 *
 * @category getters
 * @since 0.1.0
 */
export const base64 = (media: Exclude<Media, { readonly _tag: "Address" }>): string => {
  if (media._tag === "Bytes") return Base64.encode(media.bytes)
  const { isBase64, payload } = split(media.url)
  return isBase64 ? payload : Base64.encode(decodeURIComponent(payload))
}

/**
 * Whether bytes begin with a signature, at an offset.
 *
 * @category guards
 * @since 0.1.0
 */
export const begins = (bytes: Uint8Array, signature: string, offset = 0): boolean =>
  [...signature].every((char, index) => bytes[offset + index] === char.charCodeAt(0))

const refuse = (input: string, problem: string, hint?: string) =>
  Effect.fail(new InvalidInput({ input, problem, hint }))

const limitOf = ({ maxBytes, what }: Kind, options: MediaOptions) => ({
  what,
  maxBytes: options.maxBytes ?? maxBytes
})

const typeByEnding = (name: string) => Option.getOrUndefined(Mime.getType(name))

const split = (url: string) => {
  const [head, mediaType = "", isBase64] = /^data:([^;,]*)[^,]*?(;base64)?,/i.exec(url) ?? [""]
  return { mediaType, isBase64: isBase64 !== undefined, payload: url.slice(head.length) }
}

const fromDataUrl = (kind: Kind, url: string, options: MediaOptions) => {
  const { isBase64, mediaType, payload } = split(url)
  if (!kind.accepts(mediaType.toLowerCase()))
    return Effect.fail(notOfKind(kind, kind.what, mediaType))
  // Four characters of base64 are three bytes.
  const size = isBase64 ? Math.floor((payload.length * 3) / 4) : payload.length
  const fault = sizeFault(kind.what, size, limitOf(kind, options))
  if (fault !== undefined) return Effect.fail(fault)
  return !isBase64 && !isEscaped(payload)
    ? refuse(kind.what, "the data URL has an escape that is none")
    : Effect.succeed({ _tag: "DataUrl" as const, url, mediaType })
}

const isEscaped = (text: string): boolean => {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

const fromBlob = (kind: Kind, blob: Blob, options: MediaOptions) => {
  const fault = sizeFault(kind.what, blob.size, limitOf(kind, options))
  if (fault !== undefined) return Effect.fail(fault)
  const mimeType = options.mimeType ?? (blob.type === "" ? undefined : blob.type)
  const name = "name" in blob && typeof blob.name === "string" ? baseName(blob.name) : undefined
  return Effect.flatMap(
    // A Blob over a file fails when the file has changed since.
    Effect.tryPromise({
      try: () => blob.arrayBuffer(),
      catch: () => new InvalidInput({ input: kind.what, problem: "its bytes could not be read" })
    }),
    (buffer) =>
      fromBytes(
        kind,
        kind.what,
        new Uint8Array(buffer),
        { ...options, mimeType },
        name || undefined
      )
  )
}

const fromFile = Effect.fnUntraced(function* (kind: Kind, path: string, options: MediaOptions) {
  const { fileSystem } = yield* checkFile(path, limitOf(kind, options))
  const bytes = yield* Effect.mapError(fileSystem.readFile(path), (error) => fileFault(path, error))
  const mimeType = options.mimeType ?? typeByEnding(path)
  return yield* fromBytes(kind, path, bytes, { ...options, mimeType }, baseName(path))
})

const fromBytes = (
  kind: Kind,
  input: string,
  bytes: Uint8Array,
  options: MediaOptions,
  fileName?: string
): Effect.Effect<Media, InvalidInput> => {
  const fault = sizeFault(input, bytes.byteLength, limitOf(kind, options))
  if (fault !== undefined) return Effect.fail(fault)
  const seen = kind.sniff(bytes)
  // The bytes win over the ending: a wrong ending is common, a wrong signature is not.
  const mediaType = seen ?? options.mimeType ?? kind.guess?.(bytes)
  if (mediaType === undefined) {
    return refuse(input, "its type cannot be told", `Give mimeType, such as "${kind.example}"`)
  }
  if (!kind.accepts(mediaType)) return Effect.fail(notOfKind(kind, input, mediaType))
  return seen === undefined && kind.shown.has(mediaType)
    ? Effect.fail(notOfKind(kind, input, `not what ${mediaType} begins with`))
    : Effect.succeed({ _tag: "Bytes", bytes, mediaType, fileName })
}

const notOfKind = ({ hint, what }: Kind, input: string, found: string) =>
  new InvalidInput({ input, problem: `it is no ${what} (${found || "no media type"})`, hint })
