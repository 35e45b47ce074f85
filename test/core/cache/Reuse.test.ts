import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as CacheKey from "@infermesh/core/cache/CacheKey"
import * as ResponseCache from "@infermesh/core/cache/ResponseCache"
import * as Client from "@infermesh/core/Client"
import * as Inference from "@infermesh/core/Inference"
import * as Usage from "@infermesh/core/operation/Usage"
import * as Pricing from "@infermesh/core/telemetry/Pricing"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Effect, Fiber, FileSystem, Layer, Schema } from "effect"
import { AiError, Prompt } from "effect/ai"
import { KeyValueStore } from "effect/persistence"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"

import * as TestClient from "../TestClient.ts"

const client = (
  cache: Layer.Layer<ResponseCache.ResponseCache>,
  provider: TestProvider.TestProviderOptions = {},
  settings: Client.ClientSettings = { model: "test/model" }
) =>
  Client.layer(settings).pipe(
    Layer.provideMerge(TestProvider.layer(provider)),
    Layer.provide([cache, Pricing.layerTable({ model: { input: 1, output: 2 } })])
  )

const asked = TestProvider.TestProvider.use((provider) => provider.asked)
const usage = Usage.make({ promptTokens: 5, completionTokens: 7 })

describe("a response cache", () => {
  it.effect("answers the same question again without asking, at no cost", () =>
    Effect.gen(function* () {
      const first = yield* Inference.generate("x", { temperature: 0 })
      const second = yield* Inference.generate("x", { temperature: 0 })
      assert.strictEqual((yield* asked).length, 1)
      assert.deepStrictEqual(second.choices, first.choices)
      assert.deepStrictEqual(second.tokenUsage, first.tokenUsage)
      assert.isAbove(first.cost ?? 0, 0)
      assert.isUndefined(first.metrics.reused)
      assert.deepStrictEqual([second.cost, second.metrics.reused], [0, "cache"])
    }).pipe(
      Effect.provide(
        client(ResponseCache.layerMemory(), {
          reply: () => ({
            text: "answer",
            usage,
            reasoning: "because",
            toolCalls: [{ id: "1", name: "f", arguments: "{}" }]
          })
        })
      )
    )
  )

  it.effect("asks again when anything differs that can change the answer", () =>
    Effect.gen(function* () {
      const schema = Schema.Struct({ a: Schema.Int })
      const variants: ReadonlyArray<Effect.Effect<unknown, unknown, Inference.Inference>> = [
        Inference.generate("x"),
        Inference.generate("y"),
        Inference.generate("x", { temperature: 1 }),
        Inference.generate("x", { maxTokens: 5 }),
        Inference.generate("x", { seed: 1 }),
        Inference.generate("x", { extraBody: { a: 1 } }),
        Inference.generate("x", { headers: { a: "1" } }),
        Inference.generate("x", { output: schema }),
        Inference.generate("x", { tools: [{ name: "f", parameters: { type: "object" } }] }),
        Inference.generate("x", { endpoint: "text_completion" }),
        Inference.generate([
          { role: "system", content: "s" },
          { role: "user", content: "x" }
        ]),
        Inference.generate(
          Prompt.fromMessages([
            Prompt.userMessage({
              content: [
                Prompt.filePart({ mediaType: "image/png", data: new Uint8Array([1, 2, 3]) })
              ]
            })
          ])
        ),
        Inference.generate(
          Prompt.fromMessages([
            Prompt.userMessage({
              content: [
                Prompt.filePart({ mediaType: "image/png", data: new Uint8Array([1, 2, 4]) })
              ]
            })
          ])
        )
      ]
      for (const round of [1, 2]) {
        for (const variant of variants) yield* Effect.ignore(variant)
        assert.strictEqual((yield* asked).length, variants.length, `round ${round}`)
      }
    }).pipe(Effect.provide(client(ResponseCache.layerMemory(), { reply: () => '{"a":1}' })))
  )

  it.effect(
    "keeps answers of different models and tags apart, those of a client's default too",
    () =>
      Effect.gen(function* () {
        const cache = yield* Layer.build(ResponseCache.layerMemory())
        const ask = (model: string) =>
          Effect.gen(function* () {
            yield* Inference.embed(["x"])
            yield* Inference.generate("x")
            yield* Inference.generate("x", { model: "c", tags: ["one"] })
            yield* Inference.generate("x", { model: "c", tags: ["two"] })
            const provider = yield* TestProvider.TestProvider
            return [...(yield* provider.askedEmbed), ...(yield* provider.asked)].map(
              ({ target }) => target.model
            )
          }).pipe(
            Effect.provide(
              client(
                Layer.succeedContext(cache),
                { embed: {} },
                {
                  model,
                  deployments: {
                    a: { model: "test/a" },
                    b: { model: "test/b" },
                    one: { model: "test/one", models: ["c"], tags: ["one"] },
                    two: { model: "test/two", models: ["c"], tags: ["two"] }
                  }
                }
              )
            )
          )
        assert.deepStrictEqual(yield* ask("a"), ["a", "a", "one", "two"])
        assert.deepStrictEqual(yield* ask("b"), ["b", "b"])
      })
  )

  it.effect("keeps no failure", () =>
    Effect.gen(function* () {
      yield* Effect.flip(Inference.generate("x"))
      assert.strictEqual(String(yield* Inference.generate("x")), "ok")
      assert.strictEqual((yield* asked).length, 2)
    }).pipe(
      Effect.provide(
        client(ResponseCache.layerMemory(), {
          reply: ({ index }) =>
            index === 0
              ? TestProvider.fail(new AiError.InvalidRequestError({ description: "no" }))
              : "ok"
        })
      )
    )
  )

  it.effect(
    "reads a kept answer by whatever schema is asked for, and a misfit stays a misfit",
    () =>
      Effect.gen(function* () {
        const output = Schema.Struct({ a: Schema.Int })
        for (const reused of [undefined, "cache"] as const) {
          const error = yield* Effect.flip(Inference.generate("x", { output }))
          assert.strictEqual(error.reason._tag, "StructuredOutputError")
          assert.strictEqual(error.metrics?.reused, reused)
        }
      }).pipe(Effect.provide(client(ResponseCache.layerMemory(), { reply: () => "no json" })))
  )

  it.effect("keeps vectors to the bit", () =>
    Effect.gen(function* () {
      const texts = ["a", "b"]
      const first = yield* Inference.embed(texts)
      const second = yield* Inference.embed(texts)
      assert.strictEqual(
        (yield* TestProvider.TestProvider.use((provider) => provider.askedEmbed)).length,
        1
      )
      assert.deepStrictEqual(second.embeddings, first.embeddings)
      assert.instanceOf(second.embeddings[0], Float32Array)
    }).pipe(
      Effect.provide(
        client(ResponseCache.layerMemory(), {
          embed: {
            reply: ({ request }) =>
              request.texts.map((text) => Float32Array.from([text.length / 3, -0, 1e-38]))
          }
        })
      )
    )
  )

  it.effect("forgets after its time, and what was used longest ago when it is full", () =>
    Effect.gen(function* () {
      yield* Inference.generate("x")
      yield* TestClock.adjust("59 minutes")
      yield* Inference.generate("x")
      assert.strictEqual((yield* asked).length, 1)
      yield* TestClock.adjust("2 minutes")
      yield* Inference.generate("x")
      assert.strictEqual((yield* asked).length, 2)
      for (const text of ["y", "x", "z", "x", "y"]) yield* Inference.generate(text)
      assert.deepStrictEqual(
        (yield* asked).map(({ text }) => text),
        ["x", "x", "y", "z", "y"]
      )
    }).pipe(
      Effect.provide(client(ResponseCache.layerMemory({ timeToLive: "1 hour", capacity: 2 })))
    )
  )

  it.effect("outlives the client in a KeyValueStore, for the same models only", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const directory = yield* files.makeTempDirectoryScoped()
      const cache = ResponseCache.layerKeyValueStore({ timeToLive: "1 day" }).pipe(
        Layer.provide(KeyValueStore.layerFileSystem(directory)),
        Layer.provide(NodeServices.layer),
        Layer.orDie
      )
      const run = (model: string) =>
        Effect.gen(function* () {
          const result = yield* Inference.generate("x")
          return [String(result), (yield* asked).length]
        }).pipe(Effect.provide(client(cache, {}, { model })))
      assert.deepStrictEqual(yield* run("test/model"), ["x", 1])
      assert.deepStrictEqual(yield* run("test/model"), ["x", 0])
      assert.deepStrictEqual(yield* run("test/other"), ["x", 1])
      // What cannot be read is as if it were not there.
      for (const name of yield* files.readDirectory(directory))
        yield* files.writeFileString(`${directory}/${name}`, "Infinity\n{broken")
      assert.deepStrictEqual(yield* run("test/model"), ["x", 1])
      yield* files.remove(directory, { recursive: true })
      assert.deepStrictEqual(yield* run("test/model"), ["x", 1])
    }).pipe(Effect.provide(NodeServices.layer))
  )
})

