import { assert, describe, it } from "@effect/vitest"
import type * as Client from "@infermesh/core/Client"
import * as Inference from "@infermesh/core/Inference"
import * as Message from "@infermesh/core/operation/Message"
import * as Usage from "@infermesh/core/operation/Usage"
import * as Reasoning from "@infermesh/core/output/Reasoning"
import { statusError } from "@infermesh/core/provider/HttpFault"
import * as ResponseHeaders from "@infermesh/core/provider/ResponseHeaders"
import * as Reason from "@infermesh/core/Reason"
import { DateTime, Duration, Effect, Result, Schema } from "effect"
import { AiError } from "effect/ai"
import * as fc from "fast-check"

import * as TestClient from "./TestClient.ts"

describe("Reason.explain", () => {
  const http = { body: "line one\nline two" }
  const duration = Duration.seconds(2)
  const reasons: ReadonlyArray<Reason.Reason> = [
    new AiError.RateLimitError({ retryAfter: duration, http }),
    new AiError.QuotaExhaustedError({ http }),
    new AiError.AuthenticationError({ kind: "InvalidKey", description: "a\nb" }),
    new AiError.ContentPolicyError({ description: "a\nb" }),
    new AiError.InvalidRequestError({ parameter: "n", description: "a\nb" }),
    new AiError.InvalidResponseError({ description: "a\nb" }),
    new AiError.InternalProviderError({ description: "a\nb" }),
    new AiError.NetworkError({
      reason: "TransportError",
      method: "POST",
      url: "http://h/",
      description: "a\nb"
    }),
    new AiError.StructuredOutputError({ description: "a\nb", responseText: "x" }),
    new AiError.UnsupportedSchemaError({ description: "a\nb" }),
    new AiError.UnknownError({ description: "a\nb" }),
    new Reason.InvalidInput({ input: "i", problem: "p", hint: "h" }),
    new Reason.Unsupported({ provider: "p", feature: "f" }),
    new Reason.ContextWindowExceeded({ description: "a\nb" }),
    new Reason.ModelNotFound({ model: "m", description: "a\nb" }),
    new Reason.TimedOut({ timeout: duration }),
    new Reason.DeadlineExceeded({ deadline: duration }),
    new Reason.NoDeployment({ problem: "p" }),
    new Reason.QuotaUnsatisfiable({ limit: "tpm", allowed: 1, needed: 2 }),
    new Reason.BudgetExceeded({ budget: "USD", limit: 1, spent: 2 }),
    new Reason.StreamInterrupted({ description: "a\nb", text: "" })
  ]
  const retryable = new Set([
    "RateLimitError",
    "InternalProviderError",
    "NetworkError",
    "StructuredOutputError",
    "TimedOut"
  ])

  for (const reason of reasons) {
    it(`words ${reason._tag} in one line, and knows whether trying again can help`, () => {
      assert.notInclude(Reason.explain(reason), "\n")
      assert.isAbove(Reason.explain(reason).length, 5)
      assert.strictEqual(reason.isRetryable, retryable.has(reason._tag))
    })
  }
})

