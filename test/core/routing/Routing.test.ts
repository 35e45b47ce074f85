import { assert, describe, it } from "@effect/vitest"
import type { Deployment } from "@infermesh/core/Deployment"
import * as Health from "@infermesh/core/routing/Health"
import * as Router from "@infermesh/core/routing/Router"
import { Effect } from "effect"
import * as fc from "fast-check"

const deployment = (id: string, weight = 1): Deployment => ({
  id,
  label: id,
  provider: "test",
  target: { model: "m", apiBase: undefined, apiKey: undefined, headers: {}, extraBody: {} },
  limits: {},
  weight
})

describe("Router", () => {
  const [a, b, c] = [deployment("a"), deployment("b"), deployment("c", 2)] as const

  it.effect("takes one that need not wait, else the one that waits least", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(fc.array(fc.nat(5), { minLength: 3, maxLength: 3 }), (waits) =>
          Effect.gen(function* () {
            const router = yield* Router.make({ deployments: [a, b, c] })
            const wait = new Map([a, b, c].map((one, index) => [one, waits[index] ?? 0]))
            const chosen = yield* router.choose({
              waitMillis: (one) => wait.get(one) ?? 0,
              failedAt: []
            })
            assert.strictEqual(wait.get(chosen), Math.min(...waits))
          }).pipe(Effect.runPromise)
        )
      )
    )
  )

  it.effect("avoids a deployment that has just failed the request, while another would do", () =>
    Effect.gen(function* () {
      const router = yield* Router.make({ deployments: [a, b] })
      for (let index = 0; index < 50; index++) {
        assert.strictEqual(yield* router.choose({ waitMillis: () => 0, failedAt: [a] }), b)
      }
      assert.include([a, b], yield* router.choose({ waitMillis: () => 0, failedAt: [a, b] }))
    })
  )

  it.effect("shares in proportion to the weights", () =>
    Effect.gen(function* () {
      const router = yield* Router.make({ deployments: [a, b, c] })
      const counts = new Map<Deployment, number>()
      for (let index = 0; index < 8000; index++) {
        const chosen = yield* router.choose({ waitMillis: () => 0, failedAt: [] })
        counts.set(chosen, (counts.get(chosen) ?? 0) + 1)
      }
      assert.approximately((counts.get(a) ?? 0) / 8000, 0.25, 0.03)
      assert.approximately((counts.get(b) ?? 0) / 8000, 0.25, 0.03)
      assert.approximately((counts.get(c) ?? 0) / 8000, 0.5, 0.03)
    })
  )
})

describe("Health", () => {
  const failed: Health.Outcome = { _tag: "failed", retryAfterMillis: undefined }

  it("pauses a deployment for everybody when it asks to be left alone, at most a minute", () => {
    const health = Health.make()
    health.ended("a", 0, { _tag: "limited", retryAfterMillis: 20_000 })
    assert.deepStrictEqual(
      [health.waitMillis("a", 5000), health.state("a", 5000)],
      [15_000, "paused"]
    )
    assert.strictEqual(health.waitMillis("b", 0), 0)
    health.ended("a", 5000, { _tag: "limited", retryAfterMillis: 1000 })
    assert.strictEqual(health.waitMillis("a", 5000), 15_000)
    health.ended("a", 5000, { _tag: "limited", retryAfterMillis: 3_600_000 })
    assert.strictEqual(health.waitMillis("a", 5000), 60_000)
  })

  it("opens after five failures in a row, probes with one request, and doubles its patience", () => {
    const health = Health.make()
    for (let index = 0; index < 4; index++) health.ended("a", 0, failed)
    assert.strictEqual(health.state("a", 0), "healthy")
    health.ended("a", 0, failed)
    assert.deepStrictEqual([health.state("a", 0), health.waitMillis("a", 0)], ["open", 5000])
    assert.deepStrictEqual(
      [health.state("a", 5000), health.waitMillis("a", 5000)],
      ["half-open", 0]
    )
    health.started("a", 5000)
    assert.isAbove(health.waitMillis("a", 5000), 0)
    health.ended("a", 5000, failed)
    assert.strictEqual(health.waitMillis("a", 5000), 10_000)
    health.started("a", 15_000)
    health.ended("a", 15_000, { _tag: "answered" })
    assert.deepStrictEqual(
      [health.state("a", 15_000), health.waitMillis("a", 15_000)],
      ["healthy", 0]
    )
  })

  it("never keeps a deployment out for more than a minute, whatever happened to it", () => {
    const outcome = fc.oneof(
      fc.constant<Health.Outcome>({ _tag: "answered" }),
      fc.constant<Health.Outcome>({ _tag: "abandoned" }),
      fc.constant<Health.Outcome>(failed),
      fc.nat(1e7).map((retryAfterMillis): Health.Outcome => ({ _tag: "limited", retryAfterMillis }))
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(20_000), outcome)), (history) => {
        const health = Health.make()
        let now = 0
        for (const [step, what] of history) {
          now += step
          health.started("a", now)
          health.ended("a", now, what)
          assert.isAtMost(health.waitMillis("a", now), 60_000)
        }
        assert.strictEqual(health.waitMillis("a", now + 60_000), 0)
      })
    )
  })
})
