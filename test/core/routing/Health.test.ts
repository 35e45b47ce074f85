import { assert, describe, it } from "@effect/vitest"
import * as Health from "@infermesh/core/routing/Health"
import * as HealthSettings from "@infermesh/core/routing/HealthSettings"
import { Duration, Effect } from "effect"

const failed: Health.Outcome = { _tag: "failed", retryAfterMillis: undefined }

describe("Health", () => {
  const fail = (health: Health.Health["Service"], id: string) =>
    health.ended(id, 0, failed, health.started(id, 0))

  it("watches each deployment apart, by id or by its breaker", () => {
    const health = Health.make()
    for (let index = 0; index < 5; index++) fail(health, "a")
    assert.deepStrictEqual([health.state("a", 0), health.state("b", 0)], ["open", "healthy"])
    assert.strictEqual(health.of("a").waitMillis(1000), 4000)
    assert.strictEqual(health.waitMillis("a", 1000), 4000)
  })

  it("knows nothing any more of a deployment that it was told to forget", () => {
    const health = Health.make()
    for (let index = 0; index < 5; index++) fail(health, "a")
    health.forget("a")
    assert.strictEqual(health.state("a", 0), "healthy")
  })

  it.effect("takes its thresholds and times from its settings", () =>
    Effect.gen(function* () {
      const health = yield* Health.Health
      fail(health, "a")
      assert.strictEqual(health.state("a", 0), "healthy")
      fail(health, "a")
      assert.strictEqual(health.waitMillis("a", 0), 90_000)
      health.ended("b", 0, { _tag: "limited", retryAfterMillis: 1e9 }, health.started("b", 0))
      assert.strictEqual(health.waitMillis("b", 0), 7_200_000)
    }).pipe(
      Effect.provide(
        Health.layerWith({
          failuresInARow: 2,
          openFor: "90 seconds",
          longestOpen: Duration.minutes(5),
          longestPause: "2 hours"
        })
      )
    )
  )
})

describe("HealthSettings", () => {
  it.effect("are read from what a file may say", () =>
    Effect.gen(function* () {
      const settings = yield* HealthSettings.decode({ failureShare: 0.25, openFor: "1 second" })
      const health = Health.make(settings)
      for (let index = 0; index < 20; index++) {
        const outcome = index % 4 === 3 ? failed : ({ _tag: "answered" } as const)
        health.ended("a", 0, outcome, health.started("a", 0))
      }
      assert.strictEqual(health.waitMillis("a", 0), 1000)
    })
  )

  it.effect("name what is wrong with them", () =>
    Effect.gen(function* () {
      const cases = [
        [{ failuresInARow: 0 }, /^health\.failuresInARow: /],
        [{ failureShare: 1.5 }, /^health\.failureShare: /],
        [
          { openFor: "0 seconds" },
          /^health\.openFor: it is not a time above zero; write "30 seconds"/
        ],
        [{ openFor: "soon" }, /^health\.openFor: it is not a time above zero/],
        [{ openFor: 5 }, /^health\.openFor: Expected /],
        [{ longestPause: Duration.infinity }, /^health\.longestPause: it is not a time above zero/],
        [{ openfor: "1 second" }, /^health\.openfor: /]
      ] as const
      for (const [input, message] of cases) {
        const error = yield* Effect.flip(HealthSettings.decode(input))
        assert.match(error.message, message)
        assert.notInclude(error.message, "\n")
      }
    })
  )
})
