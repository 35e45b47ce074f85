import { assert, describe, it } from "@effect/vitest"
import * as ChatProtocol from "@infermesh/providers/openai/ChatProtocol"
import { Result, type Schema } from "effect"
import { Prompt } from "effect/ai"

const context = {
  model: "asked",
  url: "http://h/chat/completions",
  headers: { "x-request-id": "r1", "x-ratelimit-remaining-requests": "9" },
  nowMillis: 0
}

const answer = (body: unknown) => ChatProtocol.protocol.answer(JSON.stringify(body), context)

const read = (body: unknown) => Result.getOrThrow(answer(body))

const choice = (message: object, more: object = {}) =>
  read({ choices: [{ index: 0, message, finish_reason: "stop", ...more }] }).value.choices[0]

const failure = (body: unknown) => {
  const result = answer(body)
  assert(Result.isFailure(result), "it fails")
  return result.failure
}

describe("a choice", () => {
  it("has text from a string, from blocks, and none from neither", () => {
    const texts = [
      "ab",
      [{ type: "text", text: "a" }, { type: "image_url" }, { text: "b" }],
      null,
      undefined
    ].map((content) => choice({ content }).text)
    assert.deepStrictEqual(texts, ["ab", "ab", "", ""])
    assert.strictEqual(choice({}, { message: undefined, text: "ab" }).text, "ab")
  })

  it("has reasoning from any field a vendor gives it in, once", () => {
    const thought = (message: object) => choice({ content: "so", ...message }).reasoning
    assert.strictEqual(thought({ reasoning_content: " because " }), "because")
    assert.strictEqual(thought({ reasoning: "because" }), "because")
    assert.strictEqual(thought({ reasoning_content: "", reasoning: "because" }), "because")
    assert.strictEqual(thought({ reasoning_content: "because", reasoning: "because" }), "because")
    assert.strictEqual(thought({ reasoning: { effort: "low" } }), undefined)
    assert.strictEqual(thought({ reasoning_content: " \n" }), undefined)
    const details = [
      { type: "reasoning.summary", summary: "be" },
      { type: "reasoning.text", text: "cause" },
      { type: "reasoning.encrypted", data: "x" }
    ]
    assert.strictEqual(thought({ reasoning_details: details }), "because")
    const blocks = [
      { type: "thinking", thinking: [{ type: "text", text: "because" }] },
      { type: "text", text: "so" }
    ]
    const mistral = choice({ content: blocks })
    assert.deepStrictEqual([mistral.reasoning, mistral.text], ["because", "so"])
    const inline = choice({ content: "<think>because</think>\nso" })
    assert.deepStrictEqual([inline.reasoning, inline.text], ["because", "so"])
    assert.isUndefined(inline.content)
  })

  it("has the model's refusal, and log-probabilities as they came", () => {
    const logprobs = { content: [{ token: "a", logprob: -1 }], refusal: null }
    const refused = choice({ content: null, refusal: "I can't" }, { logprobs })
    assert.deepStrictEqual([refused.text, refused.refusal], ["", "I can't"])
    assert.deepStrictEqual(refused.logprobs, logprobs)
    const plain = choice({ content: "a", refusal: null, annotations: [{ type: "url" }] })
    assert.isUndefined(plain.refusal)
    assert.notProperty(plain, "logprobs")
    assert.notProperty(plain, "content")
  })

  it("has calls of functions, of custom tools, and that of the time before tools", () => {
    const calls = (message: object) => choice(message).toolCalls
    const named = (id: string, called: object) => ({ id, type: "function", function: called })
    assert.deepStrictEqual(
      calls({
        tool_calls: [
          named("1", { name: "f", arguments: '{"a": 1}' }),
          named("2", { name: "g", arguments: { a: 1 } }),
          named("3", { name: "h" }),
          { id: "4", type: "custom", custom: { name: "sql", input: "SELECT 1" } }
        ]
      }),
      [
        { id: "1", name: "f", arguments: '{"a": 1}' },
        { id: "2", name: "g", arguments: '{"a":1}' },
        { id: "3", name: "h", arguments: undefined },
        { id: "4", name: "sql", arguments: "SELECT 1" }
      ]
    )
    assert.deepStrictEqual(calls({ function_call: { name: "f", arguments: "{}" } }), [
      { id: "f", name: "f", arguments: "{}" }
    ])
  })

  it("keeps for the next turn what its other fields cannot hold", () => {
    const details = [{ type: "reasoning.text", text: "because", signature: "s" }]
    const extra = { google: { thought_signature: "t" } }
    const { content } = choice({
      content: "so",
      reasoning: "because",
      reasoning_details: details,
      tool_calls: [
        { id: "1", function: { name: "f", arguments: '{"a": 1}' }, extra_content: extra },
        { id: "2", custom: { name: "sql", input: "SELECT 1" } }
      ]
    })
    const call = (id: string, name: string, params: unknown, openai: Record<string, Schema.Json>) =>
      Prompt.makePart("tool-call", {
        id,
        name,
        params,
        providerExecuted: false,
        options: { openai }
      })
    assert.deepStrictEqual(content, [
      Prompt.makePart("reasoning", {
        text: "because",
        options: { openai: { reasoning_details: details } }
      }),
      Prompt.makePart("text", { text: "so", options: {} }),
      call("1", "f", { a: 1 }, { arguments: '{"a": 1}', call: { extra_content: extra } }),
      call("2", "sql", "SELECT 1", { arguments: "SELECT 1", type: "custom" })
    ])
  })

  it("says in our words why the model stopped", () => {
    const reasons = {
      stop: "stop",
      eos: "stop",
      length: "length",
      model_length: "length",
      tool_calls: "tool-calls",
      function_call: "tool-calls",
      content_filter: "content-filter",
      insufficient_system_resource: "error",
      abort: "error",
      constructor: "other",
      whatever: "other"
    }
    for (const [said, meant] of Object.entries(reasons)) {
      assert.strictEqual(choice({}, { finish_reason: said }).finishReason, meant)
    }
    assert.strictEqual(choice({}, { finish_reason: null }).finishReason, "unknown")
    const called = { tool_calls: [{ id: "1", function: { name: "f" } }] }
    assert.strictEqual(choice(called, { finish_reason: null }).finishReason, "tool-calls")
  })
})

