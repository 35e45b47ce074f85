import { assert, describe, it } from "@effect/vitest"
import type { Choice, Generation } from "@infermesh/core/operation/Generate"
import type { Answer } from "@infermesh/core/provider/Provider"
import * as ChatProtocol from "@infermesh/providers/openai/ChatProtocol"
import * as ChatStream from "@infermesh/providers/openai/ChatStream"
import * as CompletionProtocol from "@infermesh/providers/openai/CompletionProtocol"
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

const context = { model: "asked", url: "http://h/chat/completions", headers: {}, nowMillis: 0 }

const folders = ["openai-chat", "groq", "deepseek", "openai-completion"]

const all = (ending: string): ReadonlyArray<readonly [folder: string, file: string]> =>
  folders.flatMap((folder) => files(folder, ending).map((file) => [folder, file] as const))

/** A long text by its first and its last words and its length; the whole is compared with the recording itself. */
type Text = string | readonly [head: string, tail: string, length: number]

interface Expected {
  readonly model: string
  readonly text: Text
  readonly reasoning?: Text
  readonly calls?: Choice["toolCalls"]
  readonly finish: string
  /** Prompt, completion, total, cached, reasoning. */
  readonly usage: ReadonlyArray<number | undefined>
}

const llama = "llama-3.3-70b-versatile"
const reasoner = "deepseek-reasoner"
const instruct = "gpt-3.5-turbo-instruct:20230824-v2"
const place = '{"location": "San Francisco"}'

