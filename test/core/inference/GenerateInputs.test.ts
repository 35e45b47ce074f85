import { assert, describe, it } from "@effect/vitest"
import * as Inference from "@infermesh/core/Inference"
import type { InferenceError } from "@infermesh/core/InferenceError"
import type { GenerateInput } from "@infermesh/core/operation/Generate"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Effect, Schema } from "effect"
import { Prompt, Tool, Toolkit } from "effect/ai"

import * as TestClient from "../TestClient.ts"

type Endpoint = NonNullable<Inference.GenerateOptions["endpoint"]>

const asked = TestProvider.TestProvider.use(({ asked: all }) => all)

/** The request that the provider gets, or the message of the refusal. */
const outcome = (input: unknown, options: object = {}) =>
  Effect.gen(function* () {
    const before = (yield* asked).length
    const result = yield* Effect.result(Inference.generate(input as GenerateInput, options))
    const requests = (yield* asked).slice(before)
    if (result._tag === "Failure") {
      assert.deepStrictEqual(
        [result.failure.reason._tag, result.failure.attempts, requests.length],
        ["InvalidInput", 0, 0]
      )
      assert.notInclude(result.failure.message, "\n")
      return result.failure.message
    }
    return requests[0]?.request ?? assert.fail("nothing was sent")
  })

const refusals = (cases: ReadonlyArray<readonly [unknown, object, RegExp]>) =>
  Effect.forEach(
    cases,
    ([input, options, expected]) =>
      Effect.map(outcome(input, options), (message) => {
        if (typeof message !== "string") return assert.fail(`not refused: ${String(expected)}`)
        return assert.match(message, expected)
      }),
    { discard: true }
  )

const user = [{ role: "user", content: "hi" }]
const conversation = [
  { role: "system", content: "be short" },
  { role: "user", content: "hi" },
  {
    role: "assistant",
    tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: "{}" } }]
  },
  { role: "tool", tool_call_id: "1", content: "7" }
]