describe("usage", () => {
  const counts = (usage: unknown, more: object = {}) =>
    read({ choices: [{ message: {} }], usage, ...more }).usage

  it("is what the provider reports, by any of the names it has", () => {
    const { cachedTokens, completionTokens, promptTokens, reasoningTokens, totalTokens } =
      counts({
        prompt_tokens: 10,
        completion_tokens: 5,
        total_tokens: 15,
        prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 2 },
        completion_tokens_details: { reasoning_tokens: 3 }
      }) ?? {}
    assert.deepStrictEqual(
      [promptTokens, completionTokens, totalTokens, cachedTokens, reasoningTokens],
      [10, 5, 15, 4, 3]
    )
    assert.strictEqual(counts({ prompt_tokens: 1, prompt_cache_hit_tokens: 1 })?.cachedTokens, 1)
    assert.strictEqual(counts({ prompt_tokens: 1, cached_tokens: 1 })?.cachedTokens, 1)
    assert.strictEqual(counts({ prompt_tokens: 2, completion_tokens: 3 })?.totalTokens, 5)
    assert.strictEqual(
      counts(undefined, { x_groq: { usage: { prompt_tokens: 1, total_tokens: 4 } } })?.totalTokens,
      4
    )
  })

  it("counts reasoning within the completion, where a vendor counts it beside", () => {
    const xai = counts({
      prompt_tokens: 32,
      completion_tokens: 9,
      total_tokens: 161,
      completion_tokens_details: { reasoning_tokens: 120 }
    })
    assert.deepStrictEqual(
      [xai?.completionTokens, xai?.totalTokens, xai?.reasoningTokens],
      [129, 161, 120]
    )
  })

  it("is absent where the provider says nothing", () => {
    const nothing = { prompt_tokens: null, completion_tokens: null, total_tokens: null }
    for (const said of [undefined, null, {}, nothing]) assert.isUndefined(counts(said))
  })
})

describe("an answer", () => {
  it("has every choice in its order, and the names of the response", () => {
    const { rateLimits, requestId, value } = read({
      id: "c1",
      model: "m-1",
      choices: [
        { index: 0, message: { content: "a" }, finish_reason: "length" },
        { index: 1, message: { content: "<think>x</think>b" }, finish_reason: "stop" }
      ]
    })
    assert.strictEqual(value.modelId, "m-1")
    assert.deepStrictEqual(
      value.choices.map(({ finishReason, text }) => [text, finishReason]),
      [
        ["a", "length"],
        ["b", "stop"]
      ]
    )
    assert.deepStrictEqual([requestId, rateLimits?.requests?.remaining], ["r1", 9])
    assert.strictEqual(read({ model: "", choices: [{ message: {} }] }).value.modelId, "asked")
  })

  it("fails when it holds an error, wherever that stands, as with a status of its own", () => {
    const limited = { message: "slow", code: 429 }
    const bodies = [
      { error: limited },
      { error: limited, choices: [] },
      { object: "error", ...limited, type: "x" },
      { choices: [{ message: { content: "a" }, finish_reason: "error", error: limited }] },
      { error: { message: "slow" }, status_code: 429 }
    ]
    for (const body of bodies) {
      const { outcome, reason } = failure(body)
      assert.deepStrictEqual([reason._tag, outcome], ["RateLimitError", "refused"])
    }
    assert.strictEqual(read({ error: null, choices: [{ message: {} }] }).value.choices.length, 1)
  })

  it("fails without choices, with what was used", () => {
    const { reason, usage } = failure({ choices: [], usage: { prompt_tokens: 3, total_tokens: 3 } })
    assert.deepStrictEqual([reason._tag, usage?.promptTokens], ["InvalidResponseError", 3])
  })
})
