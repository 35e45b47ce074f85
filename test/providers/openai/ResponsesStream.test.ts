import { assert, describe, it } from "@effect/vitest"
import { protocol } from "@infermesh/providers/openai/ResponsesProtocol"
import * as ResponsesStream from "@infermesh/providers/openai/ResponsesStream"
import { Effect, Result } from "effect"

import { answerOf, assembled, decode, partsOf, sse } from "../Wire.ts"

const context = { model: "asked", url: "http://h/responses", headers: {}, nowMillis: 0 }

const usage = {
  input_tokens: 9,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 5,
  output_tokens_details: { reasoning_tokens: 2 },
  total_tokens: 14
}
const envelope = (status: string, more: object = {}) => ({
  id: "resp_1",
  model: "m",
  status,
  output: [],
  error: null,
  incomplete_details: null,
  usage: null,
  ...more
})

const created = { type: "response.created", response: envelope("in_progress") }
/** A server may tell what it has so far. */
const resumed = {
  type: "response.in_progress",
  response: envelope("in_progress", { output: [{ type: "message", content: [] }] })
}
const added = (index: number, item: object) => ({
  type: "response.output_item.added",
  output_index: index,
  item
})
const whole = (index: number, item: object) => ({
  type: "response.output_item.done",
  output_index: index,
  item
})
const delta = (what: string, index: number, piece: string, more: object = {}) => ({
  type: `response.${what}.delta`,
  output_index: index,
  delta: piece,
  ...more
})
const completed = (output: ReadonlyArray<object>) => ({
  type: "response.completed",
  response: envelope("completed", { output, usage })
})

const reasoning = {
  type: "reasoning",
  id: "rs_1",
  encrypted_content: "gAAAAA",
  summary: [
    { type: "summary_text", text: "let me see" },
    { type: "summary_text", text: "rain" }
  ]
}
const disclosed = {
  type: "reasoning",
  id: "rs_2",
  summary: [],
  content: [{ type: "reasoning_text", text: "openly" }]
}
const search = {
  type: "web_search_call",
  id: "ws_1",
  status: "completed",
  content: [{ type: "output_text", text: "found" }]
}
const message = {
  type: "message",
  id: "msg_1",
  role: "assistant",
  status: "completed",
  content: [
    { type: "output_text", text: "Yes, rain.", annotations: [], logprobs: [{ token: "Yes" }] },
    { type: "refusal", refusal: "Not more." },
    { type: "output_text", text: " Today." }
  ]
}
const call = {
  type: "function_call",
  id: "fc_1",
  call_id: "call_1",
  name: "f",
  arguments: '{"a":1}'
}
const custom = {
  type: "custom_tool_call",
  id: "ctc_1",
  call_id: "call_2",
  name: "g",
  input: "a b"
}
const output = [reasoning, search, message, disclosed, call, custom]

/** The events of that output, calls written side by side, with whatever else the API sends. */
const events = [
  created,
  { type: "response.queued", response: envelope("queued") },
  { type: "response.in_progress" },
  { type: "keepalive", sequence_number: 3 },
  added(0, { ...reasoning, encrypted_content: "gAAA", summary: [] }),
  { type: "response.reasoning_summary_part.added", output_index: 0, summary_index: 0, part: {} },
  delta("reasoning_summary_text", 0, "let me", { summary_index: 0 }),
  delta("reasoning_summary_text", 0, " see", { summary_index: 0 }),
  {
    type: "response.reasoning_summary_text.done",
    output_index: 0,
    summary_index: 0,
    text: "let me see"
  },
  delta("reasoning_summary_text", 0, "rain", { summary_index: 1 }),
  whole(0, reasoning),
  added(1, { ...search, status: "in_progress" }),
  { type: "response.web_search_call.searching", output_index: 1, item_id: "ws_1" },
  whole(1, search),
  added(2, { ...message, status: "in_progress", content: [] }),
  { type: "response.content_part.added", output_index: 2, content_index: 0, part: {} },
  delta("output_text", 2, "Yes, ", { content_index: 0, logprobs: [{ token: "Yes" }] }),
  delta("output_text", 2, "rain.", { content_index: 0 }),
  { type: "response.output_text.done", output_index: 2, content_index: 0, text: "Yes, rain." },
  { type: "response.output_text.annotation.added", output_index: 2, annotation: {} },
  delta("refusal", 2, "Not ", { content_index: 1 }),
  delta("refusal", 2, "more.", { content_index: 1 }),
  delta("output_text", 2, " Today.", { content_index: 2 }),
  whole(2, message),
  added(3, { ...disclosed, content: [] }),
  delta("reasoning_text", 3, "openly", { content_index: 0 }),
  whole(3, disclosed),
  added(4, { ...call, arguments: "" }),
  added(5, { ...custom, input: "" }),
  delta("function_call_arguments", 4, '{"a":'),
  delta("custom_tool_call_input", 5, "a "),
  delta("function_call_arguments", 4, "1}"),
  delta("custom_tool_call_input", 5, "b"),
  { type: "response.function_call_arguments.done", output_index: 4, arguments: '{"a":1}' },
  delta("mcp_call_arguments", 1, '{"q":'),
  whole(4, call),
  whole(5, custom),
  { type: "response.an_event_of_tomorrow", output_index: "x", item: 7, delta: { deep: 1 } }
]

