import { assert, describe, it } from "@effect/vitest"
import type { GenerateRequest } from "@infermesh/core/operation/Generate"
import type { ModelOptions } from "@infermesh/core/operation/GenerateOptions"
import * as Instructions from "@infermesh/core/output/Instructions"
import * as ChatProtocol from "@infermesh/providers/openai/ChatProtocol"
import * as CompletionProtocol from "@infermesh/providers/openai/CompletionProtocol"
import type { Dialect } from "@infermesh/providers/openai/Dialect"
import { openai } from "@infermesh/providers/openai/OpenAi"
import { deepSeek } from "@infermesh/providers/vendor/DeepSeek"
import { mistral } from "@infermesh/providers/vendor/Mistral"
import { ollama } from "@infermesh/providers/vendor/Ollama"
import { together } from "@infermesh/providers/vendor/Together"
import { vllm } from "@infermesh/providers/vendor/Vllm"
import { Result } from "effect"

import { prompt, refusal, request } from "../Request.ts"

type Encode = typeof ChatProtocol.encode

const fields = (encode: Encode, more: Partial<GenerateRequest>, dialect: Dialect = openai) => {
  const { messages: _, prompt: __, ...rest } = Result.getOrThrow(encode(request(more), dialect))
  return rest
}

const chat = (options: ModelOptions, dialect?: Dialect) =>
  fields(ChatProtocol.encode, { options }, dialect)

const completion = (options: ModelOptions, dialect?: Dialect) =>
  fields(CompletionProtocol.encode, { options }, dialect)

const refused = (encode: Encode, more: Partial<GenerateRequest>, dialect: Dialect = openai) =>
  refusal(encode(request(more), dialect))

const schema = { type: "object", properties: { a: { type: "string" } } }
const output = { name: "o", jsonSchema: schema, strict: true }
const tool = { name: "f", parameters: { type: "object" } }

describe("chat", () => {
  it("names every option as the API does", () => {
    assert.deepStrictEqual(
      chat({
        temperature: 0,
        topP: 1,
        maxTokens: 5,
        stop: ["x"],
        seed: 1,
        n: 2,
        presencePenalty: 0.5,
        frequencyPenalty: -0.5,
        logprobs: true,
        topLogprobs: 3,
        reasoningEffort: "low",
        serviceTier: "flex",
        user: "u",
        metadata: { a: "b" },
        headers: { "x-a": "b" }
      }),
      {
        temperature: 0,
        top_p: 1,
        max_completion_tokens: 5,
        stop: ["x"],
        seed: 1,
        n: 2,
        presence_penalty: 0.5,
        frequency_penalty: -0.5,
        logprobs: true,
        top_logprobs: 3,
        reasoning_effort: "low",
        service_tier: "flex",
        user: "u",
        metadata: { a: "b" }
      }
    )
  })

  it("names options as the vendor does", () => {
    assert.deepStrictEqual(chat({ topK: 3, maxTokens: 1 }, vllm), { top_k: 3, max_tokens: 1 })
    assert.deepStrictEqual(chat({ seed: 7 }, mistral), { random_seed: 7 })
    assert.deepStrictEqual(chat({ logprobs: true, topLogprobs: 4 }, together), { logprobs: 4 })
    assert.deepStrictEqual(chat({ logprobs: true }, together), { logprobs: 1 })
  })

  it("refuses what the vendor does not know, by its name, unless it asks for nothing", () => {
    const refusedOption = (options: ModelOptions, dialect: Dialect) =>
      refused(ChatProtocol.encode, { options }, dialect)
    assert.strictEqual(refusedOption({ topK: 3 }, openai), "the option 'topK'")
    assert.strictEqual(refusedOption({ metadata: { a: "b" } }, vllm), "the option 'metadata'")
    assert.strictEqual(refusedOption({ user: "u" }, mistral), "the option 'user'")
    assert.strictEqual(refusedOption({ n: 2 }, ollama), "the option 'n'")
    assert.deepStrictEqual(chat({ n: 1, user: undefined }, ollama), {})
  })

  it("lets extraBody have the last word, and leaves its neighbours alone", () => {
    assert.deepStrictEqual(
      fields(ChatProtocol.encode, {
        tools: [tool],
        options: { seed: 1, extraBody: { seed: 2, own: true, tools: [{ type: "web_search" }] } }
      }),
      {
        seed: 2,
        own: true,
        tools: [{ type: "function", function: tool }, { type: "web_search" }]
      }
    )
  })

  it("gives tools and the choice among them, and no choice among none", () => {
    const strict = { ...tool, description: "d", strict: true }
    assert.deepStrictEqual(
      fields(ChatProtocol.encode, { tools: [strict], toolChoice: { tool: "f" } }),
      {
        tools: [{ type: "function", function: strict }],
        tool_choice: { type: "function", function: { name: "f" } }
      }
    )
    const choice = { tools: [tool], toolChoice: "required" } as const
    assert.strictEqual(fields(ChatProtocol.encode, choice)["tool_choice"], "required")
    assert.deepStrictEqual(fields(ChatProtocol.encode, { toolChoice: "auto" }), {})
  })

  it("asks for a stream, and for its usage where the vendor must be asked", () => {
    assert.deepStrictEqual(ChatProtocol.streamFields(openai), {
      stream: true,
      stream_options: { include_usage: true }
    })
    assert.deepStrictEqual(ChatProtocol.streamFields(mistral), { stream: true })
  })
})

