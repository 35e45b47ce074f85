/**
 * A budget: the most money and tokens that a client, a batch or a job may spend in all.
 *
 * What an attempt may cost is set aside before it is sent, and made what it really cost afterwards; when there is not enough
 * left, nothing is sent and the request fails with `BudgetExceeded`. Unlike a quota it does not come back with time, so nobody
 * waits for it.
 *
 * **Gotchas**: a price that is not known counts as nothing, so a budget of money limits only models whose price is known. An
 * answer that costs more than was set aside (a request without `maxTokens`) is counted whole: what is in flight then may pass
 * the limit, and nothing more is sent.
 *
 * **Units**: US dollars and tokens.
 *
 * **Example** (A batch that stops at five dollars)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Budget from "@infermesh/core/admission/Budget"
 * import * as Inference from "@infermesh/core/Inference"
 *
 * const program = Effect.gen(function* () {
 *   const budget = yield* Budget.make({ name: "nightly", usd: 5 })
 *   return yield* Inference.generateBatch(["…"]).pipe(Budget.within(budget))
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

import { firstIssue } from "../operation/Issue.ts"
import { optionalSetting } from "../OptionalSetting.ts"
import { BudgetExceeded } from "../Reason.ts"
import { SettingsError } from "../SettingsError.ts"
import type { Settlement } from "./Account.ts"
import type { Cost } from "./Quota.ts"

const Amount = Schema.Finite.check(Schema.isGreaterThan(0))

/**
 * The settings of a budget.
 *
 * @category schemas
 * @since 0.1.0
 */
export const BudgetSettings = Schema.Struct({
  /** What messages call it. Default `client`. */
  name: Schema.optional(Schema.NonEmptyString),
  usd: Schema.optional(Amount),
  tokens: Schema.optional(Schema.Int.check(Schema.isGreaterThan(0))),
  /** Shares of the limit at which a warning is logged, once each. Default 0.8. */
  warnAt: optionalSetting(
    Schema.Array(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 })))
  )
})

/**
 * The settings of a budget.
 *
 * @category models
 * @since 0.1.0
 */
export type BudgetSettings = typeof BudgetSettings.Type

/**
 * What has been spent.
 *
 * @category models
 * @since 0.1.0
 */
export interface Spent {
  readonly usd: number
  readonly tokens: number
}

/**
 * Makes what was set aside what was really spent; a second time does nothing.
 *
 * @category models
 * @since 0.1.0
 */
export type Settle = (settlement: Settlement) => Effect.Effect<void>

/**
 * A budget.
 *
 * @category models
 * @since 0.1.0
 */
export interface Budget {
  readonly settings: BudgetSettings
  /** What was spent so far, what is set aside for attempts under way not counted. */
  readonly spent: Effect.Effect<Spent>
  /** Sets a cost aside; gives what is needed to settle it, or why there is not enough. */
  readonly reserve: (cost: Cost) => Settle | BudgetExceeded
}

const decode = Schema.decodeUnknownEffect(BudgetSettings, { onExcessProperty: "error" })

/**
 * Makes a budget of which nothing is spent.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (settings: BudgetSettings): Effect.Effect<Budget, SettingsError> =>
  Effect.mapBoth(decode(settings), {
    onFailure: ({ issue }) => {
      const { path, problem } = firstIssue(issue)
      return new SettingsError({ setting: `budget${path}`, problem })
    },
    onSuccess: open
  })

const open = (settings: BudgetSettings): Budget => {
  const { name = "client", warnAt = [0.8] } = settings
  const limits = { usd: settings.usd ?? Infinity, tokens: settings.tokens ?? Infinity }
  const spent = { usd: 0, tokens: 0 }
  const aside = { usd: 0, tokens: 0 }
  const thresholds = new Set(warnAt)

  const warnings = (): Effect.Effect<void> => {
    const share = Math.max(spent.usd / limits.usd, spent.tokens / limits.tokens)
    const passed = [...thresholds].filter((threshold) => share >= threshold)
    if (passed.length === 0) return Effect.void
    for (const threshold of passed) thresholds.delete(threshold)
    return Effect.logWarning(
      `The ${name} budget is used to ${Math.floor(share * 100)} % (${describe(spent, limits)})`
    )
  }

  return {
    settings,
    spent: Effect.sync(() => ({ ...spent })),
    reserve: (cost) => {
      const needed = spending(cost)
      for (const unit of ["usd", "tokens"] as const) {
        if (spent[unit] + aside[unit] + needed[unit] > limits[unit]) {
          return new BudgetExceeded({
            budget: unit === "usd" ? `${name} money` : `${name} token`,
            limit: limits[unit],
            spent: spent[unit]
          })
        }
      }
      move(aside, needed, 1)
      let settled = false
      return (settlement) =>
        Effect.suspend(() => {
          if (settled) return Effect.void
          settled = true
          move(aside, needed, -1)
          move(spent, really(settlement, cost), 1)
          return thresholds.size === 0 ? Effect.void : warnings()
        })
    }
  }
}

const spending = ({ inputTokens, outputTokens, usd }: Cost): Spent => ({
  usd,
  tokens: inputTokens + outputTokens
})

const nothing: Spent = { usd: 0, tokens: 0 }

const really = (settlement: Settlement, cost: Cost): Spent => {
  switch (settlement._tag) {
    case "Used":
      return spending(settlement.cost)
    case "Counted":
      return spending(cost)
    default:
      return nothing
  }
}

const move = (to: { usd: number; tokens: number }, by: Spent, sign: 1 | -1) => {
  to.usd += sign * by.usd
  to.tokens += sign * by.tokens
}

const describe = (spent: Spent, limits: Spent): string =>
  [
    ...(limits.usd === Infinity ? [] : [`${spent.usd.toFixed(4)} of ${limits.usd} USD`]),
    ...(limits.tokens === Infinity ? [] : [`${spent.tokens} of ${limits.tokens} tokens`])
  ].join(", ")

/**
 * The budgets of the requests made here; each of them must have enough left.
 *
 * @category references
 * @since 0.1.0
 */
export const CurrentBudgets = Context.Reference<ReadonlyArray<Budget>>(
  "@infermesh/core/admission/CurrentBudgets",
  { defaultValue: () => [] }
)

/**
 * Lets the requests of an effect spend from a budget too, beside those that are in force already.
 *
 * @category combinators
 * @since 0.1.0
 */
export const within =
  (budget: Budget) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(CurrentBudgets, (budgets) =>
      Effect.provideService(self, CurrentBudgets, [...budgets, budget])
    )
