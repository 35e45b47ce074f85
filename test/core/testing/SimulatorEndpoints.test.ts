/** What all endpoints have in common: every fault, any body, and answers that do not depend on the order of arrival. */
import { assert, describe, it } from "@effect/vitest"
import * as Simulator from "@infermesh/core/testing/Simulator"
import { kinds } from "@infermesh/core/testing/simulator/Fault"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"

import { encode, wav } from "./AudioFile.ts"
import { get, postTo } from "./SimulatorExchange.ts"

type Endpoint = readonly [
  name: string,
  path: string,
  body: { readonly [field: string]: unknown },
  headers?: Record<string, string>
]

const message = { role: "user", content: "Hello" }
const claude = { "anthropic-version": "2023-06-01" }
const gemini = "/v1beta/models/gemini-3-pro"
const contents = [{ role: "user", parts: [{ text: "Hello" }] }]

const endpoints: ReadonlyArray<Endpoint> = [
  ["chat", "/v1/chat/completions", { model: "m", messages: [message] }],
  ["streamed chat", "/v1/chat/completions", { model: "m", messages: [message], stream: true }],
  ["completions", "/v1/completions", { model: "m", prompt: "Hello" }],
  ["streamed completions", "/v1/completions", { model: "m", prompt: "Hello", stream: true }],
  ["responses", "/v1/responses", { model: "gpt-5", input: "Hello" }],
  ["streamed responses", "/v1/responses", { model: "gpt-5", input: "Hello", stream: true }],
  ["embeddings", "/v1/embeddings", { model: "m", input: ["Hello"], dimensions: 8 }],
  ["messages", "/v1/messages", { model: "m", max_tokens: 90, messages: [message] }, claude],
  [
    "streamed messages",
    "/v1/messages",
    { model: "m", max_tokens: 90, messages: [message], stream: true },
    claude
  ],
  ["content", `${gemini}:generateContent`, { contents }],
  ["streamed content", `${gemini}:streamGenerateContent?alt=sse`, { contents }],
  ["one embedding", `${gemini}:embedContent`, { content: contents[0], outputDimensionality: 8 }]
]

const schema = {
  type: "object",
  properties: { a: { type: "string" }, b: { type: "integer" } },
  required: ["a", "b"],
  additionalProperties: false
}
const prompt = [{ role: "user", content: "call the tools" }]

/** Bodies with much in them that can be wrong. */
const rich: ReadonlyArray<Endpoint> = [
  [
    "rich chat",
    "/v1/chat/completions",
    {
      model: "m",
      messages: [
        { role: "user", content: [{ type: "text", text: "a" }] },
        {
          role: "assistant",
          tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: "{}" } }]
        },
        { role: "tool", tool_call_id: "1", content: "b" },
        ...prompt
      ],
      stop: ["x"],
      tools: [{ type: "function", function: { name: "f", parameters: schema, strict: true } }],
      tool_choice: { type: "function", function: { name: "f" } },
      response_format: { type: "json_schema", json_schema: { name: "s", schema } }
    }
  ],
  [
    "rich responses",
    "/v1/responses",
    {
      model: "gpt-5",
      input: [
        { type: "function_call", call_id: "1", name: "f", arguments: "{}" },
        { type: "function_call_output", call_id: "1", output: "2" },
        { role: "user", content: [{ type: "input_text", text: "call the tools" }] }
      ],
      reasoning: { effort: "low", summary: "auto" },
      text: { format: { type: "json_schema", name: "s", schema } },
      tools: [
        { type: "function", name: "f", parameters: schema, strict: true },
        { type: "custom", name: "g" }
      ],
      tool_choice: { type: "allowed_tools", mode: "required", tools: [{ name: "f" }] },
      max_output_tokens: 90,
      stream: true
    }
  ],
  [
    "rich messages",
    "/v1/messages",
    {
      model: "m",
      max_tokens: 2000,
      messages: [
        { role: "user", content: [{ type: "text", text: "a" }] },
        { role: "assistant", content: [{ type: "tool_use", id: "1", name: "f", input: {} }] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "1", content: "b" }] },
        ...prompt
      ],
      system: [{ type: "text", text: "b" }],
      thinking: { type: "enabled", budget_tokens: 1024 },
      tools: [{ name: "f", input_schema: schema, strict: true }],
      tool_choice: { type: "auto" },
      output_config: { format: { type: "json_schema", schema } },
      stop_sequences: ["x"],
      stream: true
    },
    claude
  ],
  [
    "rich content",
    `${gemini}:generateContent`,
    {
      contents: [
        ...contents,
        { role: "model", parts: [{ functionCall: { name: "f", args: {} } }] },
        { role: "user", parts: [{ functionResponse: { name: "f", response: {} } }] },
        { role: "user", parts: [{ text: "call the tools" }] }
      ],
      systemInstruction: { parts: [{ text: "b" }] },
      tools: [{ functionDeclarations: [{ name: "f", parameters: { type: "OBJECT" } }] }],
      toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["f"] } },
      generationConfig: {
        stopSequences: ["x"],
        responseMimeType: "application/json",
        responseSchema: { type: "ARRAY", items: { type: "STRING" } },
        thinkingConfig: { includeThoughts: true }
      }
    }
  ],
  [
    "rich completions",
    "/v1/completions",
    { model: "m", prompt: ["a", "b"], n: 2, best_of: 3, logprobs: 1, echo: true, stop: ["x"] }
  ],
  [
    "many embeddings",
    `${gemini}:batchEmbedContents`,
    { requests: [{ model: "models/gemini-3-pro", content: contents[0] }] }
  ]
]

