import { assert, describe, it } from "@effect/vitest"
import * as Usage from "@infermesh/core/operation/Usage"
import { Pricing } from "@infermesh/core/telemetry/Pricing"
import { Effect } from "effect"
import * as Prices from "infermesh/Prices"

const cost = (provider: string, model: string, usage: Usage.TokenUsage, asked = model) =>
  Effect.map(Pricing, (pricing) => pricing.cost({ provider, models: [model, asked], usage }))

const usage = (
  promptTokens: number,
  completionTokens: number,
  more: Partial<Pick<Usage.TokenUsage, "cachedTokens" | "cacheWriteTokens">> = {}
) => Usage.make({ promptTokens, completionTokens, ...more })

/** Prices of models that are retired no more: as their makers published them, in USD for a million tokens. */
const published = {
  // GPT-4o mini: 0.15 in, 0.075 cached, 0.60 out.
  flat: ["openai", "gpt-4o-mini"],
  // Gemini 2.5 Pro: 1.25 in and 10 out up to 200,000 tokens of prompt, 2.50 and 15 above.
  tiered: ["gemini", "gemini-2.5-pro"]
} as const

describe("Prices", () => {
  it.effect(
    "prices tokens by the table, cached ones less, and rounds away the noise of floats",
    () =>
      Effect.gen(function* () {
        const [provider, model] = published.flat
        assert.strictEqual(yield* cost(provider, model, usage(1000, 500)), 0.000_45)
        assert.strictEqual(
          yield* cost(provider, model, usage(1000, 500, { cachedTokens: 400 })),
          0.000_42
        )
        assert.strictEqual(yield* cost(provider, model, usage(0, 0)), 0)
      }).pipe(Effect.provide(Prices.layer))
  )

  it.effect("keeps to the tiers of a model that has them, also after a cheap request", () =>
    Effect.gen(function* () {
      const [provider, model] = published.tiered
      assert.strictEqual(yield* cost(provider, model, usage(100_000, 1000)), 0.135)
      assert.strictEqual(yield* cost(provider, model, usage(300_000, 1000)), 0.765)
    }).pipe(Effect.provide(Prices.layer))
  )

  it.effect(
    "falls back to the model that was asked for when the answer names one that is unknown",
    () =>
      Effect.gen(function* () {
        const [provider, model] = published.flat
        const priced = yield* cost(provider, "my-fine-tune", usage(1000, 500), model)
        assert.strictEqual(priced, 0.000_45)
      }).pipe(Effect.provide(Prices.layer))
  )

  it.effect("gives no cost, never zero, for what is not in the table", () =>
    Effect.gen(function* () {
      assert.isUndefined(yield* cost("openai", "no-such-model", usage(1000, 500)))
      assert.isUndefined(yield* cost("hosted_vllm", "llama", usage(1000, 500)))
      // A second time, too: what is unknown is remembered as unknown.
      assert.isUndefined(yield* cost("hosted_vllm", "llama", usage(1000, 500)))
    }).pipe(Effect.provide(Prices.layer))
  )

  it.effect(
    "gives no cost for a usage that contradicts itself, and goes on pricing the model",
    () =>
      Effect.gen(function* () {
        const [provider, model] = published.flat
        const odd = usage(10, 5, { cachedTokens: 20 })
        assert.isUndefined(yield* cost(provider, model, odd))
        assert.strictEqual(yield* cost(provider, model, usage(1000, 500)), 0.000_45)
      }).pipe(Effect.provide(Prices.layer))
  )
})
