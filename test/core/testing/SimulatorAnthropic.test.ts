import { assert, describe, it } from "@effect/vitest"
import * as Simulator from "@infermesh/core/testing/Simulator"
import { Effect } from "effect"
import { TestClock } from "effect/testing"

import { body, chunks, keys, recordedIt, shape } from "./Recording.ts"
import { get, isResponse, json, postTo, read, respond, values } from "./SimulatorExchange.ts"

interface Block {
  readonly type: string
  readonly text?: string
  readonly thinking?: string
  readonly signature?: string
  readonly id?: string
  readonly name?: string
  readonly input?: Record<string, unknown>
}

interface Answer {
  readonly id: string
  readonly content: ReadonlyArray<Block>
  readonly stop_reason: string
  readonly stop_sequence: string | null
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number }
}

interface Event {
  readonly type: string
  readonly index?: number
  readonly message?: Answer
  readonly content_block?: Block
  readonly delta?: {
    readonly type?: string
    readonly text?: string
    readonly thinking?: string
    readonly signature?: string
    readonly partial_json?: string
    readonly stop_reason?: string
    readonly stop_sequence?: string | null
  }
  readonly usage?: Answer["usage"]
  readonly error?: { readonly type: string; readonly message: string }
}

interface ErrorBody {
  readonly type: string
  readonly error: { readonly type: string; readonly message: string }
  readonly request_id: string
}

const user = { role: "user", content: "Hello" }
const version = { "anthropic-version": "2023-06-01" }
const request = (fields: object = {}, headers: Record<string, string> = version) =>
  postTo(
    "/v1/messages",
    { model: "claude-test", max_tokens: 1000, messages: [user], ...fields },
    headers
  )

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

const refuse = (simulator: Simulator.Simulator, asked: ReturnType<typeof request>) =>
  Effect.map(respond(simulator, asked), (response) => ({
    status: response.status,
    headers: response.headers,
    ...(json(response) as ErrorBody)
  }))

const says = (content: string) => ({ messages: [{ role: "user", content }] })
const textOf = ({ content }: Answer) => content.map(({ text }) => text ?? "").join("")

const schema = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "integer" } },
  required: ["city", "days"],
  additionalProperties: false
}
const tools = ["weather", "calendar"].map((name) => ({ name, input_schema: schema }))
const thinking = { thinking: { type: "enabled", budget_tokens: 1024 }, max_tokens: 2000 }
const format = { type: "json_schema", schema }

