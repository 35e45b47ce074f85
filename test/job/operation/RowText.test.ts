import { assert, describe, it } from "@effect/vitest"
import * as Usage from "@infermesh/core/operation/Usage"
import * as EmbedRow from "@infermesh/job/operation/EmbedRow"
import * as GenerateRow from "@infermesh/job/operation/GenerateRow"
import * as TranscribeRow from "@infermesh/job/operation/TranscribeRow"
import { Duration, Schema } from "effect"
import * as fc from "fast-check"

/** A field that is given, or not. */
const maybe = <A>(values: fc.Arbitrary<A>) => fc.option(values, { nil: undefined })

const common = {
  index: fc.nat(),
  requestId: maybe(fc.string()),
  error: maybe(fc.string()),
  errorReason: maybe(fc.string()),
  modelId: maybe(fc.string()),
  cost: maybe(fc.double({ noNaN: true, noDefaultInfinity: true })),
  tokenUsage: maybe(
    fc
      .record({ promptTokens: fc.nat(), completionTokens: fc.nat(), cachedTokens: maybe(fc.nat()) })
      .map(Usage.make)
  ),
  metrics: maybe(
    fc.record({
      queueWait: fc.nat().map(Duration.millis),
      serviceTime: fc.nat().map(Duration.millis),
      endToEnd: fc.nat().map(Duration.millis),
      deployment: maybe(fc.string()),
      retries: fc.nat(),
      repairs: fc.nat()
    })
  )
}

/** Without keys for what is not given, as rows have it, and with some at times. */
const given = <A extends object>(record: fc.Arbitrary<A>) =>
  fc
    .tuple(record, fc.option(fc.jsonValue()))
    .map(([row, metadata]) =>
      Object.fromEntries(
        Object.entries(metadata === null ? row : Object.assign(row, { metadata })).filter(
          ([, value]) => value !== undefined
        )
      )
    ) as fc.Arbitrary<object> as fc.Arbitrary<A>

const same = <A>(
  schema: Schema.Codec<A, unknown>,
  toLine: (row: A) => string,
  rows: fc.Arbitrary<A>
) => {
  const encode = Schema.encodeSync(schema)
  fc.assert(
    fc.property(given(rows as fc.Arbitrary<A & object>), (row) => {
      assert.strictEqual(toLine(row), `${JSON.stringify(encode(row))}\n`)
    })
  )
}

describe("a row as text", () => {
  it("is what its Schema would write", () => {
    same(
      GenerateRow.OutputRow,
      GenerateRow.toLine,
      fc.record({
        ...common,
        outputText: maybe(fc.string({ unit: "binary" })),
        outputParsed: maybe(fc.jsonValue()),
        reasoning: maybe(fc.string()),
        finishReason: maybe(fc.constantFrom("stop", "tool-calls", "content-filter")),
        toolCalls: maybe(
          fc.array(fc.record({ id: fc.string(), name: fc.string(), arguments: maybe(fc.string()) }))
        )
      })
    )
    same(
      TranscribeRow.TranscribeRow,
      TranscribeRow.toLine,
      fc.record({
        ...common,
        text: maybe(fc.string()),
        durationSeconds: maybe(fc.nat()),
        language: maybe(fc.string()),
        path: maybe(fc.string()),
        segments: maybe(fc.array(fc.record({ start: fc.nat(), end: fc.nat(), text: fc.string() }))),
        words: maybe(fc.array(fc.record({ start: fc.nat(), end: fc.nat(), word: fc.string() })))
      })
    )
    const vector = fc.float32Array({ noNaN: true, noDefaultInfinity: true })
    const encode = Schema.encodeSync(EmbedRow.EmbedRow)
    fc.assert(
      fc.property(
        given(fc.record({ ...common, dimensions: maybe(fc.nat()), matrixRow: maybe(fc.nat()) })),
        maybe(vector),
        (row, embedding) => {
          const encoded = encode({
            ...row,
            ...(embedding && { embedding: Array.from(embedding) })
          } as never)
          assert.strictEqual(
            EmbedRow.toLine({ ...row, embedding } as EmbedRow.EmbedRow),
            `${JSON.stringify(encoded)}\n`
          )
        }
      )
    )
  })
})
