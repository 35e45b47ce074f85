/**
 * The use of one quota: all its limits together, for one key (a deployment, a key that deployments share, a client).
 *
 * It is arithmetic over time and waits for nothing: who stands in line is the `Scheduler`'s matter, and that several accounts
 * are taken in one step is the `QuotaStore`'s.
 *
 * **Units**: epoch milliseconds, and whatever a limit counts.
 *
 * @since 0.1.0
 */
import { Pace } from "./Pace.ts"
import type { Cost, Dimension, LimitShape, Quota } from "./Quota.ts"
import { amountOf, limitShapes } from "./Quota.ts"
import { SlidingWindow } from "./SlidingWindow.ts"

/**
 * What became of an attempt, as far as quota is concerned.
 *
 * **Details**: `Used`: answered, with what it really used. `Counted`: sent, but what it used is unknown (no usage reported, a
 * time-out, a cut connection, an interruption), so the estimate stands. `Refused`: the provider counted the request and did no
 * work, so everything but the request comes back. `Unsent`: it never left, so everything comes back.
 *
 * @category models
 * @since 0.1.0
 */
export type Settlement =
  | { readonly _tag: "Used"; readonly cost: Cost }
  | { readonly _tag: "Counted" }
  | { readonly _tag: "Refused" }
  | { readonly _tag: "Unsent" }

/**
 * The state of one limit.
 *
 * @category models
 * @since 0.1.0
 */
export interface LimitSnapshot {
  readonly name: LimitShape["name"]
  /** What is in force: the setting, or less where the provider said so. */
  readonly limit: number
  readonly used: number
}

/**
 * One limit and its use.
 *
 * @category models
 * @since 0.1.0
 */
export interface Limit {
  readonly name: LimitShape["name"]
  readonly dimension: Dimension
  readonly window: SlidingWindow
  readonly pace: Pace | undefined
}

/**
 * The use of one quota.
 *
 * @category models
 * @since 0.1.0
 */
export class Account {
  readonly key: string
  readonly limits: ReadonlyArray<Limit>

  constructor(key: string, quota: Quota) {
    this.key = key
    this.limits = limitShapes.flatMap(({ burst, dimension, name, windowMillis }) => {
      const limit = quota[name]
      if (limit === undefined) return []
      const most = burst === undefined ? undefined : quota[burst]
      const pace = most === undefined ? undefined : new Pace(most, limit, windowMillis)
      return [{ name, dimension, window: new SlidingWindow(limit, windowMillis), pace }]
    })
  }

  /** The earliest time at which a cost has room, if nothing else is counted until then. */
  roomAt(nowMillis: number, cost: Cost): number {
    let at = nowMillis
    for (const { dimension, pace, window } of this.limits) {
      const amount = amountOf(cost, dimension)
      if (amount === 0) continue
      at = Math.max(at, window.roomAt(nowMillis, amount))
      if (pace !== undefined) at = Math.max(at, pace.roomAt(nowMillis, amount))
    }
    return at
  }

  /** The first limit that is too small for a cost for ever. */
  tooSmallFor(cost: Cost): Limit | undefined {
    return this.limits.find(({ dimension, window }) => amountOf(cost, dimension) > window.limit)
  }

  /** The first limit that has no room for a cost now. */
  fullFor(nowMillis: number, cost: Cost): Limit | undefined {
    return this.limits.find(({ dimension, pace, window }) => {
      const amount = amountOf(cost, dimension)
      if (amount === 0) return false
      const at = Math.max(
        window.roomAt(nowMillis, amount),
        pace?.roomAt(nowMillis, amount) ?? nowMillis
      )
      return at > nowMillis
    })
  }

  /** The share of the limits that is left: that of the one that is nearest to its end. */
  headroom(nowMillis: number): number {
    let least = 1
    for (const { window } of this.limits)
      least = Math.min(least, 1 - window.used(nowMillis) / window.limit)
    return Math.max(0, least)
  }

  /** Counts a cost, and gives the stamps that settling it needs. */
  take(nowMillis: number, cost: Cost): ReadonlyArray<number> {
    return this.limits.map(({ dimension, pace, window }) => {
      const amount = amountOf(cost, dimension)
      pace?.add(nowMillis, amount)
      return window.add(nowMillis, amount)
    })
  }

  /** Makes what was taken what was really used. */
  settle(
    nowMillis: number,
    stamps: ReadonlyArray<number>,
    cost: Cost,
    settlement: Settlement
  ): void {
    if (settlement._tag === "Counted") return
    for (const [index, { dimension, pace, window }] of this.limits.entries()) {
      const returned = returnOf(settlement, cost, dimension)
      if (returned === 0) continue
      // What was used above the estimate is counted now, so that it is repaid before anything more is admitted.
      if (returned < 0) window.add(nowMillis, -returned)
      else window.refund(stamps[index] ?? 0, returned)
      pace?.refund(returned)
    }
  }

  snapshot(nowMillis: number): ReadonlyArray<LimitSnapshot> {
    return this.limits.map(({ name, window }) => ({
      name,
      limit: window.limit,
      used: window.used(nowMillis)
    }))
  }
}

/** What comes back of a cost; a negative amount was used above the estimate. */
const returnOf = (settlement: Settlement, cost: Cost, dimension: Dimension): number => {
  const taken = amountOf(cost, dimension)
  switch (settlement._tag) {
    case "Used":
      return taken - amountOf(settlement.cost, dimension)
    case "Counted":
      return 0
    case "Refused":
      return dimension === "requests" ? 0 : taken
    case "Unsent":
      return taken
  }
}
