import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"

import { assert, describe, it } from "@effect/vitest"

interface Measured {
  readonly asked: number
  readonly answeredBefore: number
  readonly peakMegabytes: number
}

/** A process of its own with a bounded heap, as in the test of streams beside this one. */
const measure = (folder: string, rows: number): ReadonlyArray<Measured> =>
  execFileSync(
    process.execPath,
    [
      "--max-semi-space-size=8",
      "--max-old-space-size=96",
      join(import.meta.dirname, "job.ts"),
      String(rows),
      folder,
      "half"
    ],
    { encoding: "utf8" }
  )
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Measured)

describe("Job", () => {
  it("takes memory by its window, not by its input, resumed too: 60,000 rows stay within 50 MB of 6,000", () => {
    const folder = mkdtempSync(join(tmpdir(), "infermesh-memory-"))
    try {
      const few = measure(folder, 6000)
      const many = measure(folder, 60_000)
      for (const [at, rows] of [
        [few, 6000],
        [many, 60_000]
      ] as const) {
        assert.deepStrictEqual(
          at.map(({ answeredBefore, asked }) => [asked, answeredBefore]),
          [
            [rows / 2, 0],
            [rows / 2, rows / 2]
          ]
        )
      }
      const growth = (many.at(-1)?.peakMegabytes ?? Infinity) - (few.at(-1)?.peakMegabytes ?? 0)
      assert.isBelow(growth, 50, `peak memory grew by ${growth} MB`)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
