/**
 * What Anthropic demands of a schema that it enforces, beyond its being a JSON Schema.
 *
 * It checks the rules clients get wrong: closed objects, no bounds, no recursion. It does not check the limits on size.
 *
 * **Source**: Claude documentation, "Structured outputs", "JSON Schema limitations" (read November 2026).
 *
 * @since 0.1.0
 */
import { isObject } from "./FieldCheck.ts"

/**
 * What is wrong with a schema, in Anthropic's wording, or `undefined`.
 *
 * @category guards
 * @since 0.1.0
 */
export const problem = (schema: unknown): string | undefined => visit(schema, schema, [])

const bounds = new Map(
  Object.entries({
    integer: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
    number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
    string: ["minLength", "maxLength"],
    array: ["maxItems", "uniqueItems", "contains", "minContains", "maxContains"],
    object: ["minProperties", "maxProperties", "patternProperties", "propertyNames"]
  })
)

const unsupported = ["oneOf", "not", "if", "then", "else", "prefixItems", "dependentSchemas"]

const visit = (
  schema: unknown,
  root: unknown,
  references: ReadonlyArray<string>
): string | undefined => {
  if (!isObject(schema)) return undefined
  const type = String(schema["type"])
  const reference = schema["$ref"]
  if (typeof reference === "string") {
    if (!reference.startsWith("#")) return `External $ref '${reference}' is not supported`
    if (references.includes(reference)) return "Recursive schemas are not supported"
    return visit(at(root, reference), root, [...references, reference])
  }
  const refused = unsupported.find((keyword) => keyword in schema)
  if (refused !== undefined) return `Schema keyword '${refused}' is not supported`
  if (type === "object" && schema["additionalProperties"] !== false) {
    return "For 'object' type, 'additionalProperties' must be explicitly set to false"
  }
  const bound = bounds.get(type)?.filter((keyword) => keyword in schema) ?? []
  if (bound.length > 0) {
    return `For '${type}' type, properties ${bound.join(", ")} are not supported`
  }
  const least = schema["minItems"]
  if (type === "array" && least !== undefined && least !== 0 && least !== 1) {
    return "For 'array' type, 'minItems' values other than 0 or 1 are not supported"
  }
  for (const part of parts(schema)) {
    const wrong = visit(part, root, references)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

const parts = (schema: { readonly [keyword: string]: unknown }): ReadonlyArray<unknown> => {
  const { allOf, anyOf, items, properties } = schema
  return [
    ...(isObject(properties) ? Object.values(properties) : []),
    ...(Array.isArray(anyOf) ? anyOf : []),
    ...(Array.isArray(allOf) ? allOf : []),
    items
  ]
}

const at = (root: unknown, reference: string): unknown =>
  reference
    .split("/")
    .slice(1)
    .reduce<unknown>((node, key) => (isObject(node) ? node[key] : undefined), root)
