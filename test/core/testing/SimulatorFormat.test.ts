import { createRequire } from "node:module"
import { join } from "node:path"

import { assert, describe, it } from "@effect/vitest"
import * as Simulator from "@infermesh/core/testing/Simulator"
import { Draw, Fingerprint } from "@infermesh/core/testing/simulator/Draw"
import * as JsonSample from "@infermesh/core/testing/simulator/JsonSample"
import { duration } from "@infermesh/core/testing/simulator/OpenAiDuration"
import * as TokenCount from "@infermesh/core/testing/simulator/TokenCount"
import { Effect } from "effect"
import * as fc from "fast-check"

import { body, chunks as recordedChunks, recordedIt, shape } from "./Recording.ts"
import {
  chat,
  complete,
  type Completion,
  events,
  json,
  post,
  read,
  respond
} from "./SimulatorExchange.ts"

const root = join(import.meta.dirname, "../../..")

interface Ajv {
  readonly compile: (schema: unknown) => (value: unknown) => boolean
}
const require = createRequire(join(root, "packages/core/package.json"))
const { default: Ajv2020 } = require("ajv/dist/2020") as {
  readonly default: new (options: object) => Ajv
}
const ajv = new Ajv2020({ strict: false, validateFormats: false })

describe("a whole answer", () => {
  const recording = "openai-chat/openai-text.json"
  recordedIt("has the keys, in the order, of a recorded one", [recording], () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const answer = json(yield* respond(simulator, chat("Hello")))
      assert.deepStrictEqual(shape(answer), shape(body(recording)))
    })
  )

  it.effect("counts tokens by the documented rule", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const messages = [
        { role: "system", content: "Be brief." },
        { role: "user", name: "anna", content: "naïve 😀" },
        { role: "user", content: [{ type: "text", text: "12345" }] },
        {
          role: "user",
          content: [{ type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }]
        }
      ]
      const { choices, usage } = yield* complete(simulator, post({ model: "m", messages }))
      // 3 for the answer, 4 a message, 1 for the name; 9 bytes, 11 bytes, 5 bytes, one image.
      assert.strictEqual(usage.prompt_tokens, 3 + 4 * 4 + 1 + 3 + 3 + 2 + 85)
      const text = choices[0]?.message.content ?? ""
      assert.strictEqual(usage.completion_tokens, Math.ceil(text.length / 4))
      assert.strictEqual(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)
    })
  )

  it.effect("is cut at the tokens the request or the model allows, and says so", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ maxOutputTokens: 6 })
      const whole = yield* Simulator.make()
      const text = (yield* complete(whole, chat("Hello"))).choices[0]?.message.content ?? ""
      for (const [body, tokens] of [
        [{ max_tokens: 5 }, 5],
        [{ max_completion_tokens: 4 }, 4],
        [{ max_tokens: null }, 6]
      ] as const) {
        const { choices, usage } = yield* complete(simulator, chat("Hello", body))
        assert.strictEqual(choices[0]?.finish_reason, "length")
        assert.strictEqual(choices[0]?.message.content, text.slice(0, tokens * 4))
        assert.strictEqual(usage.completion_tokens, tokens)
      }
      const enough = yield* complete(whole, chat("Hello", { max_tokens: 1000 }))
      assert.strictEqual(enough.choices[0]?.finish_reason, "stop")
    })
  )

  it.effect("is cut where the context window ends", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ contextWindow: 12 })
      const { choices, usage } = yield* complete(simulator, chat("Hello"))
      assert.deepInclude(usage, { prompt_tokens: 9, completion_tokens: 3 })
      assert.strictEqual(choices[0]?.finish_reason, "length")
    })
  )

  it.effect("ends before a stop sequence", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const whole = yield* complete(simulator, chat("Hello"))
      const text = whole.choices[0]?.message.content ?? ""
      const word = text.split(" ")[3] ?? ""
      for (const stop of [word, ["never to be found", word]]) {
        const { choices } = yield* complete(simulator, chat("Hello", { stop }))
        assert.strictEqual(choices[0]?.message.content, text.slice(0, text.indexOf(word)))
        assert.strictEqual(choices[0]?.finish_reason, "stop")
      }
    })
  )

  it.effect("has as many different choices as asked for, paid together", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const { choices, usage } = yield* complete(simulator, chat("Hello", { n: 4 }))
      const texts = choices.map((choice) => choice.message.content ?? "")
      assert.deepStrictEqual(
        choices.map((choice) => choice.index),
        [0, 1, 2, 3]
      )
      assert.strictEqual(new Set(texts).size, 4)
      const tokens = texts.reduce((sum, text) => sum + TokenCount.tokensOf(text), 0)
      assert.strictEqual(usage.completion_tokens, tokens)
    })
  )

  it.effect("has log probabilities when asked for", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const { choices } = yield* complete(
        simulator,
        chat("Hello", { logprobs: true, top_logprobs: 3 })
      )
      const tokens = choices[0]?.logprobs?.content ?? []
      assert.strictEqual(tokens.map(({ token }) => token).join(""), choices[0]?.message.content)
      assert.isTrue(tokens.every((token) => token.top_logprobs.length === 3))
    })
  )

  it.effect("comes without the prefix /v1 too", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const response = yield* respond(simulator, { ...chat("Hi"), path: "/chat/completions?a=b" })
      assert.strictEqual(response.status, 200)
    })
  )
})

