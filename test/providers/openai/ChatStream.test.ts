import { assert, describe, it } from "@effect/vitest"
import type { AttemptError } from "@infermesh/core/provider/Provider"
import { retryAfter } from "@infermesh/core/Reason"
import * as ChatProtocol from "@infermesh/providers/openai/ChatProtocol"
import * as ChatStream from "@infermesh/providers/openai/ChatStream"
import { Duration, Effect, Result } from "effect"

import { answerOf, assembled, decode, partsOf, sse } from "../Wire.ts"

const context = {
  model: "asked",
  url: "http://h/chat/completions",
  headers: { "retry-after": "Thu, 01 Jan 1970 00:01:30 GMT" },
  nowMillis: 30_000
}

const run = (bodies: ReadonlyArray<unknown>) =>
  decode(ChatStream.machine(context), [
    sse(bodies.map((body) => (typeof body === "string" ? body : JSON.stringify(body))))
  ])

const event = (delta: object, more: object = {}) => ({
  id: "c1",
  model: "m-1",
  choices: [{ index: 0, delta, finish_reason: null, ...more }]
})

const end = (finish_reason = "stop") => event({}, { finish_reason })

const call = (index: number, fields: object) => ({ tool_calls: [{ index, ...fields }] })

/** The answer of a stream, and the same answer as a whole response has it. */
const streamed = Effect.fnUntraced(function* (bodies: ReadonlyArray<unknown>) {
  const elements = yield* run(bodies)
  return { ...answerOf(elements), parts: partsOf(elements) }
})

const failing = (bodies: ReadonlyArray<unknown>): Effect.Effect<AttemptError> =>
  Effect.flip(run(bodies)) as Effect.Effect<AttemptError>

const whole = (choices: ReadonlyArray<unknown>) =>
  Result.getOrThrow(
    ChatProtocol.protocol.answer(JSON.stringify({ id: "c1", model: "m-1", choices }), context)
  ).value