const run = (data: ReadonlyArray<object | string>) =>
  decode(ResponsesStream.machine(context), [
    sse(data.map((event) => (typeof event === "string" ? event : JSON.stringify(event))))
  ])

const failureOf = (data: ReadonlyArray<object | string>) => Effect.flip(run(data))

const wholeAnswer = Result.getOrThrow(
  protocol.answer(JSON.stringify(completed(output).response), context)
)

describe("a stream", () => {
  it.effect("says what the whole response would have said", () =>
    Effect.gen(function* () {
      const elements = yield* run([...events, completed(output)])
      assert.deepStrictEqual(answerOf(elements), wholeAnswer)
      const { calls, reasoning: thoughts, text } = assembled(partsOf(elements))
      const [choice] = wholeAnswer.value.choices
      assert.deepStrictEqual([text, thoughts], [choice.text, choice.reasoning])
      assert.deepStrictEqual(calls, choice.toolCalls)
      assert.strictEqual(choice.refusal, "Not more.")
      assert.deepStrictEqual(choice.logprobs, [{ token: "Yes" }])
    })
  )

  it.effect("names a call as it begins, and counts calls from zero", () =>
    Effect.gen(function* () {
      const parts = partsOf(yield* run([...events, completed(output)])).filter(
        ({ type }) => type === "tool-call-delta"
      )
      const start = { type: "tool-call-delta", choice: 0, arguments: "" } as const
      assert.deepStrictEqual(parts.slice(0, 3), [
        { ...start, index: 0, id: "call_1", name: "f" },
        { ...start, index: 1, id: "call_2", name: "g" },
        { ...start, index: 0, id: undefined, name: undefined, arguments: '{"a":' }
      ])
    })
  )

  it.effect("says the same where its end does not repeat the items", () =>
    Effect.gen(function* () {
      const { value } = answerOf(yield* run([...events, completed([])]))
      assert.deepStrictEqual(value, wholeAnswer.value)
    })
  )

  it.effect(
    "says the same where items come without pieces, and their rest where pieces are missing",
    () =>
      Effect.gen(function* () {
        const bare = [created, ...output.map((item, index) => whole(index, item))]
        const some = events.filter(
          (event) => !/"delta":"(?: Today\.|1\}|a |b)"/.test(JSON.stringify(event))
        )
        assert.strictEqual(some.length, events.length - 4)
        for (const data of [bare, some]) {
          const elements = yield* run([...data, completed(output)])
          assert.deepStrictEqual(answerOf(elements), wholeAnswer)
          const { calls, reasoning: thoughts, text } = assembled(partsOf(elements))
          const [choice] = wholeAnswer.value.choices
          assert.deepStrictEqual(
            [text, thoughts, calls],
            [choice.text, choice.reasoning, choice.toolCalls]
          )
        }
      })
  )

  it.effect("reads its answer from what has arrived where items were never finished", () =>
    Effect.gen(function* () {
      const unfinished = events.filter(({ type }) => type !== "response.output_item.done")
      const { value } = answerOf(yield* run([...unfinished, completed([])]))
      const [choice] = value.choices
      const [expected] = wholeAnswer.value.choices
      assert.deepStrictEqual(
        [choice.text, choice.reasoning, choice.refusal, choice.toolCalls],
        [expected.text, expected.reasoning, expected.refusal, expected.toolCalls]
      )
    })
  )

  it.effect("ends with the reason of an answer that is not complete", () =>
    Effect.gen(function* () {
      for (const [reason, finish] of [
        ["max_output_tokens", "length"],
        ["content_filter", "content-filter"]
      ] as const) {
        const end = {
          type: "response.incomplete",
          response: envelope("incomplete", { incomplete_details: { reason }, usage })
        }
        const answer = answerOf(yield* run([...events.slice(0, 18), end]))
        assert.strictEqual(answer.value.choices[0].finishReason, finish)
        assert.strictEqual(answer.value.choices[0].text, "Yes, rain.")
        assert.strictEqual(answer.usage?.totalTokens, 14)
      }
    })
  )

  it.effect("is over with its end: what a server sends after it is not read", () =>
    Effect.gen(function* () {
      const elements = yield* run([...events, completed(output), "[DONE]", "{no JSON", created])
      assert.deepStrictEqual(answerOf(elements), wholeAnswer)
    })
  )

  it.effect("takes an event whose response is whole, should its last brace be missing", () =>
    Effect.gen(function* () {
      const end = JSON.stringify(completed(output)).slice(0, -1)
      const start = JSON.stringify(created).slice(0, -1)
      assert.deepStrictEqual(answerOf(yield* run([start, ...events, end])), wholeAnswer)
      const error = yield* failureOf([...events, end.slice(0, -1)])
      assert.strictEqual(error.reason._tag, "StreamInterrupted")
    })
  )
})

