import { assert, describe, it } from "@effect/vitest"
import * as AsEmbeddingModel from "@infermesh/core/ai/AsEmbeddingModel"
import * as AsLanguageModel from "@infermesh/core/ai/AsLanguageModel"
import * as FromLanguageModel from "@infermesh/core/ai/FromLanguageModel"
import * as Client from "@infermesh/core/Client"
import * as Inference from "@infermesh/core/Inference"
import * as Providers from "@infermesh/core/provider/Providers"
import * as Pricing from "@infermesh/core/telemetry/Pricing"
import * as Simulator from "@infermesh/core/testing/Simulator"
import { Effect, Fiber, Layer, Schema, Stream } from "effect"
import { Chat, EmbeddingModel, LanguageModel, Tool, Toolkit } from "effect/ai"
import { TestClock } from "effect/testing"

import { client, vendors } from "./Vendor.ts"

const kit = Toolkit.make(
  Tool.make("weather", {
    description: "Tells the weather in a city",
    parameters: Schema.Struct({ city: Schema.String }),
    success: Schema.Struct({ degrees: Schema.Int })
  }),
  Tool.make("time", { success: Schema.String })
)

const handlers = kit.toLayer({
  weather: ({ city }) => Effect.succeed({ degrees: city.length }),
  time: () => Effect.succeed("noon")
})

const Report = Schema.Struct({
  title: Schema.String,
  degrees: Schema.Record(Schema.String, Schema.Int),
  place: Schema.Tuple([Schema.Finite, Schema.Finite]),
  note: Schema.optionalKey(Schema.String)
})

/** An Effect AI program that has never heard of infermesh: a chat with tools, a streamed answer, an object. */
const program = Effect.gen(function* () {
  const chat = yield* Chat.fromPrompt([{ role: "system", content: "Be short." }])
  const called = yield* chat.generateText({
    prompt: "How is it in Oslo? Please call the tool weather.",
    toolkit: kit
  })
  const told = yield* chat.generateText({ prompt: [], toolkit: kit })
  const parts = yield* Stream.runCollect(
    chat.streamText({ prompt: "Please call the tool time.", toolkit: kit })
  )
  const streamed = yield* Stream.runCollect(chat.streamText({ prompt: [], toolkit: kit }))
  const object = yield* LanguageModel.generateObject({ prompt: "Report.", schema: Report })
  return {
    called: called.toolResults.map(({ name, result }) => [name, typeof result]),
    told: told.text,
    parts: [...new Set(parts.map(({ type }) => type))],
    streamed: streamed.map((part) => (part.type === "text-delta" ? part.delta : "")).join(""),
    finish: streamed.at(-1)?.type,
    object: object.value
  }
})

const advanced = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    yield* TestClock.adjust("10 minutes")
    return yield* Fiber.join(fiber)
  })

describe("an Effect AI program on top of infermesh", () => {
  for (const vendor of vendors) {
    it.effect(
      `runs in ${vendor[0]} format: toolkit, chat, streams and objects, faults retried`,
      () =>
        Effect.gen(function* () {
          const simulator = yield* Simulator.make({
            script: ["rateLimited", "answer", "unavailable", "answer", "answer", "internal"]
          })
          const seen = yield* advanced(program).pipe(
            Effect.provide([
              handlers,
              AsLanguageModel.layer.pipe(Layer.provide(client(vendor, simulator)))
            ])
          )
          assert.deepStrictEqual(seen.called, [["weather", "object"]])
          assert.isNotEmpty(seen.told)
          assert.includeMembers(seen.parts, ["tool-params-start", "tool-call", "tool-result"])
          assert.isNotEmpty(seen.streamed)
          assert.strictEqual(seen.finish, "finish")
          assert.isString(seen.object.title)
          const { faults } = yield* simulator.stats
          assert.deepInclude(faults, { rateLimited: 1, unavailable: 1, internal: 1 })
        })
    )
  }

  it.effect("embeds through EmbeddingModel", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const vector = yield* EmbeddingModel.EmbeddingModel.use((model) => model.embed("hello")).pipe(
        Effect.map((response) => response.vector.length),
        Effect.provide(AsEmbeddingModel.layer().pipe(Layer.provide(client(vendors[2], simulator))))
      )
      assert.isAbove(vector, 0)
    })
  )

  it.effect("is a provider itself, behind another client", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const inner = Layer.provide(AsLanguageModel.layer, client(vendors[1], simulator))
      const outer = Client.layer({ model: "inner/model" }).pipe(
        Layer.provide(
          Providers.layer(
            Effect.map(LanguageModel.LanguageModel, (model) => [
              FromLanguageModel.make("inner", model)
            ])
          )
        ),
        Layer.provide(Pricing.layerNone),
        Layer.provide(inner)
      )
      const result = yield* Inference.generate("hello").pipe(Effect.provide(outer))
      assert.isNotEmpty(result.outputText)
      assert.isAbove(result.tokenUsage?.totalTokens ?? 0, 0)
    })
  )
})
