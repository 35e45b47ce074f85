/**
 * The errors all OpenAI endpoints may answer with, whatever the request says: wrong address, key or model, over the quota,
 * trouble of the server.
 *
 * **Source**: OpenAI "Error codes" and "Rate limits" (read November 2026); 529 is Anthropic's ("Errors",
 * `overloaded_error`), and gateways pass it on.
 *
 * @since 0.1.0
 */
import type { StatusFault } from "./Fault.ts"
import { duration } from "./OpenAiDuration.ts"
import { invalid } from "./OpenAiError.ts"
import type { LimitName, QuotaRefusal } from "./ServerQuota.ts"
import type { WireError } from "./Vendor.ts"

/**
 * The error for a path and method that no endpoint has.
 *
 * @category errors
 * @since 0.1.0
 */
export const unknownUrl = (method: string, path: string): WireError => ({
  ...invalid(`Invalid URL (${method} ${path})`, null),
  status: 404
})

/**
 * The error for a request without a key, or with another than the one required; what was sent is shown masked.
 *
 * @category errors
 * @since 0.1.0
 */
export const wrongKey = (key: string | undefined): WireError => ({
  ...(key === undefined
    ? invalid(
        "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
        null
      )
    : invalid(
        `Incorrect API key provided: ${mask(key)}. You can find your API key at https://platform.openai.com/account/api-keys.`,
        null,
        "invalid_api_key"
      )),
  status: 401
})

const mask = (key: string): string =>
  key.length > 12 ? `${key.slice(0, 3)}***${key.slice(-4)}` : "***"

/**
 * The error for a model the server does not have.
 *
 * @category errors
 * @since 0.1.0
 */
export const modelNotFound = (model: string): WireError => ({
  ...invalid(
    `The model \`${model}\` does not exist or you do not have access to it.`,
    null,
    "model_not_found"
  ),
  status: 404
})

/**
 * The error for a request over the quota.
 *
 * **Details**: a request that can never fit has no time to come back at.
 *
 * @category errors
 * @since 0.1.0
 */
export const overQuota = (model: string, refusal: QuotaRefusal): WireError => {
  const { limit, limitName, requested, used, waitMillis } = refusal
  const { per, type } = limits[limitName]
  const common = { status: 429, type, param: null, code: "rate_limit_exceeded" }
  const on = `${model} in organization org-simulator on ${per} (${limitName.toUpperCase()})`
  if (waitMillis === Number.POSITIVE_INFINITY) {
    const message = `Request too large for ${on}: Limit ${limit}, Requested ${requested}. The input or output tokens must be reduced in order to run successfully.`
    return { ...common, message }
  }
  const message = `Rate limit reached for ${on}: Limit ${limit}, Used ${used}, Requested ${requested}. Please try again in ${duration(waitMillis)}.`
  return { ...common, message, retryAfterMillis: waitMillis }
}

const limits: { readonly [L in LimitName]: { readonly per: string; readonly type: string } } = {
  rpm: { per: "requests per min", type: "requests" },
  tpm: { per: "tokens per min", type: "tokens" },
  itpm: { per: "input tokens per min", type: "tokens" },
  otpm: { per: "output tokens per min", type: "tokens" },
  rpd: { per: "requests per day", type: "requests" },
  tpd: { per: "tokens per day", type: "tokens" }
}

/**
 * The errors that are injected.
 *
 * @category errors
 * @since 0.1.0
 */
export const faults: { readonly [K in StatusFault]: WireError } = {
  rateLimited: {
    status: 429,
    message: "Rate limit reached for requests. Please slow down.",
    type: "requests",
    param: null,
    code: "rate_limit_exceeded"
  },
  insufficientQuota: {
    status: 429,
    message:
      "You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
    type: "insufficient_quota",
    param: null,
    code: "insufficient_quota"
  },
  unauthorized: {
    status: 401,
    message:
      "Incorrect API key provided: sk-***. You can find your API key at https://platform.openai.com/account/api-keys.",
    type: "invalid_request_error",
    param: null,
    code: "invalid_api_key"
  },
  internal: {
    status: 500,
    message: "The server had an error while processing your request. Sorry about that!",
    type: "server_error",
    param: null,
    code: null
  },
  unavailable: {
    status: 503,
    message: "The engine is currently overloaded, please try again later.",
    type: "service_unavailable",
    param: null,
    code: null
  },
  overloaded: {
    status: 529,
    message: "Overloaded",
    type: "overloaded_error",
    param: null,
    code: null
  }
}
