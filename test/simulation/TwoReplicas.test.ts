import { assert, describe, it } from "@effect/vitest"
import * as Client from "@infermesh/core/Client"
import * as Inference from "@infermesh/core/Inference"
import * as Pricing from "@infermesh/core/telemetry/Pricing"
import * as Simulator from "@infermesh/core/testing/Simulator"
import * as OpenAi from "@infermesh/providers/openai/OpenAi"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"

const rpm = 600
const prompts = Array.from(
  { length: 2000 },
  (_, index) => `Question ${index}: what is ${index} squared?`
)

const faults = {
  rateLimited: 0.01,
  internal: 0.01,
  unavailable: 0.01,
  reset: 0.01,
  truncated: 0.01
}

describe("2,000 prompts through two replicas of 600 requests a minute, 5 % of requests failing", () => {
  for (const enforcement of ["sliding-window", "fixed-window", "token-bucket"] as const) {
    it.effect(
      `answers every row without one violation of a ${enforcement} quota, and uses the quota`,
      () =>
        Effect.gen(function* () {
          const replica = (seed: number) =>
            Simulator.make({
              seed,
              quota: { rpm, enforcement },
              faults,
              latency: { kind: "lognormal", medianMillis: 400, sigma: 0.5 }
            })
          const replicas = [yield* replica(1), yield* replica(2)] as const
          const client = Client.layer({
            deployments: Object.fromEntries(
              replicas.map((_, index) => [
                `replica-${index + 1}`,
                {
                  model: "hosted_vllm/simulated",
                  apiBase: `http://replica-${index + 1}.local/v1`,
                  limits: { rpm, maxRequestBurst: 10 }
                }
              ])
            ),
            maxParallelRequests: 512,
            maxRetries: 8
          }).pipe(
            Layer.provide(OpenAi.layerCompatible),
            Layer.provide(Pricing.layerNone),
            Layer.provide(
              Simulator.layerHttpClient({
                "http://replica-1.local": replicas[0],
                "http://replica-2.local": replicas[1]
              })
            )
          )

          // How many requests the servers had admitted at each full second.
          const admitted: Array<number> = []
          const sample = Effect.gen(function* () {
            const stats = yield* Effect.forEach(replicas, (simulator) => simulator.stats)
            admitted.push(
              stats.reduce((sum, { requests, violations }) => sum + requests - violations.total, 0)
            )
          }).pipe(Effect.andThen(Effect.sleep("1 second")), Effect.forever)
          yield* Effect.forkChild(sample, { startImmediately: true })

          const batch = yield* Effect.forkChild(
            Inference.generateBatch(prompts, { concurrency: prompts.length }).pipe(
              Effect.provide(client)
            )
          )
          yield* TestClock.adjust("10 minutes")
          const result = yield* Fiber.join(batch)

          assert.deepStrictEqual(result.failures, [])
          for (const simulator of replicas) {
            const { faults: injected, violations } = yield* simulator.stats
            assert.strictEqual(violations.total, 0)
            assert.isAbove(
              Object.values(injected).reduce((sum, count) => sum + count, 0),
              20
            )
          }

          // While every prompt has not been sent once, there is always work waiting.
          const end = admitted.findIndex((count) => count >= prompts.length)
          assert.isAbove(end, 90)
          const used = (admitted[end] ?? 0) - (admitted[60] ?? 0)
          const allowed = (2 * rpm * (end - 60)) / 60
          assert.isAtLeast(used / allowed, 0.99)
        })
    )
  }
})
