import { assert, describe, it } from "@effect/vitest"
import * as Retry from "@infermesh/core/attempt/Retry"
import * as RetryBudget from "@infermesh/core/attempt/RetryBudget"
import { AttemptError } from "@infermesh/core/provider/Provider"
import type { Reason } from "@infermesh/core/Reason"
import { Duration, Effect, Layer } from "effect"
import { AiError } from "effect/ai"
import * as fc from "fast-check"

const failure = (reason: Reason) => new AttemptError({ reason, outcome: "refused" })
const broken = failure(new AiError.InternalProviderError({ description: "x" }))
const limited = (seconds?: number) =>
  failure(
    new AiError.RateLimitError({
      retryAfter: seconds === undefined ? undefined : Duration.seconds(seconds)
    })
  )

const unlimited = (options?: Retry.RetryOptions) =>
  Retry.layer(options).pipe(Layer.provide(RetryBudget.layerUnlimited))

describe("Retry", () => {
  it.effect("waits longer after each failure, half of it drawn, never above the longest", () =>
    Effect.gen(function* () {
      const retry = yield* Retry.Retry
      for (let attempts = 1; attempts <= 20; attempts++) {
        const full = Math.min(60_000, 1000 * 2 ** (attempts - 1))
        const delay = yield* retry.delayMillis(broken, attempts, false)
        assert.isDefined(delay)
        assert.isAtLeast(delay ?? 0, full / 2)
        assert.isAtMost(delay ?? 0, full)
      }
    }).pipe(Effect.provide(unlimited({ maxRetries: 100 })))
  )

  it.effect(
    "takes Retry-After as a floor, capped, and ignores it where another deployment is free",
    () =>
      Effect.gen(function* () {
        const retry = yield* Retry.Retry
        const asked = yield* retry.delayMillis(limited(20), 1, false)
        assert.isAtLeast(asked ?? 0, 20_000)
        assert.isAtMost(asked ?? 0, 21_000)
        assert.isAtMost((yield* retry.delayMillis(limited(3600), 1, false)) ?? 0, 61_000)
        assert.isAtMost((yield* retry.delayMillis(limited(20), 1, true)) ?? 0, 1000)
      }).pipe(Effect.provide(unlimited()))
  )

  it.effect("tries nothing again that cannot pass, and no more often than it may", () =>
    Effect.gen(function* () {
      const retry = yield* Retry.Retry
      const spent = failure(new AiError.QuotaExhaustedError({}))
      assert.isUndefined(yield* retry.delayMillis(spent, 1, false))
      assert.isDefined(yield* retry.delayMillis(broken, 2, false))
      assert.isUndefined(yield* retry.delayMillis(broken, 3, false))
    }).pipe(Effect.provide(unlimited({ maxRetries: 2 })))
  )

  it.effect("keeps within its budget whatever fails: a share of the requests and the reserve", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 0, max: 400 }),
          fc.double({ min: 0, max: 0.9, noNaN: true }),
          (requests, ratio) =>
            Effect.gen(function* () {
              const retry = yield* Retry.Retry
              let retries = 0
              for (let request = 0; request < requests; request++) {
                retry.begin()
                for (let attempts = 1; attempts <= 3; attempts++) {
                  if ((yield* retry.delayMillis(broken, attempts, false)) === undefined) break
                  retries++
                }
              }
              assert.isAtMost(retries, ratio * requests + 10 + 1)
              // A rate limit says itself when to come back: it is not charged.
              assert.isDefined(yield* retry.delayMillis(limited(1), 1, false))
            }).pipe(
              Effect.provide(
                Retry.layer().pipe(
                  Layer.provide(RetryBudget.layer({ ratio, reservePerMinute: 10 }))
                )
              ),
              Effect.runPromise
            )
        ),
        { numRuns: 30 }
      )
    )
  )
})