describe("an output schema", () => {
  const messages = (more: Partial<GenerateRequest>, dialect: Dialect) =>
    Result.getOrThrow(ChatProtocol.encode(request({ output, ...more }), dialect))["messages"]

  it("is enforced where the vendor does that", () => {
    assert.deepStrictEqual(fields(ChatProtocol.encode, { output }), {
      response_format: { type: "json_schema", json_schema: { name: "o", schema, strict: true } }
    })
    assert.deepStrictEqual(messages({}, openai), [{ role: "user", content: "hi" }])
  })

  it("is told in words where the vendor enforces JSON only", () => {
    assert.deepStrictEqual(fields(ChatProtocol.encode, { output }, deepSeek), {
      response_format: { type: "json_object" }
    })
    const words = Instructions.text(output)
    const hi = { role: "user", content: "hi" }
    assert.deepStrictEqual(messages({}, deepSeek), [{ role: "system", content: words }, hi])
    const briefed = prompt([{ role: "developer", content: "be brief" }, hi])
    assert.deepStrictEqual(messages({ prompt: briefed }, deepSeek), [
      { role: "developer", content: `be brief\n\n${words}` },
      hi
    ])
    const blocks = [{ type: "text", text: "be brief" }]
    const listed = prompt([{ role: "system", content: blocks }, hi])
    assert.deepStrictEqual(messages({ prompt: listed }, deepSeek), [
      { role: "system", content: [...blocks, { type: "text", text: words }] },
      hi
    ])
  })

  it("is refused where the vendor has no form for it", () => {
    const list = { ...output, jsonSchema: { type: "array" } }
    assert.strictEqual(
      refused(ChatProtocol.encode, { output: list }, deepSeek),
      "an output schema that is no object"
    )
    const none: Dialect = { ...vllm, structuredOutput: "none" }
    assert.strictEqual(refused(ChatProtocol.encode, { output }, none), "structured output")
  })
})

describe("text completions", () => {
  it("send the prompt verbatim", () => {
    const text = "  <|im_start|>user\nhi\n"
    const body = CompletionProtocol.encode(
      request({ prompt: prompt([{ role: "user", content: text }]) }),
      openai
    )
    assert.deepStrictEqual(Result.getOrThrow(body), { prompt: text })
  })

  it("name their options, log-probabilities being a number", () => {
    assert.deepStrictEqual(
      completion({
        temperature: 0,
        topP: 1,
        maxTokens: 5,
        stop: "x",
        seed: 1,
        n: 2,
        presencePenalty: 0.5,
        frequencyPenalty: 0.5,
        logprobs: true,
        topLogprobs: 3,
        user: "u",
        extraBody: { suffix: "." }
      }),
      {
        temperature: 0,
        top_p: 1,
        max_tokens: 5,
        stop: "x",
        seed: 1,
        n: 2,
        presence_penalty: 0.5,
        frequency_penalty: 0.5,
        logprobs: 3,
        user: "u",
        suffix: "."
      }
    )
    assert.deepStrictEqual(completion({ logprobs: true }), { logprobs: 1 })
    assert.deepStrictEqual(completion({ logprobs: false }), {})
    assert.deepStrictEqual(completion({ topK: 3 }, vllm), { top_k: 3 })
  })

  it("refuse what the endpoint never had, and what a vendor's has not", () => {
    const refuses = (more: Partial<GenerateRequest>, dialect?: Dialect) =>
      refused(CompletionProtocol.encode, more, dialect)
    assert.strictEqual(refuses({ tools: [tool] }), "tools")
    assert.strictEqual(refuses({ toolChoice: "required" }), "tools")
    assert.strictEqual(refuses({ output }), "structured output")
    assert.strictEqual(
      refuses({ options: { reasoningEffort: "low" } }),
      "the option 'reasoningEffort'"
    )
    assert.strictEqual(refuses({ options: { serviceTier: "flex" } }), "the option 'serviceTier'")
    assert.strictEqual(refuses({ options: { metadata: { a: "b" } } }), "the option 'metadata'")
    assert.strictEqual(refuses({ options: { topK: 3 } }), "the option 'topK'")
    assert.strictEqual(refuses({ options: { logprobs: true } }, ollama), "the option 'logprobs'")
    const dialogue = prompt([
      { role: "system", content: "be brief" },
      { role: "user", content: "hi" }
    ])
    assert.strictEqual(refuses({ prompt: dialogue }), "a prompt of several messages or parts")
  })

  it("enforce an output schema where the server does", () => {
    assert.deepStrictEqual(fields(CompletionProtocol.encode, { output }, vllm), {
      response_format: { type: "json_schema", json_schema: { name: "o", schema, strict: true } }
    })
  })
})
