import { assert, describe, it } from "@effect/vitest"
import type { GenerateRequest } from "@infermesh/core/operation/Generate"
import type { ModelOptions } from "@infermesh/core/operation/GenerateOptions"
import * as Messages from "@infermesh/providers/anthropic/Messages"
import * as MessagesProtocol from "@infermesh/providers/anthropic/MessagesProtocol"
import { Result } from "effect"
import { Prompt } from "effect/ai"

import { refusal, request } from "../Request.ts"

const model = "claude-opus-5"

const encode = (more: Partial<GenerateRequest>, asked = model) =>
  Result.getOrThrow(MessagesProtocol.encode(request(more), asked))

const body = (options: ModelOptions, asked = model) => {
  const { messages: _, ...rest } = encode({ options }, asked).body
  return rest
}

const person = {
  type: "object",
  properties: { name: { type: "string" } },
  required: ["name"],
  additionalProperties: false
}

const context = {
  model,
  url: "http://h/messages",
  headers: {},
  nowMillis: 0,
  answerTool: undefined as string | undefined
}

const decode = (value: unknown, answerTool?: string) => {
  const read = Result.getOrThrow(MessagesProtocol.parse(JSON.stringify(value), context.url))
  return MessagesProtocol.decode(read, { ...context, answerTool })
}

