/**
 * The headers of a provider's response that matter here, as values: the request id, when to come back. Rate limits are read in
 * `RateLimitHeaders`.
 *
 * Pure and infallible: what cannot be understood is absent, and a header can never fail a request that was answered.
 *
 * **Units**: durations are milliseconds from now.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

/**
 * Headers by lower-case name.
 *
 * @category models
 * @since 0.1.0
 */
export type Headers = { readonly [name: string]: string | undefined }

export { durationMillis } from "./HeaderDuration.ts"
export { rateLimits } from "./RateLimitHeaders.ts"
export type { LimitHeaders, RateLimitHeaders } from "./RateLimitHeaders.ts"

/**
 * The provider's id of the request, for its support.
 *
 * @category getters
 * @since 0.1.0
 */
export const requestId = (headers: Headers): string | undefined =>
  headers["x-request-id"] ?? headers["request-id"] ?? headers["apim-request-id"]

/**
 * When the provider asks to be tried again: `retry-after-ms`, or `retry-after` in seconds or as an HTTP date.
 *
 * **Details**: a date in the past gives zero; a negative or ill-formed value gives `undefined`.
 *
 * **Source**: RFC 9110 section 10.2.3; `retry-after-ms` as OpenAI and Azure send it.
 *
 * @category getters
 * @since 0.1.0
 */
export const retryAfter = (headers: Headers, nowMillis: number): Duration.Duration | undefined => {
  const exact = Number(headers["retry-after-ms"] ?? Number.NaN)
  if (Number.isFinite(exact) && exact >= 0) return Duration.millis(exact)
  const text = headers["retry-after"]?.trim()
  if (text === undefined || text === "") return undefined
  const seconds = Number(text)
  if (Number.isFinite(seconds)) return seconds < 0 ? undefined : Duration.millis(seconds * 1000)
  const date = DateTime.make(text)
  return Option.isNone(date)
    ? undefined
    : Duration.millis(Math.max(0, DateTime.toEpochMillis(date.value) - nowMillis))
}
