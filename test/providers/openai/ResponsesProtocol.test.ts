import { assert, describe, it } from "@effect/vitest"
import type { GenerateRequest } from "@infermesh/core/operation/Generate"
import * as OpenAi from "@infermesh/providers/openai/OpenAi"
import { encode, protocol } from "@infermesh/providers/openai/ResponsesProtocol"
import { Result } from "effect"

import { prompt, refusal, request } from "../Request.ts"

const bodyOf = (more: Partial<GenerateRequest> = {}) =>
  Result.getOrThrow(encode(request({ endpoint: "responses", ...more }), OpenAi.openai))

const output = { name: "answer", jsonSchema: { type: "object" }, strict: true }
const format = { type: "json_schema", name: "answer", schema: { type: "object" }, strict: true }
const tool = { name: "f", description: "d", parameters: { type: "object" } }

describe("a body", () => {
  it("is the text, where the input is one text", () => {
    assert.deepStrictEqual(bodyOf(), { input: "hi" })
    assert.deepStrictEqual(bodyOf({ prompt: prompt([{ role: "user", content: "hi" }]) }), {
      input: "hi"
    })
  })

  it("is a list of items, where the input is a conversation", () => {
    const messages = [
      { role: "system", content: "be brief" },
      { role: "user", content: "hi" }
    ]
    assert.deepStrictEqual(bodyOf({ prompt: prompt(messages) }), { input: messages })
  })

  it("says every option in the API's own form", () => {
    assert.deepStrictEqual(
      bodyOf({
        options: {
          temperature: 0,
          topP: 0.5,
          maxTokens: 99,
          logprobs: true,
          topLogprobs: 3,
          reasoningEffort: "low",
          serviceTier: "flex",
          user: "u",
          metadata: { job: "j" }
        },
        output,
        tools: [tool, { ...tool, name: "g", description: undefined, strict: true }],
        toolChoice: { tool: "f" }
      }),
      {
        input: "hi",
        temperature: 0,
        top_p: 0.5,
        max_output_tokens: 99,
        top_logprobs: 3,
        include: ["message.output_text.logprobs"],
        reasoning: { effort: "low" },
        service_tier: "flex",
        user: "u",
        metadata: { job: "j" },
        text: { format },
        tools: [
          // The API's own default is strict, which not every schema survives.
          {
            type: "function",
            name: "f",
            description: "d",
            parameters: { type: "object" },
            strict: false
          },
          { type: "function", name: "g", parameters: { type: "object" }, strict: true }
        ],
        tool_choice: { type: "function", name: "f" }
      }
    )
    for (const toolChoice of ["auto", "none", "required"] as const) {
      assert.strictEqual(bodyOf({ tools: [tool], toolChoice })["tool_choice"], toolChoice)
    }
  })

  it("asks for log-probabilities without alternatives too, and for none where none are asked for", () => {
    assert.deepStrictEqual(bodyOf({ options: { logprobs: true } }), {
      input: "hi",
      include: ["message.output_text.logprobs"]
    })
    assert.deepStrictEqual(bodyOf({ options: { logprobs: false, topLogprobs: 0 } }), {
      input: "hi"
    })
  })

  it("tells the form of the answer as far as the vendor enforces one", () => {
    const asked = request({ endpoint: "responses", output })
    const json = encode(asked, { ...OpenAi.openai, structuredOutput: "json_object" })
    assert.deepStrictEqual(Result.getOrThrow(json)["text"], { format: { type: "json_object" } })
    assert.include(JSON.stringify(Result.getOrThrow(json)["input"]), "It must fit this JSON Schema")
    assert.strictEqual(
      refusal(encode(asked, { ...OpenAi.openai, structuredOutput: "none" })),
      "structured output"
    )
  })

  it("refuses what the endpoint has no field for, and lets values pass that ask for nothing", () => {
    const refused: ReadonlyArray<GenerateRequest["options"]> = [
      { topK: 3 },
      { stop: "x" },
      { seed: 1 },
      { n: 2 },
      { presencePenalty: 1 },
      { frequencyPenalty: -1 }
    ]
    for (const options of refused) {
      const [name = ""] = Object.keys(options)
      const result = encode(request({ endpoint: "responses", options }), OpenAi.openai)
      assert.strictEqual(refusal(result), `the option '${name}'`)
      if (Result.isFailure(result)) {
        assert.include(result.failure.reason.message, "openai's responses endpoint")
      }
    }
    assert.deepStrictEqual(bodyOf({ options: { n: 1, presencePenalty: 0, frequencyPenalty: 0 } }), {
      input: "hi"
    })
  })

  it("has what extraBody says last of all", () => {
    assert.deepStrictEqual(
      bodyOf({
        options: {
          temperature: 0,
          reasoningEffort: "low",
          topLogprobs: 1,
          extraBody: {
            temperature: 1,
            store: false,
            reasoning: { summary: "auto" },
            include: ["reasoning.encrypted_content", "message.output_text.logprobs"],
            tools: [{ type: "web_search" }]
          }
        },
        tools: [{ name: "f", parameters: {} }]
      }),
      {
        input: "hi",
        temperature: 1,
        store: false,
        top_logprobs: 1,
        reasoning: { effort: "low", summary: "auto" },
        include: ["message.output_text.logprobs", "reasoning.encrypted_content"],
        tools: [
          { type: "function", name: "f", parameters: {}, strict: false },
          { type: "web_search" }
        ]
      }
    )
  })
})