describe("encode", () => {
  it("maps every option the API has", () => {
    assert.deepStrictEqual(
      body({
        maxTokens: 5,
        temperature: 0,
        topP: 0.5,
        topK: 3,
        stop: "END",
        serviceTier: "standard_only",
        user: "u1",
        n: 1,
        logprobs: false
      }),
      {
        max_tokens: 5,
        temperature: 0,
        top_p: 0.5,
        top_k: 3,
        stop_sequences: ["END"],
        service_tier: "standard_only",
        metadata: { user_id: "u1" }
      }
    )
    assert.deepStrictEqual(body({ metadata: { user_id: "u2" } }), { metadata: { user_id: "u2" } })
  })

  it("refuses every option the API has not, naming it", () => {
    const options: ReadonlyArray<ModelOptions> = [
      { seed: 1 },
      { n: 2 },
      { presencePenalty: 1 },
      { frequencyPenalty: -1 },
      { logprobs: true },
      { topLogprobs: 2 }
    ]
    for (const one of options) {
      const [name = ""] = Object.keys(one)
      assert.include(
        refusal(MessagesProtocol.encode(request({ options: one }), model)),
        `'${name}'`
      )
    }
    const metadata = { options: { metadata: { job: "7" } } }
    assert.include(refusal(MessagesProtocol.encode(request(metadata), model)), "'job'")
  })

  it("says effort as the model understands it", () => {
    assert.deepStrictEqual(body({ reasoningEffort: "max" }), {
      output_config: { effort: "max" },
      thinking: { type: "adaptive" }
    })
    assert.deepStrictEqual(body({ reasoningEffort: "low" }, "claude-opus-4-5-20251101"), {
      output_config: { effort: "low" }
    })
    assert.deepStrictEqual(body({ reasoningEffort: "none" }), { thinking: { type: "disabled" } })
    assert.deepStrictEqual(body({ reasoningEffort: "none" }, "claude-haiku-4-5"), {})
    for (const [effort, asked] of [
      ["minimal", model],
      ["low", "claude-sonnet-4-5"],
      ["high", "claude-3-7-sonnet-20250219"],
      ["high", "claude-sonnet-4-20250514"]
    ] as const) {
      const given = request({ options: { reasoningEffort: effort } })
      assert.include(refusal(MessagesProtocol.encode(given, asked)), "reasoningEffort")
    }
  })

  it("offers tools, each choice in the API's words", () => {
    const tools = [
      { name: "f", description: "d", parameters: { type: "object" } },
      { name: "g", parameters: person, strict: true }
    ]
    const choices = ["auto", "none", "required", { tool: "g" }] as const
    assert.deepStrictEqual(
      choices.map((toolChoice) => encode({ tools, toolChoice }).body["tool_choice"]),
      [{ type: "auto" }, { type: "none" }, { type: "any" }, { type: "tool", name: "g" }]
    )
    assert.deepStrictEqual(encode({ tools }).body["tools"], [
      { name: "f", description: "d", input_schema: { type: "object" } },
      { name: "g", input_schema: person, strict: true }
    ])
    // Enforcing is a wish, which older models cannot grant.
    assert.deepStrictEqual(
      encode({ tools: tools.slice(1) }, "claude-3-haiku-20240307").body["tools"],
      [{ name: "g", input_schema: person }]
    )
  })

  it("asks for a form by the API's own means where model and schema allow it", () => {
    const output = { name: "person", jsonSchema: person, strict: true }
    const encoded = encode({ output, options: { reasoningEffort: "high" } })
    assert.deepStrictEqual(encoded.body["output_config"], {
      effort: "high",
      format: { type: "json_schema", schema: person }
    })
    assert.isUndefined(encoded.answerTool)
  })

  it("asks for a form by a forced tool where they do not", () => {
    const asked = [
      [person, "claude-3-5-haiku-20241022"],
      [person, "claude-opus-4-1-20250805"],
      [person, "claude-sonnet-4@20250514"],
      [{ type: "object" }, model],
      [person, "MiniMax-M2"]
    ] as const
    for (const [jsonSchema, name] of asked) {
      const encoded = encode({ output: { name: "answer", jsonSchema, strict: false } }, name)
      assert.strictEqual(encoded.answerTool, "answer")
      assert.deepStrictEqual(encoded.body["tool_choice"], { type: "tool", name: "answer" })
      const [tool] = encoded.body["tools"] as ReadonlyArray<{ input_schema: unknown }>
      assert.deepStrictEqual(tool?.input_schema, jsonSchema)
    }
  })

  it("tells the forced tool the plain form, because nothing enforces the strict one", () => {
    const plainSchema = { type: "object", properties: { name: { type: "string" } } }
    const output = { name: "answer", jsonSchema: person, strict: true, plainSchema }
    const [tool] = encode({ output }, "claude-3-5-haiku-20241022").body["tools"] as ReadonlyArray<{
      input_schema: unknown
    }>
    assert.strictEqual(tool?.input_schema, plainSchema)
  })

  it("may turn thinking off for the forced tool, and keeps silent about a choice among no tools", () => {
    const output = { name: "answer", jsonSchema: { type: "object" }, strict: false }
    const { body: sent } = encode({ output, options: { reasoningEffort: "none" } })
    assert.deepStrictEqual(sent["thinking"], { type: "disabled" })
    assert.isUndefined(encode({ toolChoice: "auto" }).body["tool_choice"])
    const options = { extraBody: { tools: [{ type: "web_search_20260318" }] } }
    const own = encode({ toolChoice: "none", options }).body
    assert.deepStrictEqual(own["tool_choice"], { type: "none" })
    assert.deepStrictEqual(own["tools"], options.extraBody.tools)
  })

  it("refuses a form that neither means can ask for", () => {
    const list = { name: "o", jsonSchema: { type: "array" }, strict: false }
    assert.include(refusal(MessagesProtocol.encode(request({ output: list }), model)), "no object")
    const open = { name: "o", jsonSchema: { type: "object" }, strict: false }
    const tools = [{ name: "f", parameters: { type: "object" } }]
    assert.include(
      refusal(MessagesProtocol.encode(request({ output: open, tools }), model)),
      "tools together"
    )
    const options = { reasoningEffort: "low" }
    assert.include(
      refusal(MessagesProtocol.encode(request({ output: open, options }), model)),
      "thinking together"
    )
  })

  it("lets extraBody win deep inside, and puts the API's own tools beside the caller's", () => {
    const encoded = encode({
      output: { name: "person", jsonSchema: person, strict: true },
      tools: [{ name: "f", parameters: { type: "object" } }],
      options: {
        temperature: 1,
        extraBody: {
          temperature: 0.5,
          output_config: { effort: "max" },
          tools: [{ type: "web_search_20260318", name: "web_search" }]
        }
      }
    })
    assert.strictEqual(encoded.body["temperature"], 0.5)
    assert.deepStrictEqual(encoded.body["output_config"], {
      effort: "max",
      format: { type: "json_schema", schema: person }
    })
    assert.deepStrictEqual(encoded.body["tools"], [
      { name: "f", input_schema: { type: "object" } },
      { type: "web_search_20260318", name: "web_search" }
    ])
  })
})

