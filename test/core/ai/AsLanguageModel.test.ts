import { assert, describe, it } from "@effect/vitest"
import * as AsLanguageModel from "@infermesh/core/ai/AsLanguageModel"
import * as Usage from "@infermesh/core/operation/Usage"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Duration, Effect, Fiber, Layer, Schema, Stream } from "effect"
import type { AiError } from "effect/ai"
import { Chat, LanguageModel, Prompt, Tool, Toolkit } from "effect/ai"
import { TestClock } from "effect/testing"

import * as TestClient from "../TestClient.ts"

const asked = TestProvider.TestProvider.use(({ asked: all }) => all)

const model = (
  provider: TestProvider.TestProviderOptions = {},
  settings: Parameters<typeof TestClient.layer>[0] = {}
) => Layer.provideMerge(AsLanguageModel.layer, TestClient.layer(settings, provider))

const kit = Toolkit.make(
  Tool.make("weather", {
    description: "Tells the weather",
    parameters: Schema.Struct({ city: Schema.String, unit: Schema.optionalKey(Schema.String) }),
    success: Schema.Struct({ degrees: Schema.Int })
  }),
  Tool.make("time", { success: Schema.String })
)
const handlers = kit.toLayer({
  weather: ({ city }) => Effect.succeed({ degrees: city.length }),
  time: () => Effect.succeed("noon")
})

/** Asks for the weather first, and answers with the tool's result when it is told. */
const weatherman = {
  reply: ({ request }: TestProvider.Asked): TestProvider.Reply => {
    const last = request.prompt.content.at(-1)
    const result =
      last?.role === "tool" ? last.content.find(({ type }) => type === "tool-result") : undefined
    return result === undefined
      ? {
          toolCalls: [{ id: "call_1", name: "weather", arguments: '{"city":"Oslo"}' }],
          finishReason: "tool-calls"
        }
      : `It says ${JSON.stringify("result" in result ? result.result : undefined)}`
  }
}

const isAbout = ({ prompt }: TestProvider.Asked["request"], word: string) =>
  JSON.stringify(prompt.content[0]).includes(word)

