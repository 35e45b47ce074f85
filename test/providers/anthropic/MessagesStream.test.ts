import { assert, describe, it } from "@effect/vitest"
import * as MessagesProtocol from "@infermesh/providers/anthropic/MessagesProtocol"
import * as MessagesStream from "@infermesh/providers/anthropic/MessagesStream"
import { Effect, Result } from "effect"

import { answerOf, assembled, decode, partsOf, sse } from "../Wire.ts"

const context = {
  model: "asked",
  url: "http://h/messages",
  headers: {},
  nowMillis: 0,
  answerTool: undefined as string | undefined
}

const start = {
  type: "message_start",
  message: { id: "msg", model: "m", content: [], usage: { input_tokens: 9, output_tokens: 1 } }
}
const block = (index: number, content_block: object) => ({
  type: "content_block_start",
  index,
  content_block
})
const delta = (index: number, given: object) => ({
  type: "content_block_delta",
  index,
  delta: given
})
const end = {
  type: "message_delta",
  delta: { stop_reason: "end_turn" },
  usage: { input_tokens: null, output_tokens: 5 }
}
const stop = { type: "message_stop" }
const overloaded = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } }

const run = (events: ReadonlyArray<object>, answerTool?: string) =>
  decode(MessagesStream.machine({ ...context, answerTool }), [
    sse(
      events.map((event) => JSON.stringify(event)),
      true
    )
  ])

describe("a stream", () => {
  it.effect("says what the whole response would have said", () =>
    Effect.gen(function* () {
      const content = [
        { type: "thinking", thinking: "let me see", signature: "s1s2" },
        { type: "server_tool_use", id: "s", name: "web_search", input: { query: "rain" } },
        { type: "text", text: "Yes, rain.", citations: [{ cited_text: "a" }, { cited_text: "b" }] },
        { type: "tool_use", id: "c1", name: "f", input: { a: 1 } },
        { type: "tool_use", id: "c2", name: "g", input: {} }
      ]
      const elements = yield* run([
        start,
        { type: "an_event_of_tomorrow", what: 1 },
        block(0, { type: "thinking", thinking: "", signature: "" }),
        delta(0, { type: "thinking_delta", thinking: "let me" }),
        delta(0, { type: "thinking_delta", thinking: " see" }),
        delta(0, { type: "signature_delta", signature: "s1" }),
        delta(0, { type: "signature_delta", signature: "s2" }),
        { type: "content_block_stop", index: 0 },
        block(1, { type: "server_tool_use", id: "s", name: "web_search", input: {} }),
        delta(1, { type: "input_json_delta", partial_json: '{"query":' }),
        delta(1, { type: "input_json_delta", partial_json: '"rain"}' }),
        block(2, { type: "text", text: "" }),
        delta(2, { type: "citations_delta", citation: { cited_text: "a" } }),
        delta(2, { type: "text_delta", text: "Yes, " }),
        delta(2, { type: "citations_delta", citation: { cited_text: "b" } }),
        delta(2, { type: "text_delta", text: "rain." }),
        block(3, { type: "tool_use", id: "c1", name: "f", input: {} }),
        delta(3, { type: "input_json_delta", partial_json: '{"a":' }),
        block(4, { type: "tool_use", id: "c2", name: "g", input: {} }),
        delta(3, { type: "input_json_delta", partial_json: "1}" }),
        end,
        stop
      ])
      const answer = answerOf(elements)
      const whole = Result.getOrThrow(
        Result.flatMap(
          MessagesProtocol.parse(
            JSON.stringify({
              id: "msg",
              model: "m",
              content,
              stop_reason: "end_turn",
              usage: { input_tokens: 9, output_tokens: 5 }
            }),
            context.url
          ),
          (read) => MessagesProtocol.decode(read, context)
        )
      )
      assert.deepStrictEqual({ ...answer, body: undefined }, { ...whole, body: undefined })
      assert.deepStrictEqual(assembled(partsOf(elements)), {
        text: "Yes, rain.",
        reasoning: "let me see",
        calls: [
          { id: "c1", name: "f", arguments: '{"a":1}' },
          { id: "c2", name: "g", arguments: "" }
        ]
      })
    })
  )

  it.effect("gives the input of the answering tool as text", () =>
    Effect.gen(function* () {
      const elements = yield* run(
        [
          start,
          block(0, { type: "tool_use", id: "c", name: "answer", input: {} }),
          delta(0, { type: "input_json_delta", partial_json: '{"a":' }),
          delta(0, { type: "input_json_delta", partial_json: "1}" }),
          { ...end, delta: { stop_reason: "tool_use" } },
          stop
        ],
        "answer"
      )
      assert.deepStrictEqual(assembled(partsOf(elements)), {
        text: '{"a":1}',
        reasoning: "",
        calls: []
      })
      const [choice] = answerOf(elements).value.choices
      assert.strictEqual(choice.text, '{"a":1}')
      assert.strictEqual(choice.finishReason, "stop")
    })
  )

  it.effect(
    "fails with the provider's own reason before the first part, and counts the prompt",
    () =>
      Effect.gen(function* () {
        const bare = yield* Effect.flip(run([overloaded]))
        assert.strictEqual(bare.reason._tag, "InternalProviderError")
        assert.strictEqual(bare.outcome, "refused")
        const begun = yield* Effect.flip(run([start, overloaded]))
        assert.strictEqual(begun.reason._tag, "InternalProviderError")
        assert.isTrue(begun.reason.isRetryable)
        assert.strictEqual(begun.outcome, "unknown")
        assert.strictEqual(begun.usage?.promptTokens, 9)
      })
  )

  it.effect("fails with what had arrived after the first part", () =>
    Effect.gen(function* () {
      const text = [
        block(0, { type: "text", text: "" }),
        delta(0, { type: "text_delta", text: "Yes" })
      ]
      for (const ending of [[overloaded], [], [{ type: "content_block_stop", index: 0 }]]) {
        const error = yield* Effect.flip(run([start, ...text, ...ending]))
        assert(error.reason._tag === "StreamInterrupted")
        assert.strictEqual(error.reason.text, "Yes")
        assert.strictEqual(error.reason.usage?.promptTokens, 9)
        assert.strictEqual(error.usage?.promptTokens, 9)
        assert.strictEqual(error.outcome, "unknown")
      }
    })
  )

  it.effect("is a broken connection when it ends before it began", () =>
    Effect.gen(function* () {
      for (const events of [[], [start], [start, { type: "ping" }]]) {
        const error = yield* Effect.flip(run(events))
        assert.strictEqual(error.reason._tag, "NetworkError")
        assert.isTrue(error.reason.isRetryable)
      }
    })
  )

  it.effect("passes over what belongs to no block, and the end mark of another API", () =>
    Effect.gen(function* () {
      const data = [start, delta(7, { type: "text_delta", text: "lost" }), end, stop]
      const bytes = sse([...data.map((event) => JSON.stringify(event)), "[DONE]"])
      const elements = yield* decode(MessagesStream.machine(context), [bytes])
      assert.strictEqual(answerOf(elements).value.choices[0].text, "")
    })
  )
})
