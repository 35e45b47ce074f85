/**
 * What makes two requests the same: a text of everything that can change the answer.
 *
 * Objects with the same fields are the same whatever their order; bytes and URLs count by their content. A field that is
 * `undefined` counts as absent.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Hex from "effect/encoding/Hex"

/**
 * A text that is the same for the same values, and for no others.
 *
 * @category encoding
 * @since 0.1.0
 */
export const canonical = (value: unknown): string => {
  if (value instanceof Uint8Array) return `bytes:${Base64.encode(value)}`
  if (value instanceof URL) return JSON.stringify(value.href)
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null"
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .map(([name, field]): [string, string] => [JSON.stringify(name), canonical(field)])
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
  return `{${fields.map(([name, field]) => `${name}:${field}`).join(",")}}`
}

/**
 * The SHA-256 of a text, as 64 hexadecimal digits: short enough for a file's name.
 *
 * @category encoding
 * @since 0.1.0
 */
export const digest = (text: string): Effect.Effect<string> =>
  Effect.promise(async () =>
    Hex.encode(
      new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)))
    )
  )
