import { assert, describe, it } from "@effect/vitest"
import type { EmbedModelOptions } from "@infermesh/core/operation/Embed"
import type { AttemptError } from "@infermesh/core/provider/Provider"
import * as EmbedProtocol from "@infermesh/providers/openai/EmbedProtocol"
import { openai } from "@infermesh/providers/openai/OpenAi"
import { jina } from "@infermesh/providers/vendor/Jina"
import { voyage } from "@infermesh/providers/vendor/Voyage"
import { Result } from "effect"
import * as fc from "fast-check"

import { refusal } from "../Request.ts"
import { files, read, recorded, why } from "../Wire.ts"

const context = { model: "asked", url: "http://h/v1/embeddings", headers: {}, nowMillis: 0 }

const encode = (options: EmbedModelOptions = {}, dialect = openai, more = {}) =>
  EmbedProtocol.encode({ texts: ["a", "b"], options }, dialect, "m", more)

const decode = (text: string, texts: number, asked = {}) =>
  Result.flatMap(EmbedProtocol.parse(text, context.url), (body) =>
    EmbedProtocol.decode(body, asked, texts, context)
  )

const base64 = (numbers: ReadonlyArray<number>): string =>
  Buffer.from(Float32Array.from(numbers).buffer).toString("base64")

const body = (
  items: ReadonlyArray<readonly [index: unknown, embedding: unknown]>,
  more: object = { usage: { prompt_tokens: 7, total_tokens: 7 } }
) =>
  JSON.stringify({
    object: "list",
    model: "m-2",
    data: items.map(([index, embedding]) => ({ object: "embedding", index, embedding })),
    ...more
  })

const vectors = <E>(result: Result.Result<{ value: { vectors: unknown } }, E>) =>
  Result.getOrThrow(Result.mapError(result, String)).value.vectors

const failure = <A>(result: Result.Result<A, AttemptError>): AttemptError =>
  Result.isFailure(result) ? result.failure : assert.fail("it was read")

describe("encode", () => {
  it("asks for base64, and puts every option where the API has it", () => {
    assert.deepStrictEqual(
      Result.getOrThrow(encode({ dimensions: 8, user: "u", extraBody: { own: true } })),
      {
        model: "m",
        input: ["a", "b"],
        encoding_format: "base64",
        dimensions: 8,
        user: "u",
        own: true
      }
    )
  })

  it("puts the deployment's fields under the request's, and lets extraBody win over both", () => {
    const more = { dimensions: 1, user: "deployment", own: "deployment" }
    const options = { dimensions: 2, extraBody: { user: "extra", dimensions: 3 } }
    assert.deepStrictEqual(Result.getOrThrow(encode(options, openai, more)), {
      model: "m",
      input: ["a", "b"],
      encoding_format: "base64",
      dimensions: 3,
      user: "extra",
      own: "deployment"
    })
  })

  it("leaves the form of the vectors to a caller who chooses one", () => {
    const choices = [
      { encoding_format: "float" },
      { output_dtype: "int8" },
      { embedding_type: "base64" }
    ]
    for (const extraBody of choices) {
      const expected = { model: "m", input: ["a", "b"], ...extraBody }
      assert.deepStrictEqual(Result.getOrThrow(encode({ extraBody })), expected)
      assert.deepStrictEqual(Result.getOrThrow(encode({}, openai, extraBody)), expected)
    }
  })

  it("asks vendors that are not known to have base64 for numbers", () => {
    const unknown = { name: "unknown", apiBase: undefined, keyVariables: [] }
    assert.notProperty(Result.getOrThrow(encode({}, unknown)), "encoding_format")
  })

  it("speaks Voyage's and Jina's dialects, which name no end user", () => {
    const options = { dimensions: 256, extraBody: { input_type: "query" } }
    assert.deepStrictEqual(Result.getOrThrow(encode(options, voyage)), {
      model: "m",
      input: ["a", "b"],
      encoding_format: "base64",
      output_dimension: 256,
      input_type: "query"
    })
    assert.deepStrictEqual(Result.getOrThrow(encode({ dimensions: 256 }, jina)), {
      model: "m",
      input: ["a", "b"],
      dimensions: 256
    })
    for (const dialect of [voyage, jina]) {
      assert.strictEqual(refusal(encode({ user: "u" }, dialect)), "the option 'user'")
    }
  })
})

