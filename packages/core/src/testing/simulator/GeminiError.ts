/**
 * How Gemini words what is wrong: with a request, with its key and its model, with the quota, with the server itself.
 *
 * **Details**: the name of the status, such as `INVALID_ARGUMENT`, is the error's type.
 *
 * **Source**: Gemini API documentation, "Troubleshooting" and "Rate limits"; google.rpc `BadRequest`, `ErrorInfo`,
 * `QuotaFailure` (read November 2026); error bodies of the API.
 *
 * @since 0.1.0
 */
import type { StatusFault } from "./Fault.ts"
import type { Expected, Violation } from "./FieldCheck.ts"
import type { LimitName, QuotaRefusal } from "./ServerQuota.ts"
import type { WireError } from "./Vendor.ts"

const error = (
  status: number,
  type: string,
  message: string,
  details?: ReadonlyArray<object>
): WireError => ({
  status,
  message,
  type,
  param: null,
  code: null,
  ...(details !== undefined && { details })
})

/**
 * A 400 error of type `INVALID_ARGUMENT`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const invalid = (message: string): WireError => error(400, "INVALID_ARGUMENT", message)

/**
 * The error for a rule that a field of a message breaks; its path in the words of the API (`generation_config.top_p`).
 *
 * @category constructors
 * @since 0.1.0
 */
export const broken = (message: string, path: string, problem: string): WireError =>
  invalid(`* ${message}.${path}: ${problem}\n`)

/**
 * The error for a body that is not a JSON object.
 *
 * @category constants
 * @since 0.1.0
 */
export const unreadable = invalid(
  'Invalid JSON payload received. Expected an object key or }.\n{"\n ^'
)

/**
 * A failed check of a message, such as `GenerateContentRequest`, in Gemini's words.
 *
 * @category conversions
 * @since 0.1.0
 */
export const word = (violation: Violation, message: string): WireError => {
  const path = snake(violation.path)
  switch (violation.problem) {
    case "unknown":
      return unknownName(violation.path)
    case "type":
      return wrongValue(path, expectations[violation.expected], violation.value)
    case "choice":
      return wrongValue(path, "TYPE_ENUM", violation.value)
    case "missing":
      return broken(message, path, `${path.split(".").at(-1)} is not specified`)
    case "pattern":
      return broken(message, path, `must match the pattern ${violation.pattern.source}`)
    case "range": {
      const { maximum, minimum } = violation
      const name = path.split(".").at(-1)
      return broken(message, path, `${name} must be in the range [${minimum}, ${maximum}].`)
    }
    case "length": {
      const { length, maximum, minimum } = violation
      return broken(
        message,
        path,
        length < minimum
          ? `${path.split(".").at(-1)} is not specified`
          : `at most ${maximum} ${path.split(".").at(-1)} can be in one request`
      )
    }
  }
}

/** Paths are written in the names of the protocol buffers. */
const snake = (path: string): string =>
  path.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const unknownName = (path: string): WireError => {
  const end = path.lastIndexOf(".")
  const name = path.slice(end + 1)
  const field = end < 0 ? undefined : snake(path.slice(0, end))
  const at = field === undefined ? "" : ` at '${field}'`
  const description = `Invalid JSON payload received. Unknown name "${name}"${at}: Cannot find field.`
  return badField(description, field)
}

const wrongValue = (path: string, type: string, value: unknown): WireError =>
  badField(`Invalid value at '${path}' (${type}), ${JSON.stringify(value)}`, path)

const badField = (description: string, field: string | undefined): WireError =>
  error(400, "INVALID_ARGUMENT", description, [
    {
      "@type": "type.googleapis.com/google.rpc.BadRequest",
      fieldViolations: [{ ...(field !== undefined && { field }), description }]
    }
  ])

const expectations: { readonly [E in Expected]: string } = {
  string: "TYPE_STRING",
  boolean: "TYPE_BOOL",
  integer: "TYPE_INT32",
  decimal: "TYPE_FLOAT",
  array: "TYPE_MESSAGE",
  object: "TYPE_MESSAGE",
  "string or array": "TYPE_STRING"
}