describe("a stream that fails", () => {
  const said = { code: "rate_limit_exceeded", message: "slow down" }
  const failed = (more: object = {}) => ({
    type: "response.failed",
    response: envelope("failed", { error: said, ...more })
  })
  const endings: ReadonlyArray<readonly [name: string, event: object]> = [
    ["an error event with its words beside its type", { type: "error", ...said, param: null }],
    ["an error event with its words in a field", { type: "error", error: { type: "x", ...said } }],
    ["an error without a type of event", { error: said }],
    ["a failed response", failed()]
  ]
  for (const [name, ending] of endings) {
    it.effect(`by ${name} has the provider's own reason before the first part`, () =>
      Effect.gen(function* () {
        for (const data of [[ending], [created, ending]]) {
          const error = yield* failureOf(data)
          assert.deepStrictEqual([error.reason._tag, error.outcome], ["RateLimitError", "refused"])
        }
      })
    )

    it.effect(`by ${name} keeps what had arrived after the first part`, () =>
      Effect.gen(function* () {
        const error = yield* failureOf([...events.slice(0, 18), resumed, ending])
        assert(error.reason._tag === "StreamInterrupted")
        assert.strictEqual(error.reason.text, "Yes, rain.")
        assert.include(error.reason.description, "rate limit")
        assert.strictEqual(error.outcome, "unknown")
      })
    )
  }

  it.effect("counts what a failed response used, before the first part and after it", () =>
    Effect.gen(function* () {
      for (const data of [[created], events]) {
        const error = yield* failureOf([...data, failed({ usage })])
        assert.deepStrictEqual([error.usage?.totalTokens, error.outcome], [14, "unknown"])
      }
    })
  )

  it.effect(
    "is a broken connection where it ends before it began, and keeps the text after that",
    () =>
      Effect.gen(function* () {
        for (const data of [[], [created], ["[DONE]"]]) {
          const error = yield* failureOf(data)
          assert.strictEqual(error.reason._tag, "NetworkError")
          assert.isTrue(error.reason.isRetryable)
        }
        const error = yield* failureOf(events)
        assert(error.reason._tag === "StreamInterrupted")
        assert.strictEqual(error.reason.text, "Yes, rain. Today.")
      })
  )

  it.effect("says what cannot be read of its end", () =>
    Effect.gen(function* () {
      for (const [data, what] of [
        [[{ type: "response.completed", response: { output: "none" } }], "response object"],
        [["hello"], "no JSON"],
        [["[1]"], "event of a response"],
        [[created, completed([])], "no items"]
      ] as const) {
        const { reason } = yield* failureOf(data)
        assert(reason._tag === "InvalidResponseError")
        assert.include(reason.description, what)
      }
    })
  )

  it.effect("passes over what belongs to no item", () =>
    Effect.gen(function* () {
      const lost = [
        delta("output_text", 7, "lost"),
        { type: "response.output_item.added" },
        { a: 1 }
      ]
      const elements = yield* run([created, ...lost, completed([message])])
      assert.deepStrictEqual(partsOf(elements), [])
      assert.strictEqual(answerOf(elements).value.choices[0].text, "Yes, rain. Today.")
    })
  )
})
