import { assert, describe, it } from "@effect/vitest"
import type { GenerateRequest } from "@infermesh/core/operation/Generate"
import type { ModelOptions } from "@infermesh/core/operation/GenerateOptions"
import * as Contents from "@infermesh/providers/gemini/Contents"
import * as GenerateContentProtocol from "@infermesh/providers/gemini/GenerateContentProtocol"
import { Result } from "effect"
import { Prompt } from "effect/ai"

import { refusal, request } from "../Request.ts"

const model = "gemini-3-pro"
const context = { model, url: "http://h/m", headers: {}, nowMillis: 0 }

const encode = (more: Partial<GenerateRequest>, asked = model) =>
  Result.getOrThrow(GenerateContentProtocol.encode(request(more), asked))

const body = (options: ModelOptions, asked = model) => {
  const { contents: _, ...rest } = encode({ options }, asked)
  return rest
}

const decode = (value: unknown) =>
  Result.flatMap(GenerateContentProtocol.parse(JSON.stringify(value), context.url), (read) =>
    GenerateContentProtocol.decode(read, context)
  )

const first = (value: unknown) => Result.getOrThrow(decode(value)).value.choices[0]

describe("encode", () => {
  it("maps every option the API has", () => {
    assert.deepStrictEqual(
      body({
        temperature: 0,
        topP: 0.5,
        topK: 3,
        maxTokens: 5,
        stop: ["a", "b"],
        seed: 1,
        n: 2,
        presencePenalty: 1,
        frequencyPenalty: -1,
        logprobs: true,
        topLogprobs: 2,
        serviceTier: "flex"
      }),
      {
        generationConfig: {
          temperature: 0,
          topP: 0.5,
          topK: 3,
          maxOutputTokens: 5,
          stopSequences: ["a", "b"],
          seed: 1,
          candidateCount: 2,
          presencePenalty: 1,
          frequencyPenalty: -1,
          responseLogprobs: true,
          logprobs: 2
        },
        service_tier: "flex"
      }
    )
    assert.deepStrictEqual(body({}), {})
  })

  it("refuses every option the API has not, naming it", () => {
    for (const options of [{ user: "u" }, { metadata: { a: "b" } }]) {
      const [name = ""] = Object.keys(options)
      const refused = GenerateContentProtocol.encode(request({ options }), model)
      assert.include(refusal(refused), `'${name}'`)
    }
  })

  it("says effort as the model understands it", () => {
    const config = (effort: string, asked: string) =>
      body({ reasoningEffort: effort }, asked)["generationConfig"]
    assert.deepStrictEqual(config("low", "gemini-3-pro-preview"), {
      thinkingConfig: { thinkingLevel: "low" }
    })
    assert.deepStrictEqual(config("minimal", "gemini-flash-latest"), {
      thinkingConfig: { thinkingLevel: "minimal" }
    })
    for (const [effort, thinkingBudget] of [
      ["none", 0],
      ["minimal", 1024],
      ["low", 1024],
      ["medium", 8192],
      ["high", 24_576]
    ] as const) {
      assert.deepStrictEqual(config(effort, "gemini-2.5-flash"), {
        thinkingConfig: { thinkingBudget }
      })
    }
    assert.isUndefined(config("none", "gemini-2.0-flash"))
    for (const [effort, asked] of [
      ["none", model],
      ["xhigh", "gemini-2.5-pro"],
      ["low", "gemini-2.0-flash"],
      ["low", "gemma-3-27b-it"]
    ] as const) {
      const given = request({ options: { reasoningEffort: effort } })
      assert.include(refusal(GenerateContentProtocol.encode(given, asked)), "reasoningEffort")
    }
  })

  it("offers tools, each choice in the API's words", () => {
    const empty = { type: "object", properties: {}, additionalProperties: false }
    const city = { type: "object", properties: { city: { type: "string" } } }
    const tools = [
      { name: "f", description: "d", parameters: city },
      { name: "g", parameters: empty }
    ]
    const choices = ["auto", "none", "required", { tool: "g" }] as const
    assert.deepStrictEqual(
      choices.map((toolChoice) => encode({ tools, toolChoice })["toolConfig"]),
      [
        { functionCallingConfig: { mode: "AUTO" } },
        { functionCallingConfig: { mode: "NONE" } },
        { functionCallingConfig: { mode: "ANY" } },
        { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["g"] } }
      ]
    )
    const options = { extraBody: { tools: [{ googleSearch: {} }] } }
    assert.deepStrictEqual(encode({ tools, options })["tools"], [
      {
        functionDeclarations: [
          { name: "f", description: "d", parametersJsonSchema: city },
          { name: "g" }
        ]
      },
      { googleSearch: {} }
    ])
  })

  it("asks for a form, or for any JSON", () => {
    const jsonSchema = { type: "object", properties: { a: { type: "string" } } }
    assert.deepStrictEqual(
      encode({ output: { name: "o", jsonSchema, strict: true } })["generationConfig"],
      { responseMimeType: "application/json", responseJsonSchema: jsonSchema }
    )
    const any = { name: "o", jsonSchema: { type: "object" }, strict: false }
    assert.deepStrictEqual(encode({ output: any })["generationConfig"], {
      responseMimeType: "application/json"
    })
  })

  it("lets extraBody win deep inside and leaves its neighbours alone", () => {
    const options = {
      temperature: 1,
      reasoningEffort: "low",
      extraBody: { generationConfig: { temperature: 0, thinkingConfig: { includeThoughts: true } } }
    }
    assert.deepStrictEqual(body(options)["generationConfig"], {
      temperature: 0,
      thinkingConfig: { thinkingLevel: "low", includeThoughts: true }
    })
  })
})

