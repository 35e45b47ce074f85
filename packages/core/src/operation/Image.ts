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
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"

import { InvalidInput } from "../Reason.ts"
import type { Kind, Media, MediaOptions, Source } from "./MediaSource.ts"
import * as MediaSource from "./MediaSource.ts"

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
 * **Units**: `maxBytes` in bytes; default 20 MB, OpenAI's limit for one image.
 *
 * @category models
 * @since 0.1.0
 */
export interface ImageOptions extends MediaOptions {
  /** How many tokens the image may take: `auto`, `low`, `high`, or a level of the vendor's own. */
  readonly detail?: "auto" | "low" | "high" | (string & {}) | undefined
}

const kind: Kind = {
  what: "image",
  // Source: OpenAI, "Images and vision", read November 2026.
  maxBytes: 20_000_000,
  accepts: (mediaType) => mediaType.startsWith("image/"),
  hint: "Give a PNG, JPEG, GIF or WebP",
  example: "image/png",
  sniff: (bytes) => {
    if (MediaSource.begins(bytes, "\x89PNG\r\n\x1a\n")) return "image/png"
    if (MediaSource.begins(bytes, "\xff\xd8\xff")) return "image/jpeg"
    if (MediaSource.begins(bytes, "GIF87a") || MediaSource.begins(bytes, "GIF89a"))
      return "image/gif"
    if (MediaSource.begins(bytes, "RIFF") && MediaSource.begins(bytes, "WEBP", 8))
      return "image/webp"
    return undefined
  },
  shown: new Set(["image/png", "image/jpeg", "image/gif", "image/webp"])
}

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
  source: Source,
  options: ImageOptions = {}
): Effect.Effect<ImageBlock, InvalidInput, FileSystem.FileSystem> => {
  const { detail } = options
  if (detail !== undefined && !(typeof detail === "string" && /^[a-z_-]+$/.test(detail))) {
    const problem = `'${String(detail)}' is no detail level`
    return Effect.fail(new InvalidInput({ input: "detail", problem }))
  }
  return Effect.map(MediaSource.load(kind, source, options), (media) => {
    const url = urlOf(media)
    return { type: "image_url", image_url: detail === undefined ? { url } : { url, detail } }
  })
}) as never

const urlOf = (media: Media): string =>
  media._tag === "Bytes" ? `data:${media.mediaType};base64,${MediaSource.base64(media)}` : media.url
