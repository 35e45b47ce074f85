/**
 * Which limit a rate-limit header is about: of requests or tokens it says what they are, but often not in which window.
 *
 * A daily limit may report a reset of seconds (the time to regain what was used), so the reset alone misleads; what a limit of
 * that size that is used that far would need to become whole tells more. Where the user has set limits, the header belongs to
 * the one of about its size.
 *
 * **Units**: milliseconds.
 *
 * @since 0.1.0
 */
import type { Limit, LimitReport } from "./Limit.ts"
import type { Dimension, LimitShape } from "./Quota.ts"
import { limitShapes } from "./Quota.ts"

/**
 * A window of a limit.
 *
 * @category models
 * @since 0.1.0
 */
export type Scope = "minute" | "day"

const minuteMillis = 60_000
const dayMillis = 86_400_000

/** A limit per minute is whole again within two minutes, however it is counted. */
const longestMinuteReset = 120_000

/** How far a report of the same limit may be from its setting: providers round, and raise limits. */
const sameSize = Math.log(2)

/** How exactly a daily limit tells itself by its reset. */
const dailyTolerance = 0.05

/** Reports in a row that must look daily: one may do so by chance. */
const fewestSigns = 3

/**
 * Tells the windows of one account's reports; it remembers how often a report looked daily.
 *
 * @category models
 * @since 0.1.0
 */
export class ReportScopes {
  readonly #given: Scope | "auto"
  readonly #signs = new Map<Dimension, number>()

  constructor(given: Scope | "auto") {
    this.#given = given
  }

  /** The limit a report is about; `undefined` while that cannot be told. */
  shapeOf(
    report: LimitReport & { readonly scope?: Scope | undefined },
    dimension: Dimension,
    limits: ReadonlyArray<Limit>
  ): LimitShape | undefined {
    const scope =
      report.scope ??
      (this.#given === "auto" ? this.#guess(report, dimension, limits) : this.#given)
    if (scope === undefined) return undefined
    const windowMillis = scope === "minute" ? minuteMillis : dayMillis
    return limitShapes.find(
      (shape) => shape.dimension === dimension && shape.windowMillis === windowMillis
    )
  }

  #guess(
    report: LimitReport,
    dimension: Dimension,
    limits: ReadonlyArray<Limit>
  ): Scope | undefined {
    const { limit, resetMillis } = report
    if (resetMillis !== undefined && resetMillis > longestMinuteReset) return "day"
    const distance = (windowMillis: number): number => {
      const set = limits.find(
        (one) => one.dimension === dimension && one.shape.windowMillis === windowMillis
      )
      if (set === undefined || !Number.isFinite(set.configured)) return Number.POSITIVE_INFINITY
      return limit === undefined ? 0 : Math.abs(Math.log(set.configured / Math.max(1, limit)))
    }
    const minute = distance(minuteMillis)
    const day = distance(dayMillis)
    if (Number.isFinite(minute) && Number.isFinite(day)) return minute <= day ? "minute" : "day"
    if (minute <= sameSize) return "minute"
    if (day <= sameSize) return "day"
    if (!looksDaily(report)) {
      this.#signs.delete(dimension)
      return "minute"
    }
    const signs = (this.#signs.get(dimension) ?? 0) + 1
    this.#signs.set(dimension, signs)
    return signs < fewestSigns ? undefined : "day"
  }
}

/** Whether the reset is what a limit per day that is refilled steadily needs for what is used of it. */
const looksDaily = ({ limit, remaining, resetMillis }: LimitReport): boolean => {
  if (limit === undefined || remaining === undefined || resetMillis === undefined) return false
  if (remaining >= limit) return false
  const whole = (resetMillis * limit) / (limit - remaining)
  return Math.abs(whole / dayMillis - 1) < dailyTolerance
}
