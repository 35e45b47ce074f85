import { assert, describe, it } from "@effect/vitest"
import * as FromLanguageModel from "@infermesh/core/ai/FromLanguageModel"
import * as Client from "@infermesh/core/Client"
import * as Inference from "@infermesh/core/Inference"
import * as Providers from "@infermesh/core/provider/Providers"
import * as Pricing from "@infermesh/core/telemetry/Pricing"
import { Effect, Fiber, Layer, Redacted, Schema, Stream } from "effect"
import { AiError, LanguageModel, type Response } from "effect/ai"
import { TestClock } from "effect/testing"

type Parts = Effect.Effect<Array<Response.PartEncoded>, AiError.AiError>
type StreamParts = Stream.Stream<Response.StreamPartEncoded, AiError.AiError>

const finish: Response.FinishPartEncoded = {
  type: "finish",
  reason: "stop",
  usage: {
    inputTokens: { total: 3, cacheRead: 1, cacheWrite: undefined, uncached: 2 },
    outputTokens: { total: 4, reasoning: 2 }
  }
}

const fail = (reason: AiError.AiErrorReason) =>
  AiError.make({ module: "foreign", method: "call", reason })

/** Our client over a foreign language model that answers as it is told. */
const client = (
  script: {
    readonly text?: (options: LanguageModel.ProviderOptions) => Parts
    readonly stream?: (options: LanguageModel.ProviderOptions) => StreamParts
  },
  settings: Client.ClientSettings = {}
) =>
  Client.layer({ model: "foreign/anything", ...settings }).pipe(
    Layer.provide(
      Providers.layer(
        Effect.map(
          LanguageModel.make({
            generateText: (options) =>
              script.text?.(options) ?? Effect.succeed([{ type: "text", text: "hi" }, finish]),
            streamText: (options) => script.stream?.(options) ?? Stream.make(finish)
          }),
          (model) => [FromLanguageModel.make("foreign", model)]
        )
      )
    ),
    Layer.provide(Pricing.layerTable({ anything: { input: 1, output: 1 } }))
  )

const advanced = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    yield* TestClock.adjust("1 hour")
    return yield* Fiber.join(fiber)
  })

