import { assert, describe, it } from "@effect/vitest"
import * as Reasoning from "@infermesh/core/output/Reasoning"
import * as InlineReasoning from "@infermesh/providers/openai/InlineReasoning"
import * as fc from "fast-check"

const run = (pieces: ReadonlyArray<string>) => {
  const splitter = InlineReasoning.make()
  const parts = [...pieces.flatMap((piece) => splitter.push(piece)), ...splitter.end()]
  const of = (type: string) =>
    parts.flatMap((part) => (part.type === type ? [part.text] : [])).join("")
  return { text: of("text-delta"), reasoning: of("reasoning-delta"), parts }
}

describe("InlineReasoning", () => {
  it("hands out what it can at once, and holds back only what may be a tag", () => {
    const splitter = InlineReasoning.make()
    assert.deepStrictEqual(splitter.push("\n<thi"), [])
    assert.deepStrictEqual(splitter.push("nk>ab"), [{ type: "reasoning-delta", text: "ab" }])
    assert.deepStrictEqual(splitter.push("c</th"), [{ type: "reasoning-delta", text: "c" }])
    assert.deepStrictEqual(splitter.push("i"), [])
    assert.deepStrictEqual(splitter.push("s</think>\n\nHel"), [
      { type: "reasoning-delta", text: "</this" },
      { type: "text-delta", text: "Hel" }
    ])
    assert.deepStrictEqual(splitter.push("lo <think>"), [
      { type: "text-delta", text: "lo <think>" }
    ])
    assert.deepStrictEqual(splitter.end(), [])
  })

  it("gives back a beginning that turned out to be no tag, with its white space", () => {
    assert.deepStrictEqual(run(["  <", "b>"]).parts, [{ type: "text-delta", text: "  <b>" }])
    assert.deepStrictEqual(run([" ", "<thi"]).text, " <thi")
    assert.deepStrictEqual(run(["<think>ab", "</thi"]).reasoning, "ab</thi")
    assert.deepStrictEqual(run([]).parts, [])
  })

  it("sets a blank line between two blocks, as the answer does", () => {
    const text = "<think>a</think>\n<thinking>b</thinking>\nc"
    const { reasoning } = run([text])
    assert.deepStrictEqual([reasoning, Reasoning.split(text).reasoning], ["a\n\nb", "a\n\nb"])
  })

  it("says of any text what a whole response would, however it is cut", () => {
    const word = fc.constantFrom(
      "<think>",
      "</think>",
      "<thinking>",
      "</thinking>",
      "<",
      "</",
      "think",
      " ",
      "\n",
      "a",
      "é🙂"
    )
    const texts = fc.array(word, { maxLength: 12 }).map((words) => words.join(""))
    fc.assert(
      fc.property(texts, fc.array(fc.nat(), { maxLength: 6 }), (text, cuts) => {
        const at = cuts.map((cut) => cut % (text.length + 1)).toSorted((a, b) => a - b)
        const pieces = [0, ...at].map((from, index) => text.slice(from, at[index]))
        const streamed = run(pieces)
        assert.deepStrictEqual(streamed.text, run([text]).text)
        assert.deepStrictEqual(streamed.reasoning, run([text]).reasoning)
        // A closing tag that comes without an opening one is told too late.
        const whole = Reasoning.split(text)
        fc.pre(/^<think(?:ing)?>/.test(text.trimStart()) || !text.includes("</think>"))
        assert.strictEqual(streamed.text, whole.text)
        const words = (reasoning: string) => reasoning.replaceAll(/\s+/g, "")
        assert.strictEqual(words(streamed.reasoning), words(whole.reasoning ?? ""))
      }),
      { numRuns: 2000 }
    )
  })
})
