import { assert, describe, it } from "@effect/vitest"
import * as Reasoning from "@infermesh/core/output/Reasoning"
import * as ReasoningStream from "@infermesh/core/output/ReasoningStream"
import * as fc from "fast-check"

/** Everything a splitter gives for a text that comes in these pieces. */
const all = (pieces: ReadonlyArray<string>) => {
  const splitter = ReasoningStream.make()
  const given = [...pieces.flatMap((piece) => splitter.push(piece)), ...splitter.end()]
  const join = (isReasoning: boolean) =>
    given.map((piece) => (piece.isReasoning === isReasoning ? piece.text : "")).join("")
  return { given, text: join(false), reasoning: join(true) }
}

const fragments = ["<think>", "</think>", "<thinking>", "</thinking>", "<th", " ", "\n", "a", "b"]

const text = fc.array(fc.constantFrom(...fragments)).map((parts) => parts.join(""))

/** Where a text is cut. */
const cuts = fc.array(fc.nat(60))

const cutAt = (whole: string, positions: ReadonlyArray<number>) => {
  const sorted = [0, ...positions.map((at) => Math.min(at, whole.length)), whole.length].toSorted(
    (left, right) => left - right
  )
  return sorted.slice(1).map((end, index) => whole.slice(sorted[index], end))
}

describe("ReasoningStream", () => {
  it("gives what a whole text is split into, wherever it is cut", () => {
    fc.assert(
      fc.property(text, cuts, (whole, positions) => {
        const { reasoning, text: answer } = all(cutAt(whole, positions))
        // A closer without an opener shows too late; that it is left in the text is the next test's matter.
        fc.pre(Reasoning.leadingOpener.test(whole.trimStart()) || !whole.includes("</think>"))
        const expected = Reasoning.split(whole)
        assert.strictEqual(answer, expected.text)
        const squeezed = (given = "") => given.replaceAll(/\s+/g, "")
        assert.strictEqual(squeezed(reasoning), squeezed(expected.reasoning))
      })
    )
  })

  it("leaves a closer without an opener in the text that was handed out", () => {
    assert.strictEqual(all(["a</thi", "nk>b"]).text, "a</think>b")
  })

  it("holds back no more than may become a tag", () => {
    const splitter = ReasoningStream.make()
    const texts = (piece: string) => splitter.push(piece).map((one) => one.text)
    assert.deepStrictEqual(texts(" \n<thi"), [])
    assert.deepStrictEqual(texts("nk>x"), ["x"])
    assert.deepStrictEqual(texts("y</th"), ["y"])
    assert.deepStrictEqual(texts("e</think>"), ["</the"])
    assert.deepStrictEqual(texts("\n\nanswer"), ["answer"])
    assert.deepStrictEqual(texts(" <think>"), [" <think>"])
  })

  it("parts the reasoning of two blocks by a blank line", () => {
    const { reasoning } = all(["<think>a</think><think></think> <think>\nb", " c</think>d"])
    assert.strictEqual(reasoning, "a\n\nb c")
  })
})