describe("a message", () => {
  const recordings = {
    text: "anthropic/anthropic-text.json",
    json: "anthropic/anthropic-json-output-format.1.json",
    thinking: "anthropic/anthropic-claude-opus-5-reasoning-high.1.json",
    refusal: "anthropic/anthropic-refusal.json",
    tool: "anthropic/anthropic-json-tool.1.json"
  }
  recordedIt("has the keys of recorded ones", Object.values(recordings), () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      assert.deepStrictEqual(shape(yield* ask(simulator)), shape(body(recordings.text)))

      const structured = yield* ask(simulator, { output_config: { format } })
      const older = body(recordings.json) as Answer
      // Where the inference took place was not told yet.
      const usage = { ...older.usage, inference_geo: "not_available" }
      assert.deepStrictEqual(shape(structured), shape({ ...older, usage }))

      const thought = yield* ask(simulator, thinking)
      const recorded = body(recordings.thinking) as Answer & { stop_details: null }
      const { stop_details: _details, ...before } = recorded
      assert.deepStrictEqual(shape(thought), shape(before))
      assert.deepStrictEqual(shape(thought.content[1]), shape(recorded.content[1]))

      const called = yield* ask(simulator, { tools, tool_choice: { type: "any" } })
      assert.deepStrictEqual(
        shape({ ...called.content[0], input: {} }),
        shape({ ...(body(recordings.tool) as Answer).content[0], input: {} })
      )

      const refusing = yield* Simulator.make({ script: ["refusal"] })
      const refused = yield* ask(refusing)
      const theirs = body(recordings.refusal) as Answer & { stop_details: object }
      assert.deepStrictEqual(
        keys(refused),
        keys({ ...theirs, stop_details: { ...theirs.stop_details, recommended_model: null } })
      )
      assert.strictEqual(refused.stop_reason, "refusal")
      assert.deepStrictEqual(refused.content, [])
    })
  )

  it.effect("is text with usage, the same for the same prompt", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const answer = yield* ask(simulator)
      assert.strictEqual(answer.stop_reason, "end_turn")
      assert.strictEqual(answer.usage.input_tokens, 3 + 4 + 2)
      assert.strictEqual(answer.usage.output_tokens, Math.ceil(textOf(answer).length / 4))
      const blocks = { messages: [{ role: "user", content: [{ type: "text", text: "Hello" }] }] }
      assert.strictEqual(textOf(yield* ask(simulator, blocks)), textOf(answer))
      const system = yield* ask(simulator, { system: "Be brief." })
      assert.strictEqual(system.usage.input_tokens, 9 + 4 + 3)
      assert.notStrictEqual(textOf(system), textOf(answer))
    })
  )

  it.effect("says why it stopped", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ outputTokens: { min: 30, max: 30 } })
      const text = textOf(yield* ask(simulator))
      const word = text.split(" ")[2] ?? ""
      const stopped = yield* ask(simulator, { stop_sequences: ["never to be found", word] })
      assert.deepInclude(stopped, { stop_reason: "stop_sequence", stop_sequence: word })
      assert.strictEqual(textOf(stopped), text.slice(0, text.indexOf(word)))
      const cut = yield* ask(simulator, { max_tokens: 5 })
      assert.deepInclude(cut, { stop_reason: "max_tokens", stop_sequence: null })
      assert.strictEqual(cut.usage.output_tokens, 5)
      const small = yield* Simulator.make({ contextWindow: 20, outputTokens: { min: 30, max: 30 } })
      const full = yield* ask(small)
      assert.strictEqual(full.stop_reason, "model_context_window_exceeded")
      assert.strictEqual(full.usage.output_tokens, 11)
    })
  )

  it.effect("begins with signed thoughts where asked, and hides them where asked", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const { content, usage } = yield* ask(simulator, thinking)
      assert.deepStrictEqual(
        content.map(({ type }) => type),
        ["thinking", "text"]
      )
      assert.isAbove(content[0]?.thinking?.length ?? 0, 10)
      assert.isAbove(content[0]?.signature?.length ?? 0, 100)
      assert.isAbove(usage.output_tokens, Math.ceil((content[1]?.text?.length ?? 0) / 4))
      const adaptive = yield* ask(simulator, { thinking: { type: "adaptive", display: "omitted" } })
      assert.strictEqual(adaptive.content[0]?.thinking, "")
      assert.isAbove(adaptive.content[0]?.signature?.length ?? 0, 100)
      const off = yield* ask(simulator, { thinking: { type: "disabled" } })
      assert.strictEqual(off.content[0]?.type, "text")
    })
  )

  it.effect("is JSON of the schema asked for", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const parsed = JSON.parse(
        textOf(yield* ask(simulator, { output_config: { format, effort: "low" } }))
      ) as Record<string, unknown>
      assert.isString(parsed["city"])
      assert.isNumber(parsed["days"])
      const beta = request(
        { output_format: format },
        { ...version, "anthropic-beta": "structured-outputs-2025-11-13" }
      )
      const answer = json(yield* respond(simulator, beta)) as Answer
      assert.doesNotThrow(() => JSON.parse(textOf(answer)))
    })
  )

  it.effect("calls tools, and speaks once their results are sent back", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const names = (fields: object) =>
        Effect.map(ask(simulator, { tools, ...fields }), ({ content }) =>
          content.map(({ name, type }) => name ?? type)
        )
      assert.deepStrictEqual(yield* names({}), ["text"])
      assert.deepStrictEqual(yield* names(says("call the tools")), ["weather", "calendar"])
      const alone = { tool_choice: { type: "auto", disable_parallel_tool_use: true } }
      assert.deepStrictEqual(yield* names({ ...says("call the tools"), ...alone }), ["weather"])
      assert.deepStrictEqual(yield* names({ tool_choice: { type: "tool", name: "calendar" } }), [
        "calendar"
      ])
      assert.deepStrictEqual(
        yield* names({ ...says("call the tool"), tool_choice: { type: "none" } }),
        ["text"]
      )
      const called = yield* ask(simulator, { tools, tool_choice: { type: "any" } })
      assert.strictEqual(called.stop_reason, "tool_use")
      const [call] = called.content
      assert.match(call?.id ?? "", /^toolu_\w{24}$/)
      assert.isNumber(call?.input?.["days"])
      const result = { type: "tool_result", tool_use_id: call?.id, content: "sunny" }
      const messages = [
        { role: "user", content: "call the tool" },
        { role: "assistant", content: called.content },
        { role: "user", content: [result] }
      ]
      assert.deepStrictEqual(yield* names({ messages }), ["text"])
    })
  )
})

