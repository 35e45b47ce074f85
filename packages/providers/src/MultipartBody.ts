/**
 * A form with one file as a request body, `multipart/form-data`, whose bytes are pulled while they are sent.
 *
 * `FormData` holds its files whole, or needs a Blob of the platform's; here a file stays where it is until the socket asks for
 * it, and each run of the body reads it from its start. Nothing is checked: what a form means is its endpoint's matter.
 *
 * **Source**: RFC 7578 and the WHATWG HTML standard, "multipart/form-data encoding algorithm".
 *
 * @since 0.1.0
 */
import type { Audio } from "@infermesh/core/operation/Audio"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"

import { isRecord } from "./RequestBody.ts"

/**
 * A field of a form.
 *
 * @category models
 * @since 0.1.0
 */
export type Field = readonly [name: string, value: string]

/**
 * The fields of an object's members: lists become `name[]` several times, objects `name[member]`, `null` nothing.
 *
 * **Source**: OpenAI's own clients write their forms so.
 *
 * @category conversions
 * @since 0.1.0
 */
export const fields = (members: { readonly [name: string]: unknown }): ReadonlyArray<Field> =>
  Object.entries(members).flatMap(([name, value]) => fieldsOf(name, value))

const fieldsOf = (name: string, value: unknown): ReadonlyArray<Field> => {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) {
    const each = name.endsWith("[]") ? name : `${name}[]`
    return value.flatMap((item) => fieldsOf(each, item))
  }
  if (isRecord(value)) {
    return Object.entries(value).flatMap(([member, item]) => fieldsOf(`${name}[${member}]`, item))
  }
  return [[name, typeof value === "string" ? value : JSON.stringify(value)]]
}

/**
 * The body of a form: the fields, and the audio as the field `file`, last, so that a server can refuse a form before its file
 * has arrived.
 *
 * **Details**: the length is told where that of the audio is known; other bodies are sent in chunks.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (form: ReadonlyArray<Field>, audio: Audio): Effect.Effect<HttpBody.Stream> =>
  Effect.map(boundary, (border) => {
    const before = encoder.encode(
      form.map(([name, value]) => `${head(border, name)}\r\n\r\n${value}\r\n`).join("") +
        `${head(border, "file")}; filename="${escape(audio.fileName)}"\r\n` +
        `Content-Type: ${audio.mediaType.replaceAll(/[^\x20-\x7e]/g, "")}\r\n\r\n`
    )
    const after = encoder.encode(`\r\n--${border}--\r\n`)
    const length =
      audio.sizeBytes === undefined
        ? undefined
        : before.byteLength + audio.sizeBytes + after.byteLength
    return HttpBody.stream(
      Stream.succeed(before).pipe(Stream.concat(audio.bytes), Stream.concat(Stream.succeed(after))),
      `multipart/form-data; boundary=${border}`,
      length
    )
  })

const encoder = new TextEncoder()

const head = (border: string, name: string): string =>
  `--${border}\r\nContent-Disposition: form-data; name="${escape(name)}"`

/** What would end a name too early, as browsers write it. */
const escape = (name: string): string =>
  name.replaceAll("\n", "%0A").replaceAll("\r", "%0D").replaceAll('"', "%22")

/** A line that no file has by chance. */
const boundary: Effect.Effect<string> = Effect.map(
  Effect.all([Random.nextInt, Random.nextInt]),
  (numbers) => `infermesh-${numbers.map((number) => Math.abs(number).toString(36)).join("")}`
)
