import { assert, describe, it } from "@effect/vitest"
import * as AsEmbeddingModel from "@infermesh/core/ai/AsEmbeddingModel"
import * as AsLanguageModel from "@infermesh/core/ai/AsLanguageModel"
import * as FromLanguageModel from "@infermesh/core/ai/FromLanguageModel"
import { apportion, pack } from "@infermesh/core/batch/Packing"
import * as Client from "@infermesh/core/Client"
import * as Inference from "@infermesh/core/Inference"
import * as Usage from "@infermesh/core/operation/Usage"
import * as PartialJson from "@infermesh/core/output/PartialJson"
import type { Answer, Connection, Provider } from "@infermesh/core/provider/Provider"
import { AttemptError } from "@infermesh/core/provider/Provider"
import * as Providers from "@infermesh/core/provider/Providers"
import * as Pricing from "@infermesh/core/telemetry/Pricing"
import * as Simulator from "@infermesh/core/testing/Simulator"
import * as OpenAi from "@infermesh/providers/openai/OpenAi"
import { Effect, Layer, Result, Schema, Stream } from "effect"
import { AiError, EmbeddingModel, LanguageModel, Tool, Toolkit } from "effect/ai"
import * as fc from "fast-check"

import * as TestClient from "./TestClient.ts"

/** The whole pipeline and the real provider over the simulator, in process. */
const simulated = (settings: Simulator.SimulatorSettings = {}) =>
  Layer.unwrap(
    Effect.map(Simulator.make(settings), (simulator) =>
      Client.layer({ model: "hosted_vllm/m", apiBase: "http://sim.local/v1" }).pipe(
        Layer.provide(OpenAi.layerCompatible),
        Layer.provide(Pricing.layerNone),
        Layer.provide(Simulator.layerHttpClient({ "http://sim.local": simulator }))
      )
    )
  )

const answer = <A>(value: A, tokens: number): Answer<A> => ({
  value,
  usage: Usage.make({ promptTokens: tokens, completionTokens: 0 }),
  requestId: "r",
  rateLimits: undefined,
  body: undefined
})

/** A provider with the operations that `TestProvider` has not; `bad` in a text makes its request fail. */
const other = (requests: Array<ReadonlyArray<string>>): Provider => ({
  name: "other",
  connect: () =>
    Effect.succeed<Connection>({
      embed: ({ texts }) => {
        requests.push(texts)
        if (texts.includes("no key")) {
          return Effect.fail(
            new AttemptError({
              reason: new AiError.AuthenticationError({ kind: "InvalidKey" }),
              outcome: "refused"
            })
          )
        }
        return texts.some((text) => text.startsWith("bad"))
          ? Effect.fail(
              new AttemptError({
                reason: new AiError.InvalidRequestError({ description: "bad" }),
                outcome: "refused"
              })
            )
          : Effect.succeed(
              answer(
                { modelId: "e", vectors: texts.map((text) => Float32Array.of(text.length, 1)) },
                10 * texts.length
              )
            )
      },
      transcribe: ({ audio }) =>
        Effect.map(
          Stream.runFold(
            Stream.orDie(audio.bytes),
            () => 0,
            (sum, piece) => sum + piece.length
          ),
          (bytes) => answer({ text: `${audio.fileName} ${audio.mediaType} ${bytes}` }, 0)
        )
    })
})

const others = (requests: Array<ReadonlyArray<string>> = []) =>
  Client.layer({ model: "other/e" }).pipe(
    Layer.provide(Providers.layer(Effect.succeed([other(requests)]))),
    Layer.provide(Pricing.layerTable({ e: { input: 1, output: 1 } }))
  )

