import { assert, describe, it } from "@effect/vitest"
import type { Choice } from "@infermesh/core/operation/Generate"
import * as MessagesProtocol from "@infermesh/providers/anthropic/MessagesProtocol"
import * as MessagesStream from "@infermesh/providers/anthropic/MessagesStream"
import { Effect, Result } from "effect"

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

const context = {
  model: "asked",
  url: "http://h/messages",
  headers: {},
  nowMillis: 0,
  answerTool: undefined
}

interface Expected {
  readonly model: string
  readonly text: string
  readonly reasoning: string | undefined
  readonly calls: Choice["toolCalls"]
  readonly finish: string
  readonly refusal: string | undefined
  /** Prompt, completion, cached, written to the cache, reasoning. */
  readonly usage: ReadonlyArray<number | undefined>
  /** The types of the parts for the next turn. */
  readonly content: ReadonlyArray<string>
}

const violation =
  "This request triggered restrictions on violative cyber content and was blocked under Anthropic's Usage Policy."

/** Texts too long to stand here come in from the answer; they are compared with the recording itself. */
const expected: { readonly [file: string]: (text: string) => Expected } = {
  "anthropic-claude-opus-5-reasoning-high.1.json": (text) => ({
    model: "claude-opus-5",
    text: text,
    reasoning:
      "I need to find all roots of this cubic polynomial and verify them. The Rational Root Theorem suggests checking factors of 6, and I can confirm that 1, 2, and 3 are indeed roots. I'll use synthetic division to factor it as (x-1)(x-2)(x-3), then verify by expanding and confirm this accounts for all roots since a degree 3 polynomial has exactly 3 roots.",
    calls: [],
    finish: "stop",
    refusal: undefined,
    usage: [51, 1699, 0, 0, 139],
    content: ["reasoning", "text"]
  }),
  "anthropic-clear-thinking.1.json": () => ({
    model: "claude-sonnet-4-5-20250929",
    text: "925 ÷ 5 = 185",
    reasoning: "925 divided by 5 = 185",
    calls: [],
    finish: "stop",
    refusal: undefined,
    usage: [69, 33, 0, 0, undefined],
    content: ["reasoning", "text"]
  }),
  "anthropic-clear-thinking.1.chunks.txt": () => ({
    model: "claude-sonnet-4-5-20250929",
    text: "925 ÷ 5 = 185",
    reasoning: "The previous result was 925. Now I need to divide that by 5.\n\n925 ÷ 5 = 185",
    calls: [],
    finish: "stop",
    refusal: undefined,
    usage: [69, 53, 0, 0, undefined],
    content: ["reasoning", "text"]
  }),
  "anthropic-compaction.1.json": (text) => ({
    model: "claude-opus-4-6",
    text,
    reasoning: undefined,
    calls: [],
    finish: "stop",
    refusal: undefined,
    // The summary of the conversation is a run of its own, which the totals of the API leave out.
    usage: [60_385 + 682, 592 + 1320, 0, 0, undefined],
    content: ["file", "text"]
  }),
  "anthropic-compaction.1.chunks.txt": (text) => ({
    model: "claude-opus-4-6",
    text,
    reasoning: undefined,
    calls: [],
    finish: "stop",
    refusal: undefined,
    usage: [60_385 + 612, 522 + 2819, 0, 0, undefined],
    content: ["file", "text"]
  }),
  "anthropic-json-output-format.1.json": (text) => ({
    model: "claude-sonnet-4-5-20250929",
    text: text,
    reasoning: undefined,
    calls: [],
    finish: "stop",
    refusal: undefined,
    usage: [371, 629, 0, 0, undefined],
    content: ["text"]
  }),
  "anthropic-json-output-format.1.chunks.txt": (text) => ({
    model: "claude-sonnet-4-5-20250929",
    text: text,
    reasoning: undefined,
    calls: [],
    finish: "stop",
    refusal: undefined,
    usage: [313, 305, 0, 0, undefined],
    content: ["text"]
  }),
  "anthropic-json-tool.1.json": () => ({
    model: "claude-haiku-4-5-20251001",
    text: "",
    reasoning: undefined,
    calls: [
      {
        id: "toolu_01Q9ExVZnzZj7E2QQYHYtNUa",
        name: "json",
        arguments:
          '{"elements":[{"location":"San Francisco","temperature":-5,"condition":"snowy"},{"location":"London","temperature":0,"condition":"snowy"},{"location":"Paris","temperature":23,"condition":"cloudy"},{"location":"Berlin","temperature":-9,"condition":"snowy"}]}'
      }
    ],
    finish: "tool-calls",
    refusal: undefined,
    usage: [1151, 87, 0, 0, undefined],
    content: ["tool-call"]
  }),
  "anthropic-json-tool.1.chunks.txt": () => ({
    model: "claude-haiku-4-5-20251001",
    text: "",
    reasoning: undefined,
    calls: [
      {
        id: "toolu_01KFbKqPYSuAKujiL6mTfzYA",
        name: "json",
        arguments:
          '{"elements": [{"location": "San Francisco", "temperature": 58, "condition": "sunny"}]}'
      }
    ],
    finish: "tool-calls",
    refusal: undefined,
    usage: [849, 47, 0, 0, undefined],
    content: ["tool-call"]
  }),
  "anthropic-message-delta-input-tokens.chunks.txt": () => ({
    model: "claude-opus-4-5-20251101",
    text: "pong",
    reasoning: undefined,
    calls: [],
    finish: "stop",
    refusal: undefined,
    usage: [61, 2, undefined, undefined, undefined],
    content: ["text"]
  }),
  "anthropic-refusal-no-details.json": () => ({
    model: "claude-fable-5",
    text: "",
    reasoning: undefined,
    calls: [],
    finish: "content-filter",
    refusal: "the model declined to answer",
    usage: [18, 5, 0, 0, undefined],
    content: []
  }),
  "anthropic-refusal.json": () => ({
    model: "claude-fable-5",
    text: "",
    reasoning: undefined,
    calls: [],
    finish: "content-filter",
    refusal: violation,
    usage: [18, 5, 0, 0, undefined],
    content: []
  }),
  "anthropic-refusal.chunks.txt": () => ({
    model: "claude-fable-5",
    text: "",
    reasoning: undefined,
    calls: [],
    finish: "content-filter",
    refusal: violation,
    usage: [18, 5, 0, 0, undefined],
    content: []
  }),
  "anthropic-text.json": () => ({
    model: "claude-sonnet-4-5-20250929",
    text: "Hello! I'm doing well, thanks for asking. How are you doing today? Is there anything I can help you with?",
    reasoning: undefined,
    calls: [],
    finish: "stop",
    refusal: undefined,
    usage: [12, 29, 0, 0, undefined],
    content: ["text"]
  }),
  "anthropic-text.chunks.txt": () => ({
    model: "claude-sonnet-4-5-20250929",
    text: "Hello! I'm doing well, thank you for asking. How are you doing today? Is there anything I can help you with?",
    reasoning: undefined,
    calls: [],
    finish: "stop",
    refusal: undefined,
    usage: [12, 30, 0, 0, undefined],
    content: ["text"]
  }),
  "anthropic-tool-no-args.json": () => ({
    model: "claude-3-opus-20240229",
    text: "<thinking>\nThe updateIssueList tool was provided in the list of available functions. The tool has no required parameters, so it can be called without any additional information needed from the user.\n</thinking>\n\nOkay, I will update the current issue list:",
    reasoning: undefined,
    calls: [{ id: "toolu_01LRmxn9vGM1d2DZSDBowdZ1", name: "updateIssueList", arguments: "{}" }],
    finish: "tool-calls",
    refusal: undefined,
    usage: [602, 93, 0, 0, undefined],
    content: ["text", "tool-call"]
  }),
  "anthropic-tool-no-args.chunks.txt": () => ({
    model: "claude-sonnet-4-5-20250929",
    text: "I'll update the issue list for you.",
    reasoning: undefined,
    calls: [{ id: "toolu_01QE1WLsSVp5hy5Q3GmGTmjP", name: "updateIssueList", arguments: "{}" }],
    finish: "tool-calls",
    refusal: undefined,
    usage: [565, 48, 0, 0, undefined],
    content: ["text", "tool-call"]
  }),
  "duplicate-message-start.chunks.txt": () => ({
    model: "claude-3-haiku-20240307",
    text: "Hello, World!",
    reasoning: undefined,
    calls: [],
    finish: "stop",
    refusal: undefined,
    usage: [17, 227, undefined, undefined, undefined],
    content: ["text"]
  })
}

