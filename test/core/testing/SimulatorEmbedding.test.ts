import { assert, describe, it } from "@effect/vitest"
import * as Simulator from "@infermesh/core/testing/Simulator"
import * as EmbeddingVector from "@infermesh/core/testing/simulator/EmbeddingVector"
import { Effect } from "effect"
import * as fc from "fast-check"

import { body, recordedIt, shape } from "./Recording.ts"
import { errorOf, json, postTo, respond } from "./SimulatorExchange.ts"

interface Answer {
  readonly object: string
  readonly data: ReadonlyArray<{
    readonly index: number
    readonly embedding: string | ReadonlyArray<number>
  }>
  readonly model: string
  readonly usage: { readonly prompt_tokens: number; readonly total_tokens: number }
}

const request = (input: unknown, fields: object = {}) =>
  postTo("/v1/embeddings", { model: "m", input, ...fields })

const embed = (simulator: Simulator.Simulator, input: unknown, fields: object = {}) =>
  Effect.map(
    respond(simulator, request(input, fields)),
    (response) => (assert.strictEqual(response.status, 200), json(response) as Answer)
  )

const floats = (embedding: string | ReadonlyArray<number> | undefined): Float32Array => {
  if (typeof embedding !== "string") return Float32Array.from(embedding ?? [])
  return new Float32Array(new Uint8Array(Buffer.from(embedding, "base64")).buffer)
}

const small = { embeddings: { dimensions: 8 } }

describe("embeddings", () => {
  recordedIt(
    "have the keys, in the order, of recorded ones",
    ["openai-embedding/openai-embedding.json"],
    () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator.make(small)
        const answer = yield* embed(simulator, ["one", "two"])
        assert.deepStrictEqual(shape(answer), shape(body("openai-embedding/openai-embedding.json")))
      })
  )

  it.effect("are one vector of length one per input, in the order of the inputs", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const answer = yield* embed(simulator, ["one", "two", "one"])
      assert.deepStrictEqual(
        answer.data.map(({ index }) => index),
        [0, 1, 2]
      )
      const [first, second, third] = answer.data.map(({ embedding }) => embedding)
      assert.deepStrictEqual(first, third)
      assert.notDeepEqual(first, second)
      for (const { embedding } of answer.data) {
        const vector = floats(embedding)
        assert.strictEqual(vector.length, 1536)
        assert.closeTo(
          vector.reduce((sum, component) => sum + component * component, 0),
          1,
          1e-5
        )
      }
      assert.deepStrictEqual(answer.usage, { prompt_tokens: 3, total_tokens: 3 })
      assert.deepStrictEqual((yield* embed(simulator, "two")).data[0]?.embedding, second)
    })
  )

  it.effect("depend on seed, model and text, and on nothing else", () =>
    Effect.gen(function* () {
      const vector = (seed: number, input: unknown, fields: object = {}) =>
        Effect.gen(function* () {
          const simulator = yield* Simulator.make({ ...small, seed })
          return (yield* embed(simulator, input, fields)).data.at(-1)?.embedding
        })
      const one = yield* vector(1, "text")
      assert.deepStrictEqual(yield* vector(1, ["before", "text"], { user: "u" }), one)
      assert.notDeepEqual(yield* vector(2, "text"), one)
      assert.notDeepEqual(yield* vector(1, "text", { model: "n" }), one)
    })
  )

  it.effect("are the same numbers as base64 and as JSON", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const plain = yield* embed(simulator, "text", { encoding_format: "float" })
      const packed = yield* embed(simulator, "text", { encoding_format: "base64" })
      assert.isString(packed.data[0]?.embedding)
      assert.deepStrictEqual(floats(packed.data[0]?.embedding), floats(plain.data[0]?.embedding))
    })
  )

  it("survive being written as JSON, whatever the text", () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), (text, seed) => {
        const vector = EmbeddingVector.make(seed, "m", text, 64)
        assert.deepStrictEqual(Float32Array.from(EmbeddingVector.toNumbers(vector)), vector)
      })
    )
  })

  it.effect("are shortened as the model's long ones are, and of the model's length otherwise", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const large = { model: "text-embedding-3-large" }
      const long = floats((yield* embed(simulator, "a", large)).data[0]?.embedding)
      assert.strictEqual(long.length, 3072)
      const answer = yield* embed(simulator, "a", { ...large, dimensions: 256 })
      const short = floats(answer.data[0]?.embedding)
      const beginning = long.slice(0, 256)
      const length = Math.hypot(...beginning)
      for (const [index, component] of short.entries()) {
        assert.closeTo(component, beginning[index]! / length, 1e-6)
      }
    })
  )

  it.effect("are made of token arrays too, one or many", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make(small)
      const one = yield* embed(simulator, [5, 6, 7])
      const many = yield* embed(simulator, [[1], [5, 6, 7]])
      assert.strictEqual(one.usage.prompt_tokens, 3)
      assert.strictEqual(many.usage.prompt_tokens, 4)
      assert.deepStrictEqual(one.data[0]?.embedding, many.data[1]?.embedding)
    })
  )
})

