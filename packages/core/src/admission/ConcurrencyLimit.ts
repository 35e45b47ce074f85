/**
 * How many attempts may be in flight at once: a fixed number, or one that adapts to what the deployment can take.
 *
 * The setting and the port; what adapts is `AdaptiveLimit`. It holds no slots and nobody back: the scheduler reads `limit`
 * before each attempt and reports each end.
 *
 * **Units**: attempts, milliseconds.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

import { AdaptiveLimit } from "./AdaptiveLimit.ts"

const Count = Schema.Int.check(
  Schema.makeFilter((value: number) =>
    value >= 1
      ? undefined
      : `${value} is not a whole number of at least 1; leave the limit out for none`
  )
)

/**
 * The bounds of an adaptive limit.
 *
 * @category schemas
 * @since 0.1.0
 */
export const AdaptiveSettings = Schema.Struct({
  /** The least it shrinks to. Default 1. */
  min: Schema.optional(Count),
  /** The most it grows to. Default 512. */
  max: Schema.optional(Count),
  /** Where it starts. Default 8, or the bound nearest to it. */
  initial: Schema.optional(Count)
}).check(
  Schema.makeFilter(({ initial, max, min }) => {
    if (min !== undefined && max !== undefined && min > max) {
      return { path: ["min"], issue: `${min} is above max, which is ${max}` }
    }
    if (initial === undefined) return undefined
    if (min !== undefined && initial < min) {
      return { path: ["initial"], issue: `${initial} is below min, which is ${min}` }
    }
    return max !== undefined && initial > max
      ? { path: ["initial"], issue: `${initial} is above max, which is ${max}` }
      : undefined
  })
)

/**
 * The bounds of an adaptive limit.
 *
 * @category models
 * @since 0.1.0
 */
export type AdaptiveSettings = typeof AdaptiveSettings.Type

/**
 * How many attempts may be in flight at once: `32`, or `{ adaptive: { min: 4, max: 256, initial: 16 } }`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const MaxParallelRequests = Schema.Union([
  Count,
  Schema.Struct({ adaptive: AdaptiveSettings })
]).annotate({ expected: "a number such as 32 or { adaptive: { min, max, initial } }" })

/**
 * How many attempts may be in flight at once.
 *
 * @category models
 * @since 0.1.0
 */
export type MaxParallelRequests = typeof MaxParallelRequests.Type

/**
 * Why a limit is what it is.
 *
 * **Details**: `fixed`: it never changes. `initial`: it has not changed yet. `used`: it grew, all of it was in use and latency
 * held. `latency`: it shrank, because latency rises with it. `overload`: it shrank, because the deployment refused.
 * `probe`: it is halved for a moment, to learn what that does to the latency. `restored`: that did little, so it is back.
 *
 * @category models
 * @since 0.1.0
 */
export type LimitReason =
  | "fixed"
  | "initial"
  | "used"
  | "latency"
  | "overload"
  | "probe"
  | "restored"

/**
 * A limit of attempts in flight.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConcurrencyLimit {
  /** Attempts that may be in flight, at least 1; `Infinity` for any number. */
  readonly limit: number
  /** The reason of its last change. */
  readonly reason: LimitReason
  /** Called with each answer: how long it took, and how many attempts were in flight at its end, itself included. */
  readonly onSuccess: (latencyMillis: number, inFlight: number, nowMillis: number) => void
  /** Called with each refusal for overload (429 without a quota of ours to blame, 503, 529) and each time-out. */
  readonly onOverload: (latencyMillis: number, nowMillis: number) => void
}

/**
 * A limit that never changes; `Infinity` for none.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fixed = (limit: number): ConcurrencyLimit => ({
  limit,
  reason: "fixed",
  onSuccess: () => {},
  onOverload: () => {}
})

/**
 * The limit that a setting describes; no setting is no limit.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (setting: MaxParallelRequests | undefined): ConcurrencyLimit => {
  if (setting === undefined) return fixed(Number.POSITIVE_INFINITY)
  return typeof setting === "number" ? fixed(setting) : new AdaptiveLimit(setting.adaptive)
}
