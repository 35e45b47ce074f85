import { assert, describe, it } from "@effect/vitest"
import * as Vector from "@infermesh/providers/Vector"
import * as fc from "fast-check"

/** Base64 of the numbers as OpenAI's servers write them, by another encoder. */
const base64 = (numbers: ReadonlyArray<number>): string => {
  const bytes = new DataView(new ArrayBuffer(numbers.length * 4))
  for (const [index, number] of numbers.entries()) bytes.setFloat32(index * 4, number, true)
  return Buffer.from(bytes.buffer).toString("base64")
}

const bits = (vector: Float32Array | undefined) =>
  vector === undefined
    ? undefined
    : Array.from(new Uint32Array(vector.buffer, vector.byteOffset, vector.length))

describe("fromBase64", () => {
  it("gives the numbers bit by bit, NaN and negative zero too, padded or not", () => {
    const numbers = fc.array(fc.float(), { maxLength: 40 })
    fc.assert(
      fc.property(numbers, (all) => {
        const text = base64(all)
        const expected = bits(Float32Array.from(all))
        assert.deepStrictEqual(bits(Vector.fromBase64(text)), expected)
        assert.deepStrictEqual(bits(Vector.fromBase64(text.replaceAll("=", ""))), expected)
      })
    )
  })

  it("reads the least significant byte first", () => {
    assert.deepStrictEqual(Vector.fromBase64("AACAPwAAAMA="), Float32Array.of(1, -2))
  })

  it("gives every vector memory of its own, also beyond what is at hand", () => {
    const long = Array.from({ length: 20_000 }, (_, index) => index / 7)
    const [first, second] = [base64(long), base64([...long, 1])].map(Vector.fromBase64)
    assert.deepStrictEqual(first, Float32Array.from(long))
    assert.strictEqual(second?.length, 20_001)
    assert.strictEqual(first?.buffer.byteLength, 80_000)
  })

  it("gives nothing for what is no base64, or no whole numbers", () => {
    const wrong = ["AAAAA*==", "AAAA", "AAAAAAA=", "AAAA AA==", "AA=AAA==", "AAAAAé==", "A", "===="]
    for (const text of wrong) assert.isUndefined(Vector.fromBase64(text), text)
    assert.strictEqual(Vector.fromBase64("")?.length, 0)
  })

  it("gives nothing for a text in which one character is another", () => {
    const character = fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 })
    fc.assert(
      fc.property(fc.nat(31), character, (at, other) => {
        fc.pre(!/^[A-Za-z0-9+/]$/.test(other))
        const text = base64([1, 2, 3, 4, 5, 6])
        const changed = text.slice(0, at) + other + text.slice(at + 1)
        assert.isUndefined(Vector.fromBase64(changed))
      })
    )
  })
})

describe("fromNumbers", () => {
  it("gives the numbers of a list, rounded to 32 bits", () => {
    assert.deepStrictEqual(Vector.fromNumbers([0.1, -2]), Float32Array.of(0.1, -2))
    assert.strictEqual(Vector.fromNumbers([])?.length, 0)
  })

  it("gives nothing for what is no list, or holds anything but numbers", () => {
    const wrong = [undefined, null, 1, "1", {}, [1, null], [1, "2"], [[1]], [true]]
    for (const value of wrong) assert.isUndefined(Vector.fromNumbers(value), JSON.stringify(value))
  })
})
