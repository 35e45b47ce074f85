/**
 * One limit of a quota: what may be used of one thing in one window, what was used, and what the provider says about it.
 *
 * The user's setting is the most there ever is; what a response says only tightens it. A provider's count that is higher than
 * ours was when the request was sent means that others use the quota too: what they used is counted until the provider's
 * reset. Since then some of ours has expired and some was sent, which is no difference between the two.
 *
 * **Units**: epoch milliseconds, and whatever the limit counts.
 *
 * @since 0.1.0
 */
import type { Pace } from "./Pace.ts"
import { Pace as FixedPace, Ramp } from "./Pace.ts"
import type { Cost, Dimension, LimitShape, Quota } from "./Quota.ts"
import { amountOf } from "./Quota.ts"
import { SlidingWindow } from "./SlidingWindow.ts"
import { TokenBucket } from "./TokenBucket.ts"

/**
 * What one response says about one limit.
 *
 * @category models
 * @since 0.1.0
 */
export interface LimitReport {
  readonly limit: number | undefined
  readonly remaining: number | undefined
  /** Milliseconds until the limit is whole again. */
  readonly resetMillis: number | undefined
}

/** How long others' use is believed in where the provider does not say when it ends. */
const unknownResetMillis = 60_000

/** Bursts of requests are what providers refuse; tokens come in lumps anyway. */
const isRamped = ({ dimension, windowMillis }: LimitShape): boolean =>
  dimension === "requests" && windowMillis === 60_000

/**
 * One limit.
 *
 * @category models
 * @since 0.1.0
 */
export class Limit {
  readonly shape: LimitShape
  /** The user's setting; `Infinity` for a limit that was learned. */
  readonly configured: number
  readonly #window: SlidingWindow | TokenBucket
  /** Requests that were sent before it was known say nothing about it. */
  readonly #sinceMillis: number
  readonly #ramp: Ramp | undefined
  readonly #pace: Pace | undefined
  #foreign = 0
  #foreignUntil = 0

  constructor(shape: LimitShape, limit: number, options: LimitOptions = {}) {
    this.shape = shape
    this.configured = options.sinceMillis !== undefined ? Number.POSITIVE_INFINITY : limit
    this.#sinceMillis = options.sinceMillis ?? Number.NEGATIVE_INFINITY
    this.#window =
      options.enforcement === "token-bucket"
        ? new TokenBucket(limit, shape.windowMillis)
        : new SlidingWindow(limit, shape.windowMillis)
    this.#ramp =
      options.burst === undefined && isRamped(shape)
        ? new Ramp(limit, shape.windowMillis)
        : undefined
    this.#pace =
      options.burst === undefined
        ? this.#ramp?.pace
        : new FixedPace(options.burst, limit, shape.windowMillis)
  }

  get name(): LimitShape["name"] {
    return this.shape.name
  }

  get dimension(): Dimension {
    return this.shape.dimension
  }

  /** What is in force: the setting, or less where the provider said so. */
  get limit(): number {
    return this.#window.limit
  }

  /** What is used now, by us and as far as is known by others. */
  used(nowMillis: number): number {
    return this.#window.used(nowMillis) + this.#foreignAt(nowMillis)
  }

  /** What is used now by us. */
  ownUsed(nowMillis: number): number {
    return this.#window.used(nowMillis)
  }

  /** The earliest time at which a cost has room, if nothing else is counted until then. */
  roomAt(nowMillis: number, cost: Cost): number {
    const amount = amountOf(cost, this.dimension)
    if (amount === 0) return nowMillis
    const foreign = this.#foreignAt(nowMillis)
    // A request larger than what others leave goes when they are gone.
    let at =
      foreign > 0 && amount + foreign > this.limit
        ? this.#foreignUntil
        : this.#window.roomAt(nowMillis, amount + foreign)
    if (foreign > 0 && at > this.#foreignUntil)
      at = Math.max(this.#foreignUntil, this.#window.roomAt(nowMillis, amount))
    return this.#pace === undefined ? at : Math.max(at, this.#pace.roomAt(nowMillis, amount))
  }

  /** Counts a cost, and gives the stamp that settling it needs. */
  take(nowMillis: number, cost: Cost): number {
    const amount = amountOf(cost, this.dimension)
    this.#pace?.add(nowMillis, amount)
    return this.#window.add(nowMillis, amount)
  }

  /** Gives back part of what was counted at a stamp; a negative amount was used beyond it. */
  giveBack(nowMillis: number, stamp: number, amount: number): void {
    // What was used above the estimate is counted now, so that it is repaid before anything more is admitted.
    if (amount < 0) this.#window.add(nowMillis, -amount)
    else this.#window.refund(stamp, amount)
    this.#pace?.refund(amount)
  }

  /** Takes note of what a response says; `ownUsed` is what we had used when its request was sent, and with it. */
  learn(nowMillis: number, ownUsed: number, report: LimitReport): void {
    const { limit, remaining, resetMillis } = report
    if (limit !== undefined && limit >= 1) this.#window.limit = Math.min(this.configured, limit)
    if (remaining === undefined) return
    const counted = (limit ?? this.limit) - remaining
    this.#foreign = Math.max(0, counted - ownUsed)
    // Without a reset the next response must be waited for, but not for ever.
    const until = resetMillis ?? unknownResetMillis
    this.#foreignUntil = nowMillis + Math.min(until, this.shape.windowMillis)
  }

  /** The provider took a request of ours. */
  taken(nowMillis: number): void {
    this.#ramp?.taken(nowMillis)
  }

  /** The provider refused a request although there was room when it was sent. */
  refused(nowMillis: number, sentMillis: number): void {
    if (sentMillis >= this.#sinceMillis) this.#ramp?.refused(nowMillis)
  }

  #foreignAt(nowMillis: number): number {
    return nowMillis < this.#foreignUntil ? this.#foreign : 0
  }
}

/**
 * Settings of a limit.
 *
 * @category models
 * @since 0.1.0
 */
export interface LimitOptions {
  /** The most at one instant. Default: found out for requests per minute, else no pacing. */
  readonly burst?: number | undefined
  /** How the provider counts. Default: the last minute or day. */
  readonly enforcement?: Quota["enforcement"]
  /** Since when it is known, where it comes from the provider and not from the user. */
  readonly sinceMillis?: number | undefined
}