describe("complete", () => {
  it("gives max_tokens where nobody does, above the thinking budget", () => {
    assert.deepStrictEqual(MessagesProtocol.complete("m", {}, { messages: [] }), {
      model: "m",
      messages: [],
      max_tokens: 4096
    })
    const thinking = { type: "enabled", budget_tokens: 2000 }
    assert.strictEqual(MessagesProtocol.complete("m", { thinking }, {})["max_tokens"], 6096)
    assert.strictEqual(MessagesProtocol.complete("m", { max_tokens: 9 }, {})["max_tokens"], 9)
    assert.strictEqual(
      MessagesProtocol.complete("m", { max_tokens: 9 }, { max_tokens: 3 })["max_tokens"],
      3
    )
  })
})

describe("decode", () => {
  const usage = {
    input_tokens: 10,
    cache_read_input_tokens: 200,
    cache_creation_input_tokens: 30,
    output_tokens: 7
  }

  it("counts what was read from the cache and into it as prompt", () => {
    const answer = Result.getOrThrow(decode({ content: [], stop_reason: "end_turn", usage }))
    assert.deepInclude(answer.usage, {
      promptTokens: 240,
      completionTokens: 7,
      totalTokens: 247,
      cachedTokens: 200,
      cacheWriteTokens: 30
    })
    const silent = Result.getOrThrow(decode({ content: [], stop_reason: "end_turn", usage: {} }))
    assert.isUndefined(silent.usage)
  })

  it("reads every stop reason", () => {
    const reasons = [
      ["end_turn", "stop"],
      ["stop_sequence", "stop"],
      ["max_tokens", "length"],
      ["model_context_window_exceeded", "length"],
      ["pause_turn", "pause"],
      ["refusal", "content-filter"],
      ["tomorrow's", "other"],
      [null, "unknown"]
    ] as const
    for (const [stop, finish] of reasons) {
      const answer = Result.getOrThrow(decode({ content: [], stop_reason: stop }))
      assert.strictEqual(answer.value.choices[0].finishReason, finish)
    }
  })

  it("gives back in the next turn every block as it came", () => {
    const content = [
      { type: "thinking", thinking: "hm", signature: "s1" },
      { type: "redacted_thinking", data: "xyz" },
      { type: "server_tool_use", id: "s", name: "web_search", input: { query: "q" } },
      { type: "web_search_tool_result", tool_use_id: "s", content: [{ url: "https://e.com" }] },
      { type: "text", text: "It is", citations: [{ type: "char_location", cited_text: "x" }] },
      { type: "text", text: " so." },
      { type: "tool_use", id: "c1", name: "f", input: { a: 1 } }
    ]
    const answer = Result.getOrThrow(decode({ content, stop_reason: "tool_use" }))
    const [choice] = answer.value.choices
    assert.strictEqual(choice.text, "It is so.")
    assert.strictEqual(choice.reasoning, "hm")
    const next = Prompt.fromMessages([
      Prompt.makeMessage("assistant", { content: [...(choice.content ?? [])], options: {} })
    ])
    const { messages } = Result.getOrThrow(Messages.encode(next))
    assert.deepStrictEqual(messages, [{ role: "assistant", content }])
  })

  it("takes the input of the answering tool for the text", () => {
    const content = [{ type: "tool_use", id: "c", name: "answer", input: { a: 1 } }]
    const answer = Result.getOrThrow(decode({ content, stop_reason: "tool_use" }, "answer"))
    const [choice] = answer.value.choices
    assert.strictEqual(choice.text, '{"a":1}')
    assert.deepStrictEqual(choice.toolCalls, [])
    assert.strictEqual(choice.finishReason, "stop")
  })

  it("fails for an error, for no content and for another form", () => {
    const error = decode({ type: "error", error: { type: "overloaded_error", message: "busy" } })
    assert(Result.isFailure(error))
    assert.strictEqual(error.failure.reason._tag, "InternalProviderError")
    assert.strictEqual(error.failure.outcome, "refused")
    const empty = decode({ id: "x", usage })
    assert(Result.isFailure(empty))
    assert.strictEqual(empty.failure.reason._tag, "InvalidResponseError")
    assert.strictEqual(empty.failure.usage?.promptTokens, 240)
    for (const [text, tag] of [
      ["<html>", "InvalidResponseError"],
      ['{"content": "no list"}', "InvalidResponseError"],
      ['{"content": [{"type"', "NetworkError"],
      ["", "NetworkError"]
    ] as const) {
      const read = MessagesProtocol.parse(text, context.url)
      assert(Result.isFailure(read))
      assert.strictEqual(read.failure.reason._tag, tag)
    }
  })
})
