import { assert, describe, it } from "@effect/vitest"
import * as Client from "@infermesh/core/Client"
import * as Inference from "@infermesh/core/Inference"
import * as Pricing from "@infermesh/core/telemetry/Pricing"
import type { SimulatorSettings } from "@infermesh/core/testing/Simulator"
import * as Simulator from "@infermesh/core/testing/Simulator"
import * as OpenAi from "@infermesh/providers/openai/OpenAi"
import { Effect, Layer, Redacted } from "effect"

import { wav } from "../../core/testing/AudioFile.ts"

/** The whole pipeline against a simulated OpenAI, which checks every field. */
const against = Effect.fnUntraced(function* (model: string, settings: SimulatorSettings = {}) {
  const simulator = yield* Simulator.make(settings)
  const layer = Client.layer({
    model: `openai/${model}`,
    apiBase: "http://simulated/v1",
    apiKey: Redacted.make("k")
  }).pipe(
    Layer.provide(OpenAi.layer),
    Layer.provide(Pricing.layerNone),
    Layer.provide(Simulator.layerHttpClient(() => simulator))
  )
  return { simulator, layer }
})

const requests = ({ stats }: Simulator.Simulator) => Effect.map(stats, (all) => all.requests)

describe("embeddings of a simulated OpenAI", () => {
  it.effect("are the same as base64 and as numbers, and as long as was asked for", () =>
    Effect.gen(function* () {
      const { layer } = yield* against("text-embedding-3-small")
      yield* Effect.gen(function* () {
        const texts = ["alpha", "beta"]
        const packed = yield* Inference.embed(texts)
        const numbers = yield* Inference.embed(texts, { extraBody: { encoding_format: "float" } })
        assert.deepStrictEqual(packed.embeddings, numbers.embeddings)
        assert.strictEqual(packed.embeddings[0]?.length, 1536)
        assert.strictEqual(packed.tokenUsage?.totalTokens, numbers.tokenUsage?.totalTokens)
        const short = yield* Inference.embed("alpha", { dimensions: 16, user: "u" })
        assert.strictEqual(short.embedding.length, 16)
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("are asked for in requests no larger than OpenAI takes", () =>
    Effect.gen(function* () {
      const { layer, simulator } = yield* against("m", { embeddings: { dimensions: 2 } })
      const many = Array.from({ length: 5000 }, (_, index) => `text ${index}`)
      const long = Array.from({ length: 100 }, (_, index) => `${"word ".repeat(4000)}${index}`)
      yield* Effect.gen(function* () {
        const batch = yield* Inference.embedBatch(many, { microBatchSize: 5000, dimensions: 2 })
        assert.strictEqual(batch.failures.length, 0)
        assert.strictEqual(yield* requests(simulator), 3)
        const heavy = yield* Inference.embedBatch(long, { microBatchSize: 100 })
        assert.strictEqual(heavy.failures.length, 0)
        assert.strictEqual(yield* requests(simulator), 3 + 2)
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("fail only for the bad text of a request", () =>
    Effect.gen(function* () {
      const { layer } = yield* against("m", { embeddings: { dimensions: 2, poison: "^bad" } })
      const texts = Array.from({ length: 32 }, (_, index) => (index === 9 ? "bad" : `${index}`))
      const batch = yield* Effect.provide(Inference.embedBatch(texts), layer)
      assert.deepStrictEqual(
        batch.failures.map(([index, { reason }]) => [index, reason._tag]),
        [[9, "InvalidRequestError"]]
      )
    })
  )

  it.effect("are not tried piece by piece for a model that is not there", () =>
    Effect.gen(function* () {
      const { layer, simulator } = yield* against("m", { models: ["other"] })
      const batch = yield* Effect.provide(Inference.embedBatch(["a", "b", "c"]), layer)
      assert.strictEqual(batch.failures[0]?.[1].reason._tag, "ModelNotFound")
      assert.strictEqual(yield* requests(simulator), 1)
    })
  )
})

describe("transcriptions of a simulated OpenAI", () => {
  const transcribe = (model: string, options: Inference.TranscribeOptions = {}, seconds = 40) =>
    Effect.flatMap(against(model), ({ layer }) =>
      Effect.provide(Inference.transcribe(wav(seconds), options), layer)
    )

  it.effect("come in every format that a model has", () =>
    Effect.gen(function* () {
      const json = yield* transcribe("whisper-1", { language: "en" })
      assert.isAbove(json.text.length, 20)
      assert.deepStrictEqual([json.durationSeconds, json.language], [40, "en"])
      const text = yield* transcribe("whisper-1", { responseFormat: "text" })
      assert.strictEqual(text.text, json.text)
      const srt = yield* transcribe("whisper-1", { responseFormat: "srt" })
      assert.match(srt.text, /^1\n00:00:00,000 --> /)
      const vtt = yield* transcribe("whisper-1", { responseFormat: "vtt" })
      assert.match(vtt.text, /^WEBVTT\n\n00:00:00\.000 --> /)
      const verbose = yield* transcribe("whisper-1", {
        responseFormat: "verbose_json",
        timestampGranularities: ["segment", "word"]
      })
      assert.deepStrictEqual([verbose.durationSeconds, verbose.language], [40, "english"])
      assert.strictEqual(verbose.segments?.map((one) => one.text.trim()).join(" "), json.text)
      assert.strictEqual(verbose.segments?.at(-1)?.end, 40)
      assert.strictEqual(verbose.words?.length, json.text.split(" ").length)
    })
  )

  it.effect("tell the tokens of models that charge them", () =>
    Effect.gen(function* () {
      const { tokenUsage } = yield* transcribe("gpt-4o-transcribe")
      assert.strictEqual(tokenUsage?.promptTokens, 400)
      assert.isAbove(tokenUsage?.completionTokens ?? 0, 0)
    })
  )

  it.effect("tell speakers apart, also in long audio", () =>
    Effect.gen(function* () {
      const result = yield* transcribe("gpt-4o-transcribe-diarize", {
        responseFormat: "diarized_json",
        extraBody: { known_speaker_names: ["Ada", "Bob"] }
      })
      const speakers = new Set(result.segments?.map(({ speaker }) => speaker))
      assert.deepStrictEqual([...speakers], ["Ada", "Bob"])
      assert.strictEqual(result.durationSeconds, 40)
    })
  )

  const refused: ReadonlyArray<
    readonly [model: string, options: Inference.TranscribeOptions, seconds: number, RegExp]
  > = [
    ["gpt-4o-transcribe", { responseFormat: "srt" }, 2, /'response_format'.*not compatible/],
    ["whisper-1", { responseFormat: "diarized_json" }, 2, /'response_format'.*not compatible/],
    ["gpt-4o-transcribe-diarize", {}, 40, /chunking_strategy is required/],
    ["whisper-1", { language: "xx" }, 2, /Invalid language 'xx'/],
    ["whisper-1", { fileName: "a.txt" }, 2, /Invalid file format/],
    ["whisper-1", { extraBody: { typo: 1 } }, 2, /typo/],
    ["whisper-1", {}, 0.01, /Audio file is too short/]
  ]
  it.effect("are refused with the server's words for what a model has not", () =>
    Effect.gen(function* () {
      for (const [model, options, seconds, expected] of refused) {
        const error = yield* Effect.flip(transcribe(model, options, seconds))
        assert(error._tag === "InferenceError")
        assert.strictEqual(error.reason._tag, "InvalidRequestError")
        assert.match(error.message, expected)
      }
    })
  )
})
