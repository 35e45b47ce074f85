/**
 * How Anthropic words what is wrong: with a request, with its key and its model, with the quota, with the server itself.
 *
 * **Source**: Claude documentation, "Errors" and "Rate limits" (read November 2026); error bodies of the API, whose checks
 * speak as Pydantic does (`messages.0.content: Field required`).
 *
 * @since 0.1.0
 */
import type { StatusFault } from "./Fault.ts"
import type { Expected, Violation } from "./FieldCheck.ts"
import type { LimitName, QuotaRefusal } from "./ServerQuota.ts"
import type { WireError } from "./Vendor.ts"

const error = (status: number, type: string, message: string): WireError => ({
  status,
  message,
  type,
  param: null,
  code: null
})

/**
 * A 400 error of type `invalid_request_error`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const invalid = (message: string): WireError => error(400, "invalid_request_error", message)

/**
 * A failed check in Anthropic's words.
 *
 * @category conversions
 * @since 0.1.0
 */
export const word = (violation: Violation): WireError => {
  const path = violation.path.replaceAll(/\[(\d+)\]/g, ".$1")
  return invalid(`${path}: ${problemOf(violation)}`)
}

const problemOf = (violation: Violation): string => {
  switch (violation.problem) {
    case "missing":
      return "Field required"
    case "unknown":
      return "Extra inputs are not permitted"
    case "type":
      return `Input should be ${expectations[violation.expected]}`
    case "pattern":
      return `String should match pattern '${violation.pattern.source}'`
    case "range": {
      const { maximum, minimum, value } = violation
      return value < minimum
        ? `Input should be greater than or equal to ${minimum}`
        : `Input should be less than or equal to ${maximum}`
    }
    case "choice": {
      const quoted = violation.values.map((value) => `'${value}'`)
      return `Input should be ${[quoted.slice(0, -1).join(", "), quoted.at(-1)].filter((part) => part !== "").join(" or ")}`
    }
    case "length": {
      const { length, maximum, minimum } = violation
      const [least, bound] = length < minimum ? ["least", minimum] : ["most", maximum]
      return `List should have at ${least} ${bound} items after validation, not ${length}`
    }
  }
}

const expectations: { readonly [E in Expected]: string } = {
  string: "a valid string",
  boolean: "a valid boolean",
  integer: "a valid integer",
  decimal: "a valid number",
  array: "a valid list",
  object: "a valid dictionary",
  "string or array": "a valid string or list"
}

/**
 * The error for a path and method that no endpoint has.
 *
 * @category errors
 * @since 0.1.0
 */
export const unknownUrl = (): WireError => error(404, "not_found_error", "Not found")

/**
 * The error for a request without a key, or with another than the one required.
 *
 * @category errors
 * @since 0.1.0
 */
export const wrongKey = (key: string | undefined): WireError =>
  error(
    401,
    "authentication_error",
    key === undefined ? "x-api-key header is required" : "invalid x-api-key"
  )

/**
 * The error for a model the server does not have.
 *
 * @category errors
 * @since 0.1.0
 */
export const modelNotFound = (model: string): WireError =>
  error(404, "not_found_error", `model: ${model}`)

/**
 * The error for a request over the quota.
 *
 * **Details**: a request that can never fit has no time to come back at.
 *
 * @category errors
 * @since 0.1.0
 */
export const overQuota = (model: string, refusal: QuotaRefusal): WireError => {
  const { limit, limitName, waitMillis } = refusal
  const message = `This request would exceed the rate limit for your organization (org-simulator) of ${limit} ${limits[limitName]} (model: ${model}). For details, refer to: https://docs.claude.com/en/api/rate-limits.`
  return {
    ...error(429, "rate_limit_error", message),
    ...(waitMillis !== Number.POSITIVE_INFINITY && { retryAfterMillis: waitMillis })
  }
}

const limits: { readonly [L in LimitName]: string } = {
  rpm: "requests per minute",
  tpm: "tokens per minute",
  itpm: "input tokens per minute",
  otpm: "output tokens per minute",
  rpd: "requests per day",
  tpd: "tokens per day"
}

/**
 * The errors that are injected; `unavailable` is that of a gateway, since the API itself has none of status 503.
 *
 * @category errors
 * @since 0.1.0
 */
export const faults: { readonly [K in StatusFault]: WireError } = {
  rateLimited: error(
    429,
    "rate_limit_error",
    "This request would exceed your account's rate limit. Please try again later."
  ),
  insufficientQuota: invalid(
    "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits."
  ),
  unauthorized: error(401, "authentication_error", "invalid x-api-key"),
  internal: error(500, "api_error", "Internal server error"),
  unavailable: error(503, "api_error", "Service unavailable"),
  overloaded: error(529, "overloaded_error", "Overloaded")
}