describe("ResponseHeaders", () => {
  it("reads the limits in all the forms that providers send", () => {
    const forms: ReadonlyArray<readonly [string, number | undefined]> = [
      ["6m0s", 360_000],
      ["17ms", 17],
      ["0s", 0],
      ["8.64s", 8640],
      ["1m 30s", 90_000],
      ["1d2h", 93_600_000],
      ["15.5", 15_500],
      ["", undefined],
      ["-1", undefined],
      ["soon", undefined]
    ]
    for (const [text, millis] of forms)
      assert.strictEqual(ResponseHeaders.durationMillis(text), millis, text)
    const limits = ResponseHeaders.rateLimits({
      "x-ratelimit-limit-requests": "1,000",
      "x-ratelimit-remaining-requests": "-1",
      "x-ratelimit-reset-tokens": "0s"
    })
    assert.deepStrictEqual(limits?.requests, {
      limit: 1000,
      remaining: undefined,
      resetMillis: undefined
    })
    assert.deepStrictEqual(limits?.tokens, {
      limit: undefined,
      remaining: undefined,
      resetMillis: 0
    })
    assert.isUndefined(ResponseHeaders.rateLimits({}))
  })

  it("reads Retry-After in seconds, milliseconds and as a date", () => {
    const now = DateTime.toEpochMillis(DateTime.makeUnsafe("2026-11-22T10:00:00Z"))
    const read = (headers: ResponseHeaders.Headers) => {
      const found = ResponseHeaders.retryAfter(headers, now)
      return found === undefined ? undefined : Duration.toMillis(found)
    }
    assert.strictEqual(read({ "retry-after": "7" }), 7000)
    assert.strictEqual(read({ "retry-after": "1.5" }), 1500)
    assert.strictEqual(read({ "retry-after-ms": "250", "retry-after": "7" }), 250)
    assert.strictEqual(read({ "retry-after": "Sun, 22 Nov 2026 10:00:30 GMT" }), 30_000)
    assert.strictEqual(read({ "retry-after": "Sun, 22 Nov 2026 09:00:00 GMT" }), 0)
    for (const text of ["-3", "", "later", undefined])
      assert.isUndefined(read({ "retry-after": text }))
  })

  it("never throws, whatever a header says", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        assert.notStrictEqual(ResponseHeaders.durationMillis(text), Number.NaN)
        ResponseHeaders.retryAfter({ "retry-after": text, "retry-after-ms": text }, 0)
        ResponseHeaders.rateLimits({
          "x-ratelimit-limit-tokens": text,
          "x-ratelimit-remaining-tokens": text
        })
      })
    )
  })
})

describe("HttpFault.statusError", () => {
  const fail = (status: number, body = "{}", headers = {}) =>
    statusError({ status, headers, body, fault: { message: body }, nowMillis: 0 })

  it("maps each status to its reason, whether it can be tried again, and what was counted", () => {
    const table: ReadonlyArray<readonly [number, string, boolean, string]> = [
      [400, "InvalidRequestError", false, "refused"],
      [401, "AuthenticationError", false, "refused"],
      [402, "QuotaExhaustedError", false, "refused"],
      [403, "AuthenticationError", false, "refused"],
      [404, "InvalidRequestError", false, "refused"],
      [408, "InternalProviderError", true, "refused"],
      [409, "InternalProviderError", true, "refused"],
      [413, "InvalidRequestError", false, "refused"],
      [422, "InvalidRequestError", false, "refused"],
      [425, "InternalProviderError", true, "refused"],
      [429, "RateLimitError", true, "refused"],
      [500, "InternalProviderError", true, "unknown"],
      [501, "InvalidRequestError", false, "unknown"],
      [502, "InternalProviderError", true, "unknown"],
      [503, "InternalProviderError", true, "refused"],
      [504, "InternalProviderError", true, "unknown"],
      [529, "InternalProviderError", true, "refused"]
    ]
    for (const [status, tag, isRetryable, outcome] of table) {
      const { outcome: counted, reason } = fail(status)
      assert.deepStrictEqual(
        [reason._tag, reason.isRetryable, counted],
        [tag, isRetryable, outcome],
        String(status)
      )
    }
  })

  it("keeps Retry-After of a 503 as of a 429", () => {
    for (const status of [429, 503]) {
      const after = Reason.retryAfter(fail(status, "{}", { "retry-after": "7" }).reason)
      assert.strictEqual(after === undefined ? undefined : Duration.toSeconds(after), 7)
    }
  })

  it("never repeats a key that the vendor echoed", () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[A-Za-z0-9]{20,40}$/),
        fc.constantFrom(400, 401, 429, 500),
        (text, status) => {
          const key = `sk-${text}`
          const error = fail(status, `Incorrect API key provided: ${key}.`)
          assert.notInclude(Reason.explain(error.reason) + JSON.stringify(error.reason), text)
        }
      )
    )
  })
})

