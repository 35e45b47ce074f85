import { assert, describe, it } from "@effect/vitest"
import * as Simulator from "@infermesh/core/testing/Simulator"
import { Effect } from "effect"

import { body, chunks, recordedIt, shape } from "./Recording.ts"
import { errorOf, json, postTo, respond, values } from "./SimulatorExchange.ts"

interface Answer {
  readonly choices: ReadonlyArray<{
    readonly text: string
    readonly index: number
    readonly logprobs: {
      readonly tokens: ReadonlyArray<string>
      readonly token_logprobs: ReadonlyArray<number>
      readonly top_logprobs: ReadonlyArray<Record<string, number>>
      readonly text_offset: ReadonlyArray<number>
    } | null
    readonly finish_reason: string | null
  }>
  readonly usage?: {
    readonly prompt_tokens: number
    readonly completion_tokens: number
    readonly total_tokens: number
  } | null
}

const request = (fields: object) =>
  postTo("/v1/completions", { model: "m", prompt: "Once upon", ...fields })

const complete = (simulator: Simulator.Simulator, fields: object = {}) =>
  Effect.map(
    respond(simulator, request(fields)),
    (response) => (assert.strictEqual(response.status, 200), json(response) as Answer)
  )

const stream = (simulator: Simulator.Simulator, fields: object = {}) =>
  Effect.flatMap(respond(simulator, request({ stream: true, ...fields })), values<Answer>)

describe("a completion", () => {
  const whole = "openai-completion/openai-completion-text.json"
  const streamed = "openai-completion/openai-completion-text.chunks.txt"
  recordedIt("has the keys, in the order, of recorded ones", [whole, streamed], () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      assert.deepStrictEqual(shape(yield* complete(simulator)), shape(body(whole)))
      const sent = yield* stream(simulator, { stream_options: { include_usage: true } })
      const recorded = chunks(streamed)
      for (const position of [0, 1, -2, -1]) {
        assert.deepStrictEqual(shape(sent.at(position)), shape(recorded.at(position)))
      }
    })
  )

  it.effect("has 16 tokens unless the request says otherwise", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ outputTokens: { min: 30, max: 30 } })
      const short = yield* complete(simulator)
      assert.strictEqual(short.choices[0]?.finish_reason, "length")
      assert.deepStrictEqual(short.usage, {
        prompt_tokens: 3,
        completion_tokens: 16,
        total_tokens: 19
      })
      const long = yield* complete(simulator, { max_tokens: 100 })
      assert.strictEqual(long.choices[0]?.finish_reason, "stop")
      assert.isTrue(long.choices[0]?.text.startsWith(short.choices[0]?.text ?? "?"))
    })
  )

  it.effect("ends before a stop sequence and begins with the prompt where it is echoed", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const text = (yield* complete(simulator, { max_tokens: 100 })).choices[0]?.text ?? ""
      const stop = text.split(" ")[2] ?? ""
      const echoed = yield* complete(simulator, { max_tokens: 100, stop, echo: true })
      assert.strictEqual(echoed.choices[0]?.text, `Once upon${text.slice(0, text.indexOf(stop))}`)
      assert.strictEqual(echoed.choices[0]?.finish_reason, "stop")
      const silent = yield* complete(simulator, { max_tokens: 0, echo: true })
      assert.strictEqual(silent.choices[0]?.text, "Once upon")
      assert.strictEqual(silent.usage?.completion_tokens, 0)
    })
  )

  it.effect("has n choices for each prompt, in the order of the prompts, all paid", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const fields = { prompt: ["a", "b"], n: 2, echo: true }
      const { choices, usage } = yield* complete(simulator, fields)
      assert.deepStrictEqual(
        choices.map(({ index, text }) => [index, text[0]]),
        [
          [0, "a"],
          [1, "a"],
          [2, "b"],
          [3, "b"]
        ]
      )
      assert.strictEqual(new Set(choices.map(({ text }) => text)).size, 4)
      assert.strictEqual(usage?.prompt_tokens, 2)
      const best = yield* complete(simulator, { ...fields, best_of: 4 })
      assert.strictEqual(best.choices.length, 4)
      assert.isAbove(best.usage?.completion_tokens ?? 0, usage?.completion_tokens ?? 0)
    })
  )

  it.effect("is answered for prompts of tokens", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const one = yield* complete(simulator, { prompt: [1, 2, 3, 4] })
      assert.deepInclude(one, { choices: one.choices })
      assert.strictEqual(one.usage?.prompt_tokens, 4)
      const two = yield* complete(simulator, { prompt: [[1, 2], [3]] })
      assert.strictEqual(two.choices.length, 2)
      assert.strictEqual(two.usage?.prompt_tokens, 3)
    })
  )

  it.effect("has log probabilities of its tokens, with their places in the text", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const { choices } = yield* complete(simulator, { logprobs: 2, echo: true })
      const { logprobs, text = "" } = choices[0] ?? {}
      assert.strictEqual(logprobs?.tokens.join(""), text)
      for (const [index, token] of (logprobs?.tokens ?? []).entries()) {
        const offset = logprobs?.text_offset[index] ?? -1
        assert.strictEqual(text.slice(offset, offset + token.length), token)
        assert.strictEqual(logprobs?.top_logprobs[index]?.[token], logprobs?.token_logprobs[index])
        assert.strictEqual(Object.keys(logprobs?.top_logprobs[index] ?? {}).length, 2)
      }
    })
  )

  it.effect("is the same streamed, choices side by side, why it ended in the last chunk", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const fields = { n: 2, echo: true, logprobs: 1 }
      const { choices, usage } = yield* complete(simulator, fields)
      const sent = yield* stream(simulator, { ...fields, stream_options: { include_usage: true } })
      const lanes = [0, 1].map((lane) =>
        sent.flatMap((chunk) => chunk.choices).filter(({ index }) => index === lane)
      )
      for (const [index, lane] of lanes.entries()) {
        assert.strictEqual(lane.map(({ text }) => text).join(""), choices[index]?.text)
        const reasons = lane.map((choice) => choice.finish_reason)
        assert.strictEqual(reasons.at(-1), choices[index]?.finish_reason)
        assert.isTrue(reasons.slice(0, -1).every((reason) => reason === null))
        const offsets = lane.flatMap(({ logprobs }) => logprobs?.text_offset ?? [])
        assert.deepStrictEqual(
          offsets,
          offsets.toSorted((one, other) => one - other)
        )
      }
      assert.deepStrictEqual(sent.at(-1)?.usage, usage)
      const unasked = yield* stream(simulator)
      assert.isTrue(unasked.every((chunk) => !("usage" in chunk)))
    })
  )
})

