import { assert, describe, it } from "@effect/vitest"
import * as AsLanguageModel from "@infermesh/core/ai/AsLanguageModel"
import * as Client from "@infermesh/core/Client"
import * as Inference from "@infermesh/core/Inference"
import * as Pricing from "@infermesh/core/telemetry/Pricing"
import * as Simulator from "@infermesh/core/testing/Simulator"
import * as OpenAi from "@infermesh/providers/openai/OpenAi"
import { Effect, Layer, Schema, Stream } from "effect"
import { Chat, Prompt, Tool, Toolkit } from "effect/ai"

interface Sent {
  readonly path: string
  readonly body: { readonly [field: string]: unknown }
}

/** A simulator, a client whose requests go to it, and what was sent. */
const simulated = Effect.fnUntraced(function* (
  settings: Simulator.SimulatorSettings = {},
  client: Client.ClientSettings = {}
) {
  const simulator = yield* Simulator.make(settings)
  const sent: Array<Sent> = []
  const recorded: Simulator.Simulator = {
    ...simulator,
    handle: (request) => {
      sent.push({
        path: request.path,
        body: JSON.parse(String(request.body))
      })
      return simulator.handle(request)
    }
  }
  const layer = Client.layer({
    model: "openai/gpt-5-mini",
    apiBase: "http://simulated.local/v1",
    maxRetries: 0,
    ...client
  }).pipe(
    Layer.provide(OpenAi.layer),
    Layer.provide(Pricing.layerNone),
    Layer.provide(Simulator.layerHttpClient({ "http://simulated.local": recorded }))
  )
  return { layer, sent }
})

const responses = { endpoint: "responses" } as const

/** A conversation that the provider does not store, and whose reasoning goes on all the same. */
const unstored = {
  ...responses,
  reasoningEffort: "high",
  extraBody: {
    store: false,
    include: ["reasoning.encrypted_content"],
    reasoning: { summary: "detailed" }
  }
} as const

const weather = {
  name: "weather",
  description: "Tells the weather",
  parameters: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false
  }
}

const City = Schema.Struct({ city: Schema.String, inhabitants: Schema.Int })

const assistant = (content: ReadonlyArray<Prompt.AssistantMessagePart> = []) =>
  Prompt.makeMessage("assistant", { content: [...content], options: {} })

const user = (text: string) =>
  Prompt.makeMessage("user", {
    content: [Prompt.makePart("text", { text, options: {} })],
    options: {}
  })

const toolMessage = (id: string, value: unknown) =>
  Prompt.makeMessage("tool", {
    content: [
      Prompt.makePart("tool-result", {
        id,
        name: "weather",
        isFailure: false,
        result: value,
        providerExecuted: false,
        options: {}
      })
    ],
    options: {}
  })

