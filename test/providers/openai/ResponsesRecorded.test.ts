import { assert, describe, it } from "@effect/vitest"
import type { Choice, Generation } from "@infermesh/core/operation/Generate"
import type { Answer, AttemptError } from "@infermesh/core/provider/Provider"
import * as ResponsesInput from "@infermesh/providers/openai/ResponsesInput"
import { protocol } from "@infermesh/providers/openai/ResponsesProtocol"
import * as ResponsesStream from "@infermesh/providers/openai/ResponsesStream"
import { Effect, Result } from "effect"
import { Prompt } from "effect/ai"
import * as fc from "fast-check"

import {
  answerOf,
  assembled,
  decode,
  events,
  files,
  partsOf,
  read,
  recorded,
  sse,
  survivesCuts,
  why
} from "../Wire.ts"

const folder = "openai-responses"
const context = { model: "asked", url: "http://h/responses", headers: {}, nowMillis: 0 }
const machine = ResponsesStream.machine(context)

interface Expected {
  readonly model: string
  /** How it begins and how it ends; the whole is compared with the recording. */
  readonly text: readonly [string, string]
  readonly reasoning: string | undefined
  readonly calls: Choice["toolCalls"]
  readonly finish: string
  /** Prompt, completion, total, cached, reasoning. */
  readonly usage: ReadonlyArray<number | undefined>
  /** The types of the parts for the next turn. */
  readonly content: ReadonlyArray<string>
}

const calculated = (id: string, source: string) => ({
  id,
  name: "calculator",
  arguments: source
})

const customTool: Expected = {
  model: "gpt-5.2-codex",
  text: ["", ""],
  reasoning: undefined,
  calls: [
    {
      id: "call_custom_sql_001",
      name: "write_sql",
      arguments: "SELECT * FROM users WHERE age > 25"
    }
  ],
  finish: "tool-calls",
  usage: [50, 20, 70, 0, 0],
  content: ["tool-call"]
}

const parallel: Expected = {
  model: "gpt-5.4",
  text: ["", ""],
  reasoning: undefined,
  calls: [
    {
      id: "call_parallel",
      name: "parallel",
      arguments:
        '{"tool_uses":[{"recipient_name":"functions.weather","parameters":{"location":"San Francisco"}},{"recipient_name":"functions.cityAttractions","parameters":{"city":"Rome"}}]}'
    }
  ],
  finish: "tool-calls",
  usage: [34, 28, 62, 0, 0],
  content: ["tool-call"]
}

