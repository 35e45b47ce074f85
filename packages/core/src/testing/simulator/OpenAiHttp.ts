/**
 * What all OpenAI endpoints share over HTTP: the bearer key, the error body, the rate-limit headers.
 *
 * **Source**: OpenAI API reference, "Debugging requests", "Rate limits" and "Error codes" (read November 2026).
 *
 * @since 0.1.0
 */
import type { SimulatedRequest } from "./Exchange.ts"
import { invalid } from "./FieldCheck.ts"
import type { LimitReport, QuotaRefusal } from "./ServerQuota.ts"
import type { ResponseFacts, WireError } from "./WireFormat.ts"

/**
 * The key of an `Authorization: Bearer` header.
 *
 * @category getters
 * @since 0.1.0
 */
export const bearerKey = (request: SimulatedRequest): string | undefined =>
  /^bearer\s+(\S+)\s*$/i.exec(request.headers["authorization"] ?? "")?.[1]

/**
 * An error as a response body.
 *
 * @category encoding
 * @since 0.1.0
 */
export const errorBody = ({ code, message, param, type }: WireError): string =>
  JSON.stringify({ error: { message, type, param, code } }, undefined, 2)

/**
 * An error as an event of a stream that had begun.
 *
 * @category encoding
 * @since 0.1.0
 */
export const errorEvent = ({ code, message, param, type }: WireError): string =>
  `data: ${JSON.stringify({ error: { message, type, param, code } })}\n\n`

/**
 * The headers of every response; limits that are not enforced are not mentioned.
 *
 * @category encoding
 * @since 0.1.0
 */
export const headers = (facts: ResponseFacts): { readonly [name: string]: string } => {
  const fields: Record<string, string> = {
    "x-request-id": facts.requestId,
    "openai-processing-ms": String(facts.processingMillis),
    "openai-version": "2020-10-01"
  }
  addLimit(fields, "requests", facts.requests)
  addLimit(fields, "tokens", facts.tokens)
  if (facts.retryAfterMillis !== undefined) {
    fields["retry-after"] = String(Math.ceil(facts.retryAfterMillis / 1000))
    fields["retry-after-ms"] = String(Math.ceil(facts.retryAfterMillis))
  }
  return fields
}

const addLimit = (
  fields: Record<string, string>,
  kind: "requests" | "tokens",
  report: LimitReport | undefined
): void => {
  if (report === undefined) return
  fields[`x-ratelimit-limit-${kind}`] = String(report.limit)
  fields[`x-ratelimit-remaining-${kind}`] = String(report.remaining)
  fields[`x-ratelimit-reset-${kind}`] = duration(report.resetMillis)
}

/**
 * A duration as OpenAI writes it: `0s`, `17ms`, `1.2s`, `6m0s`, `23h59m8.64s`.
 *
 * **Units**: whole milliseconds in.
 *
 * **Source**: the form of Go's `Duration.String`.
 *
 * @category encoding
 * @since 0.1.0
 */
export const duration = (millis: number): string => {
  if (millis > 0 && millis < 1000) return `${millis}ms`
  const seconds = Number(((millis % 60_000) / 1000).toFixed(3))
  const minutes = Math.floor(millis / 60_000) % 60
  const hours = Math.floor(millis / 3_600_000)
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`
}

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

const limits = {
  rpm: { per: "requests per min", type: "requests" },
  tpm: { per: "tokens per min", type: "tokens" },
  rpd: { per: "requests per day", type: "requests" },
  tpd: { per: "tokens per day", type: "tokens" }
} as const
