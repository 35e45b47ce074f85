import { assert, describe, it } from "@effect/vitest"
import { isUnusable, unusable, vectorFault } from "@infermesh/core/operation/EmbedFault"
import { AiError } from "effect/ai"
import * as fc from "fast-check"

describe("vectorFault", () => {
  const finite = fc.float({ noNaN: true, noDefaultInfinity: true })
  const shape = fc.record({
    texts: fc.integer({ min: 1, max: 6 }),
    length: fc.integer({ min: 1, max: 9 })
  })
  const matrix = shape.chain(({ length, texts }) =>
    fc.array(fc.array(finite, { minLength: length, maxLength: length }), {
      minLength: texts,
      maxLength: texts
    })
  )
  const vectors = (rows: ReadonlyArray<ReadonlyArray<number>>) =>
    rows.map((row) => Float32Array.from(row))

  it("finds nothing wrong with finite vectors of one length, the largest numbers too", () => {
    fc.assert(
      fc.property(matrix, (rows) => {
        assert.isUndefined(vectorFault(vectors(rows), rows.length))
      })
    )
    const largest = new Float32Array(5000).fill(3.4e38)
    assert.isUndefined(vectorFault([largest], 1))
  })

  it("finds a number that is not finite wherever it is, and blames its text", () => {
    const odd = fc.constantFrom(Number.NaN, Infinity, -Infinity)
    fc.assert(
      fc.property(matrix, odd, fc.nat(), fc.nat(), (rows, number, row, column) => {
        const all = vectors(rows)
        const at = row % all.length
        const vector = all[at] as Float32Array
        vector[column % vector.length] = number
        const fault = vectorFault(all, rows.length)
        assert.include(
          fault?.description,
          `text ${at + 1} of ${rows.length} has a number that is not`
        )
        assert(fault !== undefined && isUnusable(fault))
      })
    )
  })

  it("finds missing and empty vectors, which one text may be to blame for", () => {
    for (const [given, problem] of [
      [[], /it has 0 vectors for 1 texts/],
      [[[1], [2]], /it has 2 vectors for 1 texts/],
      [[[]], /the vector of text 1 of 1 is empty/]
    ] as const) {
      const fault = vectorFault(vectors(given), 1)
      assert.match(fault?.description ?? "", problem)
      assert(fault !== undefined && isUnusable(fault))
    }
  })

  it("finds vectors of different lengths, which no text alone is to blame for", () => {
    const fault = vectorFault(vectors([[1], [1, 2]]), 2)
    assert.match(fault?.description ?? "", /text 2 of 2 has 2 numbers and that of text 1 has 1/)
    assert(fault !== undefined && !isUnusable(fault))
  })
})

describe("isUnusable", () => {
  it("knows its own among the answers that cannot be read", () => {
    assert.isTrue(isUnusable(unusable("d")))
    assert.isFalse(isUnusable(new AiError.InvalidResponseError({ description: "d" })))
    assert.isFalse(isUnusable(new AiError.InvalidRequestError({ description: "d" })))
  })
})