describe("the responses endpoint, checked field by field", () => {
  it.effect("answers a text, and the same as a stream", () =>
    Effect.gen(function* () {
      const { layer, sent } = yield* simulated()
      yield* Effect.gen(function* () {
        const whole = yield* Inference.generate("Tell me about rain", responses)
        const events = yield* Stream.runCollect(
          Inference.generateStream("Tell me about rain", responses)
        )
        const last = events.at(-1)
        assert(last?.type === "finish")
        assert.isAbove(whole.outputText.length, 0)
        assert.deepStrictEqual(
          events.map((event) => (event.type === "text-delta" ? event.text : "")).join(""),
          whole.outputText
        )
        for (const key of ["outputText", "finishReason", "tokenUsage", "modelId"] as const) {
          assert.deepStrictEqual(last.result[key], whole[key])
        }
        assert.strictEqual(whole.finishReason, "stop")
        assert.isAbove(whole.tokenUsage?.reasoningTokens ?? 0, 0)
        assert.isDefined(whole.requestId)
      }).pipe(Effect.provide(layer))
      assert.deepStrictEqual(sent, [
        { path: "/v1/responses", body: { model: "gpt-5-mini", input: "Tell me about rain" } },
        {
          path: "/v1/responses",
          body: { model: "gpt-5-mini", input: "Tell me about rain", stream: true }
        }
      ])
    })
  )

  it.effect("takes every option that the endpoint knows", () =>
    Effect.gen(function* () {
      const { layer } = yield* simulated()
      const { finishReason, outputText } = yield* Inference.generate("Tell me a long story", {
        ...responses,
        temperature: 0.5,
        topP: 0.9,
        maxTokens: 16,
        logprobs: true,
        topLogprobs: 2,
        reasoningEffort: "none",
        serviceTier: "default",
        user: "u",
        metadata: { job: "j" },
        extraBody: { text: { verbosity: "low" } }
      }).pipe(Effect.provide(layer))
      assert.strictEqual(finishReason, "length")
      assert.isAbove(outputText.length, 0)
    })
  )

  it.effect("takes the caller's own input whole", () =>
    Effect.gen(function* () {
      const { layer, sent } = yield* simulated()
      const input = {
        input: [{ type: "message", role: "user", content: "hi" }],
        instructions: "be brief",
        previous_response_id: "resp_1",
        truncation: "auto"
      }
      yield* Inference.generate(input, responses).pipe(Effect.provide(layer))
      assert.deepStrictEqual(sent[0]?.body, { model: "gpt-5-mini", ...input })
    })
  )

  it.effect("takes images and documents", () =>
    Effect.gen(function* () {
      const { layer } = yield* simulated()
      const answer = yield* Inference.generate(
        [
          { role: "system", content: "be brief" },
          {
            role: "user",
            content: [
              { type: "text", text: "what is this?" },
              { type: "image_url", image_url: { url: "https://e.com/c.png", detail: "low" } },
              { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
              { type: "file", file: { file_data: "data:application/pdf;base64,JVBERi0x" } },
              { type: "file", file: { file_id: "file-1" } }
            ]
          }
        ],
        responses
      ).pipe(Effect.provide(layer))
      assert.strictEqual(answer.finishReason, "stop")
    })
  )

  it.effect("gives structured output, whole and in parts", () =>
    Effect.gen(function* () {
      const { layer } = yield* simulated()
      yield* Effect.gen(function* () {
        const options = { ...responses, output: City }
        const { outputParsed } = yield* Inference.generate("Name a city", options)
        assert.isString(outputParsed.city)
        const events = yield* Stream.runCollect(Inference.generateStream("Name a city", options))
        const last = events.at(-1)
        assert(last?.type === "finish")
        assert.deepStrictEqual(last.result.outputParsed, outputParsed)
        assert.isTrue(events.some(({ type }) => type === "partial"))
      }).pipe(Effect.provide(layer))
    })
  )

  for (const streamed of [false, true]) {
    it.effect(`goes on with a tool's result, ${streamed ? "streamed" : "whole"}`, () =>
      Effect.gen(function* () {
        const { layer, sent } = yield* simulated()
        const ask = (input: Prompt.Prompt) => {
          const options = { ...unstored, tools: [weather] }
          return streamed
            ? Stream.runCollect(Inference.generateStream(input, options)).pipe(
                Effect.map((events) => {
                  const last = events.at(-1)
                  assert(last?.type === "finish")
                  return last.result
                })
              )
            : Inference.generate(input, options)
        }
        yield* Effect.gen(function* () {
          const question = user("call the tool weather")
          const first = yield* ask(Prompt.fromMessages([question]))
          const [call] = first.toolCalls
          assert.strictEqual(first.finishReason, "tool-calls")
          assert(call !== undefined && first.reasoning !== undefined)
          assert.isTrue(call.id.startsWith("call_"))
          const turns = [
            question,
            assistant(first.choices[0].content),
            toolMessage(call.id, { sunny: true })
          ]
          const second = yield* ask(Prompt.fromMessages(turns))
          assert.deepStrictEqual([second.finishReason, second.toolCalls], ["stop", []])
          const third = yield* ask(
            Prompt.fromMessages([
              ...turns,
              assistant(second.choices[0].content),
              user("call the tool weather again")
            ])
          )
          assert.strictEqual(third.finishReason, "tool-calls")
        }).pipe(Effect.provide(layer))
        const items = sent[2]?.body["input"] as ReadonlyArray<{ readonly [key: string]: unknown }>
        assert.deepStrictEqual(
          items.map(({ role, type }) => type ?? role),
          [
            "user",
            "reasoning",
            "function_call",
            "function_call_output",
            "reasoning",
            "message",
            "user"
          ]
        )
        const [, reasoning, call, output] = items
        assert.match(String(reasoning?.["encrypted_content"]), /^gAAAAAB/)
        assert.match(String(reasoning?.["id"]), /^rs_/)
        assert.match(String(call?.["id"]), /^fc_/)
        assert.strictEqual(call?.["call_id"], output?.["call_id"])
        assert.strictEqual(output?.["output"], '{"sunny":true}')
      })
    )
  }

  it.effect("calls custom tools, whose results go back as such", () =>
    Effect.gen(function* () {
      const { layer } = yield* simulated()
      yield* Effect.gen(function* () {
        const options = {
          ...responses,
          extraBody: { tools: [{ type: "custom", name: "sql" }], tool_choice: "required" }
        }
        const first = yield* Inference.generate("rows?", options)
        const [call] = first.toolCalls
        assert.deepStrictEqual([call?.name, first.finishReason], ["sql", "tool-calls"])
        yield* Inference.generate(
          Prompt.fromMessages([
            user("rows?"),
            assistant(first.choices[0].content),
            toolMessage(call?.id ?? "", "1 row")
          ]),
          responses
        )
      }).pipe(Effect.provide(layer))
    })
  )

  /** What becomes of one request, whole and streamed, when the server has this fault. */
  const befallen = Effect.fnUntraced(function* (
    fault: Exclude<NonNullable<Simulator.SimulatorSettings["script"]>[number], "answer">
  ) {
    const whole = Effect.asVoid(Inference.generate("x", responses))
    const streamed = Stream.runDrain(Inference.generateStream("x", responses))
    return yield* Effect.forEach([whole, streamed], (request) =>
      Effect.gen(function* () {
        const { layer } = yield* simulated({ script: [fault] })
        return yield* request.pipe(Effect.flip, Effect.provide(layer))
      })
    )
  })

  const contents = [
    ["refusal", "stop"],
    ["contentFilter", "content-filter"]
  ] as const
  for (const [fault, finish] of contents) {
    it.effect(`tells a ${fault} as refused content, with finish reason ${finish}`, () =>
      Effect.gen(function* () {
        for (const { reason, result } of yield* befallen(fault)) {
          assert.strictEqual(reason._tag, "ContentPolicyError")
          assert.strictEqual(result?.finishReason, finish)
          assert.isAbove(result?.tokenUsage?.totalTokens ?? 0, 0)
          const refusal = result?.choices[0].refusal
          assert.strictEqual(refusal !== undefined, fault === "refusal")
        }
      })
    )
  }

  const reasons = [
    ["rateLimited", "RateLimitError", "RateLimitError"],
    ["insufficientQuota", "QuotaExhaustedError", "QuotaExhaustedError"],
    ["unauthorized", "AuthenticationError", "AuthenticationError"],
    ["unavailable", "InternalProviderError", "InternalProviderError"],
    ["reset", "NetworkError", "NetworkError"],
    ["truncated", "NetworkError", "StreamInterrupted"],
    ["malformed", "InvalidResponseError", "StreamInterrupted"],
    ["noChoices", "InvalidResponseError", "InvalidResponseError"]
  ] as const
  for (const [fault, whole, streamed] of reasons) {
    it.effect(`fails for the fault ${fault} with ${whole}, or streamed ${streamed}`, () =>
      Effect.gen(function* () {
        const errors = yield* befallen(fault)
        assert.deepStrictEqual(
          errors.map(({ reason }) => reason._tag),
          [whole, streamed]
        )
      })
    )
  }

  it.effect("fails within a stream with the text so far", () =>
    Effect.gen(function* () {
      const { layer } = yield* simulated({ script: ["streamError"] })
      const parts: Array<string> = []
      const error = yield* Inference.generateStream("Tell me about rain", responses).pipe(
        Stream.runForEach((event) =>
          Effect.sync(() => parts.push(event.type === "text-delta" ? event.text : ""))
        ),
        Effect.flip,
        Effect.provide(layer)
      )
      assert(error.reason._tag === "StreamInterrupted")
      assert.strictEqual(error.reason.text, parts.join(""))
      assert.isAbove(error.reason.text.length, 0)
    })
  )

  it.effect("refuses what it cannot say, before anything is sent", () =>
    Effect.gen(function* () {
      const { layer, sent } = yield* simulated()
      const error = yield* Inference.generate("x", { ...responses, seed: 1 }).pipe(
        Effect.flip,
        Effect.provide(layer)
      )
      assert.strictEqual(error.reason._tag, "Unsupported")
      assert.strictEqual(sent.length, 0)
    })
  )
})

describe("a Chat of effect/ai over the responses endpoint", () => {
  const kit = Toolkit.make(
    Tool.make("weather", {
      parameters: Schema.Struct({ city: Schema.String }),
      success: Schema.Struct({ degrees: Schema.Int })
    })
  )
  const handlers = kit.toLayer({ weather: ({ city }) => Effect.succeed({ degrees: city.length }) })

  it.effect("goes on with the results of its tools, by call_id", () =>
    Effect.gen(function* () {
      const { layer, sent } = yield* simulated()
      yield* Effect.gen(function* () {
        const chat = yield* Chat.empty
        const first = yield* chat.generateText({ prompt: "call the tool", toolkit: kit })
        assert.strictEqual(first.toolCalls.length, 1)
        const second = yield* chat.generateText({ prompt: [], toolkit: kit })
        assert.strictEqual(second.finishReason, "stop")
      }).pipe(
        Effect.provide([Layer.provideMerge(AsLanguageModel.layer, layer), handlers]),
        Effect.provideService(AsLanguageModel.RequestOptions, responses)
      )
      const input = sent[1]?.body["input"] as ReadonlyArray<{ readonly [key: string]: unknown }>
      // The reasoning goes back with the call it led to.
      const [, , call, output] = input
      assert.deepStrictEqual(
        input.slice(1).map(({ type }) => type),
        ["reasoning", "function_call", "function_call_output"]
      )
      assert.strictEqual(call?.["call_id"], output?.["call_id"])
      assert.match(String(output?.["output"]), /^\{"degrees":\d+\}$/)
    })
  )
})