describe("FromLanguageModel", () => {
  it.effect("answers with what the model gives: text, reasoning, calls, usage, price", () =>
    Effect.gen(function* () {
      const result = yield* Inference.generate("weather?", {
        tools: [{ name: "weather", description: "d", parameters: { type: "object" } }],
        toolChoice: "required"
      })
      assert.deepStrictEqual(
        [result.modelId, result.outputText, result.reasoning, result.finishReason],
        ["anything", "so", "hm", "stop"]
      )
      assert.deepStrictEqual(result.toolCalls, [
        { id: "1", name: "weather", arguments: '{"city":"Oslo"}' }
      ])
      const { cachedTokens, completionTokens, promptTokens, reasoningTokens } =
        result.tokenUsage ?? {}
      assert.deepStrictEqual(
        [promptTokens, cachedTokens, completionTokens, reasoningTokens],
        [3, 1, 4, 2]
      )
      assert.strictEqual(result.cost, 7e-6)
    }).pipe(
      Effect.provide(
        client({
          text: ({ toolChoice, tools }) =>
            toolChoice === "required" && tools[0]?.name === "weather"
              ? Effect.succeed([
                  { type: "reasoning", text: "hm" },
                  { type: "text", text: "so" },
                  { type: "tool-call", id: "1", name: "weather", params: { city: "Oslo" } },
                  finish
                ])
              : Effect.die("not asked with the tool")
        })
      )
    )
  )

  it.effect("is told the form of an answer in words, and its answer is read and checked here", () =>
    Effect.gen(function* () {
      const output = Schema.Struct({ all: Schema.Record(Schema.String, Schema.Int) })
      const result = yield* Inference.generate("x", { output })
      assert.deepStrictEqual(result.outputParsed, { all: { a: 1 } })
    }).pipe(
      Effect.provide(
        client({
          text: ({ prompt }) =>
            Effect.succeed([
              {
                type: "text",
                text: JSON.stringify(prompt.content[0]?.content).startsWith('"Answer with JSON')
                  ? '{"all":{"a":1}}'
                  : "not told"
              },
              finish
            ])
        })
      )
    )
  )

  it.effect("keeps what the model's provider needs for the next turn, and who answered", () =>
    Effect.gen(function* () {
      const { choices, modelId, requestId } = yield* Inference.generate("x")
      assert.deepStrictEqual([modelId, requestId], ["real", "r1"])
      assert.deepStrictEqual(
        choices[0].content?.map(({ options, type }) => [type, options]),
        [
          ["reasoning", { vendor: { signature: "s" } }],
          ["text", {}]
        ]
      )
    }).pipe(
      Effect.provide(
        client({
          text: () =>
            Effect.succeed([
              { type: "response-metadata", id: "r1", modelId: "real", timestamp: undefined },
              { type: "reasoning", text: "hm", metadata: { vendor: { signature: "s" } } },
              { type: "text", text: "so" },
              finish
            ])
        })
      )
    )
  )

  it.effect("stands behind our retries, and keeps the reason when they end", () => {
    let calls = 0
    return Effect.gen(function* () {
      const error = yield* Effect.flip(advanced(Inference.generate("x")))
      assert.deepStrictEqual(
        [error.reason._tag, error.attempts, calls],
        ["InternalProviderError", 3, 3]
      )
    }).pipe(
      Effect.provide(
        client(
          {
            text: () =>
              Effect.suspend(() => {
                calls++
                return Effect.fail(fail(new AiError.InternalProviderError({ description: "d" })))
              })
          },
          { maxRetries: 2 }
        )
      )
    )
  })

  it.effect("refuses what a LanguageModel has no place for, naming it, and drops nothing", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [Inference.GenerateOptions<never>, RegExp]> = [
        [{ temperature: 0 }, /the option 'temperature'/],
        [{ headers: { a: "b" } }, /the option 'headers'/],
        [{ endpoint: "responses" }, /the responses endpoint/]
      ]
      for (const [options, expected] of cases) {
        const error = yield* Effect.flip(Inference.generate("x", options))
        assert.strictEqual(error.reason._tag, "Unsupported")
        assert.match(error.message, expected)
        const streamed = yield* Effect.flip(Stream.runDrain(Inference.generateStream("x", options)))
        assert.match(streamed.message, expected)
      }
    }).pipe(Effect.provide(client({ text: () => Effect.die("asked") })))
  )

  const settings: ReadonlyArray<readonly [string, Client.ClientSettings]> = [
    ["apiBase", { apiBase: "http://e.com" }],
    ["apiKey", { apiKey: Redacted.make("secret") }],
    ["headers", { headers: { a: "b" } }],
    ["extraBody", { extraBody: { a: 1 } }]
  ]
  for (const [name, setting] of settings) {
    it.effect(`refuses the setting ${name} of its deployment`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Layer.build(client({}, setting)))
        assert.match(error.message, new RegExp(`${name}.*has a connection of its own`))
        assert.notInclude(error.message, "secret")
      }).pipe(Effect.scoped)
    )
  }

  describe("as a stream", () => {
    it.effect("gives the model's deltas, and the whole result at the end", () =>
      Effect.gen(function* () {
        const events = yield* Stream.runCollect(Inference.generateStream("x"))
        assert.deepStrictEqual(
          events.map(({ type }) => type),
          ["reasoning-delta", "text-delta", "text-delta", "usage", "finish"]
        )
        const last = events.at(-1)
        assert.strictEqual(last?.type, "finish")
        if (last?.type !== "finish") return
        assert.deepStrictEqual(
          [last.result.outputText, last.result.reasoning, last.result.tokenUsage?.totalTokens],
          ["hello", "hm", 7]
        )
      }).pipe(
        Effect.provide(
          client({
            stream: () =>
              Stream.make(
                { type: "reasoning-start", id: "r" },
                { type: "reasoning-delta", id: "r", delta: "hm" },
                { type: "reasoning-end", id: "r" },
                { type: "text-start", id: "t" },
                { type: "text-delta", id: "t", delta: "hel" },
                { type: "text-delta", id: "t", delta: "lo" },
                { type: "text-end", id: "t" },
                finish
              )
          })
        )
      )
    )

    it.effect("keeps the reason of a failure before its first part", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Stream.runDrain(Inference.generateStream("x")))
        assert.strictEqual(error.reason._tag, "AuthenticationError")
      }).pipe(
        Effect.provide(
          client({
            stream: () => Stream.fail(fail(new AiError.AuthenticationError({ kind: "InvalidKey" })))
          })
        )
      )
    )

    const begun: StreamParts = Stream.make(
      { type: "text-start", id: "t" },
      { type: "text-delta", id: "t", delta: "hel" }
    )
    const ends: ReadonlyArray<readonly [string, StreamParts]> = [
      [
        "the model's failure",
        Stream.fail(fail(new AiError.InternalProviderError({ description: "d" })))
      ],
      ["an error among the parts", Stream.make({ type: "error", error: new Error("boom") })]
    ]
    for (const [what, end] of ends) {
      it.effect(`breaks at ${what}, with the text so far`, () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(Stream.runDrain(Inference.generateStream("x")))
          assert.strictEqual(error.reason._tag, "StreamInterrupted")
          assert.strictEqual("text" in error.reason ? error.reason.text : "", "hel")
        }).pipe(Effect.provide(client({ stream: () => Stream.concat(begun, end) })))
      )
    }
  })
})
