/**
 * Documents for chat messages: a PDF or a text, as the content block that messages take.
 *
 * Files and bytes are sent inside the request. Which documents a model reads is the provider's matter; one that reads none, or
 * not from a web address, refuses the request as `Unsupported` before it is sent.
 *
 * **Example** (A report to summarise)
 *
 * ```ts fragment
 * const message = Effect.map(document("report.pdf"), (block) => ({
 *   role: "user" as const,
 *   content: [{ type: "text" as const, text: "Summarise this." }, block]
 * }))
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Mime from "effect/http/Mime"
import * as Option from "effect/Option"

import type { InvalidInput } from "../Reason.ts"
import { baseName } from "./FileFault.ts"
import type { Kind, Media, MediaOptions, Source } from "./MediaSource.ts"
import * as MediaSource from "./MediaSource.ts"

/**
 * The content block of a document.
 *
 * @category models
 * @since 0.1.0
 */
export interface DocumentBlock {
  readonly type: "file"
  readonly file: {
    readonly filename?: string
    readonly file_data?: string
    readonly file_url?: string
    readonly format?: string
  }
}

/**
 * Settings of a document.
 *
 * **Units**: `maxBytes` in bytes; default 20 MB, so that a request with it stays below Anthropic's 32 MB in base64.
 *
 * @category models
 * @since 0.1.0
 */
export interface DocumentOptions extends MediaOptions {
  /** The name that the model is told. Default: the file's, never its path, else `document` and the type's ending. */
  readonly fileName?: string | undefined
}

const pdf = "application/pdf"

const kind: Kind = {
  what: "document",
  // Source: Claude documentation, "PDF support", request size, read November 2026.
  maxBytes: 20_000_000,
  accepts: (mediaType) =>
    mediaType.includes("/") &&
    !/^(?:image|audio|video|font|multipart)\//.test(mediaType) &&
    mediaType !== "application/octet-stream",
  hint: "Give a PDF or a text; images and sounds have functions of their own",
  example: pdf,
  sniff: (bytes) => (isPdf(bytes) ? pdf : undefined),
  shown: new Set([pdf]),
  guess: (bytes) => (isText(bytes) ? "text/plain" : undefined)
}

/** The header may stand behind up to 1024 bytes of something else. Source: ISO 32000, implementation notes. */
const isPdf = (bytes: Uint8Array): boolean => {
  const last = Math.min(bytes.byteLength - 5, 1024)
  for (let offset = 0; offset <= last; offset++) {
    if (MediaSource.begins(bytes, "%PDF-", offset)) return true
  }
  return false
}

const isText = (bytes: Uint8Array): boolean => {
  try {
    return !new TextDecoder("utf-8", { fatal: true }).decode(bytes).includes("\0")
  } catch {
    return false
  }
}

/**
 * Makes the content block of a document.
 *
 * **Details**: a string is an `http:`, `https:`, `data:` or `file:` URL, else a path. Bytes of which nothing is said are a PDF
 * or a text by what they are. A web address without a known ending is taken to be a PDF.
 *
 * **Errors**: `InvalidInput` for a missing or unreadable file, an unknown type, what is no document, and too many bytes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const document: {
  (source: Uint8Array | Blob, options?: DocumentOptions): Effect.Effect<DocumentBlock, InvalidInput>
  (
    source: string | URL,
    options?: DocumentOptions
  ): Effect.Effect<DocumentBlock, InvalidInput, FileSystem.FileSystem>
} = ((
  source: Source,
  options: DocumentOptions = {}
): Effect.Effect<DocumentBlock, InvalidInput, FileSystem.FileSystem> =>
  Effect.map(MediaSource.load(kind, source, options), (media) => ({
    type: "file",
    file: fileOf(media, options)
  }))) as never

const fileOf = (media: Media, { fileName }: DocumentOptions): DocumentBlock["file"] => {
  if (media._tag === "Address") {
    const name = fileName === undefined ? {} : { filename: baseName(fileName) }
    return { ...name, file_url: media.url, format: media.mediaType ?? pdf }
  }
  const given = fileName ?? (media._tag === "Bytes" ? media.fileName : undefined)
  return {
    filename: given === undefined ? `document.${endingOf(media.mediaType)}` : baseName(given),
    file_data: `data:${media.mediaType};base64,${MediaSource.base64(media)}`
  }
}

const endingOf = (mediaType: string): string =>
  Option.getOrElse(Mime.getExtension(mediaType), () => "txt")