const expected: { readonly [name: string]: Expected } = {
  "openai-custom-tool.1.json": customTool,
  "openai-custom-tool.1.chunks.txt": customTool,
  "openai-file-search-tool.1.json": {
    model: "gpt-5-mini-2025-08-07",
    text: ["According to the document, an embedding model is used to", "processing tasks ."],
    reasoning: undefined,
    calls: [],
    finish: "stop",
    usage: [3700, 741, 4441, 2560, 640],
    content: ["reasoning", "file", "reasoning", "text"]
  },
  "openai-file-search-tool.1.chunks.txt": {
    model: "gpt-5-mini-2025-08-07",
    text: ["According to the document, an embedding model converts", "models or NLP tasks ."],
    reasoning: undefined,
    calls: [],
    finish: "stop",
    usage: [3737, 621, 4358, 2304, 512],
    content: ["reasoning", "file", "reasoning", "text"]
  },
  "openai-mcp-tool.1.json": {
    model: "gpt-5-mini-2025-08-07",
    text: [
      "Yes — the latest results (from Nov 4–6, 2025)",
      "a precinct/borough-level breakdown or map?"
    ],
    reasoning: undefined,
    calls: [],
    finish: "stop",
    usage: [6700, 1078, 7778, 0, 704],
    content: ["file", "reasoning", "file", "reasoning", "text"]
  },
  "openai-mcp-tool.1.chunks.txt": {
    model: "gpt-5-mini-2025-08-07",
    text: ["Yes — I searched the web.", "outlet’s detailed breakdown (by borough/district)?"],
    reasoning: undefined,
    calls: [],
    finish: "stop",
    usage: [11_791, 963, 12_754, 0, 512],
    content: ["file", "reasoning", "file", "reasoning", "file", "reasoning", "text"]
  },
  "openai-phase.1.json": {
    model: "gpt-5.3-codex",
    text: ["I’ll quickly check reliable, up-to-date sources", "same-day / last-48-hours items."],
    reasoning: undefined,
    calls: [],
    finish: "stop",
    usage: [7243, 423, 7666, 3072, 58],
    content: ["text", "text"]
  },
  "openai-phase.1.chunks.txt": {
    model: "gpt-5.3-codex",
    text: [
      "Got it — I’ll quickly check reliable, up-to-date sources",
      "morning brief with timestamps."
    ],
    reasoning: undefined,
    calls: [],
    finish: "stop",
    usage: [7112, 463, 7575, 3072, 64],
    content: ["text", "text"]
  },
  "openai-reasoning-encrypted-content.1.json": {
    model: "gpt-5-mini-2025-08-07",
    text: ["12 + 7 = 19\n19 × 3 = 57\n57 × 10 = 570\n\n", "Final result: 570"],
    reasoning: `**Reporting final result**

The tool returned 570, and now I need to report this final result. The user asked for a clear breakdown, so I'll include the steps taken: first, I added 12 and 7 to get 19; then, I multiplied 19 by 3 for 57; finally, I multiplied 57 by 10 to arrive at 570. I want to keep it concise, so I'll simply say, "Final result: 570," without heavy formatting. Let's finalize that!`,
    calls: [],
    finish: "stop",
    usage: [865, 163, 1028, 0, 128],
    content: ["reasoning", "text"]
  },
  // Four streams, one after the other in one file: the steps of one task.
  "openai-reasoning-encrypted-content.1.chunks.txt, stream 1": {
    model: "gpt-5.1-codex-max",
    text: ["", ""],
    reasoning: `**Calculating step-by-step using calculator**

I'll compute 12 plus 7, then multiply the result by 3, and finally multiply that by 10, reporting the final product.`,
    calls: [calculated("call_AB6AaRZ1FYZB2RwS6A5vbdqn", '{"a":12,"b":7,"op":"add"}')],
    finish: "tool-calls",
    usage: [134, 28, 162, 0, 0],
    content: ["reasoning", "tool-call"]
  },
  "openai-reasoning-encrypted-content.1.chunks.txt, stream 2": {
    model: "gpt-5.1-codex-max",
    text: ["", ""],
    reasoning: undefined,
    calls: [calculated("call_Q6pW65MUgW9vF59BmItYGos3", '{"a":19,"b":3,"op":"multiply"}')],
    finish: "tool-calls",
    usage: [221, 26, 247, 0, 0],
    content: ["tool-call"]
  },
  "openai-reasoning-encrypted-content.1.chunks.txt, stream 3": {
    model: "gpt-5.1-codex-max",
    text: ["", ""],
    reasoning: undefined,
    calls: [calculated("call_Zl5vIMnD7dVAjgU6FkhmiCZh", '{"a":57,"b":10,"op":"multiply"}')],
    finish: "tool-calls",
    usage: [260, 26, 286, 0, 0],
    content: ["tool-call"]
  },
  "openai-reasoning-encrypted-content.1.chunks.txt, stream 4": {
    model: "gpt-5.1-codex-max",
    text: ["The final result is ", "**570**."],
    reasoning: undefined,
    calls: [],
    finish: "stop",
    usage: [299, 12, 311, 0, 0],
    content: ["text"]
  },
  "parallel-tool-call-wrapper.1.json": parallel,
  "parallel-tool-call-wrapper.1.chunks.txt": parallel
}