const expected: { readonly [file: string]: Expected } = {
  "openai-chat/azure-model-router.1.chunks.txt": {
    model: "gpt-5-nano-2025-08-07",
    text: "Capital of Denmark.",
    finish: "stop",
    usage: [15, 78, 93, 0, 64]
  },
  "openai-chat/openai-text.chunks.txt": {
    model: "gpt-4.1-nano-2025-04-14",
    text: ["**Holiday Name:** Harmony Day\n", "xperiences and mutual respect.", 1724],
    finish: "stop",
    usage: [16, 300, 316, 0, 0]
  },
  "openai-chat/openai-text.json": {
    model: "gpt-4.1-nano-2025-04-14",
    text: ["**Holiday Name:** Galaxy Day  ", "up and dream beyond our world.", 1842],
    finish: "stop",
    usage: [16, 363, 379, 0, 0]
  },
  "groq/groq-reasoning.chunks.txt": {
    model: "qwen/qwen3-32b",
    text: ['The word **"strawberry"** is s', "\n**Final Answer**: $\\boxed{3}$", 347],
    reasoning: ["Okay, let me try to figure out", ' R\'s in "strawberry" is three.', 2951],
    finish: "stop",
    usage: [17, 1107, 1124, undefined, 963]
  },
  "groq/groq-reasoning.json": {
    model: "qwen/qwen3-32b",
    text: ['The word "strawberry" contains', "th positions. \n\n**Answer:** 3.", 206],
    reasoning: ["Okay, so the user is asking ho", "rs. So the answer should be 3.", 1723],
    finish: "stop",
    usage: [17, 649, 666, undefined, 570]
  },
  "groq/groq-text.chunks.txt": {
    model: llama,
    text: ['Introducing "Luminaria" - a ne', "iation for the magic of light.", 3189],
    finish: "stop",
    usage: [45, 662, 707, undefined, undefined]
  },
  "groq/groq-text.json": {
    model: llama,
    text: ["I'd like to introduce \"Luminar", " brighter, more radiant world.", 2953],
    finish: "stop",
    usage: [45, 607, 652, undefined, undefined]
  },
  "groq/groq-tool-call.chunks.txt": {
    model: llama,
    text: "",
    calls: [{ id: "tk85n1k4m", name: "weather", arguments: "{}" }],
    finish: "tool-calls",
    usage: [210, 15, 225, undefined, undefined]
  },
  "groq/groq-tool-call.json": {
    model: llama,
    text: "",
    calls: [{ id: "ax9fskhev", name: "weather", arguments: "{}" }],
    finish: "tool-calls",
    usage: [218, 15, 233, undefined, undefined]
  },
  "deepseek/deepseek-json.json": {
    model: reasoner,
    text: '{\n  "location": "San Francisco",\n  "condition": "cloudy",\n  "temperature": 7\n}',
    reasoning: ["I have the result from the wea", "Let me output the JSON object.", 558],
    finish: "stop",
    usage: [495, 144, 639, 320, 118]
  },
  "deepseek/deepseek-reasoning.chunks.txt": {
    model: reasoner,
    text: 'The word "strawberry" contains three "r"s.',
    reasoning: ["We need to count the number of", "es, 3.\n\nThus, the answer is 3.", 606],
    finish: "stop",
    usage: [18, 219, 237, 0, 205]
  },
  "deepseek/deepseek-reasoning.json": {
    model: reasoner,
    text: 'The word "strawberry" contains three instances of the letter "r": one after the "t" and two before the "y".',
    reasoning: ["We are asked: \"How many 'r's a", "'strawberry'?\" So answer is 3.", 935],
    finish: "stop",
    usage: [18, 345, 363, 0, 315]
  },
  "deepseek/deepseek-text.chunks.txt": {
    model: "deepseek-chat",
    text: ["## **Holiday Name:** Starlight", "5 minutes of silent looking at", 1855],
    finish: "length",
    usage: [13, 400, 413, 0, undefined]
  },
  "deepseek/deepseek-text.json": {
    model: "deepseek-chat",
    text: ["## **Holiday Name: Gratitude o", "vish presents, people exchange", 1375],
    finish: "length",
    usage: [13, 300, 313, 0, undefined]
  },
  "deepseek/deepseek-tool-call.chunks.txt": {
    model: reasoner,
    text: "",
    reasoning: ["The user is asking for the wea", 'ameter set to "San Francisco".', 191],
    calls: [{ id: "call_00_ioIn7yN9p1ZOMNpDLwd4MgAF", name: "weather", arguments: place }],
    finish: "tool-calls",
    usage: [339, 83, 422, 320, 39]
  },
  "deepseek/deepseek-tool-call.json": {
    model: reasoner,
    text: "",
    reasoning: ["The user is asking for the wea", " me call the weather function.", 242],
    calls: [{ id: "call_00_9V0vrf86Pc9aelHCJMZqnJBo", name: "weather", arguments: place }],
    finish: "tool-calls",
    usage: [339, 92, 431, 320, 48]
  },
  "openai-completion/openai-completion-text.chunks.txt": {
    model: instruct,
    text: 'The holiday is called "Gratitude Day" and it is a day dedicated to',
    finish: "length",
    usage: [14, 16, 30, undefined, undefined]
  },
  "openai-completion/openai-completion-text.json": {
    model: instruct,
    text: 'The new holiday is called "Gratitude Day" and it celebrates the importance of',
    finish: "length",
    usage: [14, 16, 30, undefined, undefined]
  }
}

const refusedParameter = "openai-chat/reasoning-model-legacy-parameter-error.json"

const shown = (text: string, like: Text): Text =>
  typeof like === "string" ? text : [text.slice(0, 30), text.slice(-30), text.length]

