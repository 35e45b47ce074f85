/** Recorded responses of real providers, where they are at hand, and what is compared with them. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

import { it } from "@effect/vitest"
import type { Effect } from "effect"

const wire = join(import.meta.dirname, "../../../../shared/wire")

/** A test of the recordings with these names; it is skipped, and says so, where one is missing. */
export const recordedIt = (
  title: string,
  names: ReadonlyArray<string>,
  test: () => Effect.Effect<void, unknown>
) => {
  const missing = names.find((name) => !existsSync(join(wire, name)))
  const suffix = missing === undefined ? "" : ` (skipped: no recording ${join(wire, missing)})`
  it.effect.skipIf(missing !== undefined)(`${title}${suffix}`, test)
}

/** A whole recorded body. */
export const body = (name: string): unknown => JSON.parse(readFileSync(join(wire, name), "utf8"))

/** The payloads of a recorded stream. */
export const chunks = (name: string): ReadonlyArray<unknown> =>
  readFileSync(join(wire, name), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown)

/** Every key of a value with its path and the kind of value, in order; of an array the first item. */
export const shape = (value: unknown, path = ""): ReadonlyArray<string> => {
  if (Array.isArray(value)) return value.slice(0, 1).flatMap((item) => shape(item, `${path}[]`))
  if (typeof value !== "object" || value === null)
    return [`${path} ${value === null ? "null" : typeof value}`]
  return Object.entries(value).flatMap(([key, item]) =>
    [`${path}.${key}`].concat(shape(item, `${path}.${key}`))
  )
}

/** The shape without its order. */
export const keys = (value: unknown): ReadonlyArray<string> => shape(value).toSorted()
