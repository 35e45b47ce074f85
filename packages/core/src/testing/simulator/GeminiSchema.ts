/**
 * The check of a `Schema` of the Gemini API: its own subset of OpenAPI, not JSON Schema.
 *
 * Clients that send JSON Schema here learn of it: `additionalProperties`, `$ref` and `const` are unknown names.
 *
 * **Source**: Gemini API reference, "Schema" (read November 2026).
 *
 * @since 0.1.0
 */
import {
  anything,
  array,
  boolean,
  type Check,
  decimal,
  isObject,
  object,
  oneOf,
  string,
  struct
} from "./FieldCheck.ts"

const number = decimal(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)
/** Numbers of 64 bits may come as text. */
const count: Check = (value, path) => (typeof value === "string" ? undefined : number(value, path))
const types = ["STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"]

const properties: Check = (value, path) => {
  if (!isObject(value)) return object(value, path)
  for (const [index, property] of Object.values(value).entries()) {
    const wrong = check(property, `${path}[${index}].value`)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

/**
 * The check.
 *
 * @category schemas
 * @since 0.1.0
 */
export const check: Check = (value, path) => fields(value, path)

const fields = struct({
  type: (value, path) =>
    oneOf("TYPE_UNSPECIFIED", ...types)(
      typeof value === "string" ? value.toUpperCase() : value,
      path
    ),
  format: string(),
  title: string(),
  description: string(),
  nullable: boolean,
  enum: array(string()),
  maxItems: count,
  minItems: count,
  properties,
  required: array(string()),
  minProperties: count,
  maxProperties: count,
  minLength: count,
  maxLength: count,
  pattern: string(),
  example: anything,
  anyOf: array(check),
  propertyOrdering: array(string()),
  default: anything,
  items: check,
  minimum: number,
  maximum: number
})

/**
 * The same schema as JSON Schema, with types in lower case.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toJsonSchema = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(toJsonSchema)
  if (!isObject(schema)) return schema
  const { nullable, type, ...rest } = schema
  const converted: Record<string, unknown> = {}
  for (const [keyword, value] of Object.entries(rest)) {
    converted[keyword] =
      keyword === "properties" && isObject(value)
        ? Object.fromEntries(
            Object.entries(value).map(([name, property]) => [name, toJsonSchema(property)])
          )
        : keyword === "items" || keyword === "anyOf"
          ? toJsonSchema(value)
          : value
  }
  if (typeof type === "string") {
    const lower = type.toLowerCase()
    converted["type"] = nullable === true ? [lower, "null"] : lower
  }
  return converted
}