describe("coalescing", () => {
  const settings = { model: "test/model", coalesce: true }
  const slow: TestProvider.TestProviderOptions = { latency: "1 second" }

  it.effect("asks once for what many ask at the same time, and again afterwards", () =>
    Effect.gen(function* () {
      const batch = yield* Effect.forkChild(
        Inference.generateBatch(Array.from({ length: 10 }, () => "same"))
      )
      yield* TestClock.adjust("1 second")
      const { successes } = yield* Fiber.join(batch)
      assert.strictEqual((yield* asked).length, 1)
      assert.strictEqual(
        successes.filter(([, { metrics }]) => metrics.reused === "coalesced").length,
        9
      )
      const later = yield* Effect.forkChild(Inference.generate("same"))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(later)
      assert.strictEqual((yield* asked).length, 2)
    }).pipe(Effect.provide(TestClient.layer(settings, slow)))
  )

  it.effect("goes on while anybody waits, and stops when nobody does", () =>
    Effect.gen(function* () {
      const provider = yield* TestProvider.TestProvider
      const start = Effect.forkChild(Inference.generate("same"), { startImmediately: true })
      const [first, second] = [yield* start, yield* start]
      yield* TestClock.adjust("500 millis")
      yield* Fiber.interrupt(first)
      assert.strictEqual((yield* provider.inFlight).now, 1)
      yield* TestClock.adjust("500 millis")
      assert.strictEqual(String(yield* Fiber.join(second)), "same")
      const third = yield* start
      const fourth = yield* start
      yield* TestClock.adjust("500 millis")
      yield* Fiber.interruptAll([third, fourth])
      assert.strictEqual((yield* provider.inFlight).now, 0)
      assert.strictEqual(yield* provider.interrupted, 1)
    }).pipe(Effect.provide(TestClient.layer(settings, slow)))
  )

  it.effect("shares a failure too", () =>
    Effect.gen(function* () {
      const batch = yield* Effect.forkChild(Inference.generateBatch(["same", "same", "other"]))
      yield* TestClock.adjust("1 second")
      const { failures } = yield* Fiber.join(batch)
      assert.deepStrictEqual(
        failures.map(([index]) => index),
        [0, 1]
      )
    }).pipe(
      Effect.provide(
        TestClient.layer(settings, {
          ...slow,
          reply: ({ text }) =>
            text === "same"
              ? TestProvider.fail(new AiError.InvalidRequestError({ description: "no" }))
              : "ok"
        })
      )
    )
  )

  it.effect("is off unless asked for", () =>
    Effect.gen(function* () {
      yield* Inference.generateBatch(["same", "same"])
      assert.strictEqual((yield* asked).length, 2)
    }).pipe(Effect.provide(TestClient.layer()))
  )
})

describe("CacheKey", () => {
  it("is the same for the same values in any order of fields, and for no others", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (left, right) => {
        const same = CacheKey.canonical(left) === CacheKey.canonical(right)
        assert.strictEqual(same, equal(left, right))
        assert.strictEqual(CacheKey.canonical(reversed(left)), CacheKey.canonical(left))
      })
    )
  })
})

const equal = (left: unknown, right: unknown): boolean => {
  try {
    assert.deepStrictEqual(JSON.parse(JSON.stringify(left)), JSON.parse(JSON.stringify(right)))
    return true
  } catch {
    return false
  }
}

const reversed = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(reversed)
    : typeof value === "object" && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .toReversed()
            .map(([key, field]) => [key, reversed(field)])
        )
      : value