/**
 * The error for a path and method that no endpoint has.
 *
 * @category errors
 * @since 0.1.0
 */
export const unknownUrl = (): WireError =>
  error(404, "NOT_FOUND", "Requested entity was not found.")

const invalidKey = error(
  400,
  "INVALID_ARGUMENT",
  "API key not valid. Please pass a valid API key.",
  [
    {
      "@type": "type.googleapis.com/google.rpc.ErrorInfo",
      reason: "API_KEY_INVALID",
      domain: "googleapis.com",
      metadata: { service: "generativelanguage.googleapis.com" }
    }
  ]
)

/**
 * The error for a request without a key, or with another than the one required.
 *
 * @category errors
 * @since 0.1.0
 */
export const wrongKey = (key: string | undefined): WireError =>
  key === undefined
    ? error(
        403,
        "PERMISSION_DENIED",
        "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API."
      )
    : invalidKey

/**
 * The error for a model the server does not have.
 *
 * @category errors
 * @since 0.1.0
 */
export const modelNotFound = (model: string): WireError =>
  error(
    404,
    "NOT_FOUND",
    `models/${model} is not found for API version v1beta, or is not supported for this method. Call ListModels to see the list of available models and their supported methods.`
  )

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
  const { id, metric } = quotas[limitName]
  const quotaMetric = `generativelanguage.googleapis.com/${metric}`
  const again = waitMillis === Number.POSITIVE_INFINITY ? undefined : waitMillis
  const retry = again === undefined ? "" : `\nPlease retry in ${again / 1000}s.`
  const violation = {
    quotaMetric,
    quotaId: `${id}-FreeTier`,
    quotaDimensions: { location: "global", model },
    quotaValue: String(limit)
  }
  return {
    ...error(
      429,
      "RESOURCE_EXHAUSTED",
      `You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.\n* Quota exceeded for metric: ${quotaMetric}, limit: ${limit}, model: ${model}${retry}`,
      [{ "@type": "type.googleapis.com/google.rpc.QuotaFailure", violations: [violation] }]
    ),
    ...(again !== undefined && { retryAfterMillis: again })
  }
}

const requests = "generate_content_free_tier_requests"
const tokens = "generate_content_free_tier_input_token_count"

const quotas: { readonly [L in LimitName]: { readonly id: string; readonly metric: string } } = {
  rpm: { id: "GenerateRequestsPerMinutePerProjectPerModel", metric: requests },
  tpm: { id: "GenerateContentTokensPerModelPerMinute", metric: tokens },
  itpm: { id: "GenerateContentInputTokensPerModelPerMinute", metric: tokens },
  otpm: { id: "GenerateContentOutputTokensPerModelPerMinute", metric: tokens },
  rpd: { id: "GenerateRequestsPerDayPerProjectPerModel", metric: requests },
  tpd: { id: "GenerateContentTokensPerModelPerDay", metric: tokens }
}

/**
 * The errors that are injected; the API has no status 529, an overloaded model is unavailable.
 *
 * @category errors
 * @since 0.1.0
 */
export const faults: { readonly [K in StatusFault]: WireError } = {
  rateLimited: error(
    429,
    "RESOURCE_EXHAUSTED",
    "You exceeded your current quota, please check your plan.",
    [
      {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        violations: [{ quotaId: "GenerateRequestsPerMinutePerProjectPerModel-FreeTier" }]
      }
    ]
  ),
  insufficientQuota: error(
    429,
    "RESOURCE_EXHAUSTED",
    "Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects to manage your project and billing."
  ),
  unauthorized: invalidKey,
  internal: error(
    500,
    "INTERNAL",
    "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting"
  ),
  unavailable: error(503, "UNAVAILABLE", "The service is currently unavailable."),
  overloaded: error(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")
}