const check = (file: string, answer: ReturnType<typeof answerOf>) => {
  const [choice] = answer.value.choices
  const { usage } = answer
  const values: Expected = {
    model: answer.value.modelId,
    text: choice.text,
    reasoning: choice.reasoning,
    calls: choice.toolCalls,
    finish: choice.finishReason,
    refusal: choice.refusal,
    usage: [
      usage?.promptTokens,
      usage?.completionTokens,
      usage?.cachedTokens,
      usage?.cacheWriteTokens,
      usage?.reasoningTokens
    ],
    content: (choice.content ?? []).map(({ type }) => type)
  }
  assert.deepStrictEqual(values, expected[file]?.(choice.text))
  assert.strictEqual(
    usage?.totalTokens,
    (usage?.promptTokens ?? 0) + (usage?.completionTokens ?? 0)
  )
}

describe(`recorded responses${why}`, () => {
  it.skipIf(!recorded)("all have their values told here", () => {
    assert.deepStrictEqual(files("anthropic", "").toSorted(), Object.keys(expected).toSorted())
  })

  for (const file of files("anthropic", ".json")) {
    it(`reads ${file} value by value`, () => {
      const text = read("anthropic", file)
      const raw = JSON.parse(text)
      const body = Result.getOrThrow(MessagesProtocol.parse(text, context.url))
      const answer = Result.getOrThrow(MessagesProtocol.decode(body, context))
      check(file, answer)
      assert.strictEqual(answer.requestId, raw.id)
      assert.deepStrictEqual(answer.body, raw)
      const texts = raw.content.map((block: { text?: string }) => block.text ?? "")
      assert.strictEqual(answer.value.choices[0].text, texts.join(""))
    })
  }

  for (const file of files("anthropic", ".chunks.txt")) {
    it.effect(`assembles ${file} from its events`, () =>
      Effect.gen(function* () {
        const data = events(read("anthropic", file))
        const elements = yield* decode(MessagesStream.machine(context), [sse(data, true)])
        const answer = answerOf(elements)
        check(file, answer)
        const [choice] = answer.value.choices
        const { calls, reasoning, text } = assembled(partsOf(elements))
        assert.strictEqual(text, choice.text)
        assert.strictEqual(reasoning.trim(), choice.reasoning ?? "")
        assert.deepStrictEqual(
          calls.map((call) => Object.assign(call, { arguments: call.arguments || "{}" })),
          choice.toolCalls
        )
        const deltas = data.map((line) => JSON.parse(line).delta?.text ?? "")
        assert.strictEqual(choice.text, deltas.join(""))
      })
    )
  }

  for (const file of files("anthropic", ".chunks.txt")) {
    // The long ones are read often enough by fewer runs.
    const numRuns = file.includes("compaction") ? 20 : file.includes("json-output") ? 60 : 200
    it(`gives the same from any chunking of ${file}, and fails typed from any cut`, async () => {
      const bytes = sse(events(read("anthropic", file)), true)
      const failures = await survivesCuts(MessagesStream.machine(context), bytes, numRuns)
      assert.isAbove(failures, numRuns / 4)
    })
  }
})