describe("generate's input", () => {
  describe("is accepted or refused by the endpoint", () => {
    const prompt = Prompt.make("hi")
    const forms: ReadonlyArray<
      readonly [what: string, input: unknown, accepted: ReadonlyArray<Endpoint>]
    > = [
      ["a string", "hi", ["chat_completion", "text_completion", "responses"]],
      ["a list of messages", user, ["chat_completion", "responses"]],
      ["a conversation with tool calls", conversation, ["chat_completion", "responses"]],
      ["a Prompt", prompt, ["chat_completion", "responses"]],
      ["{ input: string }", { input: "hi" }, ["responses"]],
      ["{ input: list }", { input: user }, ["responses"]],
      ["{ input, instructions }", { input: "hi", instructions: "be short" }, ["responses"]],
      ["an empty list", [], []],
      ["an empty Prompt", Prompt.empty, []],
      ["{ input: [] }", { input: [] }, []],
      ["{ input: 1 }", { input: 1 }, []],
      ["{ text }", { text: "hi" }, []],
      ["a number", 7, []],
      ["null", null, []],
      ["undefined", undefined, []]
    ]
    for (const [what, input, accepted] of forms) {
      for (const endpoint of ["chat_completion", "text_completion", "responses"] as const) {
        const accepts = accepted.includes(endpoint)
        it.effect(`${endpoint} ${accepts ? "accepts" : "refuses"} ${what}`, () =>
          Effect.gen(function* () {
            const request = yield* outcome(input, { endpoint })
            assert.strictEqual(typeof request === "object", accepts)
            if (typeof request === "object") assert.strictEqual(request.endpoint, endpoint)
          }).pipe(Effect.provide(TestClient.layer()))
        )
      }
    }
  })

  it.effect("is told, when refused, what the endpoint accepts", () =>
    refusals([
      [
        { input: "x" },
        {},
        /chat_completion endpoint. It accepts a string, a list of chat messages/
      ],
      [user, { endpoint: "text_completion" }, /text_completion endpoint. It accepts a string$/],
      [7, { endpoint: "responses" }, /It accepts a string, { input, instructions\?/]
    ]).pipe(Effect.provide(TestClient.layer()))
  )

  it.effect("is checked message by message", () =>
    refusals([
      [[{ role: "robot", content: "x" }], {}, /messages\[0\]\.role: unknown role "robot"/],
      [[...user, { content: "x" }], {}, /messages\[1\]\.role: unknown role/],
      [[...user, "x"], {}, /messages\[1\]: not a message object/],
      [[{ role: "user", content: 1 }], {}, /messages\[0\]\.content: Expected string \| array/],
      [[{ role: "tool", content: "7" }], {}, /messages\[0\]\.tool_call_id: Missing key/],
      [
        [...user, { role: "user", content: [{ type: "text" }] }],
        {},
        /\[1\]\.content\[0\]\.text: Mis/
      ],
      [
        [{ role: "user", content: [{ text: "a" }] }],
        {},
        /\[0\]\.content\[0\]\.type: .*A block has/
      ],
      [
        [...user, { role: "assistant" }],
        {},
        /messages\[1\]: it has neither content nor tool_calls/
      ],
      [[...user, { role: "assistant", parts: [{ type: "text" }] }], {}, /messages\[1\]/]
    ]).pipe(Effect.provide(TestClient.layer()))
  )

  it.effect("of a string is one user message, verbatim", () =>
    Effect.gen(function* () {
      const request = yield* outcome(" hi\n")
      const content = typeof request === "object" ? request.prompt.content : []
      assert.deepStrictEqual(
        content.map(({ role }) => role),
        ["user"]
      )
      assert.strictEqual((yield* asked)[0]?.text, " hi\n")
    }).pipe(Effect.provide(TestClient.layer()))
  )

  it.effect("of the Responses API reaches the provider with every field", () =>
    Effect.gen(function* () {
      const input = {
        input: user,
        instructions: "i",
        previous_response_id: "r",
        metadata: { a: 1 }
      }
      const request = yield* outcome(input, { endpoint: "responses" })
      assert.strictEqual(typeof request === "object" && request.responsesInput, input)
    }).pipe(Effect.provide(TestClient.layer()))
  )
})

describe("generate's options", () => {
  it.effect("are known by name and within their limits", () =>
    refusals([
      ["x", { endpoint: "completions" }, /'completions'. It accepts chat_completion, text_comp/],
      ["x", { endpoint: "" }, /endpoint: there is no endpoint ''/],
      ["x", { endpoint: "toString" }, /endpoint: there is no endpoint 'toString'/],
      ["x", { stream: true }, /stream: there is no such option. Use generateStream/],
      ["x", { model: "m" }, /model: no deployment serves 'm'. Known: model, test\/model/],
      ["x", { model: "" }, /^generate failed: model: /],
      ["x", { tags: ["eu"] }, /tags: no deployment .*has 'eu'/],
      ["x", { messages: [] }, /messages: there is no such option. The messages are the first arg/],
      ["x", { api_base: "u" }, /api_base: there is no such option. The base URL belongs to the/],
      ["x", { max_tokens: 1 }, /max_tokens: there is no such option. It is called 'maxTokens'/],
      ["x", { response_format: {} }, /response_format: there is no such option. Give 'output'/],
      ["x", { best_of: 1 }, /best_of: there is no such option. Fields of the provider's own/],
      ["x", { extraBody: { stream: true } }, /extraBody.stream: .*Use generateStream/],
      ["x", { outputMode: "tool" }, /outputMode: /],
      ["x", { maxRepairs: -1 }, /maxRepairs: /],
      ["x", { maxRepairs: 1, n: 2 }, /maxRepairs: of 2 answers none is the one to repair/],
      ["x", { maxRepairs: 1, endpoint: "text_completion" }, /maxRepairs: a text completion has no/],
      [
        "x",
        { output: {}, outputMode: "prompt", endpoint: "text_completion" },
        /outputMode: a text completion has no place beside its text/
      ],
      ["x", { toString: 1 }, /toString: there is no such option/],
      ["x", { temperature: 3 }, /temperature/],
      ["x", { topP: -1 }, /topP/],
      ["x", { maxTokens: 1.5 }, /maxTokens/],
      ["x", { n: 0 }, /n: /],
      ["x", { stop: [1] }, /stop/],
      ["x", { extraBody: { f: () => 1 } }, /extraBody/],
      ["x", { timeout: "soon" }, /timeout: it must be a time above zero/],
      ["x", { deadline: 0 }, /deadline: it must be a time above zero/]
    ]).pipe(Effect.provide(TestClient.layer()))
  )

  it.effect("are looked at again when the caller has changed them", () =>
    Effect.gen(function* () {
      const options = { temperature: 0 }
      assert.isObject(yield* outcome("x", options))
      options.temperature = 9
      assert.isString(yield* outcome("x", options))
    }).pipe(Effect.provide(TestClient.layer()))
  )

  it.effect("of a batch are refused for each input when they cannot be used", () =>
    Effect.gen(function* () {
      const batch = yield* Inference.generateBatch(["a", "b"], { temperature: 9 })
      assert.strictEqual(batch.failures.length, 2)
      const unknown = yield* Inference.generateBatch(["a"], { microBatchSize: 2 } as object)
      assert.match(
        unknown.failures[0]?.[1].message ?? "",
        /microBatchSize: there is no such option/
      )
    }).pipe(Effect.provide(TestClient.layer()))
  )

  it.effect("win over the client's defaults, also for the endpoint", () =>
    Effect.gen(function* () {
      const request = yield* outcome("x", { endpoint: "text_completion", seed: undefined })
      assert.deepStrictEqual(typeof request === "object" && [request.endpoint, request.options], [
        "text_completion",
        { seed: 7 }
      ])
    }).pipe(Effect.provide(TestClient.layer({ defaults: { seed: 7 } })))
  )

  it.effect("have a client's endpoint beneath them", () =>
    Effect.gen(function* () {
      const request = yield* outcome({ input: "x" })
      assert.strictEqual(typeof request === "object" && request.endpoint, "responses")
    }).pipe(Effect.provide(TestClient.layer({ defaults: { endpoint: "responses" } })))
  )

  it.effect("that are null are refused, not dropped", () =>
    Effect.gen(function* () {
      const none: unknown = null
      const error: InferenceError = yield* Effect.flip(Inference.generate("x", none as object))
      assert.strictEqual(error.reason._tag, "InvalidInput")
    }).pipe(Effect.provide(TestClient.layer()))
  )
})

describe("generate's tools", () => {
  const parameters = { type: "object", properties: { city: { type: "string" } } }
  const weather = Tool.make("weather", {
    description: "Tells the weather",
    parameters: Schema.Struct({ city: Schema.String }),
    success: Schema.Int
  })

  it.effect("are those of effect/ai, dynamic ones, and plain definitions", () =>
    Effect.gen(function* () {
      const dynamic = Tool.dynamic("dynamic", { description: "d", parameters })
      const plain = { name: "plain", parameters, strict: true }
      const request = yield* outcome("x", {
        tools: [weather, dynamic, plain],
        toolChoice: { tool: "plain" }
      })
      if (typeof request === "string") return assert.fail(request)
      assert.deepStrictEqual(
        request.tools.map(({ description, name }) => [name, description]),
        [
          ["weather", "Tells the weather"],
          ["dynamic", "d"],
          ["plain", undefined]
        ]
      )
      const [first, second, third] = request.tools
      assert.deepInclude(first?.parameters, { type: "object", required: ["city"] })
      assert.deepStrictEqual(second?.parameters, parameters)
      assert.strictEqual(third, plain)
      assert.deepStrictEqual(request.toolChoice, { tool: "plain" })
    }).pipe(Effect.provide(TestClient.layer()))
  )

  it.effect("without parameters have an object schema", () =>
    Effect.gen(function* () {
      const request = yield* outcome("x", { tools: [Tool.make("now")] })
      if (typeof request === "string") return assert.fail(request)
      assert.strictEqual(request.tools[0]?.parameters["type"], "object")
    }).pipe(Effect.provide(TestClient.layer()))
  )

  it.effect("are made once, because their JSON Schema is costly", () =>
    Effect.gen(function* () {
      yield* Inference.generateBatch(["a", "b"], { tools: [weather] })
      const [first, second] = yield* asked
      assert.isDefined(first?.request.tools[0])
      assert.strictEqual(first?.request.tools[0], second?.request.tools[0])
    }).pipe(Effect.provide(TestClient.layer()))
  )

  it.effect("and the choice among them are refused when they cannot be used, naming them", () =>
    refusals([
      ["x", { tools: [weather, { name: "weather", parameters }] }, /tools\[1\]: .*'weather' too/],
      ["x", { tools: [{ name: "", parameters }] }, /tools\[0\]: it is no tool/],
      [
        "x",
        { tools: [{ type: "function", function: { name: "f" } }] },
        /tools\[0\]: it is no tool/
      ],
      ["x", { tools: [null] }, /tools\[0\]: it is no tool/],
      ["x", { tools: Toolkit.make(weather) }, /tools: it is no list/],
      ["x", { toolChoice: "required" }, /toolChoice: a tool is required but none is given/],
      ["x", { tools: [weather], toolChoice: { tool: "no" } }, /there is no tool 'no'/],
      ["x", { tools: [weather], toolChoice: "any" }, /toolChoice: there is no such choice/],
      ["x", { tools: [weather], toolChoice: null }, /toolChoice: there is no such choice/],
      ["x", { tools: [weather], toolChoice: {} }, /toolChoice: there is no such choice/]
    ]).pipe(Effect.provide(TestClient.layer()))
  )

  it.effect("that the provider runs itself are refused with the way to send them", () =>
    Effect.gen(function* () {
      const search = Tool.providerDefined({
        id: "openai.web_search",
        customName: "search",
        providerName: "web_search",
        parameters: Schema.Struct({})
      })()
      const message = yield* outcome("x", { tools: [search] })
      if (typeof message !== "string") return assert.fail("it was sent")
      assert.match(message, /tools\[0\]: the provider runs the tool .* itself.*extraBody/)
    }).pipe(Effect.provide(TestClient.layer()))
  )

  it.effect("whose parameters have no JSON Schema are refused", () =>
    Effect.gen(function* () {
      const odd = Tool.make("odd", {
        parameters: Schema.Struct({ [Symbol.for("a")]: Schema.String })
      })
      const message = yield* outcome("x", { tools: [odd] })
      if (typeof message !== "string") return assert.fail("it was sent")
      assert.match(message, /tools\[0\]: the parameters of 'odd' have no JSON Schema/)
    }).pipe(Effect.provide(TestClient.layer()))
  )
})
