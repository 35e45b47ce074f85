import { assert, describe, it } from "@effect/vitest"
import type { Deployment } from "@infermesh/core/Deployment"
import * as Router from "@infermesh/core/routing/Router"
import type { Strategy } from "@infermesh/core/routing/Strategy"
import { Effect } from "effect"
import * as fc from "fast-check"

import { deployment } from "./Members.ts"

describe("Router", () => {
  const [a, b, c] = [deployment("a"), deployment("b"), deployment("c", { weight: 2 })] as const

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

  it.effect("takes a strategy of the user's own", () =>
    Effect.gen(function* () {
      const last: Strategy = (candidates) => candidates.at(-1) ?? assert.fail("no candidate")
      const router = yield* Router.make({ deployments: [a, b, c], strategy: () => last })
      assert.strictEqual(yield* router.choose({ waitMillis: () => 0, failedAt: [] }), c)
      assert.strictEqual(yield* router.choose({ waitMillis: () => 0, failedAt: [c] }), b)
    })
  )
})
