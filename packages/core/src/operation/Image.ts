/**
 * Images for chat messages: a web address, a data URL, a file or bytes, as the content block that messages take.
 *
 * Files and bytes are sent inside the request, base64-encoded, because a provider cannot read the caller's disk. What is not
 * an image is refused here, before anything is spent.
 *
 * **Example** (A file beside a question)
 *
 * ```ts fragment
 * const message = Effect.map(image("photo.jpg", { detail: "low" }), (block) => ({
 *   role: "user" as const,
 *   content: [{ type: "text" as const, text: "What is this?" }, block]
 * }))
 * ```
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
import { checkFile, fileFault, limitFault, pathOf, sizeFault } from "./FileFault.ts"

/**
 * The content block of an image.
 *
 * @category models
 * @since 0.1.0
 */
export interface ImageBlock {
  readonly type: "image_url"
  readonly image_url: { readonly url: string; readonly detail?: string }
}

/**
 * Settings of an image.
 *
 * @category models
 * @since 0.1.0
 */
export interface ImageOptions {
  /** How many tokens the image may take: `auto`, `low`, `high`, or a level of the vendor's own. */
  readonly detail?: "auto" | "low" | "high" | (string & {}) | undefined
  /** The media type, such as `image/png`. Default: by the file's ending, then by its first bytes. */
  readonly mimeType?: string | undefined
  /** The most bytes of an image that is sent along; one at a web address is not looked at. Default 20 MB, OpenAI's limit for an image. */
  readonly maxBytes?: number | undefined
}

/** OpenAI's limit for one image: 20 MB ("Images and vision", read November 2026). */
const defaultMaxBytes = 20_000_000

/**
 * Makes the content block of an image.
 *
 * **Details**: a string is an `http:`, `https:`, `data:` or `file:` URL, else a path.
 *
 * **Errors**: `InvalidInput` for a missing or unreadable file, an unknown type, what is no image, and too many bytes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const image: {
  (source: Uint8Array | Blob, options?: ImageOptions): Effect.Effect<ImageBlock, InvalidInput>
  (
    source: string | URL,
    options?: ImageOptions
  ): Effect.Effect<ImageBlock, InvalidInput, FileSystem.FileSystem>
} = ((
  source: string | URL | Uint8Array | Blob,
  options: ImageOptions = {}
): Effect.Effect<ImageBlock, InvalidInput, FileSystem.FileSystem> => {
  const { detail } = options
  if (detail !== undefined && !(typeof detail === "string" && /^[a-z_-]+$/.test(detail))) {
    return refuse("detail", `'${String(detail)}' is no detail level`)
  }
  const wrong = limitFault(limitOf(options))
  if (wrong !== undefined) return Effect.fail(wrong)
  if (source instanceof Uint8Array) return fromBytes("image", source, options)
  if (source instanceof Blob) return fromBlob(source, options)
  if (typeof source !== "string" && !(source instanceof URL)) {
    return refuse(
      "image",
      `${source === null ? "null" : `a value of type '${typeof source}'`} is no image`,
      "Give a URL, a path, a Uint8Array or a Blob"
    )
  }
  const text = String(source)
  if (/^https?:\/\//i.test(text)) return Effect.succeed(block(text, options))
  if (/^data:/i.test(text)) return fromDataUrl(text, options)
  const url = source instanceof URL ? source : /^file:\/\//i.test(text) ? URL.parse(text) : null
  if (url === null) return fromFile(text, options)
  return Effect.flatMap(Effect.fromResult(pathOf(url)), (path) => fromFile(path, options))
}) as never

const refuse = (input: string, problem: string, hint?: string) =>
  Effect.fail(new InvalidInput({ input, problem, hint }))

const limitOf = (options: ImageOptions) => ({
  what: "image",
  maxBytes: options.maxBytes ?? defaultMaxBytes
})

const fromDataUrl = (url: string, options: ImageOptions) => {
  const [head, mediaType = "", isBase64] = /^data:([^;,]*)[^,]*?(;base64)?,/i.exec(url) ?? [""]
  if (!/^image\//i.test(mediaType)) return Effect.fail(notAnImage("image", mediaType))
  const payload = url.length - head.length
  const fault = sizeFault(
    "image",
    // Four characters of base64 are three bytes.
    isBase64 === undefined ? payload : Math.floor((payload * 3) / 4),
    limitOf(options)
  )
  return fault === undefined ? Effect.succeed(block(url, options)) : Effect.fail(fault)
}

const fromBlob = (blob: Blob, options: ImageOptions) => {
  const fault = sizeFault("image", blob.size, limitOf(options))
  if (fault !== undefined) return Effect.fail(fault)
  const mimeType = options.mimeType ?? (blob.type === "" ? undefined : blob.type)
  return Effect.flatMap(
    // A Blob over a file fails when the file has changed since.
    Effect.tryPromise({
      try: () => blob.arrayBuffer(),
      catch: () => new InvalidInput({ input: "image", problem: "its bytes could not be read" })
    }),
    (buffer) => fromBytes("image", new Uint8Array(buffer), { ...options, mimeType })
  )
}

const fromFile = Effect.fnUntraced(function* (path: string, options: ImageOptions) {
  const { fileSystem } = yield* checkFile(path, limitOf(options))
  const bytes = yield* Effect.mapError(fileSystem.readFile(path), (error) => fileFault(path, error))
  const byEnding = Option.getOrUndefined(Mime.getType(path))
  return yield* fromBytes(path, bytes, { ...options, mimeType: options.mimeType ?? byEnding })
})

const fromBytes = (
  input: string,
  bytes: Uint8Array,
  options: ImageOptions
): Effect.Effect<ImageBlock, InvalidInput> => {
  const fault = sizeFault(input, bytes.byteLength, limitOf(options))
  if (fault !== undefined) return Effect.fail(fault)
  const seen = sniff(bytes)
  // The bytes win over the ending: a wrong ending is common, a wrong signature is not.
  const mimeType = seen ?? options.mimeType
  if (mimeType === undefined) {
    return refuse(input, "its type cannot be told", 'Give mimeType, such as "image/png"')
  }
  if (!mimeType.startsWith("image/")) return Effect.fail(notAnImage(input, mimeType))
  if (seen === undefined && recognised.has(mimeType)) {
    return Effect.fail(notAnImage(input, `not what ${mimeType} begins with`))
  }
  return Effect.succeed(block(`data:${mimeType};base64,${Base64.encode(bytes)}`, options))
}

const notAnImage = (input: string, found: string) =>
  new InvalidInput({
    input,
    problem: `it is no image (${found || "no media type"})`,
    hint: "Give a PNG, JPEG, GIF or WebP"
  })

const block = (url: string, { detail }: ImageOptions): ImageBlock => ({
  type: "image_url",
  image_url: detail === undefined ? { url } : { url, detail }
})

const recognised = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"])

/** The type by the first bytes, for the four types that vision models take. */
const sniff = (bytes: Uint8Array): string | undefined => {
  const begins = (signature: string, offset = 0) =>
    [...signature].every((char, index) => bytes[offset + index] === char.charCodeAt(0))
  if (begins("\x89PNG\r\n\x1a\n")) return "image/png"
  if (begins("\xff\xd8\xff")) return "image/jpeg"
  if (begins("GIF87a") || begins("GIF89a")) return "image/gif"
  if (begins("RIFF") && begins("WEBP", 8)) return "image/webp"
  return undefined
}
