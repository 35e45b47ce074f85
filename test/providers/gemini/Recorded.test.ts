import { assert, describe, it } from "@effect/vitest"
import type { Choice } from "@infermesh/core/operation/Generate"
import * as Fault from "@infermesh/providers/gemini/Fault"
import * as GenerateContentProtocol from "@infermesh/providers/gemini/GenerateContentProtocol"
import * as GenerateContentStream from "@infermesh/providers/gemini/GenerateContentStream"
import { Duration, Effect, Result } from "effect"

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

const context = { model: "asked", url: "http://h/m", headers: {}, nowMillis: 0 }

interface Expected {
  readonly text: string
  readonly calls: Choice["toolCalls"]
  readonly finish: string
  /** Prompt, completion, total, reasoning. */
  readonly usage: ReadonlyArray<number | undefined>
  /** The types of the parts for the next turn, and whether each is signed. */
  readonly content: ReadonlyArray<readonly [type: string, signed: boolean]>
}

const breakdown = "strawberry.\n\nHere is the breakdown: st**r**awbe**rr**y."

const expected: { readonly [file: string]: Expected } = {
  "google-reasoning.json": {
    text: `There are **3** "r"s in ${breakdown}`,
    calls: [],
    finish: "stop",
    usage: [9, 29 + 282, 320, 282],
    content: [["text", true]]
  },
  "google-reasoning.chunks.txt": {
    text: `There are **3** "r"s in ${breakdown}`,
    calls: [],
    finish: "stop",
    usage: [9, 29 + 256, 294, 256],
    content: [
      ["text", false],
      ["text", true]
    ]
  },
  "google-text.json": {
    text: `There are **3** r's in ${breakdown}`,
    calls: [],
    finish: "stop",
    usage: [9, 28 + 244, 281, 244],
    content: [["text", true]]
  },
  "google-text.chunks.txt": {
    text: 'There are **3** "r"s in strawberry.\n\nst**r**awbe**rr**y',
    calls: [],
    finish: "stop",
    usage: [9, 23 + 185, 217, 185],
    content: [
      ["text", false],
      ["text", true]
    ]
  },
  "google-tool-call.json": {
    text: "",
    calls: [
      {
        id: "gemini-call-m36LaZGyCLz1xs0PtNSB-QU-0-0",
        name: "weather",
        arguments: '{"location":"San Francisco"}'
      }
    ],
    finish: "tool-calls",
    usage: [29, 15 + 893, 937, 893],
    content: [["tool-call", true]]
  },
  "google-tool-call.chunks.txt": {
    text: "",
    calls: [
      {
        id: "gemini-call-b36LacjwM668nsEP2tbsgQQ-0-0",
        name: "weather",
        arguments: '{"location":"San Francisco"}'
      }
    ],
    finish: "tool-calls",
    usage: [29, 15 + 45, 89, 45],
    content: [
      ["tool-call", true],
      ["text", false]
    ]
  }
}

const check = (file: string, answer: ReturnType<typeof answerOf>) => {
  const [choice] = answer.value.choices
  const { usage } = answer
  assert.strictEqual(answer.value.modelId, "gemini-3-pro-preview")
  assert.strictEqual(choice.reasoning, undefined)
  assert.strictEqual(choice.refusal, undefined)
  assert.strictEqual(usage?.cachedTokens, undefined)
  assert.deepStrictEqual(
    {
      text: choice.text,
      calls: choice.toolCalls,
      finish: choice.finishReason,
      usage: [
        usage?.promptTokens,
        usage?.completionTokens,
        usage?.totalTokens,
        usage?.reasoningTokens
      ],
      content: (choice.content ?? []).map(
        ({ options, type }) => [type, options["gemini"] !== undefined] as const
      )
    },
    expected[file]
  )
}

describe(`recorded responses${why}`, () => {
  it.skipIf(!recorded)("all have their values told here", () => {
    assert.deepStrictEqual(
      files("google", "").toSorted(),
      [...Object.keys(expected), "google-429-retry-info.json"].toSorted()
    )
  })

  for (const file of files("google", ".json").filter((name) => !name.includes("429"))) {
    it(`reads ${file} value by value`, () => {
      const text = read("google", file)
      const raw = JSON.parse(text)
      const body = Result.getOrThrow(GenerateContentProtocol.parse(text, context.url))
      const answer = Result.getOrThrow(GenerateContentProtocol.decode(body, context))
      check(file, answer)
      assert.strictEqual(answer.requestId, raw.responseId)
      assert.deepStrictEqual(answer.body, raw)
      const [part] = answer.value.choices[0].content ?? []
      assert.deepStrictEqual(part?.options["gemini"], {
        thoughtSignature: raw.candidates[0].content.parts[0].thoughtSignature
      })
    })
  }

  it.skipIf(!recorded)("reads when to come back out of google-429-retry-info.json", () => {
    const fault = Fault.classify("m")(429, read("google", "google-429-retry-info.json"))
    assert.strictEqual(fault.message, "You exceeded your current quota, please check your plan.")
    assert.strictEqual(Duration.toMillis(fault.retryAfter ?? Duration.zero), 34_400)
    // A minute's quota is a rate limit, whatever the message says of plans.
    assert.strictEqual(fault.make, undefined)
  })

  for (const file of files("google", ".chunks.txt")) {
    it.effect(`assembles ${file} from its events`, () =>
      Effect.gen(function* () {
        const data = events(read("google", file))
        const elements = yield* decode(GenerateContentStream.machine(context), [sse(data)])
        const answer = answerOf(elements)
        check(file, answer)
        const { calls, text } = assembled(partsOf(elements))
        assert.strictEqual(text, answer.value.choices[0].text)
        assert.deepStrictEqual(calls, answer.value.choices[0].toolCalls)
        assert.strictEqual(answer.requestId, JSON.parse(data[0] ?? "").responseId)
      })
    )

    it(`gives the same from any chunking of ${file}, and fails typed from any cut`, async () => {
      const bytes = sse(events(read("google", file)))
      assert.isAbove(await survivesCuts(GenerateContentStream.machine(context), bytes, 200), 50)
    })
  }
})
