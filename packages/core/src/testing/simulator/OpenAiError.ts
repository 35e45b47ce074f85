/**
 * How OpenAI words what is wrong with a request: one error, naming the parameter by its path.
 *
 * What is checked is the formats' matter (`FieldCheck` and the rules of each endpoint).
 *
 * **Source**: error bodies of the OpenAI API (`invalid_type`, `invalid_value`, `unknown_parameter`,
 * `missing_required_parameter`, `integer_below_min_value` and the like).
 *
 * @since 0.1.0
 */
import type { Expected, Violation } from "./FieldCheck.ts"
import type { WireError } from "./Vendor.ts"

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

/**
 * The error for a body that is not a JSON object.
 *
 * @category constants
 * @since 0.1.0
 */
export const unreadable = invalid(
  "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)",
  null
)

/**
 * The error for a parameter that the model refuses.
 *
 * @category errors
 * @since 0.1.0
 */
export const unsupported = (name: string): WireError => {
  const hint = name === "max_tokens" ? " Use 'max_completion_tokens' instead." : ""
  return invalid(
    `Unsupported parameter: '${name}' is not supported with this model.${hint}`,
    name,
    "unsupported_parameter"
  )
}

/**
 * A failed check in OpenAI's words.
 *
 * @category conversions
 * @since 0.1.0
 */
export const word = (violation: Violation): WireError => {
  const { path } = violation
  switch (violation.problem) {
    case "missing":
      return missing(path)
    case "unknown":
      return invalid(`Unknown parameter: '${path}'.`, path, "unknown_parameter")
    case "type":
      return wrongType(path, expectations[violation.expected], violation.value)
    case "pattern":
      return invalid(
        `Invalid '${path}': string does not match pattern. Expected a string that matches the pattern '${violation.pattern.source}'.`,
        path,
        "invalid_value"
      )
    case "range":
      return outside(violation)
    case "choice":
      return typeof violation.value === "string"
        ? invalid(
            `Invalid value: '${violation.value}'. Supported values are: ${list(violation.values, "and")}.`,
            path,
            "invalid_value"
          )
        : wrongType(path, `one of ${list(violation.values, "or")}`, violation.value)
    case "length":
      return wrongLength(violation)
  }
}

const expectations: { readonly [E in Expected]: string } = {
  string: "a string",
  boolean: "a boolean",
  integer: "an integer",
  decimal: "a decimal",
  array: "an array of objects",
  object: "an object",
  "string or array": "one of a string or array of objects"
}

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

const list = (values: ReadonlyArray<string>, conjunction: string): string => {
  const quoted = values.map((value) => `'${value}'`)
  if (quoted.length < 3) return quoted.join(` ${conjunction} `)
  return `${quoted.slice(0, -1).join(", ")}, ${conjunction} ${quoted.at(-1)}`
}

const outside = (violation: Extract<Violation, { readonly problem: "range" }>): WireError => {
  const { kind, maximum, minimum, path, value } = violation
  const below = value < minimum
  const bound = below ? `>= ${minimum}` : `<= ${maximum}`
  return invalid(
    `Invalid '${path}': ${kind} ${below ? "below minimum" : "above maximum"} value. Expected a value ${bound}, but got ${value} instead.`,
    path,
    `${kind}_${below ? "below_min" : "above_max"}_value`
  )
}

const wrongLength = (violation: Extract<Violation, { readonly problem: "length" }>): WireError => {
  const { length, maximum, minimum, path } = violation
  return length < minimum
    ? invalid(
        `Invalid '${path}': empty array. Expected an array with minimum length ${minimum}, but got an empty array instead.`,
        path,
        "empty_array"
      )
    : invalid(
        `Invalid '${path}': array too long. Expected an array with maximum length ${maximum}, but got an array with length ${length} instead.`,
        path,
        "array_above_max_length"
      )
}
