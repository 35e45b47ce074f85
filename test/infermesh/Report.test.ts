import { assert, describe, it } from "@effect/vitest"
import type { Summary } from "@infermesh/job/Tally"
import * as Report from "infermesh/Report"

const summary: Summary = {
  answered: 290,
  failed: 10,
  failures: { RateLimitError: 7, InvalidInput: 3 },
  retries: 12,
  promptTokens: 12_000,
  completionTokens: 34_567,
  costUsd: 1.5,
  deployments: { "replica-10": 90, "replica-2": 200 },
  serviceMillis: { p50: 420, p95: 1800 },
  endToEndMillis: { p50: 900, p95: 61_000 }
}

const table = (more: Partial<Parameters<typeof Report.table>[0]> = {}) =>
  Report.table({
    summary,
    elapsedMillis: 60_000,
    settings: { limits: { rpm: 400 } },
    output: "out.jsonl",
    remark: undefined,
    ...more
  })

describe("table", () => {
  it("says what was done, by whom, why not, how fast, for how much and where it is", () => {
    assert.strictEqual(
      table(),
      [
        "rows              300",
        "answered          290",
        "  replica-2       200 (69 %)",
        "  replica-10      90 (31 %)",
        "failed            10",
        "  RateLimitError  7",
        "  InvalidInput    3",
        "retries           12",
        "throughput        300 rows/min in 1m00s, quota 400 requests/min",
        "service time      p50 420 ms, p95 1.8 s",
        "end to end        p50 900 ms, p95 1m01s",
        "tokens            12.0k in, 34.6k out",
        "cost              $1.5000",
        "output            out.jsonl"
      ].join("\n")
    )
  })

  it("sums the deployments' quotas where each has one, and names none otherwise", () => {
    const model = "m/m"
    const both = { a: { model, limits: { rpm: 100 } }, b: { model, limits: { rpm: 50 } } }
    assert.include(table({ settings: { deployments: both } }), "quota 150 requests/min")
    const one = { a: { model, limits: { rpm: 100 } }, b: { model } }
    assert.notInclude(table({ settings: { deployments: one } }), "quota")
    assert.notInclude(table({ settings: { model } }), "quota")
  })

  it("remarks on a job that is not whole, and on what it cannot know", () => {
    const nothing: Summary = {
      ...summary,
      answered: 0,
      failed: 0,
      costUsd: undefined,
      serviceMillis: { p50: undefined, p95: undefined }
    }
    const text = table({ summary: nothing, elapsedMillis: 0, remark: "interrupted" })
    assert.match(text, /^rows +0 \(interrupted\)$/m)
    assert.match(text, /^service time +p50 –, p95 –$/m)
    assert.match(text, /^cost +unknown$/m)
    assert.notMatch(text, /NaN|Infinity/)
  })
})
