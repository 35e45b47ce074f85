/**
 * How much may be used per minute and per day: a value, checked when it is made.
 *
 * Any subset may be given; what is not given does not limit. Who keeps the count is an `Account`. How many attempts may be in
 * flight at once is no quota: it comes back when they end (`Slots`).
 *
 * **Units**: requests, tokens, seconds of audio and US dollars, per minute (60 s) and per day (24 h).
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

const Limit = Schema.Int.check(
  Schema.makeFilter((value: number) =>
    value >= 1
      ? undefined
      : `${value} is not a whole number of at least 1; leave the limit out for none`
  )
)

const Amount = Schema.Finite.check(
  Schema.makeFilter((value: number) =>
    value > 0 ? undefined : `${value} is not above 0; leave the limit out for none`
  )
)

/**
 * The limits of a deployment, of a key that deployments share, or of a client.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Quota = Schema.Struct({
  /** Requests per minute. */
  rpm: Schema.optional(Limit),
  /** Tokens per minute, of prompts and answers together. */
  tpm: Schema.optional(Limit),
  /** Input tokens per minute, where the provider counts prompts apart. */
  itpm: Schema.optional(Limit),
  /** Output tokens per minute, where the provider counts answers apart. */
  otpm: Schema.optional(Limit),
  /** Requests per day. */
  rpd: Schema.optional(Limit),
  /** Tokens per day, of prompts and answers together. */
  tpd: Schema.optional(Limit),
  /** Input tokens per day. */
  itpd: Schema.optional(Limit),
  /** Output tokens per day. */
  otpd: Schema.optional(Limit),
  /** Seconds of audio sent for transcription per minute. */
  audioSecondsPerMinute: Schema.optional(Amount),
  /** Seconds of audio sent for transcription per day. */
  audioSecondsPerDay: Schema.optional(Amount),
  /** US dollars per minute; requests whose price is unknown count as nothing. */
  usdPerMinute: Schema.optional(Amount),
  /** US dollars per day; requests whose price is unknown count as nothing. */
  usdPerDay: Schema.optional(Amount),
  /** The most requests at one instant; the rest of `rpm` is then spread evenly. Default: what the provider takes is found out. */
  maxRequestBurst: Schema.optional(Limit),
  /** The most tokens at one instant; the rest of `tpm` is then spread evenly. Default: no pacing. */
  maxTokenBurst: Schema.optional(Limit),
  /**
   * How the provider counts. `sliding-window`, the default, never uses more than the limit within any minute or day, and is
   * right everywhere. `token-bucket` is for providers that refill evenly, as Anthropic says of its own: what was used
   * comes back bit by bit, so that up to twice the limit may be used in the first minute.
   */
  enforcement: Schema.optional(Schema.Literals(["sliding-window", "token-bucket"]))
})

/**
 * The limits of a deployment, of a key that deployments share, or of a client.
 *
 * @category models
 * @since 0.1.0
 */
export type Quota = typeof Quota.Type

/**
 * What one attempt takes.
 *
 * **Units**: requests, tokens, seconds, US dollars.
 *
 * @category models
 * @since 0.1.0
 */
export interface Cost {
  readonly requests: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly audioSeconds: number
  readonly usd: number
}

/**
 * One request of which nothing else is known.
 *
 * @category constants
 * @since 0.1.0
 */
export const oneRequest: Cost = {
  requests: 1,
  inputTokens: 0,
  outputTokens: 0,
  audioSeconds: 0,
  usd: 0
}

/**
 * What a limit counts.
 *
 * @category models
 * @since 0.1.0
 */
export type Dimension = keyof Cost | "tokens"

/**
 * How much of a dimension a cost takes.
 *
 * @category getters
 * @since 0.1.0
 */
export const amountOf = (cost: Cost, dimension: Dimension): number =>
  dimension === "tokens" ? cost.inputTokens + cost.outputTokens : cost[dimension]

/**
 * A limit of a quota: its name in the settings, what it counts and over which time.
 *
 * @category models
 * @since 0.1.0
 */
export interface LimitShape {
  readonly name: Exclude<keyof Quota, "maxRequestBurst" | "maxTokenBurst" | "enforcement">
  readonly dimension: Dimension
  readonly windowMillis: number
  /** The setting that paces it. */
  readonly burst?: "maxRequestBurst" | "maxTokenBurst" | undefined
}

const minuteMillis = 60_000
const dayMillis = 86_400_000

/**
 * Every limit there can be, those that usually bind first at the front.
 *
 * @category constants
 * @since 0.1.0
 */
export const limitShapes: ReadonlyArray<LimitShape> = [
  { name: "rpm", dimension: "requests", windowMillis: minuteMillis, burst: "maxRequestBurst" },
  { name: "tpm", dimension: "tokens", windowMillis: minuteMillis, burst: "maxTokenBurst" },
  { name: "itpm", dimension: "inputTokens", windowMillis: minuteMillis },
  { name: "otpm", dimension: "outputTokens", windowMillis: minuteMillis },
  { name: "rpd", dimension: "requests", windowMillis: dayMillis },
  { name: "tpd", dimension: "tokens", windowMillis: dayMillis },
  { name: "itpd", dimension: "inputTokens", windowMillis: dayMillis },
  { name: "otpd", dimension: "outputTokens", windowMillis: dayMillis },
  { name: "audioSecondsPerMinute", dimension: "audioSeconds", windowMillis: minuteMillis },
  { name: "audioSecondsPerDay", dimension: "audioSeconds", windowMillis: dayMillis },
  { name: "usdPerMinute", dimension: "usd", windowMillis: minuteMillis },
  { name: "usdPerDay", dimension: "usd", windowMillis: dayMillis }
]

/**
 * Whether a quota limits nothing.
 *
 * @category guards
 * @since 0.1.0
 */
export const isUnlimited = (quota: Quota): boolean =>
  limitShapes.every(({ name }) => quota[name] === undefined)
