import { assert, describe, it } from "@effect/vitest"
import * as Inference from "@infermesh/core/Inference"
import type { InferenceError } from "@infermesh/core/InferenceError"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Effect, Fiber } from "effect"
import { AiError } from "effect/ai"
import { TestClock } from "effect/testing"

import * as TestClient from "../TestClient.ts"

const embedding = (embed: TestProvider.EmbedScript = {}) => TestClient.layer({}, { embed })
const asked = TestProvider.TestProvider.use(({ askedEmbed }) => askedEmbed)

describe("embed", () => {
  it.effect("gives one vector per text, in input order, with the request's usage and cost", () =>
    Effect.gen(function* () {
      const result = yield* Inference.embed(["aaaa", "bb"])
      assert.deepStrictEqual(
        result.embeddings.map((vector) => [...vector]),
        [
          [4, 97],
          [2, 98]
        ]
      )
      for (const vector of result.embeddings) assert.instanceOf(vector, Float32Array)
      assert.deepStrictEqual(
        [result.modelId, result.requestId, result.tokenUsage?.promptTokens, result.cost],
        ["model", "test-embed-0", 2, 2e-6]
      )
      assert.isUndefined(result.rawResponse)
      assert.strictEqual((yield* asked).length, 1)
    }).pipe(Effect.provide(embedding()))
  )

  it.effect("gives the one vector of a single text", () =>
    Effect.gen(function* () {
      const result = yield* Inference.embed("aaaa")
      assert.deepStrictEqual(result.embedding, Float32Array.of(4, 97))
      assert.deepStrictEqual((yield* asked)[0]?.request.texts, ["aaaa"])
    }).pipe(Effect.provide(embedding()))
  )

  it.effect("gives plain arrays where they are asked for", () =>
    Effect.gen(function* () {
      const many = yield* Inference.embed(["aaaa"], { vectors: "array" })
      assert.deepStrictEqual(many.embeddings, [[4, 97]])
      const one = yield* Inference.embed("aaaa", { vectors: "array" })
      assert.deepStrictEqual(one.embedding, [4, 97])
    }).pipe(Effect.provide(embedding()))
  )

  it.effect("tells the provider its options, and nothing of ours", () =>
    Effect.gen(function* () {
      const own = { dimensions: 8, user: "u", extraBody: { a: 1 }, headers: { b: "c" } }
      yield* Inference.embed(["a"], { ...own, vectors: "array", timeout: "1 minute" })
      assert.deepStrictEqual((yield* asked)[0]?.request.options, own)
    }).pipe(Effect.provide(embedding()))
  )

  it.effect("is tried again when that can help", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(Inference.embed("a"))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Fiber.join(fiber)).metrics.retries, 1)
    }).pipe(
      Effect.provide(
        embedding({ reply: ({ index }) => (index === 0 ? TestProvider.unavailable() : undefined) })
      )
    )
  )

  it.effect("refuses an answer with fewer or more vectors than texts", () =>
    Effect.gen(function* () {
      for (const texts of [["a"], ["a", "b", "c"]]) {
        const error = yield* Effect.flip(Inference.embed(texts))
        assert.strictEqual(error.reason._tag, "InvalidResponseError")
        assert.match(error.message, /it has 2 vectors for [13] texts/)
      }
    }).pipe(Effect.provide(embedding({ reply: () => [Float32Array.of(1), Float32Array.of(2)] })))
  )

  const unfit: ReadonlyArray<readonly [what: string, ReadonlyArray<Float32Array>, RegExp]> = [
    ["an empty vector", [Float32Array.of(1), Float32Array.of()], /text 2 of 2 is empty/],
    ["a NaN", [Float32Array.of(Number.NaN), Float32Array.of(1)], /text 1 of 2 has a number that/],
    ["unequal vectors", [Float32Array.of(1), Float32Array.of(1, 2)], /has 2 numbers and .* has 1/]
  ]
  for (const [what, vectors, problem] of unfit) {
    it.effect(`refuses an answer with ${what}, and names the request`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Inference.embed(["a", "b"]))
        assert.deepStrictEqual([error.reason._tag, error.attempts], ["InvalidResponseError", 1])
        assert.match(error.message, problem)
        assert.strictEqual(error.requestId, "test-embed-0")
      }).pipe(Effect.provide(embedding({ reply: () => vectors })))
    )
  }

  it.effect("refuses bad texts and options before anything is sent, naming them", () =>
    Effect.gen(function* () {
      const texts = (list: unknown) => Inference.embed(list as ReadonlyArray<string>)
      const options = (own: object) => Inference.embed(["a"], own)
      const cases: ReadonlyArray<
        readonly [Effect.Effect<unknown, InferenceError, Inference.Inference>, RegExp]
      > = [
        [texts([]), /texts: the list is empty/],
        [texts({}), /texts: it is no list/],
        [texts(["a", null]), /texts\[1\]: it is null, not a string/],
        [texts([1]), /texts\[0\]: it is a number, not a string/],
        [texts(["a", "b", ""]), /texts\[2\]: it is empty/],
        [Inference.embed(""), /texts\[0\]: it is empty/],
        [options({ dimensions: 0 }), /dimensions/],
        [options({ vectors: "float64" }), /vectors: there is no vector type 'float64'/],
        [options({ temperature: 0 }), /temperature: there is no such option/],
        [options({ model: "other" }), /model: no deployment serves 'other'/],
        [options({ timeout: -1 }), /timeout/],
        [options({ deadline: "soon" }), /deadline/]
      ]
      for (const [effect, expected] of cases) {
        const error = yield* Effect.flip(effect)
        assert.match(error.message, expected)
        assert.deepStrictEqual(
          [error.operation, error.reason._tag, error.attempts],
          ["embed", "InvalidInput", 0]
        )
      }
      assert.deepStrictEqual(yield* asked, [])
    }).pipe(Effect.provide(embedding()))
  )

  it.effect("is refused by a provider that cannot embed", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Inference.embed("a"))
      assert.strictEqual(error.reason._tag, "Unsupported")
      assert.match(error.message, /embeddings/)
    }).pipe(Effect.provide(TestClient.layer()))
  )

  it.effect("fails with the provider's reason", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Inference.embed("a"))
      assert.deepStrictEqual([error.reason._tag, error.attempts], ["AuthenticationError", 1])
    }).pipe(
      Effect.provide(
        embedding({
          reply: () => TestProvider.fail(new AiError.AuthenticationError({ kind: "InvalidKey" }))
        })
      )
    )
  )
})
