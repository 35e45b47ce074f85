import { assert, describe, it } from "@effect/vitest"

import { median, ratio, spread, table, verdict } from "../../bench/measure.ts"

describe("the arithmetic of the benchmarks", () => {
  it("takes the median of rounds, of an even number too", () => {
    assert.strictEqual(median([9, 1, 5]), 5)
    assert.strictEqual(median([9, 1, 5, 7]), 6)
    assert.isNaN(median([]))
  })

  it("compares round by round, so that a slow round of both changes nothing", () => {
    assert.strictEqual(ratio([2, 20, 4], [1, 10, 2]), 2)
  })

  it("tells how far the middle half of the rounds lies apart", () => {
    assert.strictEqual(spread([10, 10, 10, 10, 50]), 0)
    assert.strictEqual(spread([8, 9, 10, 11, 12]), 0.2)
  })

  it("tells a goal that is reached from one that is missed, and both from what has become worse", () => {
    const goal = { what: "", goal: 2, gate: 3, unit: "×" }
    assert.deepStrictEqual(
      [2, 2.5, 3.1].map((value) => verdict(goal, value)),
      ["reached", "missed", "worse"]
    )
  })

  it("writes a table with its numbers to the right", () => {
    assert.strictEqual(
      table([
        ["client", "µs"],
        ["a", "1.00"]
      ]),
      "| client |   µs |\n| ------ | ---: |\n| a      | 1.00 |"
    )
  })
})