describe("a streamed message", () => {
  const recordings = {
    text: "anthropic/anthropic-text.chunks.txt",
    thinking: "anthropic/anthropic-clear-thinking.1.chunks.txt",
    tool: "anthropic/anthropic-json-tool.1.chunks.txt",
    refusal: "anthropic/anthropic-refusal.chunks.txt"
  }
  const kind = ({ content_block, delta, type }: Event) =>
    `${type} ${content_block?.type ?? delta?.type ?? ""}`
  const once = (events: ReadonlyArray<Event>) => [...new Set(events.map(kind))]

  for (const [name, fields, script] of [
    ["text", {}, "answer"],
    ["thinking", thinking, "answer"],
    ["tool", { tools, tool_choice: { type: "any" } }, "answer"],
    ["refusal", {}, "refusal"]
  ] as const) {
    const recording = recordings[name]
    recordedIt(
      `has events of the recorded shapes in the recorded order: ${name}`,
      [recording],
      () =>
        Effect.gen(function* () {
          const simulator = yield* Simulator.make({ script: [script] })
          const sent = yield* stream(simulator, fields)
          const recorded = chunks(recording) as ReadonlyArray<Event>
          assert.deepStrictEqual(once(sent), once(recorded))
          for (const one of once(recorded)) {
            const [ours, theirs] = [sent, recorded].map((list) =>
              list.find((event) => kind(event) === one)
            )
            // Usage differs from model to model; its keys are those of the whole message.
            const plain = (event: Event | undefined) => ({
              ...event,
              usage: {},
              context_management: {},
              message: event?.message && { ...event.message, usage: {} },
              delta: event?.delta && { ...event.delta, stop_details: {} }
            })
            assert.deepStrictEqual(keys(plain(ours)), keys(plain(theirs)), one)
          }
        })
    )
  }

  it.effect("adds up to the whole message, and names its events", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      for (const fields of [
        thinking,
        { ...thinking, tools, ...says("call the tools") },
        { max_tokens: 3 }
      ]) {
        const whole = yield* ask(simulator, fields)
        const events = yield* stream(simulator, fields)
        const content = whole.content.map((block, index) => {
          const deltas = events.flatMap((event) =>
            event.index === index && event.delta !== undefined ? [event.delta] : []
          )
          const join = (pick: (delta: NonNullable<Event["delta"]>) => string | undefined) =>
            deltas.map((delta) => pick(delta) ?? "").join("")
          switch (block.type) {
            case "text":
              return { ...block, text: join(({ text }) => text) }
            case "thinking":
              return {
                ...block,
                thinking: join((delta) => delta.thinking),
                signature: join(({ signature }) => signature)
              }
            default:
              return {
                ...block,
                input: JSON.parse(join(({ partial_json }) => partial_json)) as object
              }
          }
        })
        assert.deepStrictEqual<unknown>(content, whole.content)
        const ending = events.at(-2)
        assert.strictEqual(ending?.delta?.stop_reason, whole.stop_reason)
        assert.strictEqual(ending?.usage?.output_tokens, whole.usage.output_tokens)
      }
      const raw = yield* read(yield* respond(simulator, request({ stream: true })))
      for (const event of raw.trim().split("\n\n")) {
        const [name, data] = event.split("\n")
        const { type } = JSON.parse(data?.replace("data: ", "") ?? "") as Event
        assert.strictEqual(name, `event: ${type}`)
      }
    })
  )

  it.effect("may end in an error event, be cut, or be malformed", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ script: ["streamError", "malformed"] })
      const failed = yield* stream(simulator)
      assert.deepStrictEqual(failed.at(-1), {
        type: "error",
        error: { type: "api_error", message: "Internal server error" }
      })
      const raw = yield* read(yield* respond(simulator, request({ stream: true })))
      const broken = raw.split("\n\n").filter((event) => {
        const data = /data: (.*)/.exec(event)?.[1]
        return data !== undefined && !data.endsWith("}")
      })
      assert.strictEqual(broken.length, 1)
    })
  )
})

