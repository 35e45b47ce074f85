import { assert, describe, it } from "@effect/vitest"
import * as Providers from "@infermesh/core/provider/Providers"
import * as Gemini from "@infermesh/providers/gemini/Gemini"
import { ConfigProvider, Effect, Layer, Stream } from "effect"
import { HttpClient } from "effect/http"

import { fakeHttp, key, target } from "../FakeHttp.ts"
import { request } from "../Request.ts"
import { answerOf, sse } from "../Wire.ts"

const response = {
  candidates: [{ content: { parts: [{ text: "hello" }] }, finishReason: "STOP", index: 0 }],
  usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 },
  modelVersion: "gemini-3-pro-preview",
  responseId: "r7"
}

const root = "https://generativelanguage.googleapis.com/v1beta"

const connect = (client: HttpClient.HttpClient, settings: Parameters<typeof target>[0] = {}) =>
  Effect.flatMap(Gemini.provider, (provider) =>
    provider.connect(target({ model: "gemini-3-pro", ...settings }))
  ).pipe(Effect.provideService(HttpClient.HttpClient, client))

const json = (body: unknown) => new Response(JSON.stringify(body))

const environment = (variables: Record<string, string>) =>
  Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(variables))

describe("a connection", () => {
  it.effect("sends one request, the key in its header alone, and reads the answer", () =>
    Effect.gen(function* () {
      const { client, sent } = fakeHttp(() => json(response))
      const connection = yield* connect(client, {
        extraBody: { safetySettings: [], generationConfig: { topK: 9, temperature: 1 } }
      })
      const answer = yield* connection.generate!(request({ options: { temperature: 0 } }))
      assert.strictEqual(answer.value.choices[0].text, "hello")
      assert.strictEqual(answer.value.modelId, "gemini-3-pro-preview")
      assert.strictEqual(answer.requestId, "r7")
      assert.strictEqual(sent.length, 1)
      assert.strictEqual(sent[0]?.url, `${root}/models/gemini-3-pro:generateContent`)
      assert.strictEqual(sent[0]?.headers["x-goog-api-key"], key)
      assert.notInclude(sent[0]?.url ?? key, key)
      assert.deepStrictEqual(sent[0]?.body, {
        safetySettings: [],
        contents: [{ role: "user", parts: [{ text: "hi" }] }],
        generationConfig: { topK: 9, temperature: 0 }
      })
    })
  )

  it.effect("asks for a stream and gives its parts, the answer last", () =>
    Effect.gen(function* () {
      const { client, sent } = fakeHttp(() => new Response(sse([JSON.stringify(response)])))
      const connection = yield* connect(client)
      const elements = yield* Stream.runCollect(connection.generateStream!(request()))
      assert.strictEqual(sent[0]?.url, `${root}/models/gemini-3-pro:streamGenerateContent?alt=sse`)
      assert.deepStrictEqual(elements[0], { type: "text-delta", text: "hello", choice: 0 })
      assert.strictEqual(answerOf(elements).usage?.totalTokens, 5)
    })
  )

  it.effect("takes a model's whole resource name, and nothing in it ends the path", () =>
    Effect.gen(function* () {
      const { client, sent } = fakeHttp(() => json(response))
      for (const model of ["tunedModels/mine", "a?key=b"]) {
        const connection = yield* connect(client, { model, apiBase: "http://localhost:1/v1beta/" })
        yield* connection.generate!(request())
      }
      assert.deepStrictEqual(
        sent.map(({ url }) => url),
        [
          "http://localhost:1/v1beta/tunedModels/mine:generateContent",
          "http://localhost:1/v1beta/models/a%3Fkey%3Db:generateContent"
        ]
      )
    })
  )

  it.effect("embeds one text alone and several in one batch, in their order", () =>
    Effect.gen(function* () {
      const one = fakeHttp(() => json({ embedding: { values: [1, 2] } }))
      const alone = yield* connect(one.client, { model: "gemini-embedding-001" })
      const single = yield* alone.embed!({ texts: ["a"], options: { dimensions: 2 } })
      assert.deepStrictEqual(single.value.vectors, [new Float32Array([1, 2])])
      assert.isUndefined(single.usage)
      assert.strictEqual(one.sent[0]?.url, `${root}/models/gemini-embedding-001:embedContent`)
      assert.deepStrictEqual(one.sent[0]?.body, {
        model: "models/gemini-embedding-001",
        content: { parts: [{ text: "a" }] },
        outputDimensionality: 2
      })

      const many = fakeHttp(() =>
        json({
          embeddings: [{ values: [1] }, { values: [2] }],
          usageMetadata: { promptTokenCount: 4 }
        })
      )
      const batch = yield* connect(many.client, { model: "gemini-embedding-001" })
      const several = yield* batch.embed!({
        texts: ["a", "b"],
        options: { extraBody: { taskType: "CLUSTERING" } }
      })
      assert.deepStrictEqual(several.value, {
        modelId: "gemini-embedding-001",
        vectors: [new Float32Array([1]), new Float32Array([2])]
      })
      assert.strictEqual(several.usage?.totalTokens, 4)
      assert.strictEqual(
        many.sent[0]?.url,
        `${root}/models/gemini-embedding-001:batchEmbedContents`
      )
      assert.deepStrictEqual(many.sent[0]?.body, {
        requests: ["a", "b"].map((text) => ({
          model: "models/gemini-embedding-001",
          content: { parts: [{ text }] },
          taskType: "CLUSTERING"
        }))
      })
      assert.strictEqual(batch.embedLimits?.texts, 100)
    })
  )

  it.effect("fails when vectors are missing, and for an embedding option it has not", () =>
    Effect.gen(function* () {
      const { client, sent } = fakeHttp(() => json({ embeddings: [{ values: [1] }, {}] }))
      const connection = yield* connect(client)
      const short = yield* Effect.flip(connection.embed!({ texts: ["a", "b"], options: {} }))
      assert.strictEqual(short.reason._tag, "InvalidResponseError")
      const user = yield* Effect.flip(connection.embed!({ texts: ["a"], options: { user: "u" } }))
      assert.strictEqual(user.reason._tag, "Unsupported")
      assert.strictEqual(sent.length, 1)
    })
  )

  it.effect("sends nothing that the API has no endpoint for", () =>
    Effect.gen(function* () {
      const { client, sent } = fakeHttp(() => json(response))
      const connection = yield* connect(client)
      const asked = request({ endpoint: "text_completion" })
      const whole = yield* Effect.flip(connection.generate!(asked))
      const streamed = yield* Effect.flip(Stream.runDrain(connection.generateStream!(asked)))
      for (const error of [whole, streamed]) {
        assert.strictEqual(error.reason._tag, "Unsupported")
        assert.strictEqual(error.outcome, "unsent")
      }
      assert.strictEqual(sent.length, 0)
      assert.isUndefined(connection.transcribe)
    })
  )

  it.effect("finds its key under either name in the environment", () =>
    Effect.gen(function* () {
      const { client, sent } = fakeHttp(() => json(response))
      const without = connect(client, { apiKey: undefined })
      for (const name of ["GEMINI_API_KEY", "GOOGLE_API_KEY"]) {
        const connection = yield* without.pipe(environment({ [name]: key }))
        yield* connection.generate!(request())
      }
      assert.deepStrictEqual(
        sent.map(({ headers }) => headers["x-goog-api-key"]),
        [key, key]
      )
      const missing = yield* Effect.flip(without.pipe(environment({})))
      assert.include(missing.message, "GEMINI_API_KEY or GOOGLE_API_KEY")
    })
  )

  it.effect("is registered under its name by its Layer", () =>
    Effect.gen(function* () {
      const providers = yield* Providers.Providers
      assert.deepStrictEqual(providers.names, ["gemini"])
    }).pipe(
      Effect.provide(
        Gemini.layer.pipe(
          Layer.provide(Layer.succeed(HttpClient.HttpClient, fakeHttp(() => json({})).client))
        )
      )
    )
  )
})
