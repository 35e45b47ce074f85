/**
 * What OpenAI demands of a schema under `strict: true`, beyond its being a JSON Schema.
 *
 * It checks the rules clients get wrong: an object at the root, no additional properties, every property required. It does
 * not check the limits on depth and size, nor which keywords a model supports.
 *
 * **Source**: OpenAI "Structured model outputs", supported schemas (read November 2026).
 *
 * @since 0.1.0
 */
import { isObject } from "./FieldCheck.ts"

/**
 * What is wrong with a strict schema, in OpenAI's wording, or `undefined`.
 *
 * @category guards
 * @since 0.1.0
 */
export const problem = (schema: unknown): string | undefined => {
  if (!isObject(schema)) return `${JSON.stringify(schema)} is not of type 'object'.`
  if (schema["type"] !== "object" && schema["$ref"] === undefined) {
    return `schema must be a JSON Schema of 'type: "object"', got 'type: "${JSON.stringify(schema["type"] ?? "None").replaceAll('"', "")}"'.`
  }
  return visit(schema, [])
}

const visit = (schema: unknown, path: ReadonlyArray<string>): string | undefined => {
  if (!isObject(schema)) return undefined
  const context = `In context=(${path.map((step) => `'${step}'`).join(", ")}), `
  const { properties } = schema
  if (schema["type"] === "object" || isObject(properties)) {
    if (schema["additionalProperties"] !== false) {
      return `${context}'additionalProperties' is required to be supplied and to be false.`
    }
    const required = Array.isArray(schema["required"]) ? schema["required"] : []
    const absent = Object.keys(isObject(properties) ? properties : {}).find(
      (name) => !required.includes(name)
    )
    if (absent !== undefined) {
      return `${context}'required' is required to be supplied and to be an array including every key in properties. Missing '${absent}'.`
    }
  }
  for (const keyword of ["properties", "$defs", "definitions"]) {
    const group = schema[keyword]
    if (!isObject(group)) continue
    for (const [name, part] of Object.entries(group)) {
      const wrong = visit(part, [...path, keyword, name])
      if (wrong !== undefined) return wrong
    }
  }
  for (const keyword of ["anyOf", "items"]) {
    const group = schema[keyword]
    for (const [index, part] of (Array.isArray(group) ? group : [group]).entries()) {
      const wrong = visit(
        part,
        Array.isArray(group) ? [...path, keyword, String(index)] : [...path, keyword]
      )
      if (wrong !== undefined) return wrong
    }
  }
  return undefined
}
