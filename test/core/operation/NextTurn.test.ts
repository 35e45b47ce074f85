import { assert, describe, it } from "@effect/vitest"
import type { Choice, ResponsesInput } from "@infermesh/core/operation/Generate"
import type { ChatMessage } from "@infermesh/core/operation/Message"
import * as Message from "@infermesh/core/operation/Message"
import { nextTurn } from "@infermesh/core/operation/NextTurn"
import { Effect } from "effect"
import { Prompt } from "effect/ai"

const calls = [
  { id: "call_1", name: "weather", arguments: '{"city": "Oslo"}' },
  { id: "call_2", name: "time" }
]
const results = [
  { id: "call_1", result: { degrees: 4 } },
  { id: "call_2", result: "no clock", isFailure: true }
]
const answered = (choice: Partial<Choice>) => ({
  choices: [{ text: "", toolCalls: [], finishReason: "stop", ...choice }] satisfies [Choice]
})
const calling = answered({ toolCalls: calls, reasoning: "hm" })

/** As a Responses item's or a signature's holder has it: what only its provider can read. */
const parts = [
  Prompt.makePart("reasoning", { text: "hm", options: { anthropic: { signature: "s" } } }),
  Prompt.makePart("file", {
    mediaType: "application/octet-stream",
    data: "",
    options: { openai: { item: { type: "reasoning", encrypted_content: "e" } } }
  }),
  Prompt.makePart("tool-call", {
    id: "call_1",
    name: "weather",
    params: {},
    providerExecuted: false
  })
]
const signed = answered({ toolCalls: calls.slice(0, 1), reasoning: "hm", content: parts })

const prompt = (messages: ReadonlyArray<ChatMessage>) =>
  Effect.fromResult(Message.toPrompt(messages))

describe("nextTurn", () => {
  it.effect("adds the answer's calls and the tools' results to chat messages", () =>
    Effect.gen(function* () {
      const before: ReadonlyArray<ChatMessage> = [{ role: "user", content: "weather?" }]
      const expected: ReadonlyArray<ChatMessage> = [
        ...before,
        {
          role: "assistant",
          content: null,
          reasoning_content: "hm",
          tool_calls: [
            {
              id: "call_1",
              type: "function",
              function: { name: "weather", arguments: '{"city": "Oslo"}' }
            },
            { id: "call_2", type: "function", function: { name: "time", arguments: "" } }
          ]
        },
        { role: "tool", tool_call_id: "call_1", content: '{"degrees":4}' },
        { role: "tool", tool_call_id: "call_2", content: "no clock", is_error: true }
      ]
      assert.deepStrictEqual(yield* nextTurn(before, calling, results), expected)
      assert.deepStrictEqual(yield* nextTurn("weather?", calling, results), expected)
    })
  )

  it.effect("gives a prompt the same conversation", () =>
    Effect.gen(function* () {
      const before = Prompt.make("weather?")
      const [user, assistant, tool] = (yield* nextTurn(before, calling, results)).content
      assert.strictEqual(user, before.content[0])
      assert.deepStrictEqual(
        assistant?.role === "assistant" ? assistant.content.map(({ type }) => type) : [],
        ["reasoning", "tool-call", "tool-call"]
      )
      assert.deepStrictEqual(
        tool?.role === "tool"
          ? tool.content.map((part) =>
              part.type === "tool-result" ? [part.id, part.name, part.isFailure, part.result] : []
            )
          : [],
        [
          ["call_1", "weather", false, { degrees: 4 }],
          ["call_2", "time", true, "no clock"]
        ]
      )
    })
  )

  it.effect("keeps what only the answer's provider can read, in a prompt and in messages", () =>
    Effect.gen(function* () {
      const first = [{ id: "call_1", result: 1 }]
      const turn = yield* nextTurn(Prompt.make("x"), signed, first)
      assert.strictEqual(turn.content[1]?.content, parts)
      // The list is plain JSON: it may have been in a file meanwhile.
      const stored: unknown = JSON.parse(JSON.stringify(yield* nextTurn("x", signed, first)))
      const read = yield* prompt(stored as ReadonlyArray<ChatMessage>)
      assert.deepStrictEqual(read.content[1], turn.content[1])
      const tool = read.content[2]
      assert.strictEqual(
        tool?.role === "tool" && tool.content[0]?.type === "tool-result"
          ? tool.content[0].name
          : "",
        "weather"
      )
    })
  )

  it.effect("adds the items of a Responses input", () =>
    Effect.gen(function* () {
      const input: ResponsesInput = { input: "weather?", store: false }
      assert.deepStrictEqual(yield* nextTurn(input, calling, results), {
        store: false,
        input: [
          { role: "user", content: "weather?" },
          {
            type: "function_call",
            call_id: "call_1",
            name: "weather",
            arguments: '{"city": "Oslo"}'
          },
          { type: "function_call", call_id: "call_2", name: "time", arguments: "" },
          { type: "function_call_output", call_id: "call_1", output: '{"degrees":4}' },
          { type: "function_call_output", call_id: "call_2", output: "no clock" }
        ]
      })
    })
  )

  it.effect("adds an answer without calls, and leaves its reasoning behind", () =>
    Effect.gen(function* () {
      const said = answered({ text: "hi", reasoning: "hm" })
      assert.deepStrictEqual((yield* nextTurn([], said))[0], { role: "assistant", content: "hi" })
      assert.deepStrictEqual((yield* nextTurn({ input: [] }, said)).input, [
        { role: "assistant", content: "hi" }
      ])
    })
  )

  const wrong: ReadonlyArray<
    readonly [string, ReadonlyArray<{ id: string; result: unknown }>, RegExp]
  > = [
    ["a call without a result", results.slice(0, 1), /the call 'call_2' of the tool 'time' has no/],
    ["a result without a call", [...results, { id: "c", result: 1 }], /'c' is no open call/],
    ["two results of one call", [...results, { id: "call_1", result: 1 }], /'call_1' is no open/]
  ]
  for (const [what, given, message] of wrong) {
    it.effect(`refuses ${what}, as providers would`, () =>
      Effect.gen(function* () {
        for (const input of ["x", Prompt.make("x"), { input: "x" }]) {
          const error = yield* Effect.flip(nextTurn(input as "x", calling, given))
          assert.match(error.message, message)
        }
      })
    )
  }
})
