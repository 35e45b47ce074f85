import { assert, describe, it } from "@effect/vitest"
import * as Simulator from "@infermesh/core/testing/Simulator"
import { Effect } from "effect"

import { body, chunks, keys, recordedIt, shape } from "./Recording.ts"
import { errorOf, json, postTo, respond, values } from "./SimulatorExchange.ts"

interface Item {
  readonly type: string
  readonly id: string
  readonly status?: string
  readonly content?: ReadonlyArray<{ type: string; text?: string; refusal?: string }>
  readonly summary?: ReadonlyArray<{ text: string }>
  readonly encrypted_content?: string
  readonly call_id?: string
  readonly name?: string
  readonly arguments?: string
  readonly input?: string
}

interface Answer {
  readonly id: string
  readonly status: string
  readonly incomplete_details: { readonly reason: string } | null
  readonly error: { readonly code: string } | null
  readonly output: ReadonlyArray<Item>
  readonly text: { readonly format: unknown }
  readonly usage: {
    readonly input_tokens: number
    readonly output_tokens: number
    readonly output_tokens_details: { readonly reasoning_tokens: number }
    readonly total_tokens: number
  }
}

interface Event {
  readonly type: string
  readonly sequence_number: number
  readonly delta?: string
  readonly item_id?: string
  readonly item?: Item
  readonly response?: Answer
  readonly error?: { readonly type: string }
}

const request = (fields: object) =>
  postTo("/v1/responses", { model: "gpt-4.1", input: "Hello", ...fields })

const ask = (simulator: Simulator.Simulator, fields: object = {}) =>
  Effect.map(
    respond(simulator, request(fields)),
    (response) => (
      assert.strictEqual(response.status, 200, JSON.stringify(response.body)),
      json(response) as Answer
    )
  )

const stream = (simulator: Simulator.Simulator, fields: object = {}) =>
  Effect.flatMap(respond(simulator, request({ stream: true, ...fields })), values<Event>)

const textOf = (answer: Answer | undefined) =>
  answer?.output
    .flatMap(({ content }) => content ?? [])
    .map(({ text }) => text)
    .join("") ?? ""

const parameters = {
  type: "object",
  properties: { a: { type: "number" }, b: { type: "string" } },
  required: ["a", "b"],
  additionalProperties: false
}
const calculator = { type: "function", name: "calculator", description: "d", parameters }
const reasoning = {
  model: "gpt-5-mini",
  reasoning: { effort: "high", summary: "detailed" },
  include: ["reasoning.encrypted_content"],
  store: false
}

