import { assert, describe, it } from "@effect/vitest"
import * as Health from "@infermesh/core/routing/Health"
import * as fc from "fast-check"

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
