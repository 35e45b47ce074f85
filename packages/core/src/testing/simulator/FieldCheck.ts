/**
 * Checks of request fields that answer as OpenAI does: one error, naming the parameter by its path.
 *
 * It is not Schema: what matters here is the wording and the code of the error, which clients read and tests assert on.
 *
 * **Source**: error bodies of the OpenAI API (`invalid_type`, `invalid_value`, `unknown_parameter`,
 * `missing_required_parameter`, `integer_below_min_value` and the like).
 *
 * @since 0.1.0
 */
import type { WireError } from "./WireFormat.ts"

/**
 * A check of one value at a path such as `messages[0].role`; `undefined` when the value is good.
 *
 * @category models
 * @since 0.1.0
 */
export type Check = (value: unknown, path: string) => WireError | undefined

/**
 * A 400 error of type `invalid_request_error`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const invalid = (
  message: string,
  param: string | null,
  code: string | null = null
): WireError => ({ status: 400, message, type: "invalid_request_error", param, code })

/**
 * The error for a parameter that has to be there.
 *
 * @category constructors
 * @since 0.1.0
 */
export const missing = (path: string): WireError =>
  invalid(`Missing required parameter: '${path}'.`, path, "missing_required_parameter")

const wrongType = (path: string, expected: string, value: unknown): WireError =>
  invalid(
    `Invalid type for '${path}': expected ${expected}, but got ${describe(value)} instead.`,
    path,
    "invalid_type"
  )

const describe = (value: unknown): string => {
  if (value === null) return "null"
  if (Array.isArray(value)) return "an array"
  switch (typeof value) {
    case "string":
      return "a string"
    case "boolean":
      return "a boolean"
    case "number":
      return Number.isInteger(value) ? "an integer" : "a decimal"
    default:
      return "an object"
  }
}

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
    if (typeof value !== "string") return wrongType(path, "a string", value)
    if (pattern === undefined || pattern.test(value)) return undefined
    return invalid(
      `Invalid '${path}': string does not match pattern. Expected a string that matches the pattern '${pattern.source}'.`,
      path,
      "invalid_value"
    )
  }

/**
 * A boolean.
 *
 * @category constructors
 * @since 0.1.0
 */
export const boolean: Check = (value, path) =>
  typeof value === "boolean" ? undefined : wrongType(path, "a boolean", value)

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
      : wrongType(path, "an integer", value)

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
      : wrongType(path, "a decimal", value)

const outside = (
  kind: "integer" | "decimal",
  value: number,
  minimum: number,
  maximum: number,
  path: string
): WireError | undefined => {
  const side = value < minimum ? "below minimum" : value > maximum ? "above maximum" : undefined
  if (side === undefined) return undefined
  const bound = value < minimum ? `>= ${minimum}` : `<= ${maximum}`
  return invalid(
    `Invalid '${path}': ${kind} ${side} value. Expected a value ${bound}, but got ${value} instead.`,
    path,
    `${kind}_${value < minimum ? "below_min" : "above_max"}_value`
  )
}

/**
 * One of the given strings.
 *
 * @category constructors
 * @since 0.1.0
 */
export const oneOf =
  (...values: ReadonlyArray<string>): Check =>
  (value, path) => {
    if (typeof value !== "string") return wrongType(path, `one of ${list(values, "or")}`, value)
    if (values.includes(value)) return undefined
    return invalid(
      `Invalid value: '${value}'. Supported values are: ${list(values, "and")}.`,
      path,
      "invalid_value"
    )
  }

const list = (values: ReadonlyArray<string>, conjunction: string): string => {
  const quoted = values.map((value) => `'${value}'`)
  if (quoted.length < 3) return quoted.join(` ${conjunction} `)
  return `${quoted.slice(0, -1).join(", ")}, ${conjunction} ${quoted.at(-1)}`
}

/**
 * An array whose items pass the check, with bounds on its length.
 *
 * @category constructors
 * @since 0.1.0
 */
export const array =
  (item: Check, minimum = 0, maximum = Number.POSITIVE_INFINITY): Check =>
  (value, path) => {
    if (!Array.isArray(value)) return wrongType(path, "an array of objects", value)
    if (value.length < minimum) {
      return invalid(
        `Invalid '${path}': empty array. Expected an array with minimum length ${minimum}, but got an empty array instead.`,
        path,
        "empty_array"
      )
    }
    if (value.length > maximum) {
      return invalid(
        `Invalid '${path}': array too long. Expected an array with maximum length ${maximum}, but got an array with length ${value.length} instead.`,
        path,
        "array_above_max_length"
      )
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
        : wrongType(path, "one of a string or array of objects", value)

/**
 * Any JSON object.
 *
 * @category constructors
 * @since 0.1.0
 */
export const object: Check = (value, path) =>
  isObject(value) ? undefined : wrongType(path, "an object", value)

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
    if (!isObject(value)) return wrongType(path, "an object", value)
    const at = (name: string): string => (path === "" ? name : `${path}.${name}`)
    for (const name in value) {
      if (!Object.hasOwn(fields, name)) {
        return invalid(`Unknown parameter: '${at(name)}'.`, at(name), "unknown_parameter")
      }
    }
    for (const name in value) {
      const error = fields[name]!(value[name], at(name))
      if (error !== undefined) return error
    }
    for (const name of required) if (!(name in value)) return missing(at(name))
    return undefined
  }

/**
 * A JSON object whose field `tag` says which check applies to it.
 *
 * @category combinators
 * @since 0.1.0
 */
export const tagged = (tag: string, checks: { readonly [value: string]: Check }): Check => {
  const checkTag = oneOf(...Object.keys(checks))
  return (value, path) => {
    if (!isObject(value)) return wrongType(path, "an object", value)
    if (!(tag in value)) return missing(`${path}.${tag}`)
    const name = value[tag]
    return checkTag(name, `${path}.${tag}`) ?? checks[String(name)]?.(value, path)
  }
}
