/**
 * The headers of a provider's response that matter here, as values: the request id, the rate limits, when to come back.
 *
 * Pure and infallible: what cannot be understood is absent, and a header can never fail a request that was answered.
 * What the values mean for a quota is admission's matter.
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

/**
 * What one response says about one limit.
 *
 * @category models
 * @since 0.1.0
 */
export interface LimitHeaders {
  readonly limit: number | undefined
  readonly remaining: number | undefined
  /** Milliseconds until the limit is whole again. */
  readonly resetMillis: number | undefined
}

/**
 * What one response says about the limits it was counted against.
 *
 * @category models
 * @since 0.1.0
 */
export interface RateLimitHeaders {
  readonly requests: LimitHeaders | undefined
  readonly tokens: LimitHeaders | undefined
  /** Where the provider limits input and output apart; `tokens` is then the one that is nearer to its end. */
  readonly inputTokens?: LimitHeaders | undefined
  readonly outputTokens?: LimitHeaders | undefined
}

/**
 * The provider's id of the request, for its support.
 *
 * @category getters
 * @since 0.1.0
 */
export const requestId = (headers: Headers): string | undefined =>
  headers["x-request-id"] ?? headers["request-id"] ?? headers["apim-request-id"]

/**
 * The rate limits a response reports, or `undefined` when it reports none.
 *
 * **Details**: some providers say when a limit is whole again as a time of day; that is understood only where `nowMillis`
 * says what time it is, in milliseconds since 1970.
 *
 * **Source**: OpenAI "Rate limits", headers `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`; Anthropic "Rate limits",
 * headers `anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,reset}`, resets as RFC 3339
 * (read November 2026).
 *
 * @category getters
 * @since 0.1.0
 */
export const rateLimits = (headers: Headers, nowMillis?: number): RateLimitHeaders | undefined => {
  const requests = limitHeaders(headers, "requests", nowMillis)
  const tokens = limitHeaders(headers, "tokens", nowMillis)
  const inputTokens = limitHeaders(headers, "input-tokens", nowMillis)
  const outputTokens = limitHeaders(headers, "output-tokens", nowMillis)
  if (inputTokens === undefined && outputTokens === undefined) {
    return requests === undefined && tokens === undefined ? undefined : { requests, tokens }
  }
  return { requests, tokens, inputTokens, outputTokens }
}

type LimitKind = "requests" | "tokens" | "input-tokens" | "output-tokens"

const limitHeaders = (
  headers: Headers,
  kind: LimitKind,
  nowMillis: number | undefined
): LimitHeaders | undefined => {
  const limit = headers[`x-ratelimit-limit-${kind}`]
  const remaining = headers[`x-ratelimit-remaining-${kind}`]
  const reset = headers[`x-ratelimit-reset-${kind}`]
  if (limit === undefined && remaining === undefined && reset === undefined) {
    return datedLimitHeaders(headers, kind, nowMillis)
  }
  return { limit: count(limit), remaining: count(remaining), resetMillis: durationMillis(reset) }
}

const datedLimitHeaders = (
  headers: Headers,
  kind: LimitKind,
  nowMillis: number | undefined
): LimitHeaders | undefined => {
  const limit = headers[`anthropic-ratelimit-${kind}-limit`]
  const remaining = headers[`anthropic-ratelimit-${kind}-remaining`]
  const reset = headers[`anthropic-ratelimit-${kind}-reset`]
  if (limit === undefined && remaining === undefined && reset === undefined) return undefined
  return {
    limit: count(limit),
    remaining: count(remaining),
    resetMillis: millisUntil(reset, nowMillis)
  }
}

const millisUntil = (
  time: string | undefined,
  nowMillis: number | undefined
): number | undefined => {
  if (time === undefined || nowMillis === undefined) return undefined
  const date = DateTime.make(time.trim())
  return Option.isNone(date)
    ? undefined
    : Math.max(0, DateTime.toEpochMillis(date.value) - nowMillis)
}

const count = (text: string | undefined): number | undefined => {
  if (text === undefined || text.trim() === "") return undefined
  const value = Number(text.replaceAll(",", ""))
  return Number.isFinite(value) && value >= 0 ? Math.floor(value) : undefined
}

const durationPart = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g
const durationText = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/
const unitMillis: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000
}

/**
 * Reads `6m0s`, `17ms`, `0s`, `1d2h` and bare seconds, as milliseconds.
 *
 * @category parsing
 * @since 0.1.0
 */
export const durationMillis = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  const compact = text.trim().toLowerCase().replaceAll(" ", "")
  if (compact === "") return undefined
  const seconds = Number(compact)
  if (Number.isFinite(seconds)) return seconds < 0 ? undefined : seconds * 1000
  if (!durationText.test(compact)) return undefined
  let millis = 0
  for (const [, amount, unit] of compact.matchAll(durationPart)) {
    millis += Number(amount) * (unitMillis[unit ?? ""] ?? 0)
  }
  return millis
}

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
