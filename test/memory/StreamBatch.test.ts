import { execFileSync } from "node:child_process"
import { join } from "node:path"
import process from "node:process"

import { assert, describe, it } from "@effect/vitest"

/**
 * A process of its own, so that its memory is not the other tests'. The bounded heap makes the collector keep up: without a
 * bound it lets garbage grow for as long as the machine has memory, and a leak could not be told from laziness.
 */
const settle = (count: number): { readonly settled: number; readonly peakBytes: number } =>
  JSON.parse(
    execFileSync(
      process.execPath,
      [
        "--max-semi-space-size=8",
        "--max-old-space-size=128",
        join(import.meta.dirname, "stream-batch.ts"),
        String(count)
      ],
      { encoding: "utf8" }
    )
  )

describe("generateBatchStream", () => {
  it("takes memory by its window, not by its input: 100,000 inputs stay within 50 MB of 10,000", () => {
    const few = settle(10_000)
    const many = settle(100_000)
    assert.strictEqual(few.settled, 10_000)
    assert.strictEqual(many.settled, 100_000)
    const growth = (many.peakBytes - few.peakBytes) / 1_000_000
    assert.isBelow(growth, 50, `peak memory grew by ${growth.toFixed(1)} MB`)
  })
})
