/**
 * The object around an answer whose own root is none: providers that enforce schemas want an object there.
 *
 * A box has the one field `value`. Models that are not made to keep it often leave it away, and are read all the same.
 *
 * @since 0.1.0
 */
import * as PartialJson from "./PartialJson.ts"

type Json = { readonly [key: string]: unknown }

/**
 * An answer in its box.
 *
 * @category models
 * @since 0.1.0
 */
export interface Box<A> {
  readonly value: A
}

/** Keywords that count for the whole document, wherever they stand, and so stay at its root. */
const ofDocument = new Set(["$schema", "$id", "$defs", "definitions"])

/**
 * The JSON Schema of a box.
 *
 * @category constructors
 * @since 0.1.0
 */
export const schema = (inner: Json): Json => {
  const [outer, value]: readonly [Record<string, unknown>, Record<string, unknown>] = [{}, {}]
  for (const [keyword, part] of Object.entries(inner)) {
    const place = ofDocument.has(keyword) ? outer : value
    place[keyword] = part
  }
  return {
    ...outer,
    type: "object",
    properties: { value },
    required: ["value"],
    additionalProperties: false
  }
}

/**
 * Whether a value is a box.
 *
 * @category guards
 * @since 0.1.0
 */
export const isBox = (value: unknown): value is Box<unknown> =>
  typeof value === "object" && value !== null && "value" in value && Object.keys(value).length === 1

/**
 * What can be read of an answer in its box, or without it, that is still being written.
 *
 * **Details**: a list shows by its bracket that it has no box, an object by its first field.
 *
 * @category decoding
 * @since 0.1.0
 */
export const partial = (text: string): unknown => {
  const value = PartialJson.parse(text)
  if (isBox(value)) return value.value
  const isEmpty = typeof value === "object" && value !== null && Object.keys(value).length === 0
  return isEmpty && !Array.isArray(value) ? undefined : value
}