describe("a wrong request for embeddings", () => {
  const badInput = /^'\$\.input' is invalid/
  const limits = {
    embeddings: { dimensions: 8, maxInputs: 4, maxTokensPerInput: 10, maxTokensPerRequest: 20 }
  }
  const cases: ReadonlyArray<
    readonly [string, object, RegExp, string | null, (string | null)?, string?]
  > = [
    ["no model", { model: undefined }, /^you must provide a model parameter$/, null],
    [
      "no input",
      { input: undefined },
      /^Missing required parameter: 'input'/,
      "input",
      "missing_required_parameter"
    ],
    ["an empty text", { input: "" }, badInput, null],
    ["an empty text among others", { input: ["a", ""] }, badInput, null],
    ["no texts", { input: [] }, badInput, null],
    ["a number", { input: 7 }, badInput, null],
    ["an object", { input: [{ text: "a" }] }, badInput, null],
    ["no tokens", { input: [[]] }, badInput, null],
    ["fractions of tokens", { input: [[1.5]] }, badInput, null],
    [
      "an unknown field",
      { truncate: "END" },
      /^Unknown parameter: 'truncate'/,
      "truncate",
      "unknown_parameter"
    ],
    [
      "an unknown encoding",
      { encoding_format: "hex" },
      /^Invalid value: 'hex'\. Supported values are: 'float' and 'base64'\.$/,
      "encoding_format",
      "invalid_value"
    ],
    [
      "dimensions of zero",
      { dimensions: 0 },
      /integer below minimum value/,
      "dimensions",
      "integer_below_min_value"
    ],
    ["too many dimensions", { dimensions: 9 }, /^Invalid value for 'dimensions' = 9/, null],
    [
      "dimensions for a model that has one length",
      { model: "text-embedding-ada-002", dimensions: 4 },
      /does not support specifying dimensions/,
      null
    ],
    [
      "too many texts",
      { input: ["a", "b", "c", "d", "e"] },
      /^Invalid 'input': array too long\. Expected an array with maximum length 4, but got an array with length 5 instead\.$/,
      "input",
      "array_above_max_length"
    ],
    [
      "a text too long",
      { input: ["a", "x".repeat(41)] },
      /^This model's maximum context length is 10 tokens, however you requested 11 tokens/,
      null
    ],
    [
      "texts too long together",
      { input: ["x".repeat(40), "x".repeat(40), "x"] },
      /^Requested 21 tokens, max 20 tokens per request$/,
      null,
      "max_tokens_per_request",
      "max_tokens_per_request"
    ]
  ]
  for (const [name, fields, message, param, code = null, type] of cases) {
    it.effect(`is refused as OpenAI refuses it: ${name}`, () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator.make(limits)
        const response = yield* respond(simulator, request("text", fields))
        assert.strictEqual(response.status, 400)
        const error = errorOf(response)
        assert.match(error.message, message)
        assert.deepInclude(error, { type: type ?? "invalid_request_error", param, code })
        assert.strictEqual((yield* simulator.stats).rejected, 1)
      })
    )
  }

  it.effect("has the documented limits by default", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make(small)
      const status = (input: unknown) =>
        Effect.map(respond(simulator, request(input)), (response) => response.status)
      assert.strictEqual(yield* status(Array.from({ length: 2048 }, () => "a")), 200)
      assert.strictEqual(yield* status(Array.from({ length: 2049 }, () => "a")), 400)
      assert.strictEqual(yield* status("x".repeat(4 * 8192)), 200)
      assert.strictEqual(yield* status("x".repeat(4 * 8192 + 1)), 400)
      const large = Array.from({ length: 37 }, () => "x".repeat(4 * 8000))
      assert.strictEqual(yield* status(large), 200)
      assert.strictEqual(yield* status([...large, "x".repeat(4 * 8000)]), 400)
    })
  )

  it.effect("is one with a poisoned text, which it does not name", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({
        embeddings: { dimensions: 8, poison: "POISON-\\d" }
      })
      const refused = yield* respond(simulator, request(["a", "with POISON-7 in it", "b"]))
      assert.strictEqual(refused.status, 400)
      assert.match(errorOf(refused).message, badInput)
      assert.isNull(errorOf(refused).param)
      yield* embed(simulator, ["a", "POISON", "b"])
      const error = yield* Effect.flip(Simulator.make({ embeddings: { poison: "(" } }))
      assert.match(error.message, /simulator\.embeddings\.poison/)
    })
  )
})

describe("embeddings under load", () => {
  it.effect("cost one request and their tokens", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ ...small, quota: { rpm: 10, tpm: 5 } })
      const first = yield* respond(simulator, request(["12345678", "1234"]))
      assert.deepInclude(first.headers, {
        "x-ratelimit-remaining-requests": "9",
        "x-ratelimit-remaining-tokens": "2"
      })
      const second = yield* respond(simulator, request("123456789"))
      assert.strictEqual(second.status, 429)
      assert.strictEqual(errorOf(second).type, "tokens")
      const stats = yield* simulator.stats
      assert.deepInclude(stats, { promptTokens: 3, completionTokens: 0, answered: 1 })
      assert.strictEqual(stats.violations.tpm, 1)
    })
  )

  it.effect("meet faults as other requests do; those their answers cannot have, they do not", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({
        ...small,
        script: ["rateLimited", "malformed", "truncated", "noChoices", "refusal", "streamError"]
      })
      const limited = yield* respond(simulator, request("a"))
      assert.strictEqual(limited.status, 429)
      assert.strictEqual(limited.headers["retry-after"], "1")
      const malformed = yield* respond(simulator, request("a"))
      assert.strictEqual(malformed.status, 200)
      assert.throws(() => json(malformed))
      assert.strictEqual((yield* simulator.handle(request("a")))._tag, "Truncated")
      assert.deepStrictEqual((yield* embed(simulator, "a")).data, [])
      assert.strictEqual((yield* embed(simulator, "a")).data.length, 1)
      assert.strictEqual((yield* embed(simulator, "a")).data.length, 1)
      assert.deepStrictEqual((yield* simulator.stats).faults, {
        rateLimited: 1,
        malformed: 1,
        truncated: 1,
        noChoices: 1
      })
    })
  )
})