describe("structured output", () => {
  const schema = {
    type: "object",
    properties: {
      title: { type: "string", minLength: 3, maxLength: 20 },
      kind: { enum: ["news", "essay", 3] },
      version: { const: 2 },
      stars: { type: "integer", minimum: 1, maximum: 5 },
      score: { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1 },
      even: { type: "integer", multipleOf: 2, minimum: 3, maximum: 9 },
      draft: { type: "boolean" },
      note: { anyOf: [{ type: "string" }, { type: "null" }] },
      state: { type: ["string", "null"] },
      tags: { type: "array", items: { type: "string" }, minItems: 2, maxItems: 4 },
      pair: {
        type: "array",
        prefixItems: [{ type: "integer" }, { type: "string" }],
        items: false,
        minItems: 2
      },
      tree: { $ref: "#/$defs/node" },
      both: {
        allOf: [
          { type: "object", properties: { a: { type: "integer" } }, required: ["a"] },
          { properties: { b: { type: "string" } }, required: ["b"] }
        ]
      },
      rest: { type: "object", additionalProperties: { type: "integer" } }
    },
    required: [
      "title",
      "kind",
      "version",
      "stars",
      "score",
      "even",
      "draft",
      "note",
      "state",
      "tags",
      "pair",
      "tree",
      "both",
      "rest"
    ],
    additionalProperties: false,
    $defs: {
      node: {
        type: "object",
        properties: {
          value: { type: "integer" },
          children: { type: "array", items: { $ref: "#/$defs/node" } },
          next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] }
        },
        required: ["value", "children", "next"],
        additionalProperties: false
      }
    }
  }

  it.effect("conforms to the schema, for any prompt", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const valid = ajv.compile(schema)
      const seen = new Set<string>()
      for (let index = 0; index < 300; index++) {
        const { choices } = yield* complete(
          simulator,
          chat(`Item ${index}`, {
            response_format: { type: "json_schema", json_schema: { name: "item", schema } }
          })
        )
        const content = choices[0]?.message.content ?? ""
        assert.isTrue(valid(JSON.parse(content)), content)
        assert.strictEqual(choices[0]?.finish_reason, "stop")
        seen.add(content)
      }
      assert.strictEqual(seen.size, 300)
    })
  )

  it("conforms for any schema of objects, arrays, numbers and choices", () => {
    const { tree } = fc.letrec<{ tree: object }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<object>(
          { type: "string" },
          { type: "boolean" },
          { type: "null" },
          true as never,
          {}
        ),
        fc
          .tuple(
            fc.integer({ min: -50, max: 50 }),
            fc.nat(20),
            fc.constantFrom("integer", "number")
          )
          .map(([minimum, size, type]) => ({ type, minimum, maximum: minimum + size })),
        fc
          .tuple(fc.nat(5), fc.nat(10))
          .map(([minLength, size]) => ({ type: "string", minLength, maxLength: minLength + size })),
        fc
          .array(fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)), {
            minLength: 1,
            maxLength: 4
          })
          .map((values) => ({ enum: values })),
        fc.array(tie("tree"), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
        fc.tuple(tie("tree"), fc.nat(3), fc.nat(3)).map(([items, minItems, more]) => ({
          type: "array",
          items,
          minItems,
          maxItems: minItems + more
        })),
        fc.dictionary(fc.constantFrom("a", "b", "c", "d"), tie("tree")).chain((properties) =>
          fc.subarray(Object.keys(properties)).map((required) => ({
            type: "object",
            properties,
            required,
            additionalProperties: false
          }))
        )
      )
    }))
    fc.assert(
      fc.property(tree, fc.nat(), (schema, seed) => {
        const value = JsonSample.sample(schema, new Draw(seed, 1, "test", 0))
        const written: unknown = JSON.parse(JSON.stringify(value))
        assert.isTrue(ajv.compile(schema)(written), JSON.stringify({ schema, value }))
      }),
      { numRuns: 500 }
    )
  })

  it("ends where a schema never does", () => {
    const endless = {
      type: "object",
      properties: { next: { $ref: "#" } },
      required: ["next"]
    }
    assert.isString(JSON.stringify(JsonSample.sample(endless, new Draw(1, 1, "test", 0))))
    const circle = { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/a" } } }
    assert.doesNotThrow(() => JsonSample.sample(circle, new Draw(1, 1, "test", 0)))
  })

  it("stays small where a schema may branch for ever", () => {
    const node = { $ref: "#/$defs/node" }
    const child = { anyOf: [node, node, node, { type: "null" }] }
    const schema = {
      ...node,
      $defs: {
        node: {
          type: "object",
          properties: { left: child, right: child },
          required: ["left", "right"]
        }
      }
    }
    for (let seed = 0; seed < 100; seed++) {
      const text = JSON.stringify(JsonSample.sample(schema, new Draw(seed, 1, "test", 0)))
      assert.isBelow(text.length, 1000)
    }
  })

  it("writes the formats a schema names", () => {
    const patterns = {
      date: /^\d{4}-\d\d-\d\d$/,
      "date-time": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
      email: /^[a-z.0-9]+@example\.com$/,
      uuid: /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/,
      ipv4: /^192\.0\.2\.\d+$/
    }
    for (const [format, pattern] of Object.entries(patterns)) {
      const value = JsonSample.sample({ type: "string", format }, new Draw(3, 1, "test", 0))
      assert.match(String(value), pattern)
    }
  })

  it.effect("is some object for json_object", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const { choices } = yield* complete(
        simulator,
        chat("Answer in JSON", { response_format: { type: "json_object" } })
      )
      assert.containsAllKeys(JSON.parse(choices[0]?.message.content ?? ""), ["answer"])
    })
  )
})

