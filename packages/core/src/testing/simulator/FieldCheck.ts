/**
 * Checks of request fields against a documented format: the first thing that is wrong, as a value.
 *
 * It is not Schema and it words nothing: clients read the wording and the code of an error, tests assert on them, and every
 * vendor has its own (`OpenAiError`, `AnthropicError`, `GeminiError`).
 *
 * @since 0.1.0
 */

/**
 * What a value was to be.
 *
 * @category models
 * @since 0.1.0
 */
export type Expected =
  | "string"
  | "boolean"
  | "integer"
  | "decimal"
  | "array"
  | "object"
  | "string or array"

/**
 * What is wrong with a body: one problem at a path such as `messages[0].role`.
 *
 * @category models
 * @since 0.1.0
 */
export type Violation = { readonly path: string } & (
  | { readonly problem: "type"; readonly expected: Expected; readonly value: unknown }
  | { readonly problem: "pattern"; readonly pattern: RegExp }
  | {
      readonly problem: "range"
      readonly kind: "integer" | "decimal"
      readonly value: number
      readonly minimum: number
      readonly maximum: number
    }
  | { readonly problem: "choice"; readonly value: unknown; readonly values: ReadonlyArray<string> }
  | {
      readonly problem: "length"
      readonly length: number
      readonly minimum: number
      readonly maximum: number
    }
  | { readonly problem: "unknown" }
  | { readonly problem: "missing" }
)

/**
 * A check of one value at a path; `undefined` when the value is good.
 *
 * @category models
 * @since 0.1.0
 */
export type Check = (value: unknown, path: string) => Violation | undefined

const wrongType = (path: string, expected: Expected, value: unknown): Violation => ({
  problem: "type",
  path,
  expected,
  value
})

/**
 * Whether a value is a JSON object.
 *
 * @category guards
 * @since 0.1.0
 */
export const isObject = (value: unknown): value is { readonly [name: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/**
 * Any value.
 *
 * @category constructors
 * @since 0.1.0
 */
export const anything: Check = () => undefined

/**
 * A string, of the given pattern if there is one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const string =
  (pattern?: RegExp): Check =>
  (value, path) => {
    if (typeof value !== "string") return wrongType(path, "string", value)
    if (pattern === undefined || pattern.test(value)) return undefined
    return { problem: "pattern", path, pattern }
  }

/**
 * A boolean.
 *
 * @category constructors
 * @since 0.1.0
 */
export const boolean: Check = (value, path) =>
  typeof value === "boolean" ? undefined : wrongType(path, "boolean", value)

/**
 * A whole number within bounds, both included.
 *
 * @category constructors
 * @since 0.1.0
 */
export const integer =
  (minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER): Check =>
  (value, path) =>
    typeof value === "number" && Number.isInteger(value)
      ? outside("integer", value, minimum, maximum, path)
      : wrongType(path, "integer", value)

/**
 * A number within bounds, both included.
 *
 * @category constructors
 * @since 0.1.0
 */
export const decimal =
  (minimum: number, maximum: number): Check =>
  (value, path) =>
    typeof value === "number"
      ? outside("decimal", value, minimum, maximum, path)
      : wrongType(path, "decimal", value)

const outside = (
  kind: "integer" | "decimal",
  value: number,
  minimum: number,
  maximum: number,
  path: string
): Violation | undefined =>
  value < minimum || value > maximum
    ? { problem: "range", path, kind, value, minimum, maximum }
    : undefined

/**
 * One of the given strings.
 *
 * @category constructors
 * @since 0.1.0
 */
export const oneOf =
  (...values: ReadonlyArray<string>): Check =>
  (value, path) =>
    typeof value === "string" && values.includes(value)
      ? undefined
      : { problem: "choice", path, value, values }

/**
 * An array whose items pass the check, with bounds on its length.
 *
 * @category constructors
 * @since 0.1.0
 */
export const array =
  (item: Check, minimum = 0, maximum = Number.POSITIVE_INFINITY): Check =>
  (value, path) => {
    if (!Array.isArray(value)) return wrongType(path, "array", value)
    const { length } = value
    if (length < minimum || length > maximum) {
      return { problem: "length", path, length, minimum, maximum }
    }
    for (let index = 0; index < value.length; index++) {
      const error = item(value[index], `${path}[${index}]`)
      if (error !== undefined) return error
    }
    return undefined
  }

/**
 * `null`, or what the check accepts.
 *
 * @category combinators
 * @since 0.1.0
 */
export const nullable =
  (check: Check): Check =>
  (value, path) =>
    value === null ? undefined : check(value, path)

/**
 * A string, or an array that passes the check.
 *
 * @category combinators
 * @since 0.1.0
 */
export const stringOr =
  (check: Check): Check =>
  (value, path) =>
    typeof value === "string"
      ? undefined
      : Array.isArray(value)
        ? check(value, path)
        : wrongType(path, "string or array", value)

/**
 * Any JSON object.
 *
 * @category constructors
 * @since 0.1.0
 */
export const object: Check = (value, path) =>
  isObject(value) ? undefined : wrongType(path, "object", value)

/**
 * A JSON object with these fields and no others.
 *
 * **Details**: unknown fields are reported first, then ill-typed ones, then missing ones.
 *
 * @category constructors
 * @since 0.1.0
 */
export const struct =
  (fields: { readonly [name: string]: Check }, required: ReadonlyArray<string> = []): Check =>
  (value, path) => {
    if (!isObject(value)) return wrongType(path, "object", value)
    const at = (name: string): string => (path === "" ? name : `${path}.${name}`)
    for (const name in value) {
      if (!Object.hasOwn(fields, name)) {
        return { problem: "unknown", path: at(name) }
      }
    }
    for (const name in value) {
      const error = fields[name]!(value[name], at(name))
      if (error !== undefined) return error
    }
    for (const name of required) if (!(name in value)) return { problem: "missing", path: at(name) }
    return undefined
  }

/**
 * A JSON object whose field `tag` says which check applies to it.
 *
 * **Details**: `inPath` puts the value of the tag into the paths of what is wrong inside, as Anthropic does.
 *
 * @category combinators
 * @since 0.1.0
 */
export const tagged = (
  tag: string,
  checks: { readonly [value: string]: Check },
  inPath = false
): Check => {
  const checkTag = oneOf(...Object.keys(checks))
  return (value, path) => {
    if (!isObject(value)) return wrongType(path, "object", value)
    if (!(tag in value)) return { problem: "missing", path: `${path}.${tag}` }
    const name = value[tag]
    const wrong = checkTag(name, `${path}.${tag}`)
    if (wrong !== undefined) return wrong
    return checks[String(name)]?.(value, inPath ? `${path}.${String(name)}` : path)
  }
}