describe("a stream", () => {
  it.effect("says the same as a whole response, with its parts in the order of arrival", () =>
    Effect.gen(function* () {
      const token = (text: string) => ({ token: text, logprob: -1 })
      const logprobs = (text: string) => ({ logprobs: { content: [token(text)], refusal: null } })
      const { parts, value } = yield* streamed([
        event({ role: "assistant", content: "", reasoning: "be" }),
        event({ reasoning: "cause" }),
        event({ content: "Hel" }, logprobs("Hel")),
        event({ content: "lo" }, logprobs("lo")),
        event(call(0, { id: "1", type: "function", function: { name: "f", arguments: "" } })),
        event(call(0, { function: { arguments: '{"a":' } })),
        event(call(0, { function: { arguments: "1}" } })),
        event(call(1, { id: "2", type: "custom", custom: { name: "sql", input: "SEL" } })),
        event(call(1, { custom: { input: "ECT" } })),
        end("tool_calls"),
        "[DONE]"
      ])
      assert.deepStrictEqual(
        value,
        whole([
          {
            index: 0,
            message: {
              content: "Hello",
              reasoning: "because",
              tool_calls: [
                { id: "1", type: "function", function: { name: "f", arguments: '{"a":1}' } },
                { id: "2", type: "custom", custom: { name: "sql", input: "SELECT" } }
              ]
            },
            logprobs: { content: [token("Hel"), token("lo")], refusal: null },
            finish_reason: "tool_calls"
          }
        ])
      )
      assert.deepStrictEqual(
        parts.map(({ type }) => type),
        [
          "reasoning-delta",
          "reasoning-delta",
          "text-delta",
          "text-delta",
          "tool-call-delta",
          "tool-call-delta",
          "tool-call-delta",
          "tool-call-delta",
          "tool-call-delta"
        ]
      )
      assert.deepStrictEqual(assembled(parts), {
        text: "Hello",
        reasoning: "because",
        calls: value.choices[0].toolCalls as []
      })
    })
  )

  it.effect("has several choices, in the order of their numbers", () =>
    Effect.gen(function* () {
      const at = (index: number, content: string, finish_reason: string | null = null) => ({
        choices: [{ index, delta: { content }, finish_reason }]
      })
      const { parts, value } = yield* streamed([
        at(1, "b"),
        at(0, "a"),
        at(1, "B", "length"),
        at(0, "A", "stop")
      ])
      assert.deepStrictEqual(
        value.choices.map(({ finishReason, text }) => [text, finishReason]),
        [
          ["aA", "stop"],
          ["bB", "length"]
        ]
      )
      assert.deepStrictEqual(
        parts.map((part) => part.choice),
        [1, 0, 1, 0]
      )
    })
  )

  it.effect("is of text completions too", () =>
    Effect.gen(function* () {
      const at = (text: string, finish_reason: string | null, tokens: ReadonlyArray<string>) => ({
        choices: [{ index: 0, text, finish_reason, logprobs: { tokens, text_offset: [0] } }]
      })
      const { value } = yield* streamed([at("Hel", null, ["Hel"]), at("lo", "length", ["lo"])])
      assert.deepStrictEqual(value.choices[0], {
        text: "Hello",
        reasoning: undefined,
        refusal: undefined,
        toolCalls: [],
        finishReason: "length",
        logprobs: { tokens: ["Hel", "lo"], text_offset: [0, 0] }
      })
    })
  )

  it.effect("puts refusals and the one call of the time before tools together", () =>
    Effect.gen(function* () {
      const { value } = yield* streamed([
        event({ role: "assistant", content: null, refusal: "I " }),
        event({ refusal: "can't" }),
        event({ function_call: { name: "f", arguments: "" } }),
        event({ function_call: { arguments: "{}" } }),
        end("function_call")
      ])
      const [choice] = value.choices
      assert.deepStrictEqual([choice.text, choice.refusal], ["", "I can't"])
      assert.deepStrictEqual(choice.toolCalls, [{ id: "f", name: "f", arguments: "{}" }])
      assert.strictEqual(choice.finishReason, "tool-calls")
    })
  )

  it.effect(
    "tells calls apart where a server counts them all as the first, and joins where it repeats itself",
    () =>
      Effect.gen(function* () {
        const named = (id: string, name: string, source: string) => ({
          id,
          function: { name, arguments: source }
        })
        const { parts, value } = yield* streamed([
          event(call(0, named("1", "f", "{}"))),
          event(call(0, named("2", "f", '{"b":'))),
          event(call(0, named("2", "f", "2}"))),
          event(call(5, named("3", "g", "[")), {}),
          event(call(5, { id: "x", function: { arguments: "]" } })),
          end("tool_calls")
        ])
        const calls = [
          { id: "1", name: "f", arguments: "{}" },
          { id: "2", name: "f", arguments: '{"b":2}' },
          { id: "3", name: "g", arguments: "[]" }
        ]
        assert.deepStrictEqual(value.choices[0].toolCalls, calls)
        assert.deepStrictEqual(assembled(parts).calls, calls)
      })
  )

  it.effect("joins the details of reasoning, so that the next turn can give them back", () =>
    Effect.gen(function* () {
      const detail = (fields: object) => event({ reasoning_details: [fields] })
      const { parts, value } = yield* streamed([
        detail({ type: "reasoning.text", index: 0, text: "be", signature: null }),
        detail({ type: "reasoning.text", index: 0, text: "cause" }),
        detail({ type: "reasoning.text", index: 0, signature: "s" }),
        detail({ type: "reasoning.encrypted", index: 1, data: "x" }),
        event({ content: "so" }),
        end()
      ])
      const [thought] = value.choices[0].content ?? []
      assert.deepStrictEqual(thought?.options, {
        openai: {
          reasoning_details: [
            { type: "reasoning.text", index: 0, text: "because", signature: "s" },
            { type: "reasoning.encrypted", index: 1, data: "x" }
          ]
        }
      })
      assert.strictEqual(value.choices[0].reasoning, "because")
      assert.deepStrictEqual(assembled(parts), { text: "so", reasoning: "because", calls: [] })
    })
  )

  it.effect("separates inline reasoning as it arrives, for each choice by itself", () =>
    Effect.gen(function* () {
      const { parts, value } = yield* streamed([
        event({ content: "<thi" }),
        event({ content: "nk>be" }),
        event({ content: "cause</think>\n\n" }),
        event({ content: "so" }),
        { choices: [{ index: 1, delta: { content: " <" }, finish_reason: "length" }] },
        end()
      ])
      const [first, second] = value.choices
      assert.deepStrictEqual([first.text, first.reasoning, second?.text], ["so", "because", " <"])
      assert.deepStrictEqual(parts, [
        { type: "reasoning-delta", text: "be", choice: 0 },
        { type: "reasoning-delta", text: "cause", choice: 0 },
        { type: "text-delta", text: "so", choice: 0 },
        { type: "text-delta", text: " <", choice: 1 }
      ])
    })
  )

  it.effect("reads Mistral's blocks, a first event without choices, and one whole message", () =>
    Effect.gen(function* () {
      const thinking = { type: "thinking", thinking: [{ type: "text", text: "because" }] }
      const mistral = yield* streamed([
        { id: "", model: "", choices: [], prompt_filter_results: [] },
        event({ content: [thinking] }),
        event({ content: "so" }),
        { ...end(), id: "", model: "" }
      ])
      assert.deepStrictEqual([mistral.value.modelId, mistral.requestId], ["m-1", "c1"])
      const [choice] = mistral.value.choices
      assert.deepStrictEqual([choice.text, choice.reasoning], ["so", "because"])
      const once = yield* streamed([
        { choices: [{ index: 0, message: { content: "so" }, finish_reason: "stop" }] }
      ])
      assert.strictEqual(once.value.choices[0].text, "so")
      assert.strictEqual(once.value.modelId, "asked")
    })
  )
})