describe("tool calls", () => {
  const parameters = {
    type: "object",
    properties: { city: { type: "string" }, days: { type: "integer", minimum: 1, maximum: 7 } },
    required: ["city", "days"]
  }
  const tools = ["weather", "calendar"].map((name) => ({
    type: "function",
    function: { name, parameters }
  }))
  const callsOf = (completion: Completion) =>
    completion.choices[0]?.message.tool_calls?.map((call) => call.function.name) ?? []

  it.effect("are made when demanded or when the prompt says so, and not otherwise", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const calls = (prompt: string, body = {}) =>
        Effect.map(complete(simulator, chat(prompt, { tools, ...body })), callsOf)
      assert.deepStrictEqual(yield* calls("Hello"), [])
      assert.deepStrictEqual(yield* calls("Please call the tool"), ["weather"])
      assert.deepStrictEqual(yield* calls("Please call the tool calendar"), ["calendar"])
      assert.deepStrictEqual(yield* calls("Call the tools"), ["weather", "calendar"])
      assert.deepStrictEqual(yield* calls("Call the tools", { parallel_tool_calls: false }), [
        "weather"
      ])
      assert.deepStrictEqual(yield* calls("call the tool", { tool_choice: "none" }), [])
      assert.deepStrictEqual(yield* calls("Hello", { tool_choice: "required" }), ["weather"])
      const named = { type: "function", function: { name: "calendar" } }
      assert.deepStrictEqual(yield* calls("Hello", { tool_choice: named }), ["calendar"])
      const allowed = {
        type: "allowed_tools",
        allowed_tools: {
          mode: "required",
          tools: [{ type: "function", function: { name: "calendar" } }]
        }
      }
      assert.deepStrictEqual(yield* calls("Hello", { tool_choice: allowed }), ["calendar"])
    })
  )

  it.effect("have arguments that conform, no text, and finish as OpenAI's do", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const valid = ajv.compile(parameters)
      const finish = (body: object) =>
        Effect.map(complete(simulator, chat("Hello", { tools, ...body })), ({ choices }) => {
          const call = choices[0]?.message.tool_calls?.[0]
          assert.isNull(choices[0]?.message.content)
          assert.match(call?.id ?? "", /^call_\w{24}$/)
          assert.isTrue(valid(JSON.parse(call?.function.arguments ?? "")))
          return choices[0]?.finish_reason
        })
      assert.strictEqual(yield* finish({ tool_choice: "required" }), "tool_calls")
      const named = { type: "function", function: { name: "weather" } }
      assert.strictEqual(yield* finish({ tool_choice: named }), "stop")
    })
  )

  it.effect("lead to an answer in text once their results are sent back", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const question = { role: "user", content: "call the tool" }
      const first = yield* complete(simulator, post({ model: "m", messages: [question], tools }))
      const call = first.choices[0]?.message.tool_calls?.[0]
      const messages = [
        question,
        { role: "assistant", content: null, tool_calls: [call] },
        { role: "tool", tool_call_id: call?.id, content: "sunny" }
      ]
      const second = yield* complete(simulator, post({ model: "m", messages, tools }))
      assert.deepStrictEqual(callsOf(second), [])
      assert.isAbove(second.choices[0]?.message.content?.length ?? 0, 10)
    })
  )
})

