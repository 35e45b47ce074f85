/**
 * The rate limits that a response reports, in the words of whichever vendor: OpenAI and those like it, Anthropic, and the IETF's
 * fields.
 *
 * Pure and infallible: what cannot be understood is absent and counted in `illFormed`, and a header can never fail a request
 * that was answered. What the values mean for a quota is admission's matter.
 *
 * **Units**: durations are milliseconds from now.
 *
 * **Source**: OpenAI "Rate limits", `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` (Azure, Groq and others alike, and
 * some with `-minute` or `-day` behind); Anthropic "Rate limits",
 * `anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,reset}`, resets as RFC 3339; IETF
 * draft-ietf-httpapi-ratelimit-headers, `RateLimit` with `RateLimit-Policy`, and `RateLimit-{Limit,Remaining,Reset}` of its earlier
 * versions (read November 2026).
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"

import { durationMillis } from "./HeaderDuration.ts"
import type { Headers } from "./ResponseHeaders.ts"

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
 * What one response says about the limits of one window.
 *
 * @category models
 * @since 0.1.0
 */
export interface WindowHeaders {
  readonly requests: LimitHeaders | undefined
  readonly tokens: LimitHeaders | undefined
}

/**
 * What one response says about the limits it was counted against.
 *
 * @category models
 * @since 0.1.0
 */
export interface RateLimitHeaders extends WindowHeaders {
  /** Where the provider limits input and output apart; `tokens` is then the one that is nearer to its end. */
  readonly inputTokens?: LimitHeaders | undefined
  readonly outputTokens?: LimitHeaders | undefined
  /** Limits whose headers name their window. */
  readonly perMinute?: WindowHeaders | undefined
  readonly perDay?: WindowHeaders | undefined
  /** Headers of this kind that could not be understood; absent when there were none. */
  readonly illFormed?: number | undefined
}

/**
 * The rate limits a response reports, or `undefined` when it reports none.
 *
 * **Details**: some providers say when a limit is whole again as a time of day; that is understood only where `nowMillis`
 * says what time it is, in milliseconds since 1970.
 *
 * @category parsing
 * @since 0.1.0
 */
export const rateLimits = (headers: Headers, nowMillis?: number): RateLimitHeaders | undefined => {
  const reader = new Reader(headers, nowMillis)
  const ietf = reader.ietf()
  const requests = reader.openai("requests") ?? reader.anthropic("requests") ?? ietf.requests
  const tokens = reader.openai("tokens") ?? reader.anthropic("tokens")
  const inputTokens = reader.openai("input-tokens") ?? reader.anthropic("input-tokens")
  const outputTokens = reader.openai("output-tokens") ?? reader.anthropic("output-tokens")
  const perMinute = reader.window("minute") ?? ietf.perMinute
  const perDay = reader.window("day") ?? ietf.perDay
  const found = [requests, tokens, inputTokens, outputTokens, perMinute, perDay]
  if (found.every((one) => one === undefined) && reader.illFormed === 0) return undefined
  return {
    requests,
    tokens,
    ...(inputTokens === undefined && outputTokens === undefined
      ? {}
      : { inputTokens, outputTokens }),
    ...(perMinute === undefined ? {} : { perMinute }),
    ...(perDay === undefined ? {} : { perDay }),
    ...(reader.illFormed === 0 ? {} : { illFormed: reader.illFormed })
  }
}

const kinds = ["requests", "tokens", "input-tokens", "output-tokens"] as const
type Kind = (typeof kinds)[number]

/** The headers of one limit: how much, how much is left, when it is whole again. */
type Names = readonly [limit: string, remaining: string, reset: string]

const namesOf = <K extends string>(all: ReadonlyArray<K>, names: (kind: K) => Names) =>
  // `fromEntries` forgets the keys.
  Object.fromEntries(all.map((kind) => [kind, names(kind)])) as { readonly [kind in K]: Names }

