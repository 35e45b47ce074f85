import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer } from "effect"
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