describe("a stream", () => {
  interface Chunk {
    readonly choices: ReadonlyArray<{
      readonly index: number
      readonly delta: {
        readonly content?: string
        readonly tool_calls?: ReadonlyArray<{
          readonly index: number
          readonly id?: string
          readonly function: { readonly name?: string; readonly arguments: string }
        }>
      }
      readonly finish_reason: string | null
    }>
    readonly usage?: Completion["usage"] | null
  }
  const stream = (simulator: Simulator.Simulator, prompt: string, body = {}) =>
    Effect.gen(function* () {
      const response = yield* respond(simulator, chat(prompt, { stream: true, ...body }))
      assert.strictEqual(response.headers["content-type"], "text/event-stream; charset=utf-8")
      const payloads = events(yield* read(response))
      assert.strictEqual(payloads.at(-1), "[DONE]")
      return payloads.slice(0, -1).map((payload) => JSON.parse(payload) as Chunk)
    })

  const recording = "openai-chat/openai-text.chunks.txt"
  recordedIt("has chunks of the recorded shapes", [recording], () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const chunks = yield* stream(simulator, "Hello", { stream_options: { include_usage: true } })
      const recorded = recordedChunks(recording)
      for (const position of [0, 1, -2, -1]) {
        assert.deepStrictEqual(shape(chunks.at(position)), shape(recorded.at(position)))
      }
    })
  )

  it.effect("says what the whole answer says, one token a chunk, and has the same usage", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const whole = yield* complete(simulator, chat("Hello", { max_tokens: 20 }))
      const chunks = yield* stream(simulator, "Hello", {
        max_tokens: 20,
        stream_options: { include_usage: true }
      })
      const texts = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "")
      assert.strictEqual(texts.join(""), whole.choices[0]?.message.content)
      assert.strictEqual(texts.filter((text) => text !== "").length, whole.usage.completion_tokens)
      const finishes = chunks.flatMap((chunk) => chunk.choices[0]?.finish_reason ?? [])
      assert.deepStrictEqual(finishes, [whole.choices[0]?.finish_reason])
      assert.deepStrictEqual(chunks.at(-1)?.usage, whole.usage)
      assert.deepStrictEqual(chunks.at(-1)?.choices, [])
    })
  )

  it.effect("reports usage only when asked", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const chunks = yield* stream(simulator, "Hello")
      assert.isTrue(chunks.every((chunk) => !("usage" in chunk) && chunk.choices.length === 1))
    })
  )

  it.effect("sends tool calls as deltas that add up to the whole call", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const parameters = { type: "object", properties: { q: { type: "string" } }, required: ["q"] }
      const tools = ["one", "two"].map((name) => ({
        type: "function",
        function: { name, parameters }
      }))
      const whole = yield* complete(simulator, chat("call the tools", { tools }))
      const chunks = yield* stream(simulator, "call the tools", { tools })
      const calls: Array<{ id: string; name: string; arguments: string }> = []
      for (const delta of chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? [])) {
        const call = (calls[delta.index] ??= { id: "", name: "", arguments: "" })
        call.id += delta.id ?? ""
        call.name += delta.function.name ?? ""
        call.arguments += delta.function.arguments
      }
      assert.deepStrictEqual(
        calls,
        whole.choices[0]?.message.tool_calls?.map((call) => ({
          id: call.id,
          name: call.function.name,
          arguments: call.function.arguments
        }))
      )
      assert.strictEqual(chunks.at(-1)?.choices[0]?.finish_reason, "tool_calls")
    })
  )

  it.effect("sends several choices side by side", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const whole = yield* complete(simulator, chat("Hello", { n: 2 }))
      const chunks = yield* stream(simulator, "Hello", { n: 2 })
      const texts = ["", ""]
      for (const { choices } of chunks) {
        for (const { delta, index } of choices) texts[index] += delta.content ?? ""
      }
      assert.deepStrictEqual(
        texts,
        whole.choices.map((choice) => choice.message.content)
      )
      assert.deepStrictEqual(
        chunks.slice(0, 4).map((chunk) => chunk.choices[0]?.index),
        [0, 1, 0, 1]
      )
    })
  )
})