describe("generateStream", () => {
  it.effect(
    "gives parts as they are written, and one finish with the same result as generate",
    () =>
      Effect.gen(function* () {
        const events = yield* Stream.runCollect(Inference.generateStream("hello"))
        const finish = events.at(-1)
        assert.strictEqual(events.filter(({ type }) => type === "finish").length, 1)
        const text = events.map((event) => (event.type === "text-delta" ? event.text : "")).join("")
        const { outputText, tokenUsage } = yield* Inference.generate("hello")
        assert.strictEqual(text, outputText)
        assert.strictEqual(finish?.type === "finish" ? finish.result.outputText : "", outputText)
        assert.deepStrictEqual(
          finish?.type === "finish" ? finish.result.tokenUsage : undefined,
          tokenUsage
        )
      }).pipe(Effect.provide(simulated({ seed: 3 })))
  )

  it.effect("shows structured output as it grows, and decodes it at the end", () =>
    Effect.gen(function* () {
      const output = Schema.Struct({ name: Schema.String, count: Schema.Int })
      const events = yield* Stream.runCollect(Inference.generateStream("hello", { output }))
      assert.isAbove(events.filter(({ type }) => type === "partial").length, 0)
      const finish = events.at(-1)
      assert.isString(finish?.type === "finish" ? finish.result.outputParsed.name : undefined)
    }).pipe(Effect.provide(simulated({ seed: 3 })))
  )

  it.effect("is tried again while nothing was handed out, and never after", () =>
    Effect.gen(function* () {
      const broken = yield* Effect.flip(Stream.runDrain(Inference.generateStream("hello")))
      assert.strictEqual(broken.reason._tag, "StreamInterrupted")
      assert.strictEqual(broken.attempts, 1)
      assert.isAbove(broken.reason._tag === "StreamInterrupted" ? broken.reason.text.length : 0, 0)
    }).pipe(Effect.provide(simulated({ seed: 3, faults: { streamError: 1 } })))
  )
})

describe("PartialJson.parse", () => {
  it("reads any beginning of a JSON text, or says that there is nothing to read yet", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), (value, cut) => {
        const text = JSON.stringify(value)
        assert.deepStrictEqual(PartialJson.parse(text), JSON.parse(text))
        const partial = PartialJson.parse(text.slice(0, cut % (text.length + 1)))
        if (partial !== undefined) assert.isObject(partial)
      })
    )
    assert.deepStrictEqual(PartialJson.parse('{"a":"x","b":[1,{"c":"hal'), {
      a: "x",
      b: [1, { c: "hal" }]
    })
  })
})

describe("embed", () => {
  it.effect("gives one vector per text in input order, and plain arrays on request", () =>
    Effect.gen(function* () {
      const one = yield* Inference.embed("abc")
      assert.deepStrictEqual([...one.embedding], [3, 1])
      assert.instanceOf(one.embedding, Float32Array)
      const many = yield* Inference.embed(["a", "bb"], { vectors: "array" })
      assert.deepStrictEqual(many.embeddings, [
        [1, 1],
        [2, 1]
      ])
      const error = yield* Effect.flip(Inference.embed(["a", ""]))
      assert.match(error.message, /texts\[1\]: it is empty/)
    }).pipe(Effect.provide(others()))
  )

  it.effect("packs a batch into requests, and bisects to the one bad text", () => {
    const requests: Array<ReadonlyArray<string>> = []
    return Effect.gen(function* () {
      const texts: Array<unknown> = Array.from({ length: 70 }, (_, index) => `text ${index}`)
      texts[5] = "bad"
      texts[40] = null
      texts[41] = ""
      const batch = yield* Inference.embedBatch(texts as Array<string>, { concurrency: 1 })
      assert.deepStrictEqual(
        batch.failures.map(([index, error]) => [index, error.reason._tag]),
        [
          [5, "InvalidRequestError"],
          [40, "InvalidInput"],
          [41, "InvalidInput"]
        ]
      )
      assert.isAtMost(requests.length, 3 + 2 * 5)
      const used = batch.successes.reduce(
        (sum, [, { tokenUsage }]) => sum + (tokenUsage?.promptTokens ?? 0),
        0
      )
      assert.strictEqual(used, 670)
    }).pipe(Effect.provide(others(requests)))
  })

  it.effect("does not try piece by piece what would fail for every text", () => {
    const requests: Array<ReadonlyArray<string>> = []
    return Effect.gen(function* () {
      const batch = yield* Inference.embedBatch(["a", "no key", "c"])
      assert.strictEqual(batch.failures.length, 3)
      assert.strictEqual(requests.length, 1)
    }).pipe(Effect.provide(others(requests)))
  })
})

describe("Packing", () => {
  it("puts every item into one pack, within the limits, and shares sums exactly", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(100)),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 150 }),
        (items, texts, tokens) => {
          const packs = pack(items, (size) => size, { texts, tokens })
          assert.deepStrictEqual(packs.flat(), items)
          for (const one of packs) {
            assert.isAtLeast(one.length, 1)
            assert.isAtMost(one.length, texts)
            if (one.length > 1)
              assert.isAtMost(
                one.reduce((sum, size) => sum + size, 0),
                tokens
              )
          }
          if (items.length > 0) {
            assert.strictEqual(
              apportion(tokens, items).reduce((sum, share) => sum + share, 0),
              tokens
            )
          }
        }
      )
    )
  })
})

