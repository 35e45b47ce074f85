import { assert, describe, it } from "@effect/vitest"
import { ClientSettings } from "@infermesh/core/ClientSettings"
import { Config, ConfigProvider, Effect, Layer } from "effect"
import * as Infermesh from "infermesh/Infermesh"

const environment = {
  OPENAI_API_KEY: "k",
  ANTHROPIC_API_KEY: "k",
  GEMINI_API_KEY: "k",
  GROQ_API_KEY: "k"
}

const build = (settings: Parameters<typeof Infermesh.layer>[0]) =>
  Layer.build(Infermesh.layer(settings)).pipe(
    Effect.scoped,
    Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord(environment)))
  )

const refused = (settings: Parameters<typeof Infermesh.layer>[0]) =>
  Effect.map(Effect.flip(build(settings)), ({ message }) => message)

describe("Infermesh.layer", () => {
  it.effect("knows every provider by the prefix of the model", () =>
    Effect.gen(function* () {
      const models = ["openai/m", "anthropic/m", "gemini/m", "groq/m", "ollama/m", "llamacpp/m"]
      for (const model of models) yield* build({ model })
      yield* build({ model: "hosted_vllm/a/b", apiBase: "http://localhost:8000/v1" })
      yield* build({ model: "azure/d", apiBase: "https://r.openai.azure.com/openai/v1" })
    })
  )

  it.effect("says which provider was meant, or what a deployment lacks", () =>
    Effect.gen(function* () {
      assert.match(
        yield* refused({ model: "vllm/m" }),
        /^model: there is no provider 'vllm'. Did you mean 'hosted_vllm'\? Known providers: anthropic, azure, /
      )
      assert.match(
        yield* refused({ deployments: { one: { model: "google/m" } } }),
        /^deployments.one.model: there is no provider 'google'. Did you mean 'gemini'\? /
      )
      assert.strictEqual(
        yield* refused({ model: "azure/d" }),
        "apiBase: azure has no base URL of its own. Give yours, such as https://RESOURCE.openai.azure.com/openai/v1"
      )
      assert.strictEqual(
        yield* refused({ model: "mistral/m" }),
        "apiKey: there is no key for mistral. Set MISTRAL_API_KEY in the environment"
      )
    })
  )
})

describe("Infermesh.layerConfig", () => {
  const configured = (input: unknown) =>
    Layer.build(Infermesh.layerConfig(Config.schema(ClientSettings))).pipe(
      Effect.scoped,
      Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(input)))
    )
  const deployments = {
    a: {
      model: "openai/a",
      apiKey: "k",
      models: ["m"],
      limits: { rpm: 10 },
      quotaKeys: ["key"],
      headerScope: "day",
      maxParallelRequests: { adaptive: { min: 2, max: 8 } },
      price: { input: 1, output: 2 },
      extraBody: '{"top_k":5}'
    },
    b: { model: "openai/b", apiKey: "k", maxParallelRequests: 4, weight: 2 }
  }

  it.effect("builds a client from plain values, as a file or the environment holds them", () =>
    configured({
      model: "m",
      deployments,
      aliases: { best: "m" },
      quotas: { key: { tpm: 1000 } },
      maxParallelRequests: 16,
      fallbacks: { m: ["openai/b"] },
      hedge: { maxShare: 0.1 },
      coalesce: true,
      budget: { usd: 5 },
      routingStrategy: "least-busy",
      health: { openFor: "10 seconds" },
      healthCheck: { when: "open" }
    })
  )

  it.effect("names the setting that is wrong", () =>
    Effect.gen(function* () {
      const problem = (input: unknown) =>
        Effect.map(Effect.flip(configured(input)), (error) => error.message)
      const wrong = [
        [{ model: "openai/m", limits: { rpm: "many" } }, /limits.*rpm/s],
        [{ model: "openai/m", extraBody: "top_k" }, /extraBody/],
        [{ model: "openai/m", routingStrategy: "fastest" }, /routingStrategy/],
        [
          { deployments: { ...deployments, c: { model: "openai/c", weight: -1 } } },
          /deployments.*c.*weight/s
        ],
        [{ deployments, quotas: {} }, /^deployments\.a\.quotaKeys: there is no quota 'key'/],
        [
          { deployments: { b: deployments.b }, fallbacks: { b: ["c"] } },
          /^fallbacks: no deployment serves 'c'/
        ]
      ] as const
      for (const [input, message] of wrong) assert.match(yield* problem(input), message)
    })
  )
})
