import { assert, describe, it } from "@effect/vitest"
import * as Inference from "@infermesh/core/Inference"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Effect, Schema } from "effect"

import * as TestClient from "../TestClient.ts"

const Answer = Schema.Struct({ n: Schema.Int })
const calls = [{ id: "1", name: "f", arguments: "{}" }]
const asked = TestProvider.TestProvider.use(({ asked: all }) => all)

const replying = (reply: TestProvider.Reply) => TestClient.layer({}, { reply: () => reply })

describe("generate", () => {
  it.effect("parses nothing where the model asks for tools instead of answering", () =>
    Effect.gen(function* () {
      const result = yield* Inference.generate("x", { output: Answer })
      assert.isUndefined(result.outputParsed)
      assert.deepStrictEqual(result.toolCalls, calls)
    }).pipe(Effect.provide(replying({ text: "", toolCalls: calls, finishReason: "tool-calls" })))
  )

  it.effect("parses an answer that has text beside its tool calls", () =>
    Effect.gen(function* () {
      const result = yield* Inference.generate("x", { output: Answer })
      assert.deepStrictEqual(result.outputParsed, { n: 1 })
    }).pipe(Effect.provide(replying({ text: '{"n":1}', toolCalls: calls })))
  )

  it.effect("says of a structured answer that it was cut off, where it was", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Inference.generate("x", { output: Answer }))
      assert.strictEqual(error.reason._tag, "StructuredOutputError")
      assert.match(error.message, /cut off at its token limit, raise maxTokens/)
      assert.strictEqual(error.result?.finishReason, "length")
    }).pipe(Effect.provide(replying({ text: '{"n":', finishReason: "length" })))
  )

  it.effect("fails where the provider filtered the whole answer, and gives what it left", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Inference.generate("x"))
      assert.strictEqual(error.reason._tag, "ContentPolicyError")
      assert.match(error.message, /the answer was filtered/)
      assert.isDefined(error.result?.tokenUsage)
    }).pipe(Effect.provide(replying({ text: "", finishReason: "content-filter" })))
  )

  it.effect("gives the text a filter has left, with its finish reason", () =>
    Effect.gen(function* () {
      const result = yield* Inference.generate("x")
      assert.deepStrictEqual([String(result), result.finishReason], ["so", "content-filter"])
    }).pipe(Effect.provide(replying({ text: "so", finishReason: "content-filter" })))
  )

  it.effect("gives every choice, and the first one's fields as its own", () =>
    Effect.gen(function* () {
      const result = yield* Inference.generate("x", { n: 2, output: Answer })
      assert.deepStrictEqual(
        result.choices.map(({ text }) => text),
        ['{"n":1}', "second"]
      )
      assert.deepStrictEqual(
        [result.outputText, result.outputParsed, result.finishReason],
        ['{"n":1}', { n: 1 }, "length"]
      )
    }).pipe(
      Effect.provide(
        replying({
          choices: [
            { text: '{"n":1}', toolCalls: [], finishReason: "length" },
            { text: "second", toolCalls: [], finishReason: "stop" }
          ]
        })
      )
    )
  )

  it.effect("keeps the response's body only when it was asked for", () =>
    Effect.gen(function* () {
      const raw = yield* Inference.generate("x", { rawResponse: true })
      assert.deepStrictEqual(raw.rawResponse, { id: 1 })
      assert.isUndefined((yield* Inference.generate("x")).rawResponse)
    }).pipe(Effect.provide(replying({ text: "a", body: { id: 1 } })))
  )

  it.effect("sends nothing where no provider can be told the schema", () =>
    Effect.gen(function* () {
      for (const output of [
        Schema.Struct({ [Symbol.for("a")]: Schema.String }),
        { type: "nonsense" }
      ]) {
        const error = yield* Effect.flip(Inference.generate("x", { output }))
        assert.deepStrictEqual([error.reason._tag, error.attempts], ["UnsupportedSchemaError", 0])
        assert.notInclude(error.message, "\n")
      }
      assert.deepStrictEqual(yield* asked, [])
    }).pipe(Effect.provide(replying("{}")))
  )
})
