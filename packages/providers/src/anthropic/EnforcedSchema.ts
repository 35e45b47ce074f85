/**
 * A JSON Schema in the subset that Anthropic enforces, for answers and for the input of tools.
 *
 * It checks no answer; `StructuredOutput` of core does that, against the schema as it was given.
 *
 * **Source**: Claude documentation, "Structured outputs", "JSON Schema limitations" (read November 2026).
 *
 * @since 0.1.0
 */
import type { Json } from "../RequestBody.ts"
import { isRecord } from "../RequestBody.ts"

/** Keywords that the API takes as they are. */
const taken = new Set([
  "$defs",
  "$ref",
  "allOf",
  "anyOf",
  "const",
  "default",
  "definitions",
  "description",
  "enum",
  "format",
  "items",
  "pattern",
  "properties",
  "required",
  "title",
  "type"
])

/** Keywords that say nothing about an answer. */
const silent = new Set(["$schema", "$id", "$comment", "additionalProperties", "examples", "oneOf"])

/** String formats that the API enforces; others are told to the model in words. */
const formats = new Set([
  "date",
  "date-time",
  "duration",
  "email",
  "hostname",
  "ipv4",
  "ipv6",
  "time",
  "uri",
  "uuid"
])

/** Schemas already adapted, by identity: one schema serves many requests. */
const adapted = new WeakMap<object, { readonly schema: Json | undefined }>()

/**
 * A JSON Schema in the subset that the API enforces; `undefined` where the schema says what the subset cannot: objects with
 * any keys, values of any type, recursion.
 *
 * **Details**: objects are closed, and rules that the API does not enforce (`minimum`, `maxLength`, …) go into the
 * description, so that the model still reads them.
 *
 * @category encoding
 * @since 0.1.0
 */
export const enforceable = (schema: Json): Json | undefined => {
  let known = adapted.get(schema)
  if (known === undefined) {
    known = { schema: isRecursive(schema) ? undefined : adapt(schema) }
    adapted.set(schema, known)
  }
  return known.schema
}

const adapt = (schema: unknown): Json | undefined => {
  if (!isRecord(schema) || !saysWhatItIs(schema)) return undefined
  const result: Record<string, unknown> = {}
  const told: Array<string> = []
  for (const [keyword, value] of Object.entries(schema)) {
    if (silent.has(keyword)) continue
    if (!isTaken(keyword, value)) {
      told.push(`${keyword}: ${JSON.stringify(value)}`)
      continue
    }
    const inner = adaptKeyword(keyword, value)
    if (inner === undefined) return undefined
    result[keyword] = inner
  }
  const alternatives = schema["oneOf"]
  if (alternatives !== undefined) {
    const inner = adaptKeyword("anyOf", alternatives)
    if (inner === undefined) return undefined
    result["anyOf"] = inner
  }
  // A list of anything allows every value inside it.
  if (schema["type"] === "array" && schema["items"] === undefined) return undefined
  if (isObjectSchema(schema)) {
    if (!isClosable(schema)) return undefined
    result["additionalProperties"] = false
  }
  if (told.length > 0) {
    const words = `{${told.join(", ")}}`
    const description = schema["description"]
    result["description"] = typeof description === "string" ? `${description} ${words}` : words
  }
  return result
}

/** A schema without any of these allows every value, which the API cannot enforce. */
const saysWhatItIs = (schema: Json): boolean =>
  ["type", "anyOf", "oneOf", "allOf", "$ref", "enum", "const"].some(
    (keyword) => schema[keyword] !== undefined
  )

const isTaken = (keyword: string, value: unknown): boolean => {
  if (keyword === "format") return typeof value === "string" && formats.has(value)
  if (keyword === "minItems") return value === 0 || value === 1
  return taken.has(keyword)
}

const adaptKeyword = (keyword: string, value: unknown): unknown => {
  switch (keyword) {
    case "anyOf":
    case "allOf":
      return Array.isArray(value) ? adaptAll(value) : undefined
    case "items":
      return adapt(value)
    case "properties":
    case "$defs":
    case "definitions": {
      if (!isRecord(value)) return undefined
      const schemas = adaptAll(Object.values(value))
      const names = Object.keys(value)
      return schemas && Object.fromEntries(names.map((name, index) => [name, schemas[index]]))
    }
    case "$ref":
      // Only what is in the document itself can be found.
      return typeof value === "string" && value.startsWith("#/") ? value : undefined
    default:
      return value
  }
}

const adaptAll = (schemas: ReadonlyArray<unknown>): ReadonlyArray<Json> | undefined => {
  const result: Array<Json> = []
  for (const schema of schemas) {
    const one = adapt(schema)
    if (one === undefined) return undefined
    result.push(one)
  }
  return result
}

const isObjectSchema = ({ properties, type }: Json): boolean =>
  type === "object" ||
  (Array.isArray(type) && type.includes("object")) ||
  (type === undefined && properties !== undefined)

/** An object that is open to keys of its own choice is a map, and closing it would forbid all of them. */
const isClosable = ({ additionalProperties, patternProperties, properties }: Json): boolean =>
  !isRecord(additionalProperties) &&
  patternProperties === undefined &&
  (additionalProperties === false || (isRecord(properties) && Object.keys(properties).length > 0))

const isRecursive = (root: Json): boolean => {
  const finite = new Set<string>()
  const reaches = (value: unknown, open: ReadonlyArray<string>): boolean => {
    if (Array.isArray(value)) return value.some((one) => reaches(one, open))
    if (!isRecord(value)) return false
    const reference = value["$ref"]
    if (typeof reference === "string") {
      if (open.includes(reference) || reference === "#") return true
      if (!finite.has(reference)) {
        if (reaches(resolve(root, reference), [...open, reference])) return true
        finite.add(reference)
      }
    }
    return Object.entries(value).some(
      ([key, inner]) => key !== "$defs" && key !== "definitions" && reaches(inner, open)
    )
  }
  return reaches(root, [])
}

const resolve = (root: Json, reference: string): unknown => {
  let found: unknown = root
  for (const step of reference.split("/").slice(1)) {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~")
    found = isRecord(found) ? found[key] : undefined
  }
  return found
}
