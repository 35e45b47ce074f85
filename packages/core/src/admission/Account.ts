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
import type { LimitReport } from "./Limit.ts"
import { Limit } from "./Limit.ts"
import type { Cost, Dimension, LimitShape, Quota } from "./Quota.ts"
import { amountOf, limitShapes } from "./Quota.ts"
import type { Scope } from "./ReportScope.ts"
import { ReportScopes } from "./ReportScope.ts"

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
  /** It was not set but learned from what the provider says. */
  readonly learned: boolean
}

/**
 * What a response says about the limits it was counted against.
 *
 * @category models
 * @since 0.1.0
 */
export type Reports = ReadonlyArray<
  LimitReport & {
    readonly dimension: "requests" | "tokens" | "inputTokens" | "outputTokens"
    /** The window, where the header names it. */
    readonly scope: Scope | undefined
  }
>

/**
 * What taking a cost leaves in hand, limit by limit: what settling it and understanding the response need.
 *
 * @category models
 * @since 0.1.0
 */
export interface Receipt {
  /** When it was counted, in the limit's own terms. */
  readonly stamps: ReadonlyArray<number>
  /** What was used with it: what the provider counts when the request reaches it, unless others use the quota too. */
  readonly used: ReadonlyArray<number>
}

/**
 * Settings of an account.
 *
 * @category models
 * @since 0.1.0
 */
export interface AccountOptions {
  /** Which window a header is about that does not say so itself. Default `auto`: told by its limit and its reset. */
  readonly headerScope?: Scope | "auto" | undefined
  /** Whether what responses say is taken note of. Default true. */
  readonly learns?: boolean | undefined
}

/**
 * The use of one quota.
 *
 * @category models
 * @since 0.1.0
 */
export class Account {
  readonly key: string
  readonly #limits: Array<Limit>
  readonly #scopes: ReportScopes
  readonly #learns: boolean
  readonly #enforcement: Quota["enforcement"]

  constructor(key: string, quota: Quota, options: AccountOptions = {}) {
    this.key = key
    this.#learns = options.learns !== false
    this.#enforcement = quota.enforcement
    this.#scopes = new ReportScopes(options.headerScope ?? "auto")
    this.#limits = limitShapes.flatMap((shape) => {
      const limit = quota[shape.name]
      if (limit === undefined) return []
      const burst = shape.burst === undefined ? undefined : quota[shape.burst]
      return [new Limit(shape, limit, { burst, enforcement: this.#enforcement })]
    })
  }

  get limits(): ReadonlyArray<Limit> {
    return this.#limits
  }

  /** The earliest time at which a cost has room, if nothing else is counted until then. */
  roomAt(nowMillis: number, cost: Cost): number {
    let at = nowMillis
    for (const limit of this.#limits) at = Math.max(at, limit.roomAt(nowMillis, cost))
    return at
  }

  /** The first setting that is too small for a cost for ever. */
  tooSmallFor(cost: Cost): Limit | undefined {
    for (const limit of this.#limits)
      if (amountOf(cost, limit.dimension) > limit.limit) return limit
    return undefined
  }

  /** The first limit that has no room for a cost now. */
  fullFor(nowMillis: number, cost: Cost): Limit | undefined {
    return this.#limits.find((limit) => limit.roomAt(nowMillis, cost) > nowMillis)
  }

  /** The share of the limits that is left: that of the one that is nearest to its end. */
  headroom(nowMillis: number): number {
    let least = 1
    for (const limit of this.#limits)
      least = Math.min(least, 1 - limit.used(nowMillis) / limit.limit)
    return Math.max(0, least)
  }

  /** Counts a cost. */
  take(nowMillis: number, cost: Cost): Receipt {
    const stamps: Array<number> = []
    const used: Array<number> = []
    for (const limit of this.#limits) {
      stamps.push(limit.take(nowMillis, cost))
      used.push(limit.ownUsed(nowMillis))
    }
    return { stamps, used }
  }

  /** Makes what was taken what was really used. */
  settle(nowMillis: number, { stamps }: Receipt, cost: Cost, settlement: Settlement): void {
    if (settlement._tag === "Counted") return
    for (const [index, limit] of this.#limits.entries()) {
      const stamp = stamps[index]
      const returned = returnOf(settlement, cost, limit.dimension)
      // A limit that was learned meanwhile has not counted this attempt.
      if (stamp !== undefined && returned !== 0) limit.giveBack(nowMillis, stamp, returned)
    }
  }

  /** Takes note of what a response says; what is not configured is learned. */
  learn(nowMillis: number, { used }: Receipt, reports: Reports): void {
    if (!this.#learns) return
    for (const report of reports) {
      const shape = this.#scopes.shapeOf(report, report.dimension, this.#limits)
      if (shape === undefined) continue
      let index = this.#limits.findIndex(({ name }) => name === shape.name)
      if (index < 0) {
        if (report.limit === undefined || report.limit < 1) continue
        const learned = { sinceMillis: nowMillis, enforcement: this.#enforcement }
        index = this.#limits.push(new Limit(shape, report.limit, learned)) - 1
      }
      // A limit that was not known then has counted nothing of what was sent before.
      this.#limits[index]?.learn(nowMillis, used[index] ?? 0, report)
    }
  }

  /** The provider took an attempt. */
  taken(nowMillis: number): void {
    for (const limit of this.#limits) limit.taken(nowMillis)
  }

  /** The provider refused an attempt because of a rate limit, although there was room when it was sent. */
  refused(nowMillis: number, sentMillis: number): void {
    for (const limit of this.#limits) limit.refused(nowMillis, sentMillis)
  }

  snapshot(nowMillis: number): ReadonlyArray<LimitSnapshot> {
    return this.#limits.map((limit) => ({
      name: limit.name,
      limit: limit.limit,
      used: limit.used(nowMillis),
      learned: limit.configured === Number.POSITIVE_INFINITY
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