describe("a response", () => {
  const whole = "openai-responses/openai-reasoning-encrypted-content.1.json"
  recordedIt("has the keys of a recorded one", [whole], () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const answer = yield* ask(simulator, { ...reasoning, tools: [calculator] })
      const recorded = body(whole) as Answer
      // What the tool's parameters are is the request's matter.
      const plain = (response: Answer) => ({ ...response, tools: [] })
      assert.deepStrictEqual(shape(plain(answer)), shape(plain(recorded)))
      for (const position of [0, 1]) {
        assert.deepStrictEqual(shape(answer.output[position]), shape(recorded.output[position]))
      }
    })
  )

  it.effect("is text, with usage that adds up, the same for the same input", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const answer = yield* ask(simulator)
      assert.strictEqual(answer.status, "completed")
      assert.deepStrictEqual(
        answer.output.map(({ status, type }) => [type, status]),
        [["message", "completed"]]
      )
      const { usage } = answer
      assert.strictEqual(usage.input_tokens, 3 + 4 + 2)
      assert.strictEqual(usage.output_tokens, Math.ceil(textOf(answer).length / 4))
      assert.strictEqual(usage.total_tokens, usage.input_tokens + usage.output_tokens)
      const message = { role: "user", content: [{ type: "input_text", text: "Hello" }] }
      const again = yield* ask(simulator, { input: [message], previous_response_id: answer.id })
      assert.strictEqual(textOf(again), textOf(answer))
      assert.notStrictEqual(again.id, answer.id)
      const instructed = yield* ask(simulator, { instructions: "Be brief." })
      assert.strictEqual(instructed.usage.input_tokens, usage.input_tokens + 4 + 3)
      assert.notStrictEqual(textOf(instructed), textOf(answer))
    })
  )

  it.effect("is JSON of the schema asked for", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ script: ["answer", "schemaMismatch"] })
      const format = { type: "json_schema", name: "s", schema: parameters, strict: true }
      const answer = yield* ask(simulator, { text: { format } })
      const parsed = JSON.parse(textOf(answer)) as Record<string, unknown>
      assert.isNumber(parsed["a"])
      assert.isString(parsed["b"])
      assert.deepStrictEqual(answer.text.format, { ...format, description: null })
      const mismatch = yield* ask(simulator, { text: { format } })
      assert.throws(() => JSON.parse(textOf(mismatch)))
    })
  )

  it.effect("begins with reasoning where the model reasons, paid as output", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const types = (fields: object) =>
        Effect.map(ask(simulator, fields), ({ output }) => output.map(({ type }) => type))
      assert.deepStrictEqual(yield* types({}), ["message"])
      assert.deepStrictEqual(yield* types({ model: "gpt-5" }), ["reasoning", "message"])
      assert.deepStrictEqual(yield* types({ reasoning: { effort: "low" } }), [
        "reasoning",
        "message"
      ])
      assert.deepStrictEqual(yield* types({ model: "gpt-5", reasoning: { effort: "none" } }), [
        "message"
      ])
      const plain = yield* ask(simulator, { model: "gpt-5" })
      assert.deepStrictEqual(plain.output[0]?.summary, [])
      assert.notProperty(plain.output[0], "encrypted_content")
      const disclosed = yield* ask(simulator, reasoning)
      assert.isAbove(disclosed.output[0]?.summary?.[0]?.text.length ?? 0, 10)
      const { output_tokens: all, output_tokens_details: details } = disclosed.usage
      assert.isAbove(details.reasoning_tokens, 0)
      assert.strictEqual(all - details.reasoning_tokens, Math.ceil(textOf(disclosed).length / 4))
    })
  )

  it.effect("is incomplete where the tokens end, in the text or in the reasoning", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ outputTokens: { min: 30, max: 30 } })
      const cut = yield* ask(simulator, { max_output_tokens: 16 })
      assert.strictEqual(cut.status, "incomplete")
      assert.deepStrictEqual(cut.incomplete_details, { reason: "max_output_tokens" })
      assert.strictEqual(cut.output[0]?.status, "incomplete")
      assert.strictEqual(cut.usage.output_tokens, 16)
      const thought = yield* ask(simulator, { ...reasoning, max_output_tokens: 16 })
      assert.deepStrictEqual(
        thought.output.map(({ type }) => type),
        ["reasoning"]
      )
      assert.strictEqual(thought.status, "incomplete")
      assert.strictEqual(thought.usage.output_tokens_details.reasoning_tokens, 16)
    })
  )

  it.effect("calls tools, and speaks once their results are sent back", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const tools = [calculator, { type: "custom", name: "grep" }, { type: "web_search" }]
      const names = (fields: object) =>
        Effect.map(ask(simulator, { tools, ...fields }), ({ output }) =>
          output.map(({ name, type }) => name ?? type)
        )
      assert.deepStrictEqual(yield* names({}), ["message"])
      assert.deepStrictEqual(yield* names({ input: "call the tools" }), ["calculator", "grep"])
      assert.deepStrictEqual(yield* names({ tool_choice: { type: "custom", name: "grep" } }), [
        "grep"
      ])
      const allowed = { type: "allowed_tools", mode: "required", tools: [{ name: "grep" }] }
      assert.deepStrictEqual(yield* names({ tool_choice: allowed }), ["grep"])
      assert.deepStrictEqual(yield* names({ input: "call the tool", tool_choice: "none" }), [
        "message"
      ])
      const { output } = yield* ask(simulator, { tools, tool_choice: "required" })
      assert.match(output[0]?.call_id ?? "", /^call_\w{24}$/)
      assert.hasAllKeys(JSON.parse(output[0]?.arguments ?? ""), ["a", "b"])
      const input = [
        { role: "user", content: "call the tool" },
        ...output,
        { type: "function_call_output", call_id: output[0]?.call_id, output: "4" }
      ]
      assert.deepStrictEqual(yield* names({ input }), ["message"])
    })
  )

  it.effect("may refuse, be filtered, or be empty, where the script says so", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ script: ["refusal", "contentFilter", "noChoices"] })
      const refused = yield* ask(simulator)
      assert.strictEqual(refused.output[0]?.content?.[0]?.type, "refusal")
      assert.strictEqual(refused.status, "completed")
      const filtered = yield* ask(simulator)
      assert.deepStrictEqual(filtered.incomplete_details, { reason: "content_filter" })
      assert.deepStrictEqual((yield* ask(simulator)).output, [])
    })
  )
})

