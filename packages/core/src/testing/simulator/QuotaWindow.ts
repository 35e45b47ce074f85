/**
 * One limit over one window, enforced in one of three ways: what a server may mean by "600 a minute".
 *
 * It is the server's own arithmetic and shares no code with the client's quota, so that neither can hide a mistake of the
 * other.
 *
 * **Details**: `sliding-window` is exact: in any window at most the limit. `fixed-window` counts anew at every multiple of
 * the window since the epoch, so twice the limit may pass around a boundary. `token-bucket` starts full and refills
 * evenly; a burst of its capacity may pass at once.
 *
 * @since 0.1.0
 */
import { SlidingLog } from "./SlidingLog.ts"

/**
 * How a limit is enforced.
 *
 * @category models
 * @since 0.1.0
 */
export type Enforcement = "sliding-window" | "fixed-window" | "token-bucket"

/**
 * A limit being enforced.
 *
 * **Units**: amounts are requests or tokens; times are milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface QuotaWindow {
  readonly limit: number
  /** How long until the amount fits: 0 when it does now, `Infinity` when it never will. */
  readonly waitMillis: (now: number, amount: number) => number
  readonly take: (now: number, amount: number) => void
  readonly used: (now: number) => number
  /** How long until nothing is used any more, if nothing further is taken. */
  readonly resetMillis: (now: number) => number
}

/**
 * Starts enforcing a limit.
 *
 * **Details**: `burst` is the share of the limit that a token bucket holds; the other two ignore it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  enforcement: Enforcement,
  limit: number,
  windowMillis: number,
  burst: number
): QuotaWindow => {
  switch (enforcement) {
    case "sliding-window":
      return slidingWindow(limit, windowMillis)
    case "fixed-window":
      return fixedWindow(limit, windowMillis)
    case "token-bucket":
      return tokenBucket(limit, windowMillis, Math.max(1, limit * burst))
  }
}

const slidingWindow = (limit: number, windowMillis: number): QuotaWindow => {
  const log = new SlidingLog(windowMillis)
  return {
    limit,
    waitMillis: (now, amount) => {
      if (amount > limit) return Number.POSITIVE_INFINITY
      const excess = log.total(now) + amount - limit
      return excess <= 0 ? 0 : log.waitMillis(now, excess)
    },
    take: (now, amount) => log.add(now, amount),
    used: (now) => log.total(now),
    resetMillis: (now) => (log.total(now) === 0 ? 0 : log.emptyMillis(now))
  }
}

const fixedWindow = (limit: number, windowMillis: number): QuotaWindow => {
  let current = Number.NaN
  let taken = 0
  const used = (now: number): number => {
    const index = Math.floor(now / windowMillis)
    if (index !== current) {
      current = index
      taken = 0
    }
    return taken
  }
  const untilNext = (now: number): number =>
    (Math.floor(now / windowMillis) + 1) * windowMillis - now
  return {
    limit,
    waitMillis: (now, amount) =>
      amount > limit ? Number.POSITIVE_INFINITY : used(now) + amount <= limit ? 0 : untilNext(now),
    take: (now, amount) => {
      taken = used(now) + amount
    },
    used,
    resetMillis: (now) => (used(now) === 0 ? 0 : untilNext(now))
  }
}

/** Refilling in fractions loses about 1e-13 of a unit; a millionth is below any amount that counts. */
const rounding = 1e-6

const tokenBucket = (limit: number, windowMillis: number, capacity: number): QuotaWindow => {
  const perMilli = limit / windowMillis
  let level = capacity
  let filledAt = Number.NaN
  const fill = (now: number): number => {
    if (now > filledAt) level = Math.min(capacity, level + (now - filledAt) * perMilli)
    filledAt = Number.isNaN(filledAt) ? now : Math.max(filledAt, now)
    return level
  }
  return {
    limit,
    waitMillis: (now, amount) => {
      if (amount > capacity) return Number.POSITIVE_INFINITY
      const missing = amount - fill(now)
      return missing <= rounding ? 0 : Math.ceil((missing - rounding) / perMilli)
    },
    take: (now, amount) => {
      level = fill(now) - amount
    },
    used: (now) => Math.max(0, Math.ceil(capacity - fill(now) - rounding)),
    resetMillis: (now) => Math.max(0, Math.ceil((capacity - fill(now) - rounding) / perMilli))
  }
}