describe("decode", () => {
  it("reads base64 and numbers, also mixed, and the request's usage once", () => {
    const answer = Result.getOrThrow(
      decode(
        body([
          [0, base64([1, -2])],
          [1, [0.1, 3]]
        ]),
        2
      )
    )
    assert.deepStrictEqual(answer.value, {
      modelId: "m-2",
      vectors: [Float32Array.of(1, -2), Float32Array.of(0.1, 3)]
    })
    assert.deepStrictEqual(
      [answer.usage?.promptTokens, answer.usage?.completionTokens, answer.usage?.totalTokens],
      [7, 0, 7]
    )
  })

  it("puts every vector at its text, whatever the order of the answer", () => {
    const order = fc.integer({ min: 1, max: 20 }).chain((length) =>
      fc.shuffledSubarray(
        Array.from({ length }, (_, index) => index),
        { minLength: length }
      )
    )
    fc.assert(
      fc.property(order, fc.boolean(), (indices, packed) => {
        const items = indices.map((index) => [index, packed ? base64([index]) : [index]] as const)
        assert.deepStrictEqual(
          vectors(decode(body(items), indices.length)),
          indices.map((_, index) => Float32Array.of(index))
        )
      })
    )
  })

  it("takes the order of an answer that numbers nothing", () => {
    const items = [
      [undefined, [1]],
      [null, [2]]
    ] as const
    assert.deepStrictEqual(vectors(decode(body(items), 2)), [
      Float32Array.of(1),
      Float32Array.of(2)
    ])
  })

  const good = [
    [0, [1]],
    [1, [2]]
  ] as const
  const wrong: ReadonlyArray<readonly [what: string, body: string, problem: RegExp]> = [
    ["too few vectors", body(good.slice(1)), /it has 1 vectors for 2 texts/],
    ["too many vectors", body([...good, [2, [3]]]), /it has 3 vectors for 2 texts/],
    ["an index twice", body([good[0], good[0]]), /the index 0 .* comes twice/],
    ["an index beyond the texts", body([good[0], [2, [1]]]), /the index 2 .* is no text's/],
    ["a negative index", body([good[0], [-1, [1]]]), /the index -1/],
    ["a broken index", body([good[0], [0.5, [1]]]), /the index 0.5/],
    ["no vector", body([good[0], [1, undefined]]), /the vector of text 2 of 2 is no list/],
    ["no base64", body([[0, "!!!!"], good[1]]), /the vector of text 1 of 2/],
    ["base64 of half a number", body([[0, "AAA="], good[1]]), /the vector of text 1 of 2/],
    ["a number that is text", body([good[0], [1, ["1"]]]), /the vector of text 2 of 2/],
    ["no list", '{"object":"list","model":"m"}', /has no list of vectors/],
    ["another API", '{"choices":[{"text":"hi"}]}', /has no list of vectors/],
    ["no JSON", "<html>hello</html>", /the body is no JSON/]
  ]
  for (const [what, text, problem] of wrong) {
    it(`refuses an answer with ${what}`, () => {
      const error = failure(decode(text, 2))
      assert.strictEqual(error.reason._tag, "InvalidResponseError")
      assert.match(error.reason.message, problem)
      assert.strictEqual(error.outcome, "unknown")
    })
  }

  it("keeps what a paid but broken answer has used", () => {
    assert.strictEqual(failure(decode(body([]), 2)).usage?.totalTokens, 7)
  })

  it("reads no base64 as 32-bit numbers that was asked for as others", () => {
    const text = body([[0, base64([1])]])
    for (const asked of [{ output_dtype: "int8" }, { embedding_type: "ubinary" }]) {
      assert.strictEqual(failure(decode(text, 1, asked)).reason._tag, "InvalidResponseError")
    }
    const asked = { encoding_format: "base64", output_dtype: "float", embedding_type: null }
    assert.deepStrictEqual(vectors(decode(text, 1, asked)), [Float32Array.of(1)])
  })

  it("takes an error with status 200 for what it would be with its own", () => {
    const { reason } = failure(decode('{"error":{"code":429,"message":"slow down"}}', 1))
    assert.strictEqual(reason._tag, "RateLimitError")
  })

  it("reads Voyage's usage, which is a total alone, and leaves an unreported one out", () => {
    const total = Result.getOrThrow(decode(body([[0, [1]]], { usage: { total_tokens: 5 } }), 1))
    assert.deepStrictEqual([total.usage?.promptTokens, total.usage?.totalTokens], [5, 5])
    assert.isUndefined(Result.getOrThrow(decode(body([[0, [1]]], {}), 1)).usage)
    const { modelId } = Result.getOrThrow(decode('{"data":[{"embedding":[1]}]}', 1)).value
    assert.strictEqual(modelId, "asked")
  })
})

describe(`recorded responses${why}`, () => {
  for (const file of files("openai-embedding", ".json")) {
    it(`reads ${file} value by value`, () => {
      const text = read("openai-embedding", file)
      const raw = JSON.parse(text)
      const answer = Result.getOrThrow(decode(text, 2))
      assert.deepStrictEqual(answer.value, {
        modelId: "text-embedding-3-small",
        vectors: [
          Float32Array.of(0.0057293195, -0.012727811, 0.020042092, -0.013437585, 0.022833068),
          Float32Array.of(-0.037104916, -0.05178114, -0.008340587, 0.001164541, -0.0035253682)
        ]
      })
      assert.deepStrictEqual([answer.usage?.promptTokens, answer.usage?.totalTokens], [12, 12])
      assert.deepStrictEqual(answer.body, raw)
    })

    it(`reads ${file} in base64 to the same vectors`, () => {
      const raw = JSON.parse(read("openai-embedding", file))
      for (const item of raw.data) item.embedding = base64(item.embedding)
      assert.deepStrictEqual(
        vectors(decode(JSON.stringify(raw), 2)),
        vectors(decode(read("openai-embedding", file), 2))
      )
    })

    it(`gives the same from ${file} cut anywhere, or a broken connection`, () => {
      const text = read("openai-embedding", file).trim()
      const whole = Result.getOrThrow(decode(text, 2))
      fc.assert(
        fc.property(fc.nat(text.length), (end) => {
          const result = decode(text.slice(0, end), 2)
          if (Result.isSuccess(result)) return assert.deepStrictEqual(result.success, whole)
          assert.strictEqual(result.failure.reason._tag, "NetworkError")
          assert.strictEqual(end < text.length, true)
        })
      )
    })
  }

  it.skipIf(!recorded)("are all read here", () => {
    assert.deepStrictEqual(files("openai-embedding", ""), ["openai-embedding.json"])
  })
})
