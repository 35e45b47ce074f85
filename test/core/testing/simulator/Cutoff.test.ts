import { assert, describe, it } from "@effect/vitest"
import * as Cutoff from "@infermesh/core/testing/simulator/Cutoff"

describe("make", () => {
  it("ends at whichever stop sequence comes first, and names it", () => {
    for (const stop of [
      ["three", "two"],
      ["two", "three"]
    ]) {
      assert.deepStrictEqual(Cutoff.make("one two three", stop, 100), {
        text: "one ",
        reason: "stop",
        stopSequence: "two"
      })
    }
  })

  it("says that the tokens ended where they end before the stop sequence", () => {
    assert.deepStrictEqual(Cutoff.make("one two three", ["three"], 1), {
      text: "one ",
      reason: "length",
      stopSequence: undefined
    })
    assert.strictEqual(Cutoff.make("one two three", ["two"], 1).reason, "stop")
  })

  it("leaves alone what has neither", () => {
    assert.deepStrictEqual(Cutoff.make("one", ["two"], Number.POSITIVE_INFINITY), {
      text: "one",
      reason: "end",
      stopSequence: undefined
    })
  })
})