/** The reason and the outcome of each recorded failure. */
const failures: { readonly [file: string]: readonly [reason: string, outcome: string] } = {
  "openai-error.1.json": ["QuotaExhaustedError", "refused"],
  "openai-error.1.chunks.txt": ["QuotaExhaustedError", "refused"],
  "reasoning-model-temperature-error.json": ["InvalidRequestError", "refused"]
}

const succeeded = (ending: string) =>
  files(folder, ending).filter((file) => failures[file] === undefined)

/** The streams of all files: where one file has several, a new one starts as a response is created. */
const streams = succeeded(".chunks.txt").flatMap((file) => {
  const data = events(read(folder, file))
  const starts = [...data.keys()].filter((at) => data[at]?.startsWith('{"type":"response.created"'))
  return starts.map((start, index) => ({
    name: starts.length === 1 ? file : `${file}, stream ${index + 1}`,
    data: data.slice(start, starts[index + 1])
  }))
})

/** An event; in one recording those that end in a response object lack their last brace. */
const json = (line: string) => JSON.parse(line.endsWith('"metadata":{}}') ? `${line}}` : line)

const check = (name: string, answer: Answer<Generation>) => {
  const [choice] = answer.value.choices
  const { usage } = answer
  const told = expected[name]
  assert(told !== undefined)
  assert.deepStrictEqual(
    {
      model: answer.value.modelId,
      text: told.text,
      reasoning: choice.reasoning,
      calls: choice.toolCalls,
      finish: choice.finishReason,
      usage: [
        usage?.promptTokens,
        usage?.completionTokens,
        usage?.totalTokens,
        usage?.cachedTokens,
        usage?.reasoningTokens
      ],
      content: (choice.content ?? []).map(({ type }) => type)
    },
    told
  )
  assert.isTrue(choice.text.startsWith(told.text[0]), choice.text)
  assert.isTrue(choice.text.endsWith(told.text[1]), choice.text)
  assert.isUndefined(choice.refusal)
  assert.isUndefined(choice.logprobs)
}

interface Item {
  readonly type: string
  readonly content?: ReadonlyArray<{ readonly text?: string }>
}

const textOf = (output: ReadonlyArray<Item>): string =>
  output
    .flatMap(({ content }) => content ?? [])
    .map((block) => block.text ?? "")
    .join("")

/** What a field of the API says nothing with. */
const silent = new Set(["annotations", "logprobs"])

/** Items without the fields that say nothing. */
const spoken = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (name, field: unknown) =>
      field === null || (silent.has(name) && Array.isArray(field) && field.length === 0)
        ? undefined
        : field
    )
  )

/** The answer as the next turn's input. */
const givenBack = (choice: Choice): unknown =>
  spoken(
    Result.getOrThrow(
      ResponsesInput.encode(
        Prompt.fromMessages([
          Prompt.makeMessage("assistant", { content: [...(choice.content ?? [])], options: {} })
        ])
      )
    )
  )