describe("Message.toPrompt", () => {
  it("keeps what a Prompt has no field for", () => {
    const result = Message.toPrompt([
      { role: "developer", content: "be brief" },
      {
        role: "user",
        name: "ann",
        content: [
          { type: "image_url", image_url: { url: "data:image/png;base64,AAAA", detail: "low" } }
        ]
      },
      {
        role: "assistant",
        tool_calls: [{ id: "c1", type: "function", function: { name: "f", arguments: '{"a": 1}' } }]
      },
      { role: "tool", tool_call_id: "c1", content: "42" }
    ])
    assert.isTrue(Result.isSuccess(result))
    if (Result.isFailure(result)) return
    const [system, user, assistant, tool] = result.success.content
    assert.deepStrictEqual(system?.options, { openai: { role: "developer" } })
    assert.deepStrictEqual(user?.options, { openai: { name: "ann" } })
    const image = user?.role === "user" ? user.content[0] : undefined
    assert.strictEqual(image?.type === "file" ? image.mediaType : "", "image/png")
    const call = assistant?.role === "assistant" ? assistant.content[0] : undefined
    assert.deepStrictEqual(call?.type === "tool-call" ? [call.params, call.options] : [], [
      { a: 1 },
      { openai: { arguments: '{"a": 1}' } }
    ])
    const answer = tool?.role === "tool" ? tool.content[0] : undefined
    assert.strictEqual(answer?.type === "tool-result" ? answer.name : "", "f")
  })
})

describe("TokenUsage", () => {
  it("is written with the Python library's names and read back", () => {
    const usage = Usage.make({ promptTokens: 1, completionTokens: 2, reasoningTokens: 1 })
    const row = Schema.encodeUnknownSync(Usage.TokenUsageRow)(usage)
    assert.deepStrictEqual(row, {
      prompt_tokens: 1,
      completion_tokens: 2,
      total_tokens: 3,
      reasoning_tokens: 1,
      cached_tokens: null,
      cache_write_tokens: null
    })
    assert.strictEqual(Schema.decodeSync(Usage.TokenUsageRow)(row).outputTokens, 2)
  })
})

describe("Reasoning.split", () => {
  const table: ReadonlyArray<readonly [string, string, string | undefined]> = [
    ["  <think>a</think>\n\n<think>b</think> x", "x", "a\n\nb"],
    ["no <think>x</think>", "no <think>x</think>", undefined],
    ["<think>cut off", "", "cut off"],
    ["reason</think>answer", "answer", "reason"],
    ["<think></think>answer", "answer", undefined],
    ["plain", "plain", undefined]
  ]
  for (const [text, answer, reasoning] of table) {
    it(`parts ${JSON.stringify(text)}`, () => {
      assert.deepStrictEqual(Reasoning.split(text), { text: answer, reasoning })
    })
  }
})

describe("Client.layer", () => {
  const wrong: ReadonlyArray<readonly [Client.ClientSettings, RegExp]> = [
    [{ model: "gpt" }, /^model: 'gpt' names no provider/],
    [{ model: "nope/x" }, /no provider 'nope'. Known providers: test/],
    [
      { model: "test/x", limits: { rpm: 0 } },
      /^limits\.rpm: 0 is not a whole number of at least 1/
    ],
    [{ model: "test/x", limits: { tpm: 1.5 } }, /^limits\.tpm/],
    [{ model: "test/x", maxParallelRequests: 0 }, /^maxParallelRequests/],
    [{ model: "test/x", maxRetries: -1 }, /^maxRetries/],
    [{ model: "test/x", timeout: 0 }, /^timeout: it is not a time above zero/],
    [
      { model: "test/x", defaults: { endpoint: "completions" as "responses" } },
      /^defaults\.endpoint: Expected "chat_completion"/
    ],
    [{ model: "test/x", defaults: { maxRepairs: -1 } }, /^defaults\.maxRepairs/],
    [{ deployments: {} }, /^deployments: there is none/],
    [
      { deployments: { a: { model: "test/x" } }, apiBase: "http://h" },
      /^apiBase: it cannot be given together/
    ],
    [{ deployments: { a: { model: "x" } } }, /^deployments\.a\.model/]
  ]
  for (const [settings, message] of wrong) {
    it.effect(`refuses ${JSON.stringify(settings)} when it is built, naming the setting`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          Effect.provide(Inference.generate("x"), TestClient.layer(settings))
        )
        assert.strictEqual(error._tag, "SettingsError")
        assert.match(error._tag === "SettingsError" ? error.message : "", message)
      })
    )
  }
})