describe("AsLanguageModel", () => {
  describe("generateText", () => {
    it.effect("gives text, reasoning, finish reason, usage and how it was got", () =>
      Effect.gen(function* () {
        const reply = yield* LanguageModel.generateText({ prompt: "hello" })
        assert.deepStrictEqual(
          [reply.text, reply.reasoningText, reply.finishReason],
          ["hi", "hm", "length"]
        )
        const { inputTokens, outputTokens } = reply.usage
        assert.deepStrictEqual(
          [inputTokens.total, inputTokens.cacheRead, inputTokens.uncached],
          [10, 4, 5]
        )
        assert.deepStrictEqual([outputTokens.total, outputTokens.reasoning], [3, 2])
        const finish = reply.content.find(({ type }) => type === "finish")
        assert.deepStrictEqual(finish?.metadata, {
          infermesh: {
            deployment: null,
            requestId: "test-0",
            cost: 16e-6,
            retries: 0,
            repairs: 0
          }
        })
      }).pipe(
        Effect.provide(
          model({
            reply: () => ({
              text: "hi",
              reasoning: "hm",
              finishReason: "length",
              usage: Usage.make({
                promptTokens: 10,
                cachedTokens: 4,
                cacheWriteTokens: 1,
                completionTokens: 3,
                reasoningTokens: 2
              })
            })
          })
        )
      )
    )

    it.effect("takes a whole prompt with its system message", () =>
      Effect.gen(function* () {
        yield* LanguageModel.generateText({
          prompt: [
            { role: "system", content: "be short" },
            { role: "user", content: [{ type: "text", text: "hello" }] }
          ]
        })
        assert.deepStrictEqual(
          (yield* asked)[0]?.request.prompt.content.map(({ role }) => role),
          ["system", "user"]
        )
      }).pipe(Effect.provide(model()))
    )

    it.effect("makes requests with the options in RequestOptions", () =>
      Effect.gen(function* () {
        yield* LanguageModel.generateText({ prompt: "a" }).pipe(
          Effect.provideService(AsLanguageModel.RequestOptions, {
            temperature: 0,
            endpoint: "responses"
          })
        )
        yield* LanguageModel.generateText({ prompt: "b" })
        assert.deepStrictEqual(
          (yield* asked).map(({ request }) => [request.endpoint, request.options]),
          [
            ["responses", { temperature: 0 }],
            ["chat_completion", {}]
          ]
        )
      }).pipe(Effect.provide(model()))
    )

    it.effect("is retried by our pipeline", () =>
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(LanguageModel.generateText({ prompt: "hello" }))
        yield* TestClock.adjust("1 hour")
        assert.strictEqual((yield* Fiber.join(fiber)).text, "hello")
        assert.strictEqual((yield* asked).length, 3)
      }).pipe(
        Effect.provide(
          model({
            reply: ({ index, text }) => (index < 2 ? TestProvider.unavailable() : text)
          })
        )
      )
    )

    it.effect("fails with the AiError of the same reason, and is caught by its name", () =>
      Effect.gen(function* () {
        const retryAfter = yield* LanguageModel.generateText({ prompt: "hello" }).pipe(
          Effect.as(undefined),
          Effect.catchReason("AiError", "RateLimitError", (reason) =>
            Effect.succeed(reason.retryAfter)
          )
        )
        assert.deepStrictEqual(retryAfter, Duration.seconds(9))
        const empty = yield* Effect.flip(LanguageModel.generateText({ prompt: [] }))
        assert.strictEqual(empty.reason._tag, "InvalidUserInputError")
      }).pipe(
        Effect.provide(
          model({ reply: () => TestProvider.rateLimited(Duration.seconds(9)) }, { maxRetries: 0 })
        )
      )
    )
  })

  describe("toolkits", () => {
    it.effect("are sent as they are, run by effect/ai, and answered in the next turn", () =>
      Effect.gen(function* () {
        const chat = yield* Chat.empty
        const first = yield* chat.generateText({ prompt: "weather in Oslo?", toolkit: kit })
        assert.deepStrictEqual(
          first.toolResults.map(({ name, result }) => [name, result]),
          [["weather", { degrees: 4 }]]
        )
        assert.strictEqual(first.finishReason, "tool-calls")
        const second = yield* chat.generateText({ prompt: [], toolkit: kit })
        assert.strictEqual(second.text, 'It says {"degrees":4}')

        const [one, two] = yield* asked
        assert.deepStrictEqual(
          one?.request.tools.map(({ description, name }) => [name, description]),
          [
            ["weather", "Tells the weather"],
            ["time", undefined]
          ]
        )
        // The field that may be absent is no required one: effect/ai reads arguments by the tool's own schema.
        assert.deepStrictEqual(one?.request.tools[0]?.parameters["required"], ["city"])
        assert.deepStrictEqual(
          two?.request.prompt.content.map(({ role }) => role),
          ["user", "assistant", "tool"]
        )
      }).pipe(Effect.provide([handlers, model(weatherman)]))
    )

    it.effect("send each choice of tools that effect/ai knows", () =>
      Effect.gen(function* () {
        const choices = ["auto", "none", "required", { tool: "time" }] as const
        for (const toolChoice of choices)
          yield* LanguageModel.generateText({ prompt: "x", toolkit: kit, toolChoice })
        const oneOf = { oneOf: ["time"], mode: "required" } as const
        yield* LanguageModel.generateText({ prompt: "x", toolkit: kit, toolChoice: oneOf })
        assert.deepStrictEqual(
          (yield* asked).map(({ request }) => request.toolChoice),
          [...choices, "required"]
        )
        assert.deepStrictEqual(
          (yield* asked).at(-1)?.request.tools.map(({ name }) => name),
          ["time"]
        )
      }).pipe(Effect.provide([handlers, model()]))
    )

    it.effect("report arguments that are no JSON, or do not fit, as effect/ai's own errors", () =>
      Effect.gen(function* () {
        for (const prompt of ["no json", "{}"]) {
          const error = yield* Effect.flip(
            LanguageModel.generateText({ prompt, toolkit: kit }) as Effect.Effect<
              unknown,
              AiError.AiError,
              LanguageModel.LanguageModel
            >
          )
          assert.strictEqual(error.reason._tag, "ToolParameterValidationError")
        }
      }).pipe(
        Effect.provide([
          handlers,
          model({
            reply: ({ text }) => ({
              toolCalls: [{ id: "1", name: "weather", arguments: text }],
              finishReason: "tool-calls"
            })
          })
        ])
      )
    )
  })

  describe("generateObject", () => {
    const Person = Schema.Struct({ name: Schema.String, age: Schema.optionalKey(Schema.Int) })

    it.effect("tells the provider the schema's strict form and decodes the answer", () =>
      Effect.gen(function* () {
        const { value } = yield* LanguageModel.generateObject({
          prompt: "who?",
          schema: Person
        }).pipe(Effect.provideService(AsLanguageModel.RequestOptions, { temperature: 0 }))
        assert.deepStrictEqual(value, { name: "Ada" })
        const [one] = yield* asked
        assert.deepStrictEqual(one?.request.options, { temperature: 0 })
        assert.strictEqual(one?.request.output?.strict, true)
        assert.deepStrictEqual(one?.request.output?.jsonSchema["required"], ["name", "age"])
      }).pipe(Effect.provide(model({ reply: () => '{"name":"Ada","age":null}' })))
    )

    it.effect("tolerates a code fence, as we do", () =>
      Effect.gen(function* () {
        const { value } = yield* LanguageModel.generateObject({ prompt: "who?", schema: Person })
        assert.deepStrictEqual(value, { name: "Ada", age: 36 })
      }).pipe(Effect.provide(model({ reply: () => '```json\n{"name":"Ada","age":36}\n```' })))
    )

    it.effect("reads the plain form too, as we do", () =>
      Effect.gen(function* () {
        const Scores = Schema.Struct({ all: Schema.Record(Schema.String, Schema.Int) })
        const { value } = yield* LanguageModel.generateObject({ prompt: "who?", schema: Scores })
        assert.deepStrictEqual(value, { all: { Ada: 1 } })
      }).pipe(Effect.provide(model({ reply: () => '{"all":{"Ada":1}}' })))
    )

    it.effect(
      "has its answers repaired where RequestOptions allow it, and says what was paid",
      () =>
        Effect.gen(function* () {
          const options = { maxRepairs: 1 }
          const ask = (prompt: string) =>
            LanguageModel.generateObject({ prompt, schema: Person }).pipe(
              Effect.provideService(AsLanguageModel.RequestOptions, options)
            )
          assert.deepStrictEqual((yield* ask("good")).value, { name: "Ada" })
          const { reason } = yield* Effect.flip(ask("bad"))
          const usage = reason._tag === "StructuredOutputError" ? reason.usage : undefined
          assert.strictEqual(usage?.completionTokens, 2 * 3)
          assert.strictEqual((yield* asked).length, 4)
        }).pipe(
          Effect.provide(
            model({
              reply: ({ request, text }) =>
                text !== "bad" && request.prompt.content.length > 1 && !isAbout(request, "bad")
                  ? '{"name":"Ada"}'
                  : '{"name": 1}'
            })
          )
        )
    )

    it.effect("makes the wire form of a schema once", () =>
      Effect.gen(function* () {
        yield* LanguageModel.generateObject({ prompt: "a", schema: Person })
        yield* LanguageModel.generateObject({ prompt: "b", schema: Person })
        yield* LanguageModel.generateObject({ prompt: "c", schema: Person, objectName: "other" })
        const outputs = (yield* asked).map(({ request }) => request.output)
        assert.strictEqual(outputs[0], outputs[1])
        assert.deepStrictEqual(
          outputs.map((output) => output?.name),
          ["generateObject", "generateObject", "other"]
        )
      }).pipe(Effect.provide(model({ reply: () => '{"name":"Ada","age":null}' })))
    )

    it.effect("fails with the typed reason when the answer does not fit, or no form exists", () =>
      Effect.gen(function* () {
        const misfit = yield* Effect.flip(
          LanguageModel.generateObject({ prompt: "who?", schema: Person })
        )
        assert.strictEqual(misfit.reason._tag, "StructuredOutputError")
        const none = yield* Effect.flip(
          LanguageModel.generateObject({
            prompt: "who?",
            schema: Schema.Struct({ [Symbol.for("a")]: Schema.String }) as never
          }) as Effect.Effect<unknown, AiError.AiError, LanguageModel.LanguageModel>
        )
        assert.strictEqual(none.reason._tag, "UnsupportedSchemaError")
        assert.strictEqual((yield* asked).length, 1)
      }).pipe(Effect.provide(model({ reply: () => '{"name":1,"age":null}' })))
    )
  })

  describe("streamText", () => {
    const streaming: TestProvider.TestProviderOptions = {
      stream: ({ text }) =>
        text === "weather?"
          ? {
              steps: [
                "so ",
                {
                  type: "tool-call-delta",
                  choice: 0,
                  index: 0,
                  id: "1",
                  name: "weather",
                  arguments: '{"city":"Oslo"}'
                }
              ],
              answer: {
                toolCalls: [{ id: "1", name: "weather", arguments: '{"city":"Oslo"}' }],
                finishReason: "tool-calls"
              }
            }
          : {
              steps: [
                { type: "reasoning-delta", text: "hm", choice: 0 },
                "hel",
                { type: "text-delta", text: "other", choice: 1 },
                "lo"
              ]
            }
    }

    it.effect("gives deltas between their starts and ends, then the finish", () =>
      Effect.gen(function* () {
        const parts = yield* Stream.runCollect(LanguageModel.streamText({ prompt: "hello" }))
        assert.deepStrictEqual(
          parts.map((part) => ("delta" in part ? `${part.type} ${part.delta}` : part.type)),
          [
            "reasoning-start",
            "reasoning-delta hm",
            "text-start",
            "text-delta hel",
            "text-delta lo",
            "reasoning-end",
            "text-end",
            "finish"
          ]
        )
      }).pipe(Effect.provide(model(streaming)))
    )

    it.effect("has its tools run by effect/ai", () =>
      Effect.gen(function* () {
        const parts = yield* Stream.runCollect(
          LanguageModel.streamText({ prompt: "weather?", toolkit: kit })
        )
        assert.deepStrictEqual(
          parts.flatMap((part) => (part.type === "tool-result" ? [part.result] : [])),
          [{ degrees: 4 }]
        )
      }).pipe(Effect.provide([handlers, model(streaming)]))
    )

    it.effect("gives a tool's arguments as they come, and the call whole at the end", () =>
      Effect.gen(function* () {
        const parts = yield* Stream.runCollect(
          LanguageModel.streamText({ prompt: "weather?", toolkit: kit })
        )
        assert.deepStrictEqual(
          parts.flatMap((part) => (part.type.startsWith("tool-") ? [part.type] : [])),
          ["tool-params-start", "tool-params-delta", "tool-params-end", "tool-call", "tool-result"]
        )
      }).pipe(Effect.provide([handlers, model(streaming)]))
    )

    it.effect("keeps the client's repairs to answers that are whole", () =>
      Stream.runDrain(LanguageModel.streamText({ prompt: "hello" })).pipe(
        Effect.provideService(AsLanguageModel.RequestOptions, { maxRepairs: 1 }),
        Effect.provide(model(streaming))
      )
    )

    it.effect("fails with what broke it, after the parts that had arrived", () =>
      Effect.gen(function* () {
        const seen: Array<string> = []
        const error = yield* LanguageModel.streamText({ prompt: "x" }).pipe(
          Stream.runForEach((part) => Effect.sync(() => seen.push(part.type))),
          Effect.flip
        )
        assert.include(seen, "text-delta")
        assert.deepStrictEqual([error.reason._tag, error.isRetryable], ["UnknownError", false])
        assert.match(error.message, /The stream broke after 1 characters/)
      }).pipe(
        Effect.provide(model({ stream: () => ({ steps: ["a", TestProvider.unavailable()] }) }))
      )
    )

    it.effect("stops the provider when its reader stops", () =>
      Effect.gen(function* () {
        yield* LanguageModel.streamText({ prompt: "x" }).pipe(Stream.take(2), Stream.runDrain)
        const control = yield* TestProvider.TestProvider
        assert.deepStrictEqual([yield* control.interrupted, (yield* control.inFlight).now], [1, 0])
      }).pipe(Effect.provide(model({ stream: () => ({ steps: ["a", { pause: "1 hour" }, "b"] }) })))
    )
  })

  describe("what only the provider can read of an answer", () => {
    const content = [
      Prompt.makePart("reasoning", { text: "one", options: { anthropic: { signature: "s1" } } }),
      Prompt.makePart("reasoning", { text: "", options: { anthropic: { data: "d" } } }),
      Prompt.makePart("text", { text: "so", options: {} }),
      Prompt.makePart("reasoning", { text: "two", options: { anthropic: { signature: "s2" } } }),
      Prompt.makePart("file", {
        mediaType: "application/octet-stream",
        data: "",
        options: { anthropic: { block: { type: "server_tool_use" } } }
      })
    ] as const
    const choice = { text: "so", reasoning: "one\n\ntwo", toolCalls: [], content } as const
    const choices = [{ ...choice, finishReason: "stop" }] as const

    /** The parts of the answer that the next request gives back, in their order. */
    const given = Effect.map(asked, (all) => {
      const message = all.at(-1)?.request.prompt.content.find(({ role }) => role === "assistant")
      return message?.role === "assistant" ? message.content : []
    })

    it.effect("goes back with the next turn of a Chat", () =>
      Effect.gen(function* () {
        const chat = yield* Chat.empty
        yield* chat.generateText({ prompt: "one" })
        yield* chat.generateText({ prompt: "two" })
        assert.deepStrictEqual(yield* given, content)
      }).pipe(Effect.provide(model({ reply: () => ({ choices }) })))
    )

    const steps: ReadonlyArray<TestProvider.StreamStep> = [
      { type: "reasoning-delta", text: "one", choice: 0 },
      "so",
      { type: "reasoning-delta", text: "two", choice: 0 }
    ]

    it.effect("goes back when the answer was streamed, too, in its order", () =>
      Effect.gen(function* () {
        const chat = yield* Chat.empty
        yield* Stream.runDrain(chat.streamText({ prompt: "one" }))
        // The history is JSON that a program may keep elsewhere meanwhile.
        const later = yield* Chat.fromJson(yield* chat.exportJson)
        yield* Stream.runDrain(later.streamText({ prompt: "two" }))
        assert.deepStrictEqual(yield* given, content)
      }).pipe(Effect.provide(model({ stream: () => ({ steps, answer: { choices } }) })))
    )

    it.effect("goes back with calls that stand beside it, and results that effect/ai adds", () =>
      Effect.gen(function* () {
        const chat = yield* Chat.empty
        yield* Stream.runDrain(chat.streamText({ prompt: "one", toolkit: kit }))
        yield* Stream.runDrain(chat.streamText({ prompt: [], toolkit: kit }))
        const [, assistant, tool] = (yield* asked)[1]?.request.prompt.content ?? []
        assert.deepStrictEqual(assistant?.content, [signature, call])
        assert.strictEqual(tool?.role, "tool")
      }).pipe(
        Effect.provide([
          handlers,
          model({
            stream: ({ index }) =>
              index > 0
                ? { steps: ["done"] }
                : {
                    steps: [],
                    answer: {
                      choices: [
                        {
                          text: "",
                          toolCalls: [{ id: "1", name: "time", arguments: "{}" }],
                          finishReason: "tool-calls",
                          content: [signature, call]
                        }
                      ]
                    }
                  }
          })
        ])
      )
    )

    it.effect("is left away where it is no answer of ours, whatever it says", () =>
      Effect.gen(function* () {
        const odd = { infermesh: { content: [{ type: "text" }] } }
        const said = [{ type: "text" as const, text: "so", options: odd }]
        yield* LanguageModel.generateText({ prompt: [{ role: "assistant", content: said }] })
        assert.deepStrictEqual(
          (yield* given).map((part) => (part.type === "text" ? part.text : "")),
          ["so"]
        )
      }).pipe(Effect.provide(model()))
    )

    const signature = Prompt.makePart("reasoning", {
      text: "",
      options: { openai: { item: { id: "rs_1", encrypted_content: "e" } } }
    })
    const call = Prompt.makePart("tool-call", {
      id: "1",
      name: "time",
      params: {},
      providerExecuted: false,
      options: {}
    })
  })

  it.effect("keeps the history of a Chat", () =>
    Effect.gen(function* () {
      const chat = yield* Chat.fromPrompt([{ role: "system", content: "be short" }])
      yield* chat.generateText({ prompt: "one" })
      yield* chat.generateText({ prompt: "two" })
      assert.deepStrictEqual(
        (yield* asked).at(-1)?.request.prompt.content.map(({ role }) => role),
        ["system", "user", "assistant", "user"]
      )
    }).pipe(Effect.provide(model()))
  )
})
