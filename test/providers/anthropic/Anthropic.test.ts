import { assert, describe, it } from "@effect/vitest"
import * as Providers from "@infermesh/core/provider/Providers"
import * as Anthropic from "@infermesh/providers/anthropic/Anthropic"
import { ConfigProvider, Effect, Layer, Stream } from "effect"
import { HttpClient } from "effect/http"
import { TestClock } from "effect/testing"

import { fakeHttp, key, target } from "../FakeHttp.ts"
import { request } from "../Request.ts"
import { answerOf, sse } from "../Wire.ts"

const message = {
  id: "msg_1",
  model: "claude-opus-5",
  content: [{ type: "text", text: "hello" }],
  stop_reason: "end_turn",
  usage: { input_tokens: 3, output_tokens: 2 }
}

const connect = (client: HttpClient.HttpClient, settings: Parameters<typeof target>[0] = {}) =>
  Effect.flatMap(Anthropic.provider, (provider) => provider.connect(target(settings))).pipe(
    Effect.provideService(HttpClient.HttpClient, client)
  )

const json = (body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { headers })

describe("a connection", () => {
  it.effect("sends one request, the key in its header, and reads the answer", () =>
    Effect.gen(function* () {
      const { client, sent } = fakeHttp(() => json(message, { "request-id": "req_7" }))
      const connection = yield* connect(client, {
        model: "claude-opus-5",
        headers: { "anthropic-beta": "files-api-2025-04-14" },
        extraBody: { service_tier: "auto" }
      })
      const answer = yield* connection.generate!(
        request({ options: { temperature: 0, headers: { "x-own": "1" } } })
      )
      assert.strictEqual(answer.value.choices[0].text, "hello")
      assert.strictEqual(answer.requestId, "req_7")
      assert.strictEqual(sent.length, 1)
      assert.strictEqual(sent[0]?.url, "https://api.anthropic.com/v1/messages")
      assert.deepInclude(sent[0]?.headers, {
        "x-api-key": key,
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "files-api-2025-04-14",
        "x-own": "1"
      })
      assert.deepStrictEqual(sent[0]?.body, {
        model: "claude-opus-5",
        service_tier: "auto",
        messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }],
        temperature: 0,
        max_tokens: 4096
      })
    })
  )

  it.effect("asks for a stream and gives its parts, the answer last", () =>
    Effect.gen(function* () {
      const events = [
        { type: "message_start", message: { ...message, content: [], stop_reason: null } },
        { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
        { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "hello" } },
        { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } },
        { type: "message_stop" }
      ]
      const { client, sent } = fakeHttp(
        () => new Response(sse(events.map((event) => JSON.stringify(event))))
      )
      const connection = yield* connect(client)
      const elements = yield* Stream.runCollect(connection.generateStream!(request()))
      assert.deepInclude(sent[0]?.body, { stream: true })
      assert.deepStrictEqual(elements[0], { type: "text-delta", text: "hello", choice: 0 })
      assert.deepStrictEqual(answerOf(elements).value.choices[0].text, "hello")
      assert.strictEqual(answerOf(elements).usage?.totalTokens, 5)
    })
  )

  it.effect("reads the limits that the headers report, from now", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2026, 10, 23, 12, 0, 0))
      const headers = {
        "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-requests-remaining": "49",
        "anthropic-ratelimit-requests-reset": "2026-11-23T12:00:01Z",
        "anthropic-ratelimit-tokens-limit": "48000",
        "anthropic-ratelimit-tokens-remaining": "47000",
        "anthropic-ratelimit-tokens-reset": "2026-11-23T11:00:00Z",
        "anthropic-ratelimit-input-tokens-limit": "40000",
        "anthropic-ratelimit-input-tokens-remaining": "39000",
        "anthropic-ratelimit-input-tokens-reset": "2026-11-23T12:00:30.5Z",
        "anthropic-ratelimit-output-tokens-limit": "8000",
        "anthropic-ratelimit-output-tokens-remaining": "none",
        "anthropic-ratelimit-output-tokens-reset": "soon"
      }
      const expected = {
        requests: { limit: 50, remaining: 49, resetMillis: 1000 },
        // A reset in the past is now.
        tokens: { limit: 48_000, remaining: 47_000, resetMillis: 0 },
        inputTokens: { limit: 40_000, remaining: 39_000, resetMillis: 30_500 },
        outputTokens: { limit: 8000, remaining: undefined, resetMillis: undefined },
        illFormed: 2
      }
      const good = yield* connect(fakeHttp(() => json(message, headers)).client)
      const answer = yield* good.generate!(request())
      assert.deepStrictEqual(answer.rateLimits, expected)
      const refused = yield* connect(
        fakeHttp(() => new Response("{}", { status: 429, headers })).client
      )
      const error = yield* Effect.flip(refused.generate!(request()))
      assert.deepStrictEqual(error.rateLimits, expected)
    })
  )

  it.effect("sends nothing that the API has no endpoint for", () =>
    Effect.gen(function* () {
      const { client, sent } = fakeHttp(() => json(message))
      const connection = yield* connect(client)
      const asked = request({ endpoint: "responses" })
      const whole = yield* Effect.flip(connection.generate!(asked))
      const streamed = yield* Effect.flip(Stream.runDrain(connection.generateStream!(asked)))
      for (const error of [whole, streamed]) {
        assert.strictEqual(error.reason._tag, "Unsupported")
        assert.strictEqual(error.outcome, "unsent")
      }
      assert.strictEqual(sent.length, 0)
      assert.isUndefined(connection.embed)
      assert.isUndefined(connection.transcribe)
    })
  )

  it.effect("finds its key in the environment, and says which variable is missing", () =>
    Effect.gen(function* () {
      const { client, sent } = fakeHttp(() => json(message))
      const without = connect(client, { apiKey: undefined })
      const environment = (variables: Record<string, string>) =>
        Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(variables))
      const missing = yield* Effect.flip(without.pipe(environment({})))
      assert.include(missing.message, "ANTHROPIC_API_KEY")
      const connection = yield* without.pipe(environment({ ANTHROPIC_API_KEY: key }))
      yield* connection.generate!(request())
      assert.strictEqual(sent[0]?.headers["x-api-key"], key)
    })
  )

  it.effect("is registered under its name by its Layer", () =>
    Effect.gen(function* () {
      const providers = yield* Providers.Providers
      assert.deepStrictEqual(providers.names, ["anthropic"])
    }).pipe(
      Effect.provide(
        Anthropic.layer.pipe(
          Layer.provide(Layer.succeed(HttpClient.HttpClient, fakeHttp(() => json({})).client))
        )
      )
    )
  )
})