describe("transcribe", () => {
  it.effect("takes bytes, Blobs and streams, names them for the provider and bounds them", () =>
    Effect.gen(function* () {
      const bytes = new Uint8Array(5)
      const text = (input: Inference.TranscribeInput, options?: Inference.TranscribeOptions) =>
        Effect.map(Inference.transcribe(input, options), (result) => result.text)
      assert.strictEqual(yield* text(bytes, { fileName: "/home/me/a.mp3" }), "a.mp3 audio/mpeg 5")
      assert.match(
        yield* text(new Blob([bytes], { type: "audio/wav" })),
        /^audio\.\w+ audio\/wav 5$/
      )
      assert.match(yield* text(Stream.make(bytes, bytes)), / 10$/)
      const large = yield* Effect.flip(Inference.transcribe(bytes, { maxBytes: 4 }))
      assert.match(large.message, /has 5 bytes, more than the 4 allowed/)
      assert.match(
        (yield* Effect.flip(Inference.transcribe(new Uint8Array(0)))).message,
        /audio is empty/
      )
      assert.match(
        (yield* Effect.flip(Inference.transcribe("a.wav"))).message,
        /a\.wav: .*no FileSystem was provided/
      )
    }).pipe(Effect.provide(others()))
  )
})

describe("the effect/ai bridge", () => {
  const kit = Toolkit.make(
    Tool.make("weather", {
      parameters: Schema.Struct({ city: Schema.String }),
      success: Schema.Int
    })
  )

  it.effect("runs programs on LanguageModel: text, objects, tools and streams", () =>
    Effect.gen(function* () {
      const reply = yield* LanguageModel.generateText({ prompt: "hello" })
      assert.isAbove(reply.text.length, 0)
      assert.isAbove(reply.usage.outputTokens.total ?? 0, 0)
      const { value } = yield* LanguageModel.generateObject({
        prompt: "q",
        schema: Schema.Struct({ n: Schema.Int })
      })
      assert.isNumber(value.n)
      const tools = yield* LanguageModel.generateText({
        prompt: "weather?",
        toolkit: kit,
        toolChoice: "required"
      })
      assert.deepStrictEqual(
        tools.toolResults.map(({ result }) => result),
        [7]
      )
      const parts = yield* Stream.runCollect(LanguageModel.streamText({ prompt: "hello" }))
      assert.strictEqual(
        parts.map((part) => (part.type === "text-delta" ? part.delta : "")).join(""),
        reply.text
      )
    }).pipe(
      Effect.provide([
        kit.toLayer({ weather: () => Effect.succeed(7) }),
        AsLanguageModel.layer.pipe(Layer.provide(simulated({ seed: 3 })))
      ])
    )
  )

  it.effect("gives a failure as the AiError with the same reason", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(LanguageModel.generateText({ prompt: "hello" }))
      assert.strictEqual(error.reason._tag, "AuthenticationError")
    }).pipe(
      Effect.provide(
        AsLanguageModel.layer.pipe(Layer.provide(simulated({ apiKey: "other-key-1234" })))
      )
    )
  )

  it.effect("runs programs on EmbeddingModel", () =>
    Effect.gen(function* () {
      const model = yield* EmbeddingModel.EmbeddingModel
      const { embeddings } = yield* model.embedMany(["a", "bb", "ccc"])
      assert.deepStrictEqual(
        embeddings.map(({ vector }) => vector[0]),
        [1, 2, 3]
      )
    }).pipe(
      Effect.provide(AsEmbeddingModel.layer({ microBatchSize: 2 }).pipe(Layer.provide(others())))
    )
  )

  it.effect("takes any LanguageModel as a provider behind the pipeline", () =>
    Effect.gen(function* () {
      const model = yield* LanguageModel.LanguageModel
      const client = Client.layer({ model: "foreign/x" }).pipe(
        Layer.provide(Providers.layer(Effect.succeed([FromLanguageModel.make("foreign", model)]))),
        Layer.provide(Pricing.layerNone)
      )
      const result = yield* Effect.provide(Inference.generate("hello"), client)
      assert.strictEqual(result.outputText, "hello")
      assert.isDefined(result.tokenUsage)
      const refused = yield* Effect.result(
        Effect.provide(Inference.generate("x", { temperature: 0 }), client)
      )
      assert.strictEqual(
        Result.isFailure(refused) && refused.failure._tag === "InferenceError"
          ? refused.failure.reason._tag
          : "",
        "Unsupported"
      )
    }).pipe(Effect.provide(AsLanguageModel.layer.pipe(Layer.provide(TestClient.layer()))))
  )
})
