import { assert, describe, it } from "@effect/vitest"
import type { Choice } from "@infermesh/core/operation/Generate"
import { protocol } from "@infermesh/providers/openai/ResponsesProtocol"
import { Result } from "effect"

const context = { model: "asked", url: "http://h/responses", headers: {}, nowMillis: 0 }

const read = (body: object, headers: Record<string, string> = {}) =>
  protocol.answer(JSON.stringify(body), { ...context, headers })

const answerOf = (body: object, headers?: Record<string, string>) =>
  Result.getOrThrow(read(body, headers))

const failureOf = (body: object) => {
  const result = read(body)
  assert(Result.isFailure(result), "it did not fail")
  return result.failure
}

const done = (output: ReadonlyArray<object>, more: object = {}) => ({
  id: "resp_1",
  model: "m",
  status: "completed",
  output,
  ...more
})

const choiceOf = (output: ReadonlyArray<object>, more: object = {}): Choice =>
  answerOf(done(output, more)).value.choices[0]

const message = (...content: ReadonlyArray<object>) => ({
  type: "message",
  id: "msg_1",
  role: "assistant",
  status: "completed",
  content
})
const said = (text: string) => ({ type: "output_text", text, annotations: [], logprobs: [] })
const call = { type: "function_call", id: "fc_1", call_id: "call_1", name: "f", arguments: "{}" }

describe("the text", () => {
  it("is that of all texts of all messages, in order, and of nothing else", () => {
    const choice = choiceOf([
      message(said("a"), { type: "refusal", refusal: "no" }, said("b")),
      { type: "web_search_call", id: "ws", status: "completed", content: [said("x")] },
      message(said("c"), { type: "a_block_of_tomorrow", text: "y" })
    ])
    assert.strictEqual(choice.text, "abc")
    assert.strictEqual(choice.refusal, "no")
  })

  it("is without the reasoning that a server leaves in it, whether or not it gives some apart", () => {
    const inline = message(said("<think>a</think>\n\n"), said("<think>b</think> x "))
    assert.deepInclude(choiceOf([inline]), { text: "x ", reasoning: "a\n\nb" })
    const blank = { type: "reasoning", id: "r", summary: [{ type: "summary_text", text: "  " }] }
    assert.deepInclude(choiceOf([blank, inline]), { text: "x ", reasoning: "a\n\nb" })
    assert.deepInclude(choiceOf([message(said("<think>never closed"))]), {
      text: "",
      reasoning: "never closed"
    })
    assert.deepInclude(choiceOf([message(said(" see <think>x</think>"))]), {
      text: " see <think>x</think>",
      reasoning: undefined
    })
  })
})

describe("the reasoning", () => {
  it("is its summaries, or what a server discloses of it", () => {
    const { reasoning } = choiceOf([
      {
        type: "reasoning",
        id: "r1",
        summary: [
          { type: "summary_text", text: " first \n" },
          { type: "summary_text", text: "second" }
        ]
      },
      {
        type: "reasoning",
        id: "r2",
        summary: [],
        content: [{ type: "reasoning_text", text: "third" }]
      },
      message(said("x"))
    ])
    assert.strictEqual(reasoning, "first\n\nsecond\n\nthird")
  })
})

describe("a call of a tool", () => {
  it("has the id that its result must carry", () => {
    const custom = { type: "custom_tool_call", call_id: "call_2", name: "g", input: "a b" }
    const { toolCalls } = choiceOf([
      call,
      custom,
      { ...call, call_id: "call_3", arguments: { a: 1 } },
      { type: "function_call", id: "fc_4", name: "h" }
    ])
    assert.deepStrictEqual(toolCalls, [
      { id: "call_1", name: "f", arguments: "{}" },
      { id: "call_2", name: "g", arguments: "a b" },
      { id: "call_3", name: "f", arguments: '{"a":1}' },
      // Servers that imitate the API may know one id only.
      { id: "fc_4", name: "h", arguments: undefined }
    ])
  })
})

describe("the finish reason", () => {
  const incomplete = (reason: string) => ({
    status: "incomplete",
    incomplete_details: { reason }
  })
  const reasons: ReadonlyArray<readonly [ReadonlyArray<object>, object, Choice["finishReason"]]> = [
    [[message(said("x"))], {}, "stop"],
    [[message(said("x")), call], {}, "tool-calls"],
    [[message(said("x"))], incomplete("max_output_tokens"), "length"],
    [[call], incomplete("max_output_tokens"), "length"],
    [[], incomplete("content_filter"), "content-filter"],
    [[], incomplete("a_reason_of_tomorrow"), "other"],
    [[message(said("x"))], { status: "incomplete" }, "other"],
    [[message(said("x"))], { status: "cancelled" }, "other"],
    [[message(said("x"))], { status: undefined }, "unknown"],
    [[call], { status: null }, "tool-calls"],
    [[], { status: "queued" }, "pause"],
    [[], { status: "in_progress" }, "pause"]
  ]
  for (const [output, more, finish] of reasons) {
    it(`is ${finish} for ${JSON.stringify(more)} and ${output.length} items`, () => {
      assert.strictEqual(choiceOf(output, more).finishReason, finish)
    })
  }
})

