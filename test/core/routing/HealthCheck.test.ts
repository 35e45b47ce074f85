import { assert, describe, it } from "@effect/vitest"
import * as Fleet from "@infermesh/core/routing/Fleet"
import * as Health from "@infermesh/core/routing/Health"
import * as HealthCheck from "@infermesh/core/routing/HealthCheck"
import { Effect, Layer, Schedule } from "effect"
import { TestClock } from "effect/testing"

import { deployment } from "./Members.ts"

/** A fleet of two, and checks whose results the test sets: `hang` never ends, `none` has no check. */
const scene = Effect.gen(function* () {
  const fleet = yield* Fleet.Fleet
  const checked: Array<string> = []
  const result: Record<string, "good" | "bad" | "hang" | "none"> = { a: "good", b: "good" }
  const options = {
    schedule: Schedule.spaced("10 seconds"),
    check: ({ id }: { readonly id: string }) =>
      result[id] === "none"
        ? undefined
        : Effect.suspend((): Effect.Effect<void, string> => {
            checked.push(id)
            return result[id] === "hang"
              ? Effect.never
              : result[id] === "good"
                ? Effect.void
                : Effect.fail("down")
          })
  }
  const [a, b] = fleet.members()
  if (a === undefined || b === undefined) return assert.fail("no members")
  const break_ = (now: number) => {
    for (let index = 0; index < 5; index++) {
      const outcome = { _tag: "failed", retryAfterMillis: undefined } as const
      a.ended(now, { ticket: a.started(now), latencyMillis: 1, outcome })
    }
  }
  return { fleet, checked, result, options, a, b, break_ }
})

const fleet = Layer.provide(Fleet.layer([deployment("a"), deployment("b")]), Health.layer)

describe("HealthCheck", () => {
  it.effect("checks a deployment only while its breaker is open", () =>
    Effect.gen(function* () {
      const { break_, checked, options } = yield* scene
      yield* HealthCheck.run(options)
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(checked, [])
      break_(19_000)
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(checked, ["a"])
      yield* TestClock.adjust("60 seconds")
      assert.deepStrictEqual(checked, ["a"])
    }).pipe(Effect.provide(fleet))
  )

  it.effect("lets the breaker be probed as soon as a check is good, and says so to the fleet", () =>
    Effect.gen(function* () {
      const { a, break_, fleet, options } = yield* scene
      yield* HealthCheck.run(options)
      yield* TestClock.adjust("9 seconds")
      break_(9000)
      const version = fleet.version()
      assert.strictEqual(a.waitMillis(9000), 5000)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(a.waitMillis(10_000), 0)
      assert.strictEqual(a.health.state(10_000), "half-open")
      assert.isAbove(fleet.version(), version)
    }).pipe(Effect.provide(fleet))
  )

  it.effect("keeps it open while checks fail or hang, so that no request is spent", () =>
    Effect.gen(function* () {
      const { a, break_, options, result } = yield* scene
      for (const what of ["bad", "hang"] as const) {
        result["a"] = what
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* HealthCheck.run({
              ...options,
              schedule: Schedule.spaced("2 seconds"),
              timeout: "1 second"
            })
            yield* TestClock.adjust("1 second")
            const now = what === "bad" ? 1000 : 32_000
            if (what === "bad") break_(now)
            for (let second = 1; second <= 30; second++) {
              yield* TestClock.adjust("1 second")
              assert.strictEqual(a.health.state(now + second * 1000), "open")
            }
          })
        )
      }
    }).pipe(Effect.provide(fleet))
  )

  it.effect(
    "checks all when it is told to, and opens the breaker of one that fails its checks",
    () =>
      Effect.gen(function* () {
        const { a, b, checked, options, result } = yield* scene
        result["b"] = "bad"
        yield* HealthCheck.run({ ...options, when: "always" })
        yield* TestClock.adjust("40 seconds")
        assert.deepStrictEqual(checked.slice(0, 4), ["a", "b", "a", "b"])
        assert.strictEqual(a.health.state(40_000), "healthy")
        assert.strictEqual(b.health.state(40_000), "open")
      }).pipe(Effect.provide(fleet))
  )

  it.effect("leaves deployments alone that have no check", () =>
    Effect.gen(function* () {
      const { a, checked, options, result } = yield* scene
      result["a"] = "none"
      yield* HealthCheck.run({ ...options, when: "always" })
      yield* TestClock.adjust("1 minute")
      assert.notInclude(checked, "a")
      assert.strictEqual(a.health.state(60_000), "healthy")
    }).pipe(Effect.provide(fleet))
  )

  it.effect("checks a deployment that came later, and ends with its scope", () =>
    Effect.gen(function* () {
      const { checked, fleet, options } = yield* scene
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* HealthCheck.run({ ...options, when: "always" })
          yield* fleet.add(deployment("c"))
          yield* TestClock.adjust("10 seconds")
          assert.include(checked, "c")
        })
      )
      const before = checked.length
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(checked.length, before)
    }).pipe(Effect.provide(fleet))
  )
})
