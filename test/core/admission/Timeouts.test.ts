import { assert, describe, it } from "@effect/vitest"
import * as Timeouts from "@infermesh/core/admission/Timeouts"
import { Clock, Deferred, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"

const late = (): Effect.Effect<never, "late"> => Effect.fail("late")

describe("time limits of many effects", () => {
  it.effect("interrupt who is late at that moment, and nobody else, whatever the limits are", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.record({
              at: fc.nat({ max: 3000 }),
              takes: fc.nat({ max: 3000 }),
              limit: fc.constantFrom(500, 1000, 2000)
            }),
            { minLength: 1, maxLength: 30 }
          ),
          (all) =>
            Effect.gen(function* () {
              const timeouts = Timeouts.make()
              const fibers = yield* Effect.forEach(all, ({ at, limit, takes }) =>
                Effect.forkChild(
                  Effect.gen(function* () {
                    yield* Effect.sleep(at)
                    const exit = yield* Effect.exit(
                      timeouts.limit(Effect.as(Effect.sleep(takes), "done"), limit, late)
                    )
                    return { exit, endedAt: yield* Clock.currentTimeMillis }
                  })
                )
              )
              yield* TestClock.adjust("10 seconds")
              for (const [index, { at, limit, takes }] of all.entries()) {
                const { endedAt, exit } = yield* Fiber.join(fibers[index]!)
                assert.strictEqual(endedAt, at + Math.min(takes, limit))
                // Who ends at the very moment may be either.
                if (takes !== limit) assert.strictEqual(Exit.isSuccess(exit), takes < limit)
              }
            }).pipe(Effect.provide(TestClock.layer()), Effect.runPromise)
        )
      )
    )
  )

  it.effect("pass an interruption on, and wait until it is done", () =>
    Effect.gen(function* () {
      const timeouts = Timeouts.make()
      const begun = yield* Deferred.make<void>()
      let isReleased = false
      const held = Effect.andThen(Deferred.succeed(begun, undefined), Effect.never).pipe(
        Effect.onInterrupt(() => Effect.sync(() => void (isReleased = true)))
      )
      const fiber = yield* Effect.forkChild(timeouts.limit(held, 1000, late))
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(fiber)
      assert.isTrue(isReleased)
    })
  )

  it.effect("leave nobody asleep when nobody is left to be late", () =>
    Effect.gen(function* () {
      const timeouts = Timeouts.make()
      let sleeping = 0
      const clock = yield* Clock.Clock
      const counting: Clock.Clock = Object.assign(Object.create(clock), {
        sleep: (duration: Parameters<typeof clock.sleep>[0]) =>
          Effect.suspend(() => {
            sleeping++
            return Effect.ensuring(
              clock.sleep(duration),
              Effect.sync(() => sleeping--)
            )
          })
      })
      const gate = yield* Deferred.make<void>()
      const one = timeouts.limit(Deferred.await(gate), 60_000, late)
      const fibers = yield* Effect.forEach(Array.from({ length: 20 }), () =>
        Effect.forkChild(one, { startImmediately: true })
      ).pipe(Effect.provideService(Clock.Clock, counting))
      assert.strictEqual(sleeping, 1)
      yield* Deferred.succeed(gate, undefined)
      yield* Effect.forEach(fibers, Fiber.join)
      yield* Effect.yieldNow
      assert.strictEqual(sleeping, 0)
    })
  )

  it.effect("give what an effect gives that waits for nothing, failures too", () =>
    Effect.gen(function* () {
      const timeouts = Timeouts.make()
      const given = timeouts.limit(Effect.succeed(1), 1000, () => Effect.succeed(2))
      assert.strictEqual(yield* given, 1)
      const failed = timeouts.limit(Effect.fail("no"), 1000, () => Effect.fail("late"))
      assert.strictEqual(yield* Effect.flip(failed), "no")
    })
  )
})
