/**
 * The only retry policy of the library: which failures are tried again, and after what wait.
 *
 * It reads `isRetryable` and `retryAfter` of the reason and nothing else; no status, no vendor. It stands above the slot and
 * the router, so a retried attempt waits outside its slot, chooses a deployment again and pays quota again.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"

import type { AttemptError } from "../provider/Provider.ts"
import { retryAfter } from "../Reason.ts"
import { SettingsError } from "../SettingsError.ts"
import { RetryBudget } from "./RetryBudget.ts"

/**
 * Settings of the retry policy.
 *
 * @category models
 * @since 0.1.0
 */
export interface RetryOptions {
  /** Attempts after the first. Default 3; 0 turns retries off. */
  readonly maxRetries?: number | undefined
  /** The wait before the first retry, doubled for each further one. Default 1 second. */
  readonly baseDelay?: Duration.Input | undefined
  /** The longest wait, Retry-After included. Default 60 seconds. */
  readonly maxDelay?: Duration.Input | undefined
}

/**
 * The retry policy.
 *
 * @category services
 * @since 0.1.0
 */
export class Retry extends Context.Service<
  Retry,
  {
    readonly maxRetries: number
    /**
     * The wait before the attempt after `attempts` failed ones, or `undefined` when there shall be none. `elsewhere` says
     * that another deployment could take the request at once: then a Retry-After of this one need not be waited for.
     */
    readonly delayMillis: (
      error: AttemptError,
      attempts: number,
      elsewhere: boolean
    ) => Effect.Effect<number | undefined>
    /** Called once per request. */
    readonly begin: () => void
  }
>()("@infermesh/core/attempt/Retry") {}

/**
 * Builds the policy.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (options: RetryOptions = {}) {
  const { maxRetries = 3 } = options
  if (!Number.isInteger(maxRetries) || maxRetries < 0) {
    return yield* new SettingsError({
      setting: "maxRetries",
      problem: `${maxRetries} is not a whole number of at least 0`,
      hint: "0 turns retries off"
    })
  }
  const base = Duration.toMillis(Duration.fromInputUnsafe(options.baseDelay ?? "1 second"))
  const longest = Duration.toMillis(Duration.fromInputUnsafe(options.maxDelay ?? "60 seconds"))
  const budget = yield* RetryBudget
  const none: Effect.Effect<undefined> = Effect.undefined
  return Retry.of({
    maxRetries,
    begin: budget.deposit,
    delayMillis: (error, attempts, elsewhere) => {
      const { reason } = error
      if (!reason.isRetryable || attempts > maxRetries) return none
      return Effect.flatMap(Clock.currentTimeMillis, (now) => {
        if (reason._tag !== "RateLimitError" && !budget.withdraw(now)) return none
        const asked = elsewhere ? undefined : retryAfter(reason)
        const backoff = Math.min(longest, base * 2 ** (attempts - 1))
        const wait = asked === undefined ? 0 : Math.min(longest, Duration.toMillis(asked))
        // Equal jitter: half of the backoff is certain, half is drawn, so that requests that failed together return apart.
        // Retry-After is a floor: never before it, and spread behind it for the same reason.
        return Effect.map(Random.next, (random) =>
          asked === undefined
            ? backoff * (0.5 + random / 2)
            : wait + random * Math.min(base, wait / 10)
        )
      })
    }
  })
})

/**
 * The policy over a retry budget.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: RetryOptions): Layer.Layer<Retry, SettingsError, RetryBudget> =>
  Layer.effect(Retry, make(options))
