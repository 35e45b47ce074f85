import { assert, describe, it } from "@effect/vitest"
import { InferenceError } from "@infermesh/core/InferenceError"
import { GenerationResult } from "@infermesh/core/operation/Generate"
import * as Usage from "@infermesh/core/operation/Usage"
import { InvalidInput } from "@infermesh/core/Reason"
import * as Row from "@infermesh/job/operation/GenerateRow"
import * as SettledRow from "@infermesh/job/operation/SettledRow"
import { Duration, Effect, Result, Schema } from "effect"
import * as AiError from "effect/ai/AiError"
import * as fc from "fast-check"

const metrics = {
  queueWait: Duration.millis(250),
  serviceTime: Duration.millis(1500),
  endToEnd: Duration.millis(1750),
  deployment: "replica-1",
  retries: 2,
  repairs: 1
}

const result = (text: string) =>
  new GenerationResult<unknown>({
    generation: {
      modelId: "gpt",
      choices: [
        {
          text,
          reasoning: "thinking",
          finishReason: "tool-calls",
          toolCalls: [{ id: "call_1", name: "weather", arguments: '{"city":"Paris"}' }]
        }
      ]
    },
    outputParsed: { a: [1, null] },
    tokenUsage: Usage.make({ promptTokens: 5, completionTokens: 6, reasoningTokens: 2 }),
    requestId: "req_1",
    cost: 0.25,
    metrics,
    rawResponse: undefined
  })

const written = (row: Row.OutputRow) => JSON.parse(Row.toLine(row)) as Record<string, unknown>

describe("toInput", () => {
  const accepted: ReadonlyArray<readonly [unknown, unknown]> = [
    [{ prompt: "p" }, "p"],
    [{ prompt: "" }, ""],
    [{ prompt: "p", messages: [{ role: "user", content: "m" }] }, [{ role: "user", content: "m" }]],
    [{ prompt: "p", messages: null, responses_input: null }, "p"],
    [{ messages: [], prompt: "p" }, []],
    [{ messages: [], responses_input: "r" }, "r"],
    [{ responses_input: { input: "r", instructions: "i" } }, { input: "r", instructions: "i" }],
    [{ responses_input: [{ type: "message" }] }, { input: [{ type: "message" }] }]
  ]

  it("takes responses_input before messages before prompt, the first that is not null", () => {
    for (const [row, input] of accepted)
      assert.deepStrictEqual<unknown>(Row.toInput(row), Result.succeed(input))
  })

  const refused: ReadonlyArray<readonly [unknown, RegExp]> = [
    [{ text: 1 }, /neither 'prompt' nor 'messages'/],
    [{ prompt: null }, /neither 'prompt' nor 'messages'/],
    [{ prompt: 7 }, /'prompt' is no text/],
    [{ messages: "hi", prompt: "p" }, /'messages' is no list/],
    [{ responses_input: 7 }, /'responses_input' is neither/],
    [[], /no JSON object/],
    ["hi", /no JSON object/],
    [null, /no JSON object/]
  ]

  it("says what is wrong with a row that cannot be asked with", () => {
    for (const [row, problem] of refused) {
      const input = Row.toInput(row)
      assert.match(Result.isFailure(input) ? input.failure : "", problem, JSON.stringify(row))
    }
  })
})

describe("OutputRow", () => {
  it("is written with the keys of the Python library first, its words and ours behind", () => {
    assert.deepStrictEqual(written(Row.answered(3, result("hi"))), {
      _index: 3,
      output_text: "hi",
      output_parsed: { a: [1, null] },
      token_usage: {
        prompt_tokens: 5,
        completion_tokens: 6,
        total_tokens: 11,
        reasoning_tokens: 2,
        cached_tokens: null,
        cache_write_tokens: null
      },
      request_id: "req_1",
      finish_reason: "tool_calls",
      error: null,
      error_reason: null,
      model_id: "gpt",
      reasoning: "thinking",
      tool_calls: [{ id: "call_1", name: "weather", arguments: '{"city":"Paris"}' }],
      cost: 0.25,
      metrics: {
        queue_wait_s: 0.25,
        service_time_s: 1.5,
        end_to_end_s: 1.75,
        deployment: "replica-1",
        retries: 2,
        repairs: 1
      }
    })
  })

  it("has the same keys in the same order for every row, and metadata only where it was given", () => {
    const keys = Object.keys(written(Row.answered(0, result("hi"))))
    const error = new InferenceError({
      operation: "generate",
      attempts: 0,
      reason: new InvalidInput({ input: "messages", problem: "the message list is empty" })
    })
    const others = [
      Row.failed(1, error),
      SettledRow.unusable(2, 7, "the line is no JSON"),
      SettledRow.defective(3, new Error("boom\n  at x"))
    ]
    for (const row of others) assert.deepStrictEqual(Object.keys(written(row)), keys)
    assert.match(String(written(others[1]!)["error"]), /^line 7: the line is no JSON$/)
    assert.match(String(written(others[2]!)["error"]), /^a bug of infermesh: boom at x\./)
    const withMetadata = written({ ...others[1]!, metadata: { id: null } })
    assert.deepStrictEqual(Object.keys(withMetadata), [...keys, "metadata"])
    assert.deepStrictEqual(withMetadata["metadata"], { id: null })
  })

  it("keeps in a failed row what was paid for", () => {
    const row = written(
      Row.failed(
        4,
        new InferenceError({
          operation: "generate",
          attempts: 1,
          reason: new AiError.StructuredOutputError({ description: "no", responseText: "hi" }),
          result: result("hi"),
          metrics
        })
      )
    )
    assert.match(String(row["error"]), /^generate failed: /)
    assert.deepStrictEqual(
      [row["error_reason"], row["output_text"], row["cost"], row["request_id"]],
      ["StructuredOutputError", "hi", 0.25, "req_1"]
    )
  })

  it("is read back as it was written, on one line whatever the text is", () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({
          text: fc.string({ unit: "binary" }),
          parsed: fc.jsonValue(),
          metadata: fc.option(fc.jsonValue(), { nil: undefined }),
          isAnswered: fc.boolean()
        }),
        ({ isAnswered, metadata, parsed, text }) =>
          Effect.runPromise(
            Effect.gen(function* () {
              const whole = { ...Row.answered(0, result(text)), outputParsed: parsed ?? undefined }
              const bare: Row.OutputRow = isAnswered ? whole : SettledRow.unusable(1, 2, text)
              const row = metadata === undefined ? bare : { ...bare, metadata }
              const line = Row.toLine(row)
              assert.strictEqual(line.indexOf("\n"), line.length - 1)
              const decoded = yield* Schema.decodeUnknownEffect(Row.OutputRow)(JSON.parse(line))
              assert.deepStrictEqual(Row.toLine(decoded), line)
              assert.strictEqual(decoded.finishReason, isAnswered ? "tool-calls" : undefined)
              assert.strictEqual(decoded.outputText, isAnswered ? text : undefined)
            })
          )
      )
    ))
})
