/**
 * What Gemini means by an error: what was said, when to come back, and the reason where its details say more than the HTTP
 * status.
 *
 * **Details**: the API answers a bad key with status 400, and a used-up day with the same 429 as a used-up minute; the
 * difference is in the details of the body.
 *
 * **Source**: Gemini API documentation, "Troubleshooting" and "Rate limits"; google.rpc `ErrorInfo`, `QuotaFailure`,
 * `RetryInfo` (read November 2026).
 *
 * @since 0.1.0
 */
import type { Fault } from "@infermesh/core/provider/HttpFault"
import * as ResponseHeaders from "@infermesh/core/provider/ResponseHeaders"
import { ContextWindowExceeded, ModelNotFound } from "@infermesh/core/Reason"
import * as AiError from "effect/ai/AiError"
import * as Duration from "effect/Duration"

import type { Json } from "../RequestBody.ts"
import { isRecord } from "../RequestBody.ts"

/** The HTTP status of each google.rpc code; errors inside a stream may come without a number. */
const statuses = new Map(
  Object.entries({
    INVALID_ARGUMENT: 400,
    FAILED_PRECONDITION: 400,
    OUT_OF_RANGE: 400,
    UNAUTHENTICATED: 401,
    PERMISSION_DENIED: 403,
    NOT_FOUND: 404,
    ABORTED: 409,
    RESOURCE_EXHAUSTED: 429,
    INTERNAL: 500,
    UNAVAILABLE: 503,
    DEADLINE_EXCEEDED: 504
  })
)

/**
 * The status of an error that came inside a response with status 200.
 *
 * @category parsing
 * @since 0.1.0
 */
export const statusOf = (error: unknown): number => {
  const { code, status } = wordsOf(error)
  return code >= 400 && code < 600 ? code : (statuses.get(status) ?? 500)
}

/**
 * Reads an error body: JSON, alone or in a list as streams send it, or text.
 *
 * @category parsing
 * @since 0.1.0
 */
export const classify =
  (model: string) =>
  (status: number, body: string): Fault => {
    const words = read(body)
    return {
      message: words.message,
      parameter: words.parameter,
      retryAfter: words.retryAfter,
      make: reason(words, status, model)
    }
  }

interface Words {
  readonly code: number
  readonly status: string
  readonly message: string | undefined
  readonly parameter: string | undefined
  /** The code of `ErrorInfo`: `API_KEY_INVALID`. */
  readonly info: string
  readonly retryAfter: Duration.Duration | undefined
  /** The ids and values of the quotas that were exceeded, as text. */
  readonly quotas: ReadonlyArray<string>
}

const read = (body: string): Words => {
  try {
    const parsed: unknown = JSON.parse(body)
    const first: unknown = Array.isArray(parsed) ? parsed[0] : parsed
    return wordsOf(isRecord(first) ? (first["error"] ?? first) : first)
  } catch {
    const text = body.replaceAll(/<[^>]*>/g, " ").trim()
    return wordsOf({ message: text === "" ? undefined : text })
  }
}

const wordsOf = (given: unknown): Words => {
  const error = isRecord(given) ? given : {}
  const details = list(error["details"])
  const message = text(error["message"])
  const violations = (kind: string, field: string) => list(detail(details, kind)?.[field])
  const [violation] = violations("BadRequest", "fieldViolations")
  const delay =
    text(detail(details, "RetryInfo")?.["retryDelay"]) ?? retryIn.exec(message ?? "")?.[1]
  const millis = ResponseHeaders.durationMillis(delay)
  return {
    code: typeof error["code"] === "number" ? error["code"] : 0,
    status: text(error["status"]) ?? "",
    message,
    parameter: text(violation?.["field"]),
    info: text(detail(details, "ErrorInfo")?.["reason"]) ?? "",
    retryAfter: millis === undefined ? undefined : Duration.millis(millis),
    quotas: violations("QuotaFailure", "violations").map(
      (one) => `${text(one["quotaId"]) ?? ""} ${text(one["quotaMetric"]) ?? ""}`
    )
  }
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)

const list = (value: unknown): ReadonlyArray<Json> =>
  Array.isArray(value) ? value.filter(isRecord) : []

const detail = (details: ReadonlyArray<Json>, kind: string): Json | undefined =>
  details.find((one) => text(one["@type"])?.endsWith(`.${kind}`))

const retryIn = /retry in ([\d.]+(?:ms|s|m|h))/i

const contextWindow = /token count .*exceeds the maximum|exceeds the maximum number of tokens/i
const daily = /PerDay|per_day/i
/** A limit of zero is no limit that ends: the account's plan does not have the model. */
const excluded = /limit: 0\b/
const billing =
  /billing (?:is )?(?:disabled|not enabled)|enable billing|credits? (?:are |is )?(?:depleted|exhausted)|spending (?:cap|limit)/i

/** An address that is wrong altogether may be repeated, and has `models` in it too. */
const unknownModel = /\bmodel.*(?:not found|not exist|not supported|no longer)/i

const reason = (words: Words, status: number, model: string): Fault["make"] => {
  const message = words.message ?? ""
  if (
    words.info === "API_KEY_INVALID" ||
    /API key (?:not valid|not found|expired)/i.test(message)
  ) {
    const kind = /expired/i.test(message) ? "ExpiredKey" : "InvalidKey"
    return (description, http) => new AiError.AuthenticationError({ kind, description, http })
  }
  if (words.info === "BILLING_DISABLED" || (status < 500 && billing.test(message))) {
    return (_, http) => new AiError.QuotaExhaustedError({ http })
  }
  if (status === 429) {
    return words.quotas.some((quota) => daily.test(quota)) || excluded.test(message)
      ? (_, http) => new AiError.QuotaExhaustedError({ http })
      : undefined
  }
  if (status === 404 && unknownModel.test(message)) {
    return (description, http) => new ModelNotFound({ model, description, http })
  }
  if (status === 400 && contextWindow.test(message)) {
    return (description, http) => new ContextWindowExceeded({ description, http })
  }
  return undefined
}