describe("an input of the caller's own", () => {
  it("is passed on field by field, with nothing added", () => {
    const own = {
      input: [{ role: "user", content: [{ type: "input_text", text: "hi" }] }],
      instructions: "be brief",
      previous_response_id: "resp_1",
      tools: [{ type: "web_search" }],
      include: ["web_search_call.results"],
      truncation: "auto",
      text: { verbosity: "low", format: { type: "json_object" } },
      a_field_of_tomorrow: { deep: [1] }
    }
    assert.deepStrictEqual(bodyOf({ responsesInput: own }), own)
    assert.deepStrictEqual(bodyOf({ responsesInput: { input: "hi" } }), { input: "hi" })
  })

  it("yields to options where both say the same, and keeps the rest", () => {
    const own = {
      input: "hi",
      temperature: 1,
      max_output_tokens: 1,
      reasoning: { effort: "high", summary: "auto" },
      metadata: { job: "theirs", kept: "yes" },
      text: { verbosity: "low", format: { type: "json_schema", name: "theirs", schema: { a: 1 } } },
      tool_choice: { type: "allowed_tools", mode: "auto", tools: [] },
      tools: [{ type: "web_search" }],
      include: ["web_search_call.results"]
    }
    assert.deepStrictEqual(
      bodyOf({
        responsesInput: own,
        options: {
          temperature: 0,
          maxTokens: 99,
          reasoningEffort: "low",
          metadata: { job: "ours" },
          logprobs: true
        },
        output,
        tools: [{ name: "f", parameters: {} }],
        toolChoice: { tool: "f" }
      }),
      {
        input: "hi",
        temperature: 0,
        max_output_tokens: 99,
        reasoning: { effort: "low", summary: "auto" },
        metadata: { job: "ours", kept: "yes" },
        text: { verbosity: "low", format },
        tool_choice: { type: "function", name: "f" },
        tools: [
          { type: "web_search" },
          { type: "function", name: "f", parameters: {}, strict: false }
        ],
        include: ["web_search_call.results", "message.output_text.logprobs"]
      }
    )
  })

  it("does not name the model, nor ask for a stream: both are said elsewhere", () => {
    for (const [field, value] of [
      ["model", "gpt-5"],
      ["stream", true]
    ] as const) {
      const result = encode(
        request({ endpoint: "responses", responsesInput: { input: "hi", [field]: value } }),
        OpenAi.openai
      )
      assert(Result.isFailure(result))
      const { outcome, reason } = result.failure
      assert(reason._tag === "InvalidInput")
      assert.deepStrictEqual([reason.input, outcome], [field, "unsent"])
    }
  })
})

describe("the endpoint", () => {
  it("has its path, and asks for a stream by one field", () => {
    assert.strictEqual(protocol.path, "/responses")
    assert.deepStrictEqual(protocol.streamFields(OpenAi.openai), { stream: true })
  })
})
