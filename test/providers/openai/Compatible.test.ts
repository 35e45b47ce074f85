import { assert, describe, it } from "@effect/vitest"
import type { Target } from "@infermesh/core/provider/Provider"
import { AttemptError } from "@infermesh/core/provider/Provider"
import * as Compatible from "@infermesh/providers/openai/Compatible"
import type { Dialect } from "@infermesh/providers/openai/Dialect"
import { openai } from "@infermesh/providers/openai/OpenAi"
import { azure } from "@infermesh/providers/vendor/Azure"
import { deepSeek } from "@infermesh/providers/vendor/DeepSeek"
import { openRouter } from "@infermesh/providers/vendor/OpenRouter"
import { vllm } from "@infermesh/providers/vendor/Vllm"
import { voyage } from "@infermesh/providers/vendor/Voyage"
import { Effect, Stream } from "effect"
import { HttpClient } from "effect/http"

import { fakeHttp, key, target } from "../FakeHttp.ts"
import { request } from "../Request.ts"

const answer = () =>
  new Response(
    '{"id":"c1","model":"m","choices":[{"message":{"content":"a"},"text":"a","finish_reason":"stop"}]}',
    { headers: { "x-request-id": "r1" } }
  )

const connect = (
  dialect: Dialect,
  settings: Partial<Target> = {},
  respond: () => Response = answer
) => {
  const { client, sent } = fakeHttp(respond)
  return Compatible.provider(dialect).pipe(
    Effect.flatMap((provider) => provider.connect(target(settings))),
    Effect.map((connection) => ({
      sent,
      generate: (...more: Parameters<typeof request>) => connection.generate!(request(...more)),
      stream: (...more: Parameters<typeof request>) =>
        Stream.runCollect(connection.generateStream!(request(...more)))
    })),
    Effect.provideService(HttpClient.HttpClient, client)
  )
}

const messages = [{ role: "user", content: "hi" }]

describe("a connection", () => {
  it.effect(
    "asks the endpoint of the request, with the key and the headers of deployment and call",
    () =>
      Effect.gen(function* () {
        const { generate, sent } = yield* connect(openai, { headers: { "x-a": "1", "x-b": "1" } })
        yield* generate({ options: { headers: { "x-b": "2" } } })
        yield* generate({ endpoint: "text_completion" })
        assert.deepStrictEqual(
          sent.map(({ url }) => url),
          ["https://api.openai.com/v1/chat/completions", "https://api.openai.com/v1/completions"]
        )
        const [first] = sent
        assert.deepStrictEqual(
          [first?.headers["authorization"], first?.headers["x-a"], first?.headers["x-b"]],
          [`Bearer ${key}`, "1", "2"]
        )
        assert.deepStrictEqual(
          sent.map(({ body }) => body),
          [
            { model: "m", messages },
            { model: "m", prompt: "hi" }
          ]
        )
      })
  )

  it.effect(
    "puts the fields of the request over those of the deployment, and both over the vendor's",
    () =>
      Effect.gen(function* () {
        const extraBody = { seed: 1, provider: { order: ["x"] }, chat: { a: 1, b: 1 } }
        const whole = yield* connect(openRouter, { extraBody })
        yield* whole.generate({ options: { seed: 2, extraBody: { chat: { b: 2 } } } })
        const fixed = { model: "m", messages, provider: { require_parameters: true, order: ["x"] } }
        assert.deepStrictEqual(whole.sent[0]?.body, { ...fixed, seed: 2, chat: { a: 1, b: 2 } })
        const streamed = yield* connect(
          openRouter,
          { extraBody },
          () => new Response("data: [DONE]")
        )
        const obfuscation = { stream_options: { include_obfuscation: false } }
        yield* Effect.flip(streamed.stream({ options: { extraBody: obfuscation } }))
        assert.deepStrictEqual(streamed.sent[0]?.body, {
          ...fixed,
          seed: 1,
          chat: { a: 1, b: 1 },
          stream: true,
          stream_options: { include_usage: true, include_obfuscation: false }
        })
      })
  )

  it.effect("speaks to Azure with its own header, below a base URL with a version", () =>
    Effect.gen(function* () {
      const apiBase = "https://r.openai.azure.com/openai/v1?api-version=preview"
      const { generate, sent } = yield* connect(azure, { apiBase, model: "my-deployment" })
      yield* generate()
      assert.strictEqual(
        sent[0]?.url,
        "https://r.openai.azure.com/openai/v1/chat/completions?api-version=preview"
      )
      assert.deepStrictEqual(
        [sent[0]?.headers["api-key"], sent[0]?.headers["authorization"]],
        [key, undefined]
      )
      assert.deepStrictEqual(sent[0]?.body, { model: "my-deployment", messages })
    })
  )

  it.effect("asks a server of one's own without a key", () =>
    Effect.gen(function* () {
      const settings = { apiBase: "http://localhost:8000/v1", apiKey: undefined }
      const { generate, sent } = yield* connect(vllm, settings)
      yield* generate()
      assert.isUndefined(sent[0]?.headers["authorization"])
    })
  )

  it.effect("refuses an endpoint that the vendor has not, before anything is sent", () =>
    Effect.gen(function* () {
      const completions = yield* connect(deepSeek)
      const refusals = [
        yield* Effect.flip(completions.generate({ endpoint: "text_completion" })),
        yield* Effect.flip(completions.stream({ endpoint: "text_completion" })),
        yield* Effect.flip((yield* connect(voyage)).generate())
      ]
      assert.deepStrictEqual(
        refusals.map(({ outcome, reason }) => [reason.message, outcome]),
        [
          [
            "deepseek does not support the text_completion endpoint. It has chat_completion",
            "unsent"
          ],
          [
            "deepseek does not support the text_completion endpoint. It has chat_completion",
            "unsent"
          ],
          ["voyage does not support the chat_completion endpoint. It generates no text", "unsent"]
        ]
      )
      assert.strictEqual(completions.sent.length, 0)
    })
  )

  it.effect("names the request that could not be read", () =>
    Effect.gen(function* () {
      const headers = { "x-request-id": "r1", "x-ratelimit-remaining-requests": "3" }
      const { generate, stream } = yield* connect(openai, {}, () => new Response("{}", { headers }))
      for (const error of [yield* Effect.flip(generate()), yield* Effect.flip(stream())]) {
        assert.instanceOf(error, AttemptError)
        assert.deepStrictEqual([error.requestId, error.rateLimits?.requests?.remaining], ["r1", 3])
      }
    })
  )
})