describe(`recorded responses${why}`, () => {
  it.skipIf(!recorded)("all have their values told here", () => {
    assert.deepStrictEqual(
      [...succeeded(".json"), ...streams.map(({ name }) => name)].toSorted(),
      Object.keys(expected).toSorted()
    )
    const others = files(folder, "").filter((file) => /\.(?:json|chunks\.txt)$/.test(file))
    assert.deepStrictEqual(
      others.toSorted(),
      [...succeeded(""), ...Object.keys(failures)].toSorted()
    )
  })

  for (const file of succeeded(".json")) {
    it(`reads ${file} value by value`, () => {
      const text = read(folder, file)
      const raw = JSON.parse(text)
      const answer = Result.getOrThrow(protocol.answer(text, context))
      check(file, answer)
      assert.strictEqual(answer.value.choices[0].text, textOf(raw.output))
      assert.strictEqual(answer.requestId, raw.id)
      assert.deepStrictEqual(answer.body, raw)
      assert.deepStrictEqual(givenBack(answer.value.choices[0]), spoken(raw.output))
    })
  }

  for (const { data, name } of streams) {
    it.effect(`assembles ${name} from its events`, () =>
      Effect.gen(function* () {
        const elements = yield* decode(machine, [sse(data)])
        const answer = answerOf(elements)
        check(name, answer)
        const [choice] = answer.value.choices
        const { calls, reasoning, text } = assembled(partsOf(elements))
        assert.deepStrictEqual([text, reasoning], [choice.text, choice.reasoning ?? ""])
        assert.deepStrictEqual(calls, choice.toolCalls)
        const items = data
          .map(json)
          .filter(({ type }) => type === "response.output_item.done")
          .map(({ item }) => item)
        assert.strictEqual(choice.text, textOf(items))
      })
    )

    it.effect(`reads ${name} from its events alone, should its end not repeat them`, () =>
      Effect.gen(function* () {
        const whole = answerOf(yield* decode(machine, [sse(data)]))
        const [head, last = ""] = [data.slice(0, -1), data.at(-1)]
        const end = json(last)
        const bare = { ...end, response: { ...end.response, output: [] } }
        const answer = answerOf(yield* decode(machine, [sse([...head, JSON.stringify(bare)])]))
        // The encrypted form of reasoning is another one each time it is told.
        const plain = (one: typeof whole) =>
          JSON.stringify(one.value).replaceAll(/"encrypted_content":"[^"]*"/g, "")
        assert.strictEqual(plain(answer), plain(whole))
        assert.deepStrictEqual(answer.usage, whole.usage)
      })
    )

    // The long ones are read often enough by fewer runs.
    const numRuns = name.includes("mcp") ? 30 : 150
    it(`gives the same from any chunking of ${name}, and fails typed from any cut`, async () => {
      const cuts = await survivesCuts(machine, sse(data), numRuns)
      assert.isAbove(cuts, numRuns / 4)
    })
  }

  it.effect.skipIf(!recorded)("reads one response of a stream, whatever follows it", () =>
    Effect.gen(function* () {
      const first = streams.find(({ name }) => name.includes("encrypted"))
      const data = events(read(folder, "openai-reasoning-encrypted-content.1.chunks.txt"))
      const elements = yield* decode(machine, [sse(data)])
      assert.deepStrictEqual(elements, yield* decode(machine, [sse(first?.data ?? [])]))
    })
  )
})

const failureOf = <A>(result: Result.Result<A, AttemptError>): AttemptError => {
  assert(Result.isFailure(result), "it did not fail")
  return result.failure
}

describe(`recorded failures${why}`, () => {
  for (const file of Object.keys(failures).filter((name) => name.endsWith(".json"))) {
    it.skipIf(!recorded)(`gives ${file} its reason`, () => {
      const { outcome, reason } = failureOf(protocol.answer(read(folder, file), context))
      assert.deepStrictEqual([reason._tag, outcome], failures[file])
      if (reason._tag === "InvalidRequestError") {
        assert.strictEqual(reason.parameter, "temperature")
        assert.include(reason.description, "not supported with this model")
      }
    })
  }

  it.skipIf(!recorded)(
    "gives a failed stream its reason from any chunking, and fails typed from any cut",
    async () => {
      const file = "openai-error.1.chunks.txt"
      const bytes = sse(events(read(folder, file)))
      const run = async (pieces: ReadonlyArray<Uint8Array>) =>
        failureOf(await Effect.runPromise(Effect.result(decode(machine, pieces))))
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 0, max: bytes.length }), async (at) => {
          const whole = await run([bytes.slice(0, at), bytes.slice(at)])
          assert.deepStrictEqual([whole.reason._tag, whole.outcome], failures[file])
          const cut = await run([bytes.slice(0, at)])
          assert.include(["NetworkError", "QuotaExhaustedError"], cut.reason._tag)
        }),
        { numRuns: 200 }
      )
    }
  )
})
