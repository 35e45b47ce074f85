/**
 * What a row's content is told by: its JSON with the keys in order and no white space, so that neither the order of the keys
 * nor spacing makes it another row.
 *
 * Numbers that JavaScript cannot hold exactly, and lines that are no JSON, are told by the line's own text.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"

import type { Line } from "./Jsonl.ts"

/**
 * The text of a row's content; rows with the same text are the same row.
 *
 * @category getters
 * @since 0.1.0
 */
export const content = ({ row, text }: Line): string => {
  if (Result.isFailure(row)) return `!${text ?? row.failure}`
  if (text !== undefined && longNumber.test(text)) return `#${text}`
  try {
    return canonical(row.success)
  } catch {
    // Nested deeper than the stack, or a value from code that contains itself.
    return `!${text ?? "no JSON"}`
  }
}

/** Digits enough that a number may have lost some of them when it was read. */
const longNumber = /\d{16}/

/**
 * A value as JSON with the keys of objects in order.
 *
 * @category encoding
 * @since 0.1.0
 */
export const canonical = (value: unknown): string => {
  if (typeof value === "bigint") return value.toString()
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null"
  if ("toJSON" in value && typeof value.toJSON === "function") return canonical(value.toJSON())
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`
  const fields = value as { readonly [key: string]: unknown }
  const keys = Object.keys(fields)
  if (!isSorted(keys)) keys.sort()
  let text = "{"
  for (const key of keys) {
    const field = fields[key]
    if (field === undefined) continue
    text += `${text.length === 1 ? "" : ","}${JSON.stringify(key)}:${canonical(field)}`
  }
  return `${text}}`
}

const isSorted = (keys: ReadonlyArray<string>): boolean => {
  for (let at = 1; at < keys.length; at++) {
    if ((keys[at - 1] as string) > (keys[at] as string)) return false
  }
  return true
}