describe("token counts", () => {
  it("cut at whole characters, and pieces put a text together again", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat(20), (text, tokens) => {
        const encoder = new TextEncoder()
        assert.strictEqual(TokenCount.utf8Length(text), encoder.encode(text).length)
        assert.strictEqual(TokenCount.pieces(text).join(""), text)
        const cut = TokenCount.cut(text, tokens)
        assert.isTrue(text.startsWith(cut))
        assert.isAtMost(TokenCount.tokensOf(cut), tokens)
      })
    )
  })
})

describe("durations", () => {
  it("are written as OpenAI writes them", () => {
    const written = [0, 17, 999, 1000, 1200, 8640, 60_000, 360_000, 86_399_000].map(duration)
    assert.deepStrictEqual(written, [
      "0s",
      "17ms",
      "999ms",
      "1s",
      "1.2s",
      "8.64s",
      "1m0s",
      "6m0s",
      "23h59m59s"
    ])
  })
})

describe("draws", () => {
  it("are spread evenly over neighbouring prompts, purposes and ordinals", () => {
    const buckets = Array.from({ length: 10 }, () => 0)
    for (let index = 0; index < 20_000; index++) {
      const { value } = new Fingerprint().add("user").add(`prompt ${index % 200}`)
      const draw = new Draw(
        1,
        value,
        index % 2 === 0 ? "fault" : "latency",
        Math.floor(index / 200)
      )
      buckets[Math.floor(draw.next() * 10)]! += 1
    }
    for (const count of buckets) assert.closeTo(count, 2000, 200)
  })

  it("tell pieces of text apart by their borders", () => {
    const hash = (...texts: ReadonlyArray<string>) =>
      texts.reduce((print, text) => print.add(text), new Fingerprint()).value
    assert.notStrictEqual(hash("ab", "c"), hash("a", "bc"))
    assert.strictEqual(hash("ab", "c"), hash("ab", "c"))
  })
})
