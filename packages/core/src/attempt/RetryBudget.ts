/**
 * How many retries a client may afford, as a share of its traffic.
 *
 * **Why a budget and not only a maximum.** A maximum per request says nothing about all requests together: when a provider
 * fails for everybody, three retries each turn its load into four times the load, at the worst moment, and keep it down (a
 * retry storm). A budget lets every request retry while failures are rare, and stops retrying when most requests fail; the
 * few retries that remain find out when the provider is back. Rate limits (429) are not charged: there the provider said when
 * to come back, and the pause holds everybody anyway.
 *
 * **Source**: the retry budgets of Finagle and gRPC (a share of requests plus a small reserve).
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/**
 * The allowance of retries.
 *
 * @category services
 * @since 0.1.0
 */
export class RetryBudget extends Context.Service<
  RetryBudget,
  {
    /** Called once per request: every request earns a share of a retry. */
    readonly deposit: () => void
    /** Takes one retry out of the budget; false when there is none left. */
    readonly withdraw: (nowMillis: number) => boolean
  }
>()("@infermesh/core/attempt/RetryBudget") {}

/**
 * Settings of a retry budget.
 *
 * @category models
 * @since 0.1.0
 */
export interface RetryBudgetOptions {
  /** Retries earned per request. Default 0.2: a fifth of the traffic, as Finagle. */
  readonly ratio?: number | undefined
  /** Retries a client may make beyond those earned, per minute. Default 100, so that small programs never notice. */
  readonly reservePerMinute?: number | undefined
}

/**
 * Builds a budget.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (options: RetryBudgetOptions = {}) {
  const { ratio = 0.2, reservePerMinute = 100 } = options
  const most = Math.max(reservePerMinute, 1) * 10
  let balance = reservePerMinute
  let refilledAt = yield* Clock.currentTimeMillis
  return RetryBudget.of({
    deposit: () => {
      balance = Math.min(most, balance + ratio)
    },
    withdraw: (nowMillis) => {
      // Time alone refills up to the reserve; what requests earned beyond it is kept.
      const refill = (Math.max(0, nowMillis - refilledAt) / 60_000) * reservePerMinute
      refilledAt = nowMillis
      if (balance < reservePerMinute) balance = Math.min(reservePerMinute, balance + refill)
      if (balance < 1) return false
      balance -= 1
      return true
    }
  })
})

/**
 * A budget shared by all requests of a client.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: RetryBudgetOptions): Layer.Layer<RetryBudget> =>
  Layer.effect(RetryBudget, make(options))

/**
 * No limit but the maximum per request.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerUnlimited: Layer.Layer<RetryBudget> = Layer.succeed(RetryBudget, {
  deposit: () => {},
  withdraw: () => true
})
