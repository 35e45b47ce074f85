import { assert, describe, it } from "@effect/vitest"
import * as Inference from "@infermesh/core/Inference"
import type { ChatMessage } from "@infermesh/core/operation/Message"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Effect, Schema } from "effect"

import * as TestClient from "../TestClient.ts"

const Note = Schema.Struct({ title: Schema.String, tags: Schema.Record(Schema.String, Schema.Int) })
const note = '{"title":"t","tags":{"a":1}}'
const answering = TestClient.layer({}, { reply: () => note })

const sent = Effect.map(
  TestProvider.TestProvider.use(({ asked }) => asked),
  (asked) => asked[asked.length - 1]?.request
)

const system = Effect.map(sent, (request) =>
  request?.prompt.content.flatMap(({ content, role }) => (role === "system" ? [content] : []))
)

describe("outputMode", () => {
  it.effect("tells the provider the form by default", () =>
    Effect.gen(function* () {
      yield* Inference.generate("x", { output: Note })
      assert.strictEqual((yield* sent)?.output?.name, "output")
      assert.deepStrictEqual(yield* system, [])
    }).pipe(Effect.provide(answering))
  )

  it.effect("'prompt' tells the model in words, as plain JSON is written", () =>
    Effect.gen(function* () {
      const result = yield* Inference.generate("x", { output: Note, outputMode: "prompt" })
      assert.deepStrictEqual(result.outputParsed, { title: "t", tags: { a: 1 } })
      const request = yield* sent
      assert.isUndefined(request?.output)
      const [words = ""] = (yield* system) ?? []
      assert.match(words, /^Answer with JSON and nothing else: .*JSON Schema:\n\{/)
      assert.include(words, '"additionalProperties":{"type":"integer"')
    }).pipe(Effect.provide(answering))
  )

  const blocks = [{ type: "text" as const, text: "be short" }]
  const systems: ReadonlyArray<readonly [string, ChatMessage]> = [
    ["a text", { role: "system", content: "be short" }],
    ["blocks", { role: "system", content: blocks }]
  ]
  for (const [what, message] of systems) {
    it.effect(`'prompt' says it within the system message that is there (${what})`, () =>
      Effect.gen(function* () {
        const messages: ReadonlyArray<ChatMessage> = [message, { role: "user", content: "x" }]
        yield* Inference.generate(messages, { output: Note, outputMode: "prompt" })
        const [words, ...others] = (yield* system) ?? []
        assert.match(String(words), /^be short\n\nAnswer with JSON/)
        assert.deepStrictEqual(others, [])
        const openai = (yield* sent)?.prompt.content[0]?.options["openai"] as
          | { content: ReadonlyArray<{ text: string }> }
          | undefined
        assert.strictEqual(openai?.content.length, what === "blocks" ? 2 : undefined)
      }).pipe(Effect.provide(answering))
    )
  }

  it.effect("'prompt' says it in the instructions of a Responses input", () =>
    Effect.gen(function* () {
      for (const instructions of [undefined, "be short"]) {
        yield* Inference.generate(
          { input: "x", ...(instructions === undefined ? {} : { instructions }) },
          { output: Note, outputMode: "prompt", endpoint: "responses" }
        )
        const said = (yield* sent)?.responsesInput?.instructions ?? ""
        assert.match(said, instructions === undefined ? /^Answer with JSON/ : /^be short\n\nAnswer/)
      }
    }).pipe(Effect.provide(answering))
  )

  it.effect("'none' tells nobody, and reads the answer all the same", () =>
    Effect.gen(function* () {
      const options = { output: Note, outputMode: "none" } as const
      assert.strictEqual((yield* Inference.generate("x", options)).outputParsed.title, "t")
      const request = yield* sent
      assert.deepStrictEqual([request?.output, request?.prompt.content.length], [undefined, 1])
    }).pipe(Effect.provide(answering))
  )

  it.effect("can be a client's default", () =>
    Effect.gen(function* () {
      yield* Inference.generate("x", { output: Note })
      assert.strictEqual((yield* system)?.length, 1)
      yield* Inference.generate("x")
      assert.strictEqual((yield* system)?.length, 0)
    }).pipe(
      Effect.provide(
        TestClient.layer({ defaults: { outputMode: "prompt" } }, { reply: () => note })
      )
    )
  )
})
