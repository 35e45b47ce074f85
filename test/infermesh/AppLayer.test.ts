import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Option } from "effect"
import * as AppLayer from "infermesh/AppLayer"

const none = Option.none()

const flags: AppLayer.ClientFlags = {
  model: Option.some("hosted_vllm/m"),
  apiBase: [],
  deploymentsToml: none,
  fallback: [],
  routingStrategy: "simple-shuffle",
  envFile: none,
  maxParallelRequests: 128,
  rpm: none,
  tpm: none,
  rpd: none,
  tpd: none,
  maxRequestBurst: none,
  maxTokenBurst: none,
  budgetUsd: none,
  maxRetries: 3,
  timeout: none,
  deadline: none
}

const settings = (more: Partial<AppLayer.ClientFlags>) =>
  Effect.provide(AppLayer.settings({ ...flags, ...more }), NodeServices.layer)

describe("settings", () => {
  it.effect(
    "makes replicas of base URLs, and deployments of fallbacks at the servers they are at",
    () =>
      Effect.gen(function* () {
        const one = yield* settings({ apiBase: ["http://a"] })
        assert.deepStrictEqual([one.model, one.apiBase], ["hosted_vllm/m", "http://a"])
        const two = yield* settings({ apiBase: ["http://a", "http://b"] })
        assert.deepStrictEqual(two.deployments, {
          "replica-1": { model: "hosted_vllm/m", apiBase: "http://a" },
          "replica-2": { model: "hosted_vllm/m", apiBase: "http://b" }
        })
        const fallback = ["hosted_vllm/n", "openai/gpt"]
        const single = yield* settings({ apiBase: ["http://a"], fallback })
        assert.deepStrictEqual(
          [single.model, single.fallbacks, single.deployments],
          [
            "hosted_vllm/m",
            fallback,
            {
              "hosted_vllm/m": { model: "hosted_vllm/m", apiBase: "http://a" },
              "hosted_vllm/n": { model: "hosted_vllm/n", apiBase: "http://a" },
              "openai/gpt": { model: "openai/gpt", apiBase: undefined }
            }
          ]
        )
        const several = yield* settings({ apiBase: ["http://a", "http://b"], fallback })
        assert.deepStrictEqual(Object.keys(several.deployments ?? {}), [
          "replica-1",
          "replica-2",
          "hosted_vllm/n replica-1",
          "hosted_vllm/n replica-2",
          "openai/gpt"
        ])
      })
  )

  it.effect("takes times as seconds or with a unit, and money as a budget of the run", () =>
    Effect.gen(function* () {
      const { budget, deadline, timeout } = yield* settings({
        budgetUsd: Option.some(2.5),
        timeout: Option.some("30"),
        deadline: Option.some("2 minutes")
      })
      assert.deepStrictEqual(budget, { name: "run", usd: 2.5 })
      const millis = [timeout, deadline].map((time) => Duration.toMillis(time ?? 0))
      assert.deepStrictEqual(millis, [30_000, 120_000])
    })
  )
})