/** Written out once: every response is looked through for all of them. */
const openaiNames = namesOf(
  [...kinds, "requests-minute", "tokens-minute", "requests-day", "tokens-day"],
  (kind) => [
    `x-ratelimit-limit-${kind}`,
    `x-ratelimit-remaining-${kind}`,
    `x-ratelimit-reset-${kind}`
  ]
)
const anthropicNames = namesOf(kinds, (kind) => [
  `anthropic-ratelimit-${kind}-limit`,
  `anthropic-ratelimit-${kind}-remaining`,
  `anthropic-ratelimit-${kind}-reset`
])
const ietfNames: Names = ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"]

/** Reads the headers of one response, and counts what it does not understand. */
class Reader {
  illFormed = 0
  readonly #headers: Headers
  readonly #nowMillis: number | undefined

  constructor(headers: Headers, nowMillis: number | undefined) {
    this.#headers = headers
    this.#nowMillis = nowMillis
  }

  openai(kind: keyof typeof openaiNames): LimitHeaders | undefined {
    return this.#limit(openaiNames[kind], durationMillis)
  }

  anthropic(kind: Kind): LimitHeaders | undefined {
    return this.#limit(anthropicNames[kind], (text) => millisUntil(text, this.#nowMillis))
  }

  window(name: "minute" | "day"): WindowHeaders | undefined {
    const requests = this.openai(`requests-${name}`)
    const tokens = this.openai(`tokens-${name}`)
    return requests === undefined && tokens === undefined ? undefined : { requests, tokens }
  }

  /** `RateLimit: "default";r=50;t=30` with `RateLimit-Policy: "default";q=100;w=60`, or the three fields of earlier versions. */
  ietf(): Partial<Pick<RateLimitHeaders, "requests" | "perMinute" | "perDay">> {
    const state = parameters(this.#headers["ratelimit"])
    if (state === undefined) {
      const requests = this.#limit(ietfNames, durationMillis)
      return requests === undefined ? {} : { requests }
    }
    const policy = parameters(this.#headers["ratelimit-policy"])
    const limit = {
      limit: this.#count(policy?.get("q")),
      remaining: this.#count(state.get("r")),
      resetMillis: durationMillis(state.get("t"))
    }
    const windowSeconds = Number(policy?.get("w"))
    const unit = policy?.get("qu") ?? '"requests"'
    const window =
      unit === '"tokens"'
        ? { requests: undefined, tokens: limit }
        : { requests: limit, tokens: undefined }
    if (windowSeconds === 60) return { perMinute: window }
    if (windowSeconds === 86_400) return { perDay: window }
    return unit === '"requests"' ? { requests: limit } : {}
  }

  #limit(
    [limitName, remainingName, resetName]: Names,
    readReset: (text: string) => number | undefined
  ): LimitHeaders | undefined {
    const limit = this.#headers[limitName]
    const remaining = this.#headers[remainingName]
    const reset = this.#headers[resetName]
    if (limit === undefined && remaining === undefined && reset === undefined) return undefined
    const resetMillis = reset === undefined ? undefined : readReset(reset)
    if (reset !== undefined && resetMillis === undefined) this.illFormed++
    return { limit: this.#count(limit), remaining: this.#count(remaining), resetMillis }
  }

  /** A count; a negative one, which some send for "no limit", is none. */
  #count(text: string | undefined): number | undefined {
    if (text === undefined) return undefined
    const value = text.trim() === "" ? Number.NaN : Number(text.replaceAll(",", ""))
    if (Number.isFinite(value) && value >= 0) return Math.floor(value)
    this.illFormed++
    return undefined
  }
}

const millisUntil = (time: string, nowMillis: number | undefined): number | undefined => {
  if (nowMillis === undefined) return undefined
  const date = DateTime.make(time.trim())
  return Option.isNone(date)
    ? undefined
    : Math.max(0, DateTime.toEpochMillis(date.value) - nowMillis)
}

/** The parameters of the first item of a structured field; the fields used here have no strings with a semicolon. */
const parameters = (field: string | undefined): ReadonlyMap<string, string> | undefined => {
  if (field === undefined || !field.includes(";")) return undefined
  const [first = ""] = field.split(",")
  return new Map(
    first
      .split(";")
      .slice(1)
      .map((pair): [string, string] => {
        const equals = pair.indexOf("=")
        return [pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()]
      })
  )
}