describe("log-probabilities", () => {
  it("are those of all texts, as they came, and absent where there are none", () => {
    const token = (name: string) => ({ token: name, logprob: -1, bytes: [1], top_logprobs: [] })
    const { logprobs } = choiceOf([
      message({ ...said("a"), logprobs: [token("a")] }),
      message({ ...said("b"), logprobs: [token("b")] })
    ])
    assert.deepStrictEqual(logprobs, [token("a"), token("b")])
    assert.notProperty(choiceOf([message(said("a"))]), "logprobs")
  })
})

describe("the answer", () => {
  const usage = {
    input_tokens: 10,
    input_tokens_details: { cached_tokens: 4, cache_write_tokens: 2 },
    output_tokens: 6,
    output_tokens_details: { reasoning_tokens: 5 },
    total_tokens: 16
  }

  it("has usage, ids and the whole body", () => {
    const body = done([message(said("x"))], { usage })
    const answer = answerOf(body)
    assert.deepEqual(
      { ...answer.usage },
      {
        promptTokens: 10,
        completionTokens: 6,
        totalTokens: 16,
        cachedTokens: 4,
        cacheWriteTokens: 2,
        reasoningTokens: 5
      }
    )
    assert.strictEqual(answer.requestId, "resp_1")
    assert.strictEqual(answerOf(body, { "x-request-id": "req_1" }).requestId, "req_1")
    assert.deepStrictEqual(answer.body, body)
    const limits = { "x-ratelimit-limit-requests": "9", "x-ratelimit-remaining-requests": "8" }
    assert.strictEqual(answerOf(body, limits).rateLimits?.requests?.remaining, 8)
    assert.strictEqual(answerOf({ output: [message(said("x"))] }).value.modelId, "asked")
  })

  it("adds usage up where it has no total, and has none where the provider says nothing", () => {
    const items = [message(said("x"))]
    const bare = answerOf(done(items, { usage: { input_tokens: 3, output_tokens: 4 } })).usage
    assert.deepStrictEqual([bare?.totalTokens, bare?.cachedTokens], [7, undefined])
    for (const nothing of [{}, null, undefined]) {
      assert.isUndefined(answerOf(done(items, { usage: nothing })).usage)
    }
  })

  it("is none without output, and the tokens are counted all the same", () => {
    for (const body of [
      { id: "r", usage },
      { id: "r", output: null, usage },
      done([], { usage }),
      { output: [], usage }
    ]) {
      const { outcome, reason, usage: used } = failureOf(body)
      assert.deepStrictEqual(
        [reason._tag, outcome, used?.totalTokens],
        ["InvalidResponseError", "unknown", 16]
      )
    }
    for (const body of ["hello", '{"output":"x"}']) {
      const result = protocol.answer(body, context)
      assert.strictEqual(
        Result.isFailure(result) ? result.failure.reason._tag : "",
        "InvalidResponseError"
      )
    }
    const cut = protocol.answer('{"id":"resp_1","outp', context)
    assert.strictEqual(Result.isFailure(cut) ? cut.failure.reason._tag : "", "NetworkError")
  })

  const errors: ReadonlyArray<readonly [error: unknown, reason: string, outcome: string]> = [
    [{ code: "server_error", message: "x" }, "InternalProviderError", "unknown"],
    [{ code: "rate_limit_exceeded", message: "x" }, "RateLimitError", "refused"],
    [{ code: "insufficient_quota", message: "x" }, "QuotaExhaustedError", "refused"],
    [{ code: "server_is_overloaded", message: "x" }, "InternalProviderError", "refused"],
    [{ code: "context_length_exceeded", message: "x" }, "ContextWindowExceeded", "refused"],
    [{ code: "invalid_prompt", message: "x" }, "InvalidRequestError", "refused"],
    [{ code: "invalid_image_url", message: "x" }, "InvalidRequestError", "refused"],
    [{ code: "image_too_large", message: "x" }, "InvalidRequestError", "refused"],
    [{ code: "image_content_policy_violation", message: "x" }, "ContentPolicyError", "refused"],
    [{ code: "vector_store_timeout", message: "x" }, "InternalProviderError", "unknown"],
    [null, "InternalProviderError", "unknown"]
  ]
  for (const [error, reason, outcome] of errors) {
    it(`is the failure ${reason} for a response that failed with ${JSON.stringify(error)}`, () => {
      const bare = failureOf(done([], { status: "failed", error }))
      assert.deepStrictEqual([bare.reason._tag, bare.outcome], [reason, outcome])
      const paid = failureOf(done([], { status: "failed", error, usage }))
      assert.deepStrictEqual(
        [paid.reason._tag, paid.outcome, paid.usage?.totalTokens],
        [reason, "unknown", 16]
      )
    })
  }

  it("is the failure of an error that came with status 200", () => {
    const { reason } = failureOf({ error: { code: 429, message: "slow down" } })
    assert.strictEqual(reason._tag, "RateLimitError")
  })
})