describe("a wrong request for a message", () => {
  const call = { type: "tool_use", id: "toolu_1", name: "weather", input: {} }
  const result = { type: "tool_result", tool_use_id: "toolu_1", content: "x" }
  const open = { type: "object", properties: {} }
  const bounded = {
    ...schema,
    properties: { ...schema.properties, days: { type: "integer", minimum: 1, maximum: 7 } }
  }
  const recursive = {
    type: "object",
    properties: { next: { $ref: "#" } },
    additionalProperties: false
  }
  const cases: ReadonlyArray<readonly [string, object, RegExp]> = [
    ["no max_tokens", { max_tokens: undefined }, /^max_tokens: Field required$/],
    [
      "a field of chat completions",
      { response_format: {} },
      /^response_format: Extra inputs are not permitted$/
    ],
    [
      "a field of a beta without its header",
      { output_format: format },
      /^output_format: Extra inputs are not permitted$/
    ],
    [
      "a system role",
      { messages: [{ role: "system", content: "x" }] },
      /^messages\.0\.role: Input should be 'user' or 'assistant'$/
    ],
    [
      "content of another type",
      { messages: [{ role: "user", content: 7 }] },
      /^messages\.0\.content: Input should be a valid string or list$/
    ],
    [
      "an unknown field of a block",
      { messages: [{ role: "user", content: [{ type: "text", text: "a", id: "b" }] }] },
      /^messages\.0\.content\.0\.text\.id: Extra inputs are not permitted$/
    ],
    [
      "an image by its address as in chat completions",
      { messages: [{ role: "user", content: [{ type: "image_url", image_url: {} }] }] },
      /^messages\.0\.content\.0\.type: Input should be 'text', 'image',/
    ],
    [
      "a temperature above 1",
      { temperature: 1.5 },
      /^temperature: Input should be less than or equal to 1$/
    ],
    [
      "max_tokens of zero",
      { max_tokens: 0 },
      /^max_tokens: Input should be greater than or equal to 1$/
    ],
    [
      "a small thinking budget",
      { thinking: { type: "enabled", budget_tokens: 1000 } },
      /^thinking\.enabled\.budget_tokens: Input should be greater than or equal to 1024$/
    ],
    [
      "a thinking budget of all tokens",
      { thinking: { type: "enabled", budget_tokens: 1024 }, max_tokens: 1024 },
      /^`max_tokens` must be greater than `thinking\.budget_tokens`/
    ],
    [
      "temperature while thinking",
      { ...thinking, temperature: 0.5 },
      /^`temperature` may only be set to 1 when thinking/
    ],
    [
      "a forced tool while thinking",
      { ...thinking, tools, tool_choice: { type: "any" } },
      /^Thinking may not be enabled when tool_choice forces tool use/
    ],
    ["no messages", { messages: [] }, /^messages: at least one message is required$/],
    [
      "the assistant first",
      { messages: [{ role: "assistant", content: "a" }] },
      /^messages: first message must use the "user" role$/
    ],
    [
      "an empty message",
      { messages: [{ role: "user", content: "" }] },
      /^messages\.0: all messages must have non-empty content/
    ],
    [
      "an empty block",
      { messages: [{ role: "user", content: [{ type: "text", text: "" }] }] },
      /^messages: text content blocks must be non-empty$/
    ],
    [
      "a block of blanks",
      { messages: [{ role: "user", content: " " }] },
      /^messages: text content blocks must contain non-whitespace text$/
    ],
    [
      "blanks at the end of the answer's beginning",
      { messages: [user, { role: "assistant", content: "{ " }] },
      /cannot end with trailing whitespace$/
    ],
    [
      "a call without its result",
      { messages: [user, { role: "assistant", content: [call] }, user] },
      /^messages\.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1\./
    ],
    [
      "a result without its call",
      { messages: [{ role: "user", content: [result] }] },
      /^messages\.0\.content\.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1\./
    ],
    [
      "a tool without its schema",
      { tools: [{ name: "f" }] },
      /^tools\.0\.custom\.input_schema: Field required$/
    ],
    [
      "tool_choice without tools",
      { tool_choice: { type: "auto" } },
      /^tool_choice may only be specified while providing tools\.$/
    ],
    [
      "an unknown tool demanded",
      { tools, tool_choice: { type: "tool", name: "x" } },
      /Tool 'x' not found in provided tools$/
    ],
    [
      "tool_choice as a word",
      { tools, tool_choice: "auto" },
      /^tool_choice: Input should be a valid dictionary$/
    ],
    [
      "an open schema",
      { output_config: { format: { type: "json_schema", schema: open } } },
      /^output_config\.format\.schema: For 'object' type, 'additionalProperties' must be explicitly set to false$/
    ],
    [
      "bounds in a schema",
      { output_config: { format: { type: "json_schema", schema: bounded } } },
      /For 'integer' type, properties minimum, maximum are not supported$/
    ],
    [
      "a schema without an end",
      { output_config: { format: { type: "json_schema", schema: recursive } } },
      /Recursive schemas are not supported$/
    ],
    [
      "a strict tool that is open",
      { tools: [{ name: "f", input_schema: open, strict: true }] },
      /^tools\.0\.custom\.input_schema: For 'object' type/
    ],
    [
      "more output than the model has",
      { max_tokens: 3001 },
      /^max_tokens: 3001 > 3000, which is the maximum allowed number of output tokens for claude-test$/
    ],
    [
      "a prompt larger than the context",
      says("x".repeat(20_000)),
      /^prompt is too long: 5007 tokens > 5000 maximum$/
    ],
    ["a parameter the model refuses", { top_k: 1 }, /^`top_k` is deprecated for this model\.$/]
  ]
  for (const [name, fields, message] of cases) {
    it.effect(`is refused as Anthropic refuses it: ${name}`, () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator.make({
          contextWindow: 5000,
          maxOutputTokens: 3000,
          unsupportedParameters: ["top_k"]
        })
        const refused = yield* refuse(simulator, request(fields))
        assert.strictEqual(refused.status, 400)
        assert.strictEqual(refused.type, "error")
        assert.strictEqual(refused.error.type, "invalid_request_error")
        assert.match(refused.error.message, message)
        assert.strictEqual(refused.request_id, refused.headers["request-id"])
      })
    )
  }

  it.effect("is one without the version, with another one, or that is no JSON", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const none = yield* refuse(simulator, request({}, {}))
      assert.strictEqual(none.error.message, "anthropic-version: header is required")
      const wrong = yield* refuse(simulator, request({}, { "anthropic-version": "2" }))
      assert.match(wrong.error.message, /is not a valid version$/)
      const text = yield* refuse(simulator, { ...request(), body: "{" })
      assert.match(text.error.message, /not valid JSON/)
    })
  )

  it.effect("is one with a wrong key, model or address", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ apiKey: "right", models: ["claude-test"] })
      const keyed = (key: string) => request({}, { ...version, "x-api-key": key })
      const none = yield* refuse(simulator, request())
      assert.deepInclude(none, { status: 401 })
      assert.strictEqual(none.error.type, "authentication_error")
      const wrong = yield* refuse(simulator, keyed("wrong"))
      assert.strictEqual(wrong.error.message, "invalid x-api-key")
      assert.strictEqual((yield* respond(simulator, keyed("right"))).status, 200)
      const model = yield* refuse(
        simulator,
        request({ model: "gpt" }, { ...version, "x-api-key": "right" })
      )
      assert.deepInclude(model, { status: 404 })
      assert.deepStrictEqual(model.error, { type: "not_found_error", message: "model: gpt" })
      const address = isResponse(
        yield* simulator.handle({ ...get("/v1/nothing"), headers: version })
      )
      assert.strictEqual((json(address) as ErrorBody).error.type, "not_found_error")
    })
  )

  it.effect("is none with every documented field", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const cache = { type: "ephemeral", ttl: "5m" }
      yield* ask(simulator, {
        ...thinking,
        cache_control: cache,
        container: null,
        inference_geo: "us",
        metadata: { user_id: "u" },
        output_config: { effort: "high" },
        service_tier: "auto",
        stop_sequences: ["END"],
        system: [{ type: "text", text: "Be brief.", cache_control: cache }],
        temperature: 1,
        tool_choice: { type: "auto", disable_parallel_tool_use: true },
        tools: [
          { type: "custom", name: "f", description: "d", input_schema: open, cache_control: cache },
          { type: "web_search_20250305", name: "web_search", max_uses: 3 }
        ],
        top_k: 5,
        top_p: 0.9,
        messages: [
          {
            role: "user",
            content: [
              { type: "text", text: "Look", cache_control: cache },
              { type: "image", source: { type: "url", url: "https://example.com/a.png" } },
              {
                type: "document",
                source: { type: "base64", media_type: "application/pdf", data: "AAAA" },
                title: "t",
                citations: { enabled: true }
              }
            ]
          },
          {
            role: "assistant",
            content: [
              { type: "thinking", thinking: "t", signature: "s" },
              { type: "redacted_thinking", data: "d" },
              call
            ]
          },
          { role: "user", content: [{ ...result, content: [{ type: "text", text: "x" }] }] }
        ]
      })
    })
  )
})

