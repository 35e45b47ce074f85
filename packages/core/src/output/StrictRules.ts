/**
 * The rules that a JSON Schema has to keep for a provider to enforce it word by word: its strict mode.
 *
 * It rewrites nothing (`effect/ai` does that) and reads no answer. A schema that breaks a rule is not sent as strict: the
 * provider would refuse the request.
 *
 * **Source**: OpenAI, "Structured model outputs", supported schemas and their limits (read November 2026); the rules of other
 * providers are wider.
 *
 * @since 0.1.0
 */

type Json = { readonly [key: string]: unknown }

/** The most of each that one schema may have. */
const limits = {
  "object properties": 5000,
  "levels of nested objects": 10,
  "enum values": 1000,
  "characters in names and enum values": 120_000
} as const

type Limit = keyof typeof limits

/** What strict mode has no way to enforce. */
const refused = [
  "allOf",
  "oneOf",
  "not",
  "if",
  "then",
  "else",
  "dependentRequired",
  "dependentSchemas",
  "patternProperties",
  "prefixItems"
]

/**
 * The first rule that a schema breaks, in one line that says where; `undefined` when it keeps them all.
 *
 * @category guards
 * @since 0.1.0
 */
export const broken = (schema: Json): string | undefined => {
  if (schema["type"] !== "object" || schema["anyOf"] !== undefined) {
    return "the root is no plain object"
  }
  const counts: Record<Limit, number> = {
    "object properties": 0,
    "levels of nested objects": 0,
    "enum values": 0,
    "characters in names and enum values": 0
  }
  const rule = visit(schema, "", 0, counts)
  if (rule !== undefined) return rule
  for (const limit of Object.keys(limits) as ReadonlyArray<Limit>) {
    if (counts[limit] > limits[limit]) {
      return `it has ${counts[limit]} ${limit}, more than ${limits[limit]}`
    }
  }
  return undefined
}

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const says = ["type", "anyOf", "$ref", "enum", "const"]

const visit = (
  schema: unknown,
  path: string,
  level: number,
  counts: Record<Limit, number>
): string | undefined => {
  const at = path === "" ? "at the root" : `at ${path}`
  if (!isObject(schema) || !says.some((keyword) => schema[keyword] !== undefined)) {
    return `${at}: any value is allowed`
  }
  const unusable = refused.find((keyword) => schema[keyword] !== undefined)
  if (unusable !== undefined) return `${at}: '${unusable}' cannot be enforced`
  const values = Array.isArray(schema["enum"]) ? schema["enum"] : []
  counts["enum values"] += values.length
  counts["characters in names and enum values"] += characters(values)
  const inside = isObjectSchema(schema) ? level + 1 : level
  counts["levels of nested objects"] = Math.max(counts["levels of nested objects"], inside)
  return (
    (isObjectSchema(schema) ? objectRule(schema, at, counts) : undefined) ??
    each(schema["properties"], (key) => `${path === "" ? "" : `${path}.`}${key}`, inside, counts) ??
    each(schema["anyOf"], () => path, inside, counts) ??
    (schema["items"] === undefined
      ? listRule(schema, at)
      : visit(schema["items"], `${path}[]`, inside, counts)) ??
    each(schema["$defs"] ?? schema["definitions"], (key) => `$defs.${key}`, 0, counts)
  )
}

const isObjectSchema = ({ properties, type }: Json): boolean =>
  type === "object" || (Array.isArray(type) && type.includes("object")) || properties !== undefined

const objectRule = (
  { additionalProperties, properties, required }: Json,
  at: string,
  counts: Record<Limit, number>
): string | undefined => {
  if (additionalProperties !== false) return `${at}: 'additionalProperties' is not false`
  const names = isObject(properties) ? Object.keys(properties) : []
  counts["object properties"] += names.length
  counts["characters in names and enum values"] += characters(names)
  const listed = Array.isArray(required) ? required : []
  const optional = names.find((name) => !listed.includes(name))
  return optional === undefined ? undefined : `${at}: '${optional}' is not in 'required'`
}

const listRule = ({ type }: Json, at: string): string | undefined =>
  type === "array" ? `${at}: the list may hold any value` : undefined

const characters = (texts: ReadonlyArray<unknown>): number =>
  texts.reduce<number>((sum, text) => sum + (typeof text === "string" ? text.length : 0), 0)

const each = (
  schemas: unknown,
  path: (key: string) => string,
  level: number,
  counts: Record<Limit, number>
): string | undefined => {
  for (const [key, schema] of Object.entries(schemas ?? {})) {
    const rule = visit(schema, path(key), level, counts)
    if (rule !== undefined) return rule
  }
  return undefined
}
