/**
 * Knows the events of which a stream mostly consists, one choice with a piece of text and nothing else, by a look.
 *
 * The Schema of bodies takes longer for one of them than all the rest that is done with it. What this refuses, the Schema
 * decodes; what this takes, the Schema would have decoded to the same.
 *
 * @since 0.1.0
 */

const isObject = (value: unknown): value is { readonly [name: string]: unknown } =>
  typeof value === "object" && value !== null

const isTextOrNone = (value: unknown): boolean =>
  value === undefined || value === null || typeof value === "string"

/**
 * Whether a value is such an event.
 *
 * @category guards
 * @since 0.1.0
 */
export const isPlain = (value: unknown): boolean => {
  if (!isObject(value)) return false
  const { choices } = value
  if (!Array.isArray(choices) || choices.length !== 1 || !isPlainBody(value)) return false
  const choice: unknown = choices[0]
  if (!isObject(choice)) return false
  for (const name in choice) {
    const field = choice[name]
    switch (name) {
      case "index":
        if (!Number.isSafeInteger(field) || (field as number) < 0) return false
        break
      case "delta":
        if (!isPlainDelta(field)) return false
        break
      case "logprobs":
      case "finish_reason":
        if (field !== null) return false
        break
      default:
        return false
    }
  }
  return isObject(choice["delta"])
}

/** Fields of a body that are read beside its choices; others are passed over by the Schema as well. */
const isPlainBody = (body: { readonly [name: string]: unknown }): boolean =>
  isTextOrNone(body["id"]) &&
  isTextOrNone(body["model"]) &&
  isTextOrNone(body["object"]) &&
  (body["usage"] === undefined || body["usage"] === null) &&
  body["x_groq"] === undefined &&
  body["error"] === undefined &&
  body["message"] === undefined &&
  body["code"] === undefined &&
  body["type"] === undefined &&
  body["status_code"] === undefined

const isPlainDelta = (delta: unknown): boolean => {
  if (!isObject(delta)) return false
  for (const name in delta) {
    if (name === "content") {
      if (typeof delta[name] !== "string") return false
    } else if (name === "refusal") {
      if (delta[name] !== null) return false
    } else if (name !== "role") return false
  }
  return typeof delta["content"] === "string"
}
