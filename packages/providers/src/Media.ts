/**
 * The data of a file part, in the forms that vendors with a wire format of their own ask for.
 *
 * It reads no file and fetches nothing: `Image` and `Audio` of core make parts out of files.
 *
 * @since 0.1.0
 */
import type * as Prompt from "effect/ai/Prompt"
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"

type Data = Prompt.FilePart["data"]

/**
 * The web address of data that is not in the request itself.
 *
 * @category getters
 * @since 0.1.0
 */
export const address = (data: Data): string | undefined =>
  data instanceof URL
    ? data.href
    : typeof data === "string" && /^(?:https?|gs):\/\//i.test(data)
      ? data
      : undefined

/**
 * The bytes as base64; a string is taken to be that already.
 *
 * @category getters
 * @since 0.1.0
 */
export const base64 = (data: string | Uint8Array): string =>
  typeof data === "string" ? data : Base64.encode(data)

/**
 * The bytes as UTF-8 text; `undefined` when the data is no base64.
 *
 * @category getters
 * @since 0.1.0
 */
export const text = (data: string | Uint8Array): string | undefined =>
  typeof data === "string"
    ? Result.getOrUndefined(Base64.decodeString(data))
    : new TextDecoder().decode(data)

/** First characters of base64 data, by which a file shows its type. Source: the magic numbers of the formats. */
const signatures: ReadonlyArray<readonly [start: string, mediaType: string]> = [
  ["iVBORw0KGgo", "image/png"],
  ["/9j/", "image/jpeg"],
  ["R0lGOD", "image/gif"],
  ["UklGR", "image/webp"],
  ["JVBERi0", "application/pdf"]
]

/**
 * The media type of a part: the one it names, or where it names none exactly (a wildcard, or bytes of any kind), what its
 * first bytes show.
 *
 * @category getters
 * @since 0.1.0
 */
export const mediaType = (part: Prompt.FilePart): string => {
  const { data, mediaType: named } = part
  if (!named.endsWith("/*") && named !== "application/octet-stream") return named
  if (data instanceof URL || data.length === 0) return named
  const start = typeof data === "string" ? data : Base64.encode(data.subarray(0, 12))
  return signatures.find(([signature]) => start.startsWith(signature))?.[1] ?? named
}