describe("a streamed response", () => {
  const recording = "openai-responses/openai-reasoning-encrypted-content.1.chunks.txt"
  recordedIt("has events of the recorded shapes, in the recorded order", [recording], () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const recorded = chunks(recording) as ReadonlyArray<Event>
      const sent = [
        ...(yield* stream(simulator, {
          ...reasoning,
          tools: [calculator],
          tool_choice: "required"
        })),
        ...(yield* stream(simulator, { ...reasoning, tools: [calculator] }))
      ]
      const kind = ({ item, type }: Event) => `${type} ${item?.type ?? ""}`
      const once = (events: ReadonlyArray<Event>) => [...new Set(events.map(kind))]
      assert.deepStrictEqual(once(sent), once(recorded))
      for (const name of once(recorded)) {
        const [ours, theirs] = [sent, recorded].map((list) =>
          list.find((event) => kind(event) === name)
        )
        // Tools and the input are the request's matter; the order of keys in an item changed with time.
        const plain = (event: Event | undefined) =>
          event?.response === undefined
            ? event
            : { ...event, response: { ...event.response, tools: [], output: [] } }
        assert.deepStrictEqual(keys(plain(ours)), keys(plain(theirs)), name)
      }
    })
  )

  it.effect("adds up to the whole response, numbered without a gap", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const fields = { ...reasoning, tools: [calculator, { type: "custom", name: "grep" }] }
      for (const input of ["Hello", "call the tools"]) {
        const whole = yield* ask(simulator, { ...fields, input })
        const events = yield* stream(simulator, { ...fields, input })
        assert.deepStrictEqual(
          events.map((event) => event.sequence_number),
          events.map((_, index) => index)
        )
        assert.deepStrictEqual(events.at(-1)?.response?.output, whole.output)
        assert.deepStrictEqual(events.at(-1)?.response?.usage, whole.usage)
        assert.strictEqual(events.at(-1)?.type, "response.completed")
        for (const item of whole.output) {
          const deltas = events
            .filter((event) => event.item_id === item.id)
            .map(({ delta }) => delta ?? "")
            .join("")
          const content = item.content ?? item.summary
          assert.strictEqual(deltas, item.arguments ?? item.input ?? content?.[0]?.text)
        }
      }
    })
  )

  it.effect("ends as incomplete where the tokens end, and names its events", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const fields = { max_output_tokens: 16, stream: true }
      const response = yield* respond(simulator, request(fields))
      const events = yield* values<Event>(response)
      assert.strictEqual(events.at(-1)?.type, "response.incomplete")
      assert.isTrue(events.every((event) => !event.type.endsWith("completed")))
    })
  )

  const failing = "openai-responses/openai-error.1.chunks.txt"
  recordedIt("fails as a recorded one failed", [failing], () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ script: ["streamError"] })
      const sent = yield* stream(simulator)
      const recorded = chunks(failing) as ReadonlyArray<Event>
      assert.deepStrictEqual(
        sent.slice(-2).map(({ type }) => type),
        ["error", "response.failed"]
      )
      assert.deepStrictEqual(
        sent.map((event) => event.sequence_number),
        sent.map((_, index) => index)
      )
      assert.strictEqual(sent.at(-2)?.error?.type, "server_error")
      assert.strictEqual(sent.at(-1)?.response?.status, "failed")
      for (const position of [-2, -1]) {
        const plain = (event: Event | undefined) =>
          keys({ ...event, response: { ...event?.response, reasoning: null } })
        const ours = plain(sent.at(position))
        const theirs = plain(recorded.at(position))
        assert.deepStrictEqual(ours, theirs)
      }
    })
  )

  recordedIt(
    "is refused before it begins as a recorded one",
    ["openai-responses/openai-error.1.json"],
    () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator.make({ script: ["insufficientQuota"] })
        const response = yield* respond(simulator, request({ stream: true }))
        assert.strictEqual(response.status, 429)
        assert.deepStrictEqual(json(response), body("openai-responses/openai-error.1.json"))
      })
  )
})