const requestOf = ([, path, body, headers = {}]: Endpoint) => postTo(path, body, headers)

describe("every endpoint", () => {
  for (const endpoint of endpoints) {
    it.effect(`can meet every fault, and answers the next request: ${endpoint[0]}`, () =>
      Effect.gen(function* () {
        for (const kind of kinds) {
          const simulator = yield* Simulator.make({ script: [kind] })
          const outcome = yield* simulator.handle(requestOf(endpoint))
          switch (outcome._tag) {
            case "Hang":
              assert.strictEqual(kind, "hang")
              break
            case "Reset":
              assert.strictEqual(kind, "reset")
              break
            case "Truncated":
              assert.strictEqual(kind, "truncated")
              break
            case "Response": {
              if (typeof outcome.body === "string") break
              const reading = yield* Effect.forkChild(Effect.exit(Stream.runDrain(outcome.body)))
              yield* TestClock.adjust(1)
              assert.strictEqual(reading.pollUnsafe() === undefined, kind === "stalled")
              yield* Fiber.interrupt(reading)
            }
          }
          const next = yield* simulator.handle(requestOf(endpoint))
          assert.deepInclude(next, { _tag: "Response", status: 200 })
        }
      })
    )
  }

  it.effect("has the vendor's error body for an unknown address, and no other", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      for (const path of ["/", "/v1/embeddings", "/v1/messages/batches", "/v1beta/models", "/v2"]) {
        const outcome = yield* simulator.handle(get(path))
        assert.deepInclude(outcome, { _tag: "Response", status: 404 })
      }
    })
  )

  it("answers or refuses any body whatever", () => {
    const simulator = Effect.runSync(Simulator.make({ embeddings: { dimensions: 8 } }))
    // A right body in which one value, however deep, was replaced by another.
    const twist = (value: unknown, at: number, by: unknown): unknown => {
      let passed = 0
      const visit = (node: unknown): unknown => {
        if (passed++ === at) return by
        if (Array.isArray(node)) return node.map(visit)
        if (typeof node !== "object" || node === null) return node
        return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, visit(item)]))
      }
      return visit(value)
    }
    const answered = new Set<string>()
    fc.assert(
      fc.property(
        fc.constantFrom(...endpoints, ...rich),
        fc.nat(60),
        fc.oneof(fc.constant(undefined), fc.jsonValue({ maxDepth: 3 })),
        ([name, path, body, headers = {}], at, by) => {
          const asked = twist(body, at, by)
          const outcome = Effect.runSync(
            simulator.handle(postTo(path, JSON.stringify(asked) ?? "", headers))
          )
          assert.strictEqual(outcome._tag, "Response")
          if (outcome._tag !== "Response") return
          assert.include([200, 400], outcome.status)
          if (outcome.status === 200) answered.add(name)
          if (typeof outcome.body === "string") JSON.parse(outcome.body)
          else Effect.runSync(Stream.runDrain(outcome.body))
        }
      ),
      { numRuns: 3000 }
    )
    // Some values do not matter, so each of the bodies was right at least once.
    assert.strictEqual(answered.size, endpoints.length + rich.length)
  })

  it("answers or refuses any form whatever", () =>
    fc.assert(
      fc.asyncProperty(fc.nat(), fc.uint8Array({ maxLength: 4 }), async (at, by) => {
        const simulator = Effect.runSync(Simulator.make())
        const form = new FormData()
        form.append("model", "whisper-1")
        form.append("file", new Blob([wav(0.2)]), "a.wav")
        const { bytes, contentType } = await encode(form)
        bytes.set(by, at % (bytes.length - 4))
        const outcome = Effect.runSync(
          simulator.handle({
            method: "POST",
            path: "/v1/audio/transcriptions",
            headers: { "content-type": contentType },
            body: bytes
          })
        )
        assert.strictEqual(outcome._tag, "Response")
        if (outcome._tag === "Response") assert.include([200, 400], outcome.status)
      }),
      { numRuns: 300 }
    ))

  it.effect("answers the same whatever came before", () =>
    Effect.gen(function* () {
      const answers = (order: ReadonlyArray<Endpoint>) =>
        Effect.gen(function* () {
          const simulator = yield* Simulator.make({ seed: 3 })
          const texts: Record<string, string> = {}
          for (const endpoint of order) {
            const outcome = yield* simulator.handle(requestOf(endpoint))
            if (outcome._tag !== "Response" || typeof outcome.body !== "string") continue
            // Ids differ from response to response; what is said does not.
            texts[endpoint[0]] = outcome.body.replaceAll(/"(?:id|responseId)": ?"[^"]*"/g, "")
          }
          return texts
        })
      assert.deepStrictEqual(yield* answers(endpoints), yield* answers(endpoints.toReversed()))
    })
  )
})