describe("a wrong request for a completion", () => {
  const cases: ReadonlyArray<readonly [string, object, RegExp, string | null, string?]> = [
    [
      "no prompt",
      { prompt: undefined },
      /^Missing required parameter: 'prompt'/,
      "prompt",
      "missing_required_parameter"
    ],
    [
      "a prompt of another type",
      { prompt: 7 },
      /expected one of a string or array/,
      "prompt",
      "invalid_type"
    ],
    ["a bad token", { prompt: [1, -1] }, /below minimum/, "prompt[1]", "integer_below_min_value"],
    ["a mixture of prompts", { prompt: ["a", [1]] }, /^Invalid 'prompt'/, "prompt"],
    [
      "an unknown field",
      { messages: [] },
      /^Unknown parameter: 'messages'/,
      "messages",
      "unknown_parameter"
    ],
    [
      "too many log probabilities",
      { logprobs: 6 },
      /above maximum/,
      "logprobs",
      "integer_above_max_value"
    ],
    ["best_of below n", { n: 3, best_of: 2 }, /less than or equal to 'best_of'/, "best_of"],
    ["the best of a stream", { best_of: 2, stream: true }, /cannot be streamed/, "best_of"],
    [
      "stream options without a stream",
      { stream_options: { include_usage: true } },
      /only allowed when 'stream' is enabled/,
      "stream_options"
    ],
    [
      "more than the context holds",
      { prompt: "x".repeat(400), max_tokens: 1 },
      /^This model's maximum context length is 100 tokens, however you requested 101 tokens \(100 in your prompt; 1 for the completion\)/,
      null
    ],
    [
      "more output than the model has",
      { max_tokens: 51 },
      /^max_tokens is too large: 51/,
      "max_tokens",
      "invalid_value"
    ]
  ]
  for (const [name, fields, message, param, code = null] of cases) {
    it.effect(`is refused as OpenAI refuses it: ${name}`, () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator.make({ contextWindow: 100, maxOutputTokens: 50 })
        const response = yield* respond(simulator, request(fields))
        assert.strictEqual(response.status, 400)
        const error = errorOf(response)
        assert.match(error.message, message)
        assert.deepInclude(error, { type: "invalid_request_error", param, code })
      })
    )
  }
})

describe("completions under load", () => {
  it.effect("are charged by tokens and meet faults", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({
        quota: { tpm: 1000 },
        script: ["noChoices", "contentFilter", "streamError", "answer"]
      })
      assert.deepStrictEqual((yield* complete(simulator)).choices, [])
      const filtered = yield* complete(simulator)
      assert.strictEqual(filtered.choices[0]?.finish_reason, "content_filter")
      const failed = yield* stream(simulator)
      assert.property(failed.at(-1), "error")
      const before = (yield* simulator.stats).peakTokensPerMinute
      const { usage } = yield* complete(simulator)
      const after = (yield* simulator.stats).peakTokensPerMinute
      assert.strictEqual(after - before, usage?.total_tokens)
    })
  )
})
