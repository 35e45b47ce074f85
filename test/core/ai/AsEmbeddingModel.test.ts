import { assert, describe, it } from "@effect/vitest"
import * as AsEmbeddingModel from "@infermesh/core/ai/AsEmbeddingModel"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Effect, Layer } from "effect"
import { EmbeddingModel } from "effect/ai"

import * as TestClient from "../TestClient.ts"

const sizes = TestProvider.TestProvider.use(({ askedEmbed }) =>
  Effect.map(askedEmbed, (all) => all.map(({ request }) => request.texts.length))
)

const model = (
  options?: Parameters<typeof AsEmbeddingModel.layer>[0],
  embed: TestProvider.EmbedScript = {}
) => Layer.provideMerge(AsEmbeddingModel.layer(options), TestClient.layer({}, { embed }))

describe("AsEmbeddingModel", () => {
  it.effect("embeds many texts, packed into requests, in order, with their usage", () =>
    Effect.gen(function* () {
      const { embedMany } = yield* EmbeddingModel.EmbeddingModel
      const texts = Array.from({ length: 5 }, (_, index) => "x".repeat(index + 1))
      const { embeddings, usage } = yield* embedMany(texts)
      assert.deepStrictEqual(
        embeddings.map(({ vector }) => vector),
        texts.map(({ length }) => [length, 120])
      )
      assert.strictEqual(usage.inputTokens, 6)
      assert.deepStrictEqual(yield* sizes, [2, 2, 1])
    }).pipe(Effect.provide(model({ microBatchSize: 2 })))
  )

  it.effect("embeds one text, and gathers calls at the same time into one request", () =>
    Effect.gen(function* () {
      const { embed } = yield* EmbeddingModel.EmbeddingModel
      const replies = yield* Effect.forEach(["a", "bb", "ccc"], (text) => embed(text), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(
        replies.map(({ vector }) => vector[0]),
        [1, 2, 3]
      )
      assert.deepStrictEqual(yield* sizes, [3])
    }).pipe(Effect.provide(model()))
  )

  it.effect("asks for the dimensions it was given", () =>
    Effect.gen(function* () {
      const { embed } = yield* EmbeddingModel.EmbeddingModel
      yield* embed("a")
      const [one] = yield* TestProvider.TestProvider.use(({ askedEmbed }) => askedEmbed)
      assert.strictEqual(one?.request.options.dimensions, 2)
    }).pipe(Effect.provide(model({ dimensions: 2 })))
  )

  it.effect("fails with the AiError of the same reason", () =>
    Effect.gen(function* () {
      const { embedMany } = yield* EmbeddingModel.EmbeddingModel
      const error = yield* Effect.flip(embedMany(["a", "bad"]))
      assert.strictEqual(error.reason._tag, "InvalidRequestError")
      const empty = yield* Effect.flip(embedMany([""]))
      assert.strictEqual(empty.reason._tag, "InvalidUserInputError")
    }).pipe(Effect.provide(model({}, { poison: (text) => text === "bad" })))
  )
})
