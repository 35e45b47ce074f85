import { assert, describe, it } from "@effect/vitest"
import * as Client from "@infermesh/core/Client"
import * as Inference from "@infermesh/core/Inference"
import * as Usage from "@infermesh/core/operation/Usage"
import * as Pricing from "@infermesh/core/telemetry/Pricing"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Effect, Layer } from "effect"

const table = Pricing.layerTable({
  m: { input: 1, output: 10, cachedInput: 0.1, cacheWrite: 1.25 },
  plain: { input: 1, output: 10 }
})

const cost = (models: readonly [string, string], usage: Parameters<typeof Usage.make>[0]) =>
  Effect.map(Pricing.Pricing, (pricing) =>
    pricing.cost({ provider: "p", models, usage: Usage.make(usage) })
  )

const tokens = { promptTokens: 1_000_000, completionTokens: 100_000 }
const cached = { ...tokens, cachedTokens: 400_000, cacheWriteTokens: 200_000 }

describe("Pricing.layerTable", () => {
  it.effect("prices fresh, cached and written tokens apart, where it has prices for them", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* cost(["m", "m"], tokens), 2)
      assert.closeTo((yield* cost(["m", "m"], cached)) ?? 0, 0.4 + 0.04 + 0.25 + 1, 1e-9)
      assert.strictEqual(yield* cost(["plain", "m"], cached), 2)
    }).pipe(Effect.provide(table))
  )

  it.effect("knows a model by the name in the answer, then by the one asked for, else not", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* cost(["m-2026", "m"], tokens), 2)
      assert.isUndefined(yield* cost(["other", "another"], tokens))
      assert.isUndefined(yield* cost(["m", "m"], { ...tokens, cachedTokens: 2_000_000 }))
    }).pipe(Effect.provide(table))
  )
})

describe("Pricing", () => {
  const ask = (pricing: Layer.Layer<Pricing.Pricing>) =>
    Inference.generate("hello").pipe(
      Effect.provide(
        Client.layer({ model: "test/m" }).pipe(
          Layer.provide(TestProvider.layer()),
          Layer.provide(pricing)
        )
      )
    )

  it.effect("is a service: a program brings its own prices, or none", () =>
    Effect.gen(function* () {
      const own = Layer.succeed(Pricing.Pricing, {
        cost: ({ models, provider }) => (provider === "test" && models[1] === "m" ? 7 : undefined)
      })
      assert.strictEqual((yield* ask(own)).cost, 7)
      assert.isUndefined((yield* ask(Pricing.layerNone)).cost)
    })
  )
})