describe("usage", () => {
  const used = (bodies: ReadonlyArray<unknown>) =>
    Effect.map(streamed(bodies), ({ usage }) => usage?.totalTokens)

  it.effect(
    "comes in an event of its own, with the last choice, in each event, or in Groq's field",
    () =>
      Effect.gen(function* () {
        const usage = (total_tokens: number) => ({ usage: { prompt_tokens: 1, total_tokens } })
        const hello = event({ content: "a" })
        const own = [{ ...hello, usage: null }, end(), { choices: [], ...usage(3) }, "[DONE]"]
        assert.strictEqual(yield* used(own), 3)
        assert.strictEqual(yield* used([hello, { ...end(), ...usage(3) }]), 3)
        assert.strictEqual(
          yield* used([
            { ...hello, ...usage(2) },
            { ...end(), ...usage(3) }
          ]),
          3
        )
        assert.strictEqual(yield* used([hello, { ...end(), x_groq: usage(3) }]), 3)
        assert.strictEqual(yield* used([hello, end()]), undefined)
      })
  )
})

describe("an end", () => {
  it.effect("is told by [DONE] or by every choice, and without it the stream was cut", () =>
    Effect.gen(function* () {
      const hello = event({ content: "a" })
      const done = yield* streamed([hello, "[DONE]"])
      assert.strictEqual(done.value.choices[0].finishReason, "unknown")
      const cut = yield* failing([hello])
      assert(cut.reason._tag === "StreamInterrupted")
      assert.strictEqual(cut.reason.text, "a")
      const other = { choices: [{ index: 1, delta: { content: "b" } }] }
      assert.strictEqual((yield* failing([hello, other, end()])).reason._tag, "StreamInterrupted")
      const early = yield* failing([])
      assert.deepStrictEqual([early.reason._tag, early.outcome], ["NetworkError", "unknown"])
    })
  )

  it.effect("without choices is no answer", () =>
    Effect.gen(function* () {
      const { reason } = yield* failing([{ choices: [], model: "m" }, "[DONE]"])
      assert.strictEqual(reason._tag, "InvalidResponseError")
    })
  )
})

describe("an error inside a stream", () => {
  const error = { error: { code: 429, message: "slow down" } }

  it.effect(
    "means before the first part what it means as a response, by the clock of the request",
    () =>
      Effect.gen(function* () {
        const { outcome, reason } = yield* failing([
          event({ role: "assistant", content: "" }),
          error
        ])
        assert.deepStrictEqual([reason._tag, outcome], ["RateLimitError", "refused"])
        const wait = retryAfter(reason)
        assert.strictEqual(wait === undefined ? 0 : Duration.toSeconds(wait), 60)
      })
  )

  it.effect("interrupts after it, with the text and the usage so far", () =>
    Effect.gen(function* () {
      const bodies = [
        { ...event({ content: "<think>x</think>Hel" }), usage: { prompt_tokens: 4 } },
        { choices: [{ index: 0, delta: { content: "" }, finish_reason: "error" }], ...error }
      ]
      const { outcome, reason, usage } = yield* failing(bodies)
      assert(reason._tag === "StreamInterrupted")
      assert.deepStrictEqual(
        [reason.text, outcome, usage?.promptTokens, reason.usage?.promptTokens],
        ["Hel", "unknown", 4, 4]
      )
      assert.match(reason.description, /rate limit/)
    })
  )
})
