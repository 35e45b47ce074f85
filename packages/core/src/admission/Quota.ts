/**
 * How many requests and tokens may be used per minute and per day: a value, checked when it is made.
 *
 * Any subset may be given; what is not given does not limit. Who keeps the count is `RateLimit`.
 *
 * **Units**: requests and tokens per minute (60 s) and per day (24 h), in sliding windows.
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

/**
 * The limits of a deployment or of a client.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Quota = Schema.Struct({
  /** Requests per minute. */
  rpm: Schema.optional(Limit),
  /** Tokens per minute, of prompts and answers together. */
  tpm: Schema.optional(Limit),
  /** Requests per day. */
  rpd: Schema.optional(Limit),
  /** Tokens per day, of prompts and answers together. */
  tpd: Schema.optional(Limit),
  /** The most requests at one instant; the rest of `rpm` is then spread evenly. Default: no pacing. */
  maxRequestBurst: Schema.optional(Limit),
  /** The most tokens at one instant; the rest of `tpm` is then spread evenly. Default: no pacing. */
  maxTokenBurst: Schema.optional(Limit)
})

/**
 * The limits of a deployment or of a client.
 *
 * @category models
 * @since 0.1.0
 */
export type Quota = typeof Quota.Type

/**
 * What one attempt takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Cost {
  readonly requests: number
  readonly tokens: number
}

/**
 * Whether a quota limits nothing.
 *
 * @category guards
 * @since 0.1.0
 */
export const isUnlimited = (quota: Quota): boolean =>
  quota.rpm === undefined &&
  quota.tpm === undefined &&
  quota.rpd === undefined &&
  quota.tpd === undefined

/**
 * Whether a quota limits tokens.
 *
 * @category guards
 * @since 0.1.0
 */
export const hasTokens = (quota: Quota): boolean =>
  quota.tpm !== undefined || quota.tpd !== undefined
