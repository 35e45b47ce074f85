import { assert, describe, it } from "@effect/vitest"
import type { Choice } from "@infermesh/core/operation/Generate"
import * as Reasoning from "@infermesh/core/output/Reasoning"
import * as fc from "fast-check"

type Row = readonly [what: string, text: string, answer: string, reasoning: string | undefined]

const rows: ReadonlyArray<Row> = [
  ["a leading block", "<think>a</think>answer", "answer", "a"],
  ["several leading blocks", "  <think>a</think>\n\n<think>b</think> x ", "x ", "a\n\nb"],
  ["a body with white space", "<think>\n a \n</think>\n\nanswer\n", "answer\n", "a"],
  ["a block in the middle", "no <think>x</think>", "no <think>x</think>", undefined],
  ["leading white space and no block", " \n answer ", " \n answer ", undefined],
  ["white space alone", " \n ", " \n ", undefined],
  ["no text", "", "", undefined],
  ["a later block", "<think>a</think>b <think>c</think>", "b <think>c</think>", "a"],
  ["a block that never closes", "<think>a b", "", "a b"],
  ["a second block that never closes", "<think>a</think> <think>b", "", "a\n\nb"],
  ["an opener alone", "<think>", "", undefined],
  ["a missing opener", "reason\n</think>\n\nanswer", "answer", "reason"],
  ["a missing opener and no reasoning", "\n</think>\n\nanswer", "answer", undefined],
  [
    "tags in order after text",
    "a <think>b</think> c</think>",
    "a <think>b</think> c</think>",
    undefined
  ],
  ["an empty block", "<think>\n\n</think>\n\nanswer", "answer", undefined],
  ["an empty block, then a full one", "<think></think><think>b</think>answer", "answer", "b"],
  ["an opener within a block", "<think>the <think> tag</think>answer", "answer", "the <think> tag"],
  ["a second closer", "<think>a</think>b</think>c", "b</think>c", "a"],
  ["a <thinking> block", "<thinking>a</thinking>\nanswer", "answer", "a"],
  ["a <thinking> block that never closes", "<thinking>a", "", "a"],
  [
    "a closer of the other tag",
    "<thinking>a </think> b</thinking>answer",
    "answer",
    "a </think> b"
  ],
  ["a <thinking> closer without opener", "a</thinking>b", "a</thinking>b", undefined],
  ["a tag that only starts alike", "<thinker>a</thinker>b", "<thinker>a</thinker>b", undefined]
]

describe("Reasoning", () => {
  describe("split", () => {
    for (const [what, text, answer, reasoning] of rows) {
      it(`handles ${what}`, () => {
        assert.deepStrictEqual(Reasoning.split(text), { text: answer, reasoning })
      })
    }

    it("leaves every text without a closer or a leading opener as it is", () => {
      fc.assert(
        fc.property(fc.string({ unit: "binary" }), (text) => {
          fc.pre(!text.includes("</think>") && !/^\s*<think(ing)?>/.test(text))
          assert.deepStrictEqual(Reasoning.split(text), { text, reasoning: undefined })
        })
      )
    })
  })

  describe("apart", () => {
    const choice = (text: string, reasoning?: string): Choice => ({
      text,
      reasoning,
      toolCalls: [],
      finishReason: "stop"
    })

    it("takes leading blocks out of the text, beside reasoning of the provider's own", () => {
      const apart = Reasoning.apart(choice("<think>b</think>answer", "a"))
      assert.deepStrictEqual([apart.text, apart.reasoning], ["answer", "a\n\nb"])
    })

    it("takes a closer without an opener for one only where there is no other reasoning", () => {
      assert.strictEqual(Reasoning.apart(choice("b</think>answer")).text, "answer")
      const known = choice("write </think> to end it", "a")
      assert.strictEqual(Reasoning.apart(known), known)
    })
  })

  describe("join", () => {
    it("trims the parts, drops empty ones and puts a blank line between", () => {
      assert.strictEqual(Reasoning.join(["  a ", null, "", undefined, " \n", "b"]), "a\n\nb")
    })

    it("is undefined for white space alone, so inline thinking can still be looked for", () => {
      assert.strictEqual(Reasoning.join([" ", "\n"]), undefined)
      assert.strictEqual(Reasoning.join([]), undefined)
    })
  })
})