describe("decode", () => {
  it("reads thoughts apart, and gives every part back in the next turn as it came", () => {
    const parts = [
      { text: "let me", thought: true },
      { text: " see", thought: true, thoughtSignature: "s0" },
      { text: "Rain." },
      { executableCode: { language: "PYTHON", code: "1" } },
      { functionCall: { id: "c1", name: "f", args: { a: 1 } }, thoughtSignature: "s1" }
    ]
    const choice = first({ candidates: [{ content: { parts }, finishReason: "STOP" }] })
    assert.strictEqual(choice.reasoning, "let me see")
    assert.strictEqual(choice.text, "Rain.")
    assert.strictEqual(choice.finishReason, "tool-calls")
    assert.deepStrictEqual(choice.toolCalls, [{ id: "c1", name: "f", arguments: '{"a":1}' }])
    const next = Prompt.fromMessages([
      Prompt.makeMessage("assistant", { content: [...(choice.content ?? [])], options: {} })
    ])
    const { contents } = Result.getOrThrow(Contents.encode(next, model))
    // A thought that is not signed carries nothing on.
    assert.deepStrictEqual(contents, [{ role: "model", parts: parts.slice(1) }])
  })

  it("gives calls without ids ids of their own", () => {
    const parts = [{ functionCall: { name: "f" } }, { functionCall: { name: "f", args: {} } }]
    const { toolCalls } = first({ candidates: [{ content: { parts } }], responseId: "r" })
    assert.deepStrictEqual(toolCalls, [
      { id: "gemini-call-r-0-0", name: "f", arguments: "{}" },
      { id: "gemini-call-r-0-1", name: "f", arguments: "{}" }
    ])
  })

  it("counts thoughts as completion and the input of tools as prompt", () => {
    const answer = Result.getOrThrow(
      decode({
        candidates: [{ finishReason: "STOP" }],
        usageMetadata: {
          promptTokenCount: 10,
          toolUsePromptTokenCount: 5,
          candidatesTokenCount: 7,
          thoughtsTokenCount: 100,
          cachedContentTokenCount: 4,
          totalTokenCount: 122
        }
      })
    )
    assert.deepInclude(answer.usage, {
      promptTokens: 15,
      completionTokens: 107,
      totalTokens: 122,
      cachedTokens: 4,
      reasoningTokens: 100
    })
  })

  it("reads every finish reason", () => {
    const reasons: ReadonlyArray<readonly [string | null, string]> = [
      ["STOP", "stop"],
      ["MAX_TOKENS", "length"],
      ["SAFETY", "content-filter"],
      ["RECITATION", "content-filter"],
      ["BLOCKLIST", "content-filter"],
      ["PROHIBITED_CONTENT", "content-filter"],
      ["SPII", "content-filter"],
      ["IMAGE_SAFETY", "content-filter"],
      ["MALFORMED_FUNCTION_CALL", "error"],
      ["UNEXPECTED_TOOL_CALL", "error"],
      ["MISSING_THOUGHT_SIGNATURE", "error"],
      ["LANGUAGE", "other"],
      ["OTHER", "other"],
      ["TOMORROWS", "other"],
      [null, "unknown"]
    ]
    for (const [finishReason, finish] of reasons) {
      const choice = first({ candidates: [{ finishReason }] })
      assert.strictEqual(choice.finishReason, finish)
      assert.strictEqual(choice.refusal !== undefined, finish === "content-filter")
    }
    const told = { finishReason: "SAFETY", finishMessage: "unsafe words" }
    assert.strictEqual(first({ candidates: [told] }).refusal, "unsafe words")
  })

  it("takes a blocked prompt for a refusal", () => {
    const choice = first({ promptFeedback: { blockReason: "PROHIBITED_CONTENT" } })
    assert.strictEqual(choice.text, "")
    assert.strictEqual(choice.finishReason, "content-filter")
    assert.strictEqual(choice.refusal, "the prompt was blocked (PROHIBITED_CONTENT)")
  })

  it("gives every candidate, and the log-probabilities as they came", () => {
    const candidates = [
      { index: 0, content: { parts: [{ text: "a" }] }, logprobsResult: { chosenCandidates: [] } },
      { index: 1, content: { parts: [{ text: "b" }] } }
    ]
    const { choices } = Result.getOrThrow(decode({ candidates })).value
    assert.deepStrictEqual(
      choices.map(({ text }) => text),
      ["a", "b"]
    )
    assert.deepStrictEqual(choices[0].logprobs, { chosenCandidates: [] })
  })

  it("fails for an error, for no candidates and for another form", () => {
    const cases: ReadonlyArray<readonly [unknown, string]> = [
      [
        { error: { code: 503, status: "UNAVAILABLE", message: "overloaded" } },
        "InternalProviderError"
      ],
      [{ usageMetadata: { promptTokenCount: 3 } }, "InvalidResponseError"],
      [{ candidates: "none" }, "InvalidResponseError"],
      [7, "InvalidResponseError"]
    ]
    for (const [value, tag] of cases) {
      const failed = decode(value)
      assert(Result.isFailure(failed))
      assert.strictEqual(failed.failure.reason._tag, tag)
    }
  })
})
