import { assert, describe, it } from "@effect/vitest"
import * as GenerateContentProtocol from "@infermesh/providers/gemini/GenerateContentProtocol"
import * as GenerateContentStream from "@infermesh/providers/gemini/GenerateContentStream"
import { Effect, Result } from "effect"

import { answerOf, assembled, decode, partsOf, sse } from "../Wire.ts"

const context = { model: "asked", url: "http://h/m", headers: {}, nowMillis: 0 }

const run = (events: ReadonlyArray<object>) =>
  decode(GenerateContentStream.machine(context), [
    sse(events.map((event) => JSON.stringify(event)))
  ])

const event = (parts: ReadonlyArray<object>, more: object = {}, index = 0) => ({
  candidates: [{ index, content: { parts, role: "model" }, ...more }],
  responseId: "r",
  modelVersion: "m"
})

const overloaded = { error: { code: 503, message: "overloaded", status: "UNAVAILABLE" } }

describe("a stream", () => {
  it.effect("says what the whole response would have said", () =>
    Effect.gen(function* () {
      const usageMetadata = { promptTokenCount: 3, candidatesTokenCount: 4, totalTokenCount: 7 }
      const elements = yield* run([
        event([{ text: "let me", thought: true }]),
        event([{ text: " see", thought: true }, { text: "Ra" }]),
        event([{ text: "in." }], { logprobsResult: { chosenCandidates: [{ token: "a" }] } }),
        event([{ functionCall: { name: "f", args: { a: 1 } }, thoughtSignature: "s1" }]),
        event([{ functionCall: { id: "own", name: "g", args: {} } }], {
          logprobsResult: { chosenCandidates: [{ token: "b" }] }
        }),
        event([{ functionCall: { name: "h", args: {} } }]),
        {
          ...event([{ text: "", thoughtSignature: "s2" }], { finishReason: "STOP" }),
          usageMetadata
        }
      ])
      const whole = Result.getOrThrow(
        Result.flatMap(
          GenerateContentProtocol.parse(
            JSON.stringify({
              ...event(
                [
                  { text: "let me see", thought: true },
                  { text: "Rain." },
                  { functionCall: { name: "f", args: { a: 1 } }, thoughtSignature: "s1" },
                  { functionCall: { id: "own", name: "g", args: {} } },
                  { functionCall: { name: "h", args: {} } },
                  { text: "", thoughtSignature: "s2" }
                ],
                {
                  finishReason: "STOP",
                  logprobsResult: { chosenCandidates: [{ token: "a" }, { token: "b" }] }
                }
              ),
              usageMetadata
            }),
            context.url
          ),
          (read) => GenerateContentProtocol.decode(read, context)
        )
      )
      assert.deepStrictEqual(
        { ...answerOf(elements), body: undefined },
        { ...whole, body: undefined }
      )
      const { calls, reasoning, text } = assembled(partsOf(elements))
      assert.strictEqual(text, "Rain.")
      assert.strictEqual(reasoning, "let me see")
      assert.deepStrictEqual(calls, whole.value.choices[0].toolCalls)
    })
  )

  it.effect("keeps several candidates apart, in the order of their indices", () =>
    Effect.gen(function* () {
      const elements = yield* run([
        event([{ text: "second" }], {}, 1),
        event([{ text: "first" }], { finishReason: "STOP" }),
        event([{ text: "!" }], { finishReason: "MAX_TOKENS" }, 1)
      ])
      assert.deepStrictEqual(
        answerOf(elements).value.choices.map(({ finishReason, text }) => [text, finishReason]),
        [
          ["first", "stop"],
          ["second!", "length"]
        ]
      )
    })
  )

  it.effect("is cut while one of its candidates has not said why it stopped", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        run([event([{ text: "a" }], { finishReason: "STOP" }), event([{ text: "b" }], {}, 1)])
      )
      assert.strictEqual(error.reason._tag, "StreamInterrupted")
    })
  )

  it.effect("may end with a blocked prompt", () =>
    Effect.gen(function* () {
      const elements = yield* run([{ promptFeedback: { blockReason: "SAFETY" } }])
      assert.strictEqual(answerOf(elements).value.choices[0].finishReason, "content-filter")
    })
  )

  it.effect("fails with the provider's own reason before the first part", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(run([overloaded]))
      assert.strictEqual(error.reason._tag, "InternalProviderError")
      assert.isTrue(error.reason.isRetryable)
      const cut = yield* Effect.flip(run([]))
      assert.strictEqual(cut.reason._tag, "NetworkError")
    })
  )

  it.effect("fails with what had arrived after the first part", () =>
    Effect.gen(function* () {
      const begun = { ...event([{ text: "Ra" }]), usageMetadata: { promptTokenCount: 3 } }
      for (const ending of [[overloaded], []]) {
        const error = yield* Effect.flip(run([begun, ...ending]))
        assert(error.reason._tag === "StreamInterrupted")
        assert.strictEqual(error.reason.text, "Ra")
        assert.strictEqual(error.usage?.promptTokens, 3)
        assert.strictEqual(error.outcome, "unknown")
      }
    })
  )
})