describe("messages under load", () => {
  const faults = [
    ["rateLimited", 429, "rate_limit_error", "1"],
    ["insufficientQuota", 400, "invalid_request_error", undefined],
    ["unauthorized", 401, "authentication_error", undefined],
    ["internal", 500, "api_error", undefined],
    ["unavailable", 503, "api_error", undefined],
    ["overloaded", 529, "overloaded_error", undefined]
  ] as const
  it.effect("meet the vendor's own errors", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ script: faults.map(([fault]) => fault) })
      for (const [, status, type, retryAfter] of faults) {
        const refused = yield* refuse(simulator, request())
        assert.strictEqual(refused.status, status)
        assert.strictEqual(refused.error.type, type)
        assert.strictEqual(refused.headers["retry-after"], retryAfter)
        assert.notProperty(refused.headers, "x-request-id")
      }
    })
  )

  it.effect("tell of their limits, input and output apart, with times of reset", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({
        outputTokens: { min: 10, max: 10 },
        quota: { rpm: 5, itpm: 30, otpm: 1000 }
      })
      yield* TestClock.adjust(1500)
      const first = yield* respond(simulator, request())
      const { usage } = json(first) as Answer
      // The minute's last entry leaves the window at 61.5 s, which is written as the second after it.
      assert.deepInclude(first.headers, {
        "anthropic-ratelimit-requests-limit": "5",
        "anthropic-ratelimit-requests-remaining": "4",
        "anthropic-ratelimit-requests-reset": "1970-01-01T00:01:02Z",
        "anthropic-ratelimit-input-tokens-limit": "30",
        "anthropic-ratelimit-input-tokens-remaining": "21",
        "anthropic-ratelimit-output-tokens-remaining": String(1000 - usage.output_tokens),
        "anthropic-ratelimit-tokens-limit": "30",
        "anthropic-ratelimit-tokens-remaining": "21"
      })
      yield* respond(simulator, request())
      yield* respond(simulator, request())
      const refused = yield* refuse(simulator, request())
      assert.strictEqual(refused.status, 429)
      assert.match(refused.error.message, /of 30 input tokens per minute/)
      assert.strictEqual(refused.headers["retry-after"], "60")
      assert.strictEqual((yield* simulator.stats).violations.itpm, 1)
    })
  )
})
