import { assert, describe, it } from "@effect/vitest"
import { strategies } from "@infermesh/core/routing/Strategy"
import * as Scheduler from "@infermesh/core/Scheduler"
import { Effect, Random } from "effect"

import { answerOf, callOf, layerOf } from "./Scheduling.ts"

const labels = Array.from({ length: 60 }, (_, index) => `d${index}`)

/** How many of so many attempts go to each deployment; the first third may take ten a minute, and weights are one to three. */
const spread = (
  name: "simple-shuffle" | "least-busy" | "latency-based-routing",
  attempts: number
) =>
  Effect.gen(function* () {
    const scheduler = yield* Scheduler.Scheduler
    const counts = new Map<string, number>()
    for (let index = 0; index < attempts; index++) {
      const call = callOf()
      yield* scheduler.admit(call, () =>
        Effect.sync(() => {
          const id = call.deployment?.id ?? ""
          counts.set(id, (counts.get(id) ?? 0) + 1)
          return answerOf()
        })
      )
    }
    return labels.map((label) => counts.get(label) ?? 0)
  }).pipe(
    Effect.provide(
      layerOf({
        strategy: strategies[name](),
        deployments: Object.fromEntries(
          labels.map((label, index) => [
            label,
            {
              weight: 1 + (index % 3),
              ...(index < 20 ? { limits: { rpm: 10, maxRequestBurst: 10 } } : {})
            }
          ])
        )
      })
    ),
    Random.withSeed(name)
  )

describe("a choice among many deployments", () => {
  for (const name of ["simple-shuffle", "least-busy", "latency-based-routing"] as const) {
    it.effect(`goes only where there is room, and to all that have some: ${name}`, () =>
      Effect.gen(function* () {
        const counts = yield* spread(name, 6000)
        assert.strictEqual(
          counts.reduce((sum, count) => sum + count, 0),
          6000
        )
        assert.isAtMost(Math.max(...counts.slice(0, 20)), 10)
        assert.isAtLeast(Math.min(...counts.slice(20)), 1)
      })
    )
  }

  it.effect("keeps to the weights among those that have room", () =>
    Effect.gen(function* () {
      const counts = yield* spread("simple-shuffle", 12_000)
      const of = (weight: number) =>
        counts
          .filter((_, index) => index >= 20 && 1 + (index % 3) === weight)
          .reduce((sum, count, _, all) => sum + count / all.length, 0)
      assert.approximately(of(2) / of(1), 2, 0.2)
      assert.approximately(of(3) / of(1), 3, 0.3)
    })
  )

  it.effect("finds the last that has room, and waits where none has", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      const seen = new Set<string>()
      for (let index = 0; index < labels.length; index++) {
        const call = callOf()
        yield* scheduler.admit(call, () =>
          Effect.sync(() => {
            seen.add(call.deployment?.id ?? "")
            return answerOf()
          })
        )
      }
      assert.strictEqual(seen.size, labels.length)
      const result = yield* Effect.result(
        scheduler.admitNow(callOf(), () => Effect.succeed(answerOf()))
      )
      assert.strictEqual(result._tag, "Failure")
    }).pipe(
      Effect.provide(
        layerOf({ deployments: Object.fromEntries(labels.map((label) => [label, { rpm: 1 }])) })
      )
    )
  )
})
