import { assert, describe, it } from "@effect/vitest"
import { joinLists } from "@infermesh/providers/PartStream"

describe("joinLists", () => {
  it("makes one list of the lists of two events, and takes the later of other values", () => {
    const before = { tokens: ["a"], sum: 1, only: "x", refusal: null }
    const after = { tokens: ["b", "c"], sum: 2, refusal: null }
    assert.deepStrictEqual(joinLists(before, after), {
      tokens: ["a", "b", "c"],
      sum: 2,
      only: "x",
      refusal: null
    })
    assert.deepStrictEqual(joinLists({ tokens: ["a"] }, { tokens: null }), { tokens: ["a"] })
    assert.strictEqual(joinLists(undefined, after), after)
    assert.strictEqual(joinLists(before, undefined), before)
  })
})