describe("a wrong request for a response", () => {
  const call = { type: "function_call", call_id: "call_1", name: "f", arguments: "{}" }
  const result = { type: "function_call_output", call_id: "call_1", output: "1" }
  const cases: ReadonlyArray<readonly [string, object, RegExp, string | null, string?]> = [
    ["no model", { model: undefined }, /^you must provide a model parameter$/, null],
    [
      "no input",
      { input: undefined },
      /^One of "input" or "previous_response_id"/,
      "input",
      "missing_required_parameter"
    ],
    [
      "a field of chat completions",
      { messages: [] },
      /^Unknown parameter: 'messages'/,
      "messages",
      "unknown_parameter"
    ],
    [
      "a part of chat completions",
      { input: [{ role: "user", content: [{ type: "text", text: "a" }] }] },
      /^Invalid value: 'text'\. Supported values are: 'input_text', 'input_image', and 'input_file'\.$/,
      "input[0].content[0].type",
      "invalid_value"
    ],
    [
      "input in the model's mouth",
      { input: [{ role: "assistant", content: [{ type: "input_text", text: "a" }] }] },
      /Supported values are: 'output_text' and 'refusal'\.$/,
      "input[0].content[0].type",
      "invalid_value"
    ],
    [
      "a tool of chat completions",
      { tools: [{ type: "function", function: { name: "f" } }] },
      /'tools\[0\]\.function'/,
      "tools[0].function",
      "unknown_parameter"
    ],
    [
      "a tool without a name",
      { tools: [{ type: "function" }] },
      /^Missing required parameter: 'tools\[0\]\.name'/,
      "tools[0].name",
      "missing_required_parameter"
    ],
    [
      "a format of chat completions",
      { text: { format: { type: "json_schema", json_schema: {} } } },
      /'text\.format\.json_schema'/,
      "text.format.json_schema",
      "unknown_parameter"
    ],
    [
      "too few output tokens",
      { max_output_tokens: 15 },
      /^Invalid 'max_output_tokens': integer below minimum value\. Expected a value >= 16, but got 15 instead\.$/,
      "max_output_tokens",
      "integer_below_min_value"
    ],
    [
      "more output than the model has",
      { max_output_tokens: 501 },
      /^max_output_tokens is too large: 501/,
      "max_output_tokens",
      "invalid_value"
    ],
    [
      "more input than the context holds",
      { input: "x".repeat(4000) },
      /^Your input exceeds the context window/,
      "input",
      "context_length_exceeded"
    ],
    [
      "an id that is no response's",
      { previous_response_id: "chatcmpl-1" },
      /Expected an ID that begins with 'resp'/,
      "previous_response_id",
      "invalid_value"
    ],
    ["a result without its call", { input: [result] }, /^No tool call found for function/, "input"],
    ["a call without its result", { input: [call] }, /^No tool output found for.* call_1/, "input"],
    [
      "a strict schema that is open",
      {
        text: {
          format: { type: "json_schema", name: "s", strict: true, schema: { type: "object" } }
        }
      },
      /^Invalid schema for response_format 's'/,
      "text.format.schema",
      "invalid_json_schema"
    ],
    [
      "a strict tool that is open",
      { tools: [{ type: "function", name: "f", strict: true, parameters: { type: "object" } }] },
      /^Invalid schema for function 'f'/,
      "tools[0].parameters",
      "invalid_function_parameters"
    ],
    [
      "json_object without the word",
      { text: { format: { type: "json_object" } } },
      /must contain the word 'json'/,
      "input"
    ],
    [
      "an unknown tool demanded",
      { tools: [calculator], tool_choice: { type: "function", name: "x" } },
      /^Tool choice 'x' not found/,
      "tool_choice"
    ]
  ]
  for (const [name, fields, message, param, code = null] of cases) {
    it.effect(`is refused as OpenAI refuses it: ${name}`, () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator.make({ contextWindow: 1000, maxOutputTokens: 500 })
        const response = yield* respond(simulator, request(fields))
        assert.strictEqual(response.status, 400)
        const error = errorOf(response)
        assert.match(error.message, message)
        assert.deepInclude(error, { type: "invalid_request_error", param, code })
      })
    )
  }

  recordedIt(
    "is refused in the words of a recorded refusal",
    ["openai-responses/reasoning-model-temperature-error.json"],
    () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator.make({ unsupportedParameters: ["temperature"] })
        const response = yield* respond(simulator, request({ temperature: 1 }))
        const recorded = body("openai-responses/reasoning-model-temperature-error.json") as {
          readonly error: object
        }
        // The recorded one had no code yet.
        assert.deepInclude(errorOf(response), { ...recorded.error, code: "unsupported_parameter" })
      })
  )

  it.effect("is none where earlier responses hold the rest, or where the input may be cut", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ contextWindow: 100 })
      yield* ask(simulator, { input: [result], previous_response_id: "resp_1" })
      yield* ask(simulator, { input: "x".repeat(1000), truncation: "auto" })
    })
  )

  it.effect("is none with every documented field", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      yield* ask(simulator, {
        background: false,
        conversation: null,
        include: ["message.output_text.logprobs"],
        input: [
          { role: "developer", content: "Be brief." },
          { type: "message", role: "system", content: [{ type: "input_text", text: "Be kind." }] },
          {
            role: "user",
            content: [
              { type: "input_text", text: "Look" },
              { type: "input_image", image_url: "https://example.com/a.png", detail: "low" },
              { type: "input_file", file_id: "file-1" }
            ]
          },
          { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "x" },
          call,
          { ...result, output: [{ type: "input_text", text: "1" }], status: "completed" },
          {
            role: "assistant",
            id: "msg_1",
            type: "message",
            status: "completed",
            content: [{ type: "output_text", text: "Seen", annotations: [], logprobs: [] }]
          },
          { type: "item_reference", id: "msg_2" },
          { role: "user", content: "Thanks" }
        ],
        instructions: null,
        max_output_tokens: 100,
        max_tool_calls: 2,
        metadata: { run: "1" },
        parallel_tool_calls: false,
        prompt_cache_key: "k",
        prompt_cache_retention: "24h",
        reasoning: { effort: "minimal", summary: "auto" },
        safety_identifier: "s",
        service_tier: "flex",
        store: false,
        stream: false,
        temperature: 0.5,
        text: { format: { type: "text" }, verbosity: "low" },
        tool_choice: "auto",
        tools: [calculator, { type: "mcp", server_label: "a" }],
        top_logprobs: 1,
        top_p: 1,
        truncation: "disabled",
        user: "u"
      })
    })
  )
})
