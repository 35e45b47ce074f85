/**
 * The names of a Gemini request as the API's reference writes them.
 *
 * The API takes fields in camel case and in snake case alike, and a message alone where a list of them is meant; after this
 * there is one form.
 *
 * **Source**: "ProtoJSON format" of Protocol Buffers; examples of the Gemini API documentation, which use both.
 *
 * @since 0.1.0
 */
import { isObject } from "./FieldCheck.ts"

/** Under these names stands data of the caller, whose names are the caller's. */
const foreign = new Set([
  "args",
  "labels",
  "parameters",
  "parametersJsonSchema",
  "response",
  "responseJsonSchema",
  "responseSchema"
])

const lists = new Set(["contents", "functionDeclarations", "parts", "safetySettings", "tools"])

/**
 * Brings a body into the form of the reference.
 *
 * @category conversions
 * @since 0.1.0
 */
export const normalise = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(normalise)
  if (!isObject(value)) return value
  const normal: Record<string, unknown> = {}
  for (const [given, content] of Object.entries(value)) {
    const name = given.replaceAll(/(?<=[a-z])_([a-z])/g, (_, letter: string) =>
      letter.toUpperCase()
    )
    const inner = foreign.has(name) ? content : normalise(content)
    normal[name] = lists.has(name) && isObject(inner) ? [inner] : inner
  }
  return normal
}
