import { assert, describe, it } from "@effect/vitest"
import * as Progress from "@infermesh/job/Progress"
import type { Summary } from "@infermesh/job/Tally"

const summary: Summary = {
  answered: 90,
  failed: 10,
  failures: {},
  retries: 0,
  promptTokens: 12_000,
  completionTokens: 345,
  costUsd: 0.01234,
  deployments: {},
  serviceMillis: { p50: undefined, p95: undefined },
  endToEndMillis: { p50: undefined, p95: undefined }
}

describe("line", () => {
  it("says how far the job is, how fast, what it took and how long it will take", () => {
    assert.strictEqual(
      Progress.line(summary, 30_000, 400),
      "100/400 done · 10 failed · 200 rows/min · 12.3k tokens · $0.0123 · 1m30s left"
    )
  })

  it("leaves out what is not known: the end of a pipe, a price, a rate at the first instant", () => {
    const { costUsd: _, ...rest } = summary
    assert.strictEqual(
      Progress.line({ ...rest, costUsd: undefined }, 0, undefined),
      "100 done · 10 failed · 0 rows/min · 12.3k tokens"
    )
    const none = { ...summary, answered: 0, failed: 0, costUsd: undefined }
    assert.notInclude(Progress.line(none, 1000, 400), "left")
  })
})

describe("span, count and cost", () => {
  it("are short and rounded", () => {
    assert.deepStrictEqual([850, 12_345, 245_000, 7_380_000].map(Progress.span), [
      "850 ms",
      "12.3 s",
      "4m05s",
      "2h03m"
    ])
    assert.deepStrictEqual([9999, 12_345, 1_234_567].map(Progress.count), [
      "9999",
      "12.3k",
      "1.23M"
    ])
    assert.strictEqual(Progress.cost(1.5), "$1.5000")
  })
})