const check = (name: string, { requestId, usage, value }: Answer<Generation>, id: string) => {
  const want = expected[name]
  assert(want !== undefined, `${name} has its values told here`)
  assert.strictEqual(value.choices.length, 1)
  const [choice] = value.choices
  const reasoning = choice.reasoning ?? ""
  const values: Expected = {
    model: value.modelId,
    text: shown(choice.text, want.text),
    ...(reasoning === "" ? {} : { reasoning: shown(reasoning, want.reasoning ?? "") }),
    ...(choice.toolCalls.length === 0 ? {} : { calls: choice.toolCalls }),
    finish: choice.finishReason,
    usage: [
      usage?.promptTokens,
      usage?.completionTokens,
      usage?.totalTokens,
      usage?.cachedTokens,
      usage?.reasoningTokens
    ]
  }
  assert.deepStrictEqual(values, want)
  assert.isUndefined(choice.refusal)
  assert.isUndefined(choice.logprobs)
  assert.strictEqual(requestId, id)
  // What the next turn needs is there exactly where the answer has more than text and calls.
  assert.strictEqual(choice.content !== undefined, reasoning !== "")
}

const protocolOf = (folder: string) =>
  folder === "openai-completion" ? CompletionProtocol.protocol : ChatProtocol.protocol

describe(`recorded responses${why}`, () => {
  it.skipIf(!recorded)("all have their values told here", () => {
    const names = all("").map(([folder, file]) => `${folder}/${file}`)
    assert.sameMembers(names, [...Object.keys(expected), refusedParameter])
  })

  it.skipIf(!recorded)("reads an error as the refusal it is", () => {
    const [folder = "", file = ""] = refusedParameter.split("/")
    const answer = ChatProtocol.protocol.answer(read(folder, file), context)
    assert(Result.isFailure(answer))
    const { outcome, reason } = answer.failure
    assert(reason._tag === "InvalidRequestError")
    assert.deepStrictEqual([outcome, reason.parameter], ["refused", "max_tokens"])
  })

  for (const [folder, file] of all(".json")) {
    const name = `${folder}/${file}`
    if (name === refusedParameter) continue
    it(`reads ${name} value by value`, () => {
      const text = read(folder, file)
      const raw = JSON.parse(text)
      const answer = Result.getOrThrow(protocolOf(folder).answer(text, context))
      check(name, answer, raw.id)
      assert.deepStrictEqual(answer.body, raw)
      const { message, text: own } = raw.choices[0]
      assert.strictEqual(answer.value.choices[0].text, own ?? message.content ?? "")
      const reasoning = message?.reasoning_content ?? message?.reasoning ?? ""
      assert.strictEqual(answer.value.choices[0].reasoning ?? "", reasoning.trim())
    })
  }

  for (const [folder, file] of all(".chunks.txt")) {
    const name = `${folder}/${file}`
    it.effect(`assembles ${name} from its events`, () =>
      Effect.gen(function* () {
        const data = events(read(folder, file))
        const elements = yield* decode(ChatStream.machine(context), [sse([...data, "[DONE]"])])
        const answer = answerOf(elements)
        const bodies = data.map((line) => JSON.parse(line))
        check(name, answer, bodies.at(-1).id)
        const choices = bodies.flatMap((body) => body.choices)
        const deltas = choices.map(({ delta, text }) => delta ?? { content: text })
        const [choice] = answer.value.choices
        const { calls, reasoning, text } = assembled(partsOf(elements))
        assert.strictEqual(text, deltas.map(({ content }) => content ?? "").join(""))
        assert.strictEqual(text, choice.text)
        const thoughts = deltas.map((delta) => delta.reasoning_content ?? delta.reasoning ?? "")
        assert.strictEqual(reasoning, thoughts.join(""))
        assert.strictEqual(reasoning.trim(), choice.reasoning ?? "")
        assert.deepStrictEqual(calls, choice.toolCalls as typeof calls)
      })
    )
  }

  for (const [folder, file] of all(".chunks.txt")) {
    // The long ones are read often enough by fewer runs.
    const numRuns = /reasoning|text/.test(file) && !file.includes("completion") ? 25 : 100
    it(`gives the same from any chunking of ${folder}/${file}, and fails typed from any cut`, async () => {
      const data = events(read(folder, file))
      const failures = await survivesCuts(ChatStream.machine(context), sse(data), numRuns)
      assert.isAbove(failures, numRuns / 5)
    })
  }
})
