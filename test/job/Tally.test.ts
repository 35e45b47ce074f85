import { assert, describe, it } from "@effect/vitest"
import * as Usage from "@infermesh/core/operation/Usage"
import { Histogram } from "@infermesh/job/Histogram"
import type { OutputRow } from "@infermesh/job/operation/GenerateRow"
import { Tally } from "@infermesh/job/Tally"
import { Duration } from "effect"
import * as fc from "fast-check"

describe("Histogram", () => {
  it("gives percentiles that are never too low and at most five percent too high", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1, max: 5_000_000, noNaN: true }), {
          minLength: 1
        }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (times, share) => {
          const histogram = new Histogram()
          for (const time of times) histogram.add(time)
          const exact = times.toSorted((left, right) => left - right)[
            Math.ceil(share * times.length) - 1
          ] as number
          const found = histogram.percentile(share) as number
          assert.isAtLeast(found, exact * (1 - 1e-9))
          assert.isAtMost(found, exact * 1.05 * (1 + 1e-9))
        }
      )
    )
  })

  it("knows nothing without times, and takes any time at all", () => {
    const histogram = new Histogram()
    assert.isUndefined(histogram.percentile(0.5))
    for (const time of [0, 0.2, Number.MAX_SAFE_INTEGER]) histogram.add(time)
    assert.strictEqual(histogram.percentile(0.5), 1)
    assert.isAbove(histogram.percentile(1) as number, 5_000_000)
  })
})

describe("Tally", () => {
  const row = (deployment: string | undefined, more: Partial<OutputRow> = {}): OutputRow => ({
    index: 0,
    tokenUsage: Usage.make({ promptTokens: 10, completionTokens: 4 }),
    metrics: {
      queueWait: Duration.zero,
      serviceTime: Duration.millis(100),
      endToEnd: Duration.millis(200),
      deployment,
      retries: 1,
      repairs: 0
    },
    ...more
  })

  it("sums up rows, what they cost, why they failed and who answered", () => {
    const tally = new Tally()
    for (const label of ["a", "a", "b"]) tally.add(row(label, { cost: 0.5 }))
    tally.add(row("b", { error: "no", errorReason: "StructuredOutputError", cost: 0.25 }))
    tally.add({ index: 4, error: "no", errorReason: "InvalidInput" })
    const summary = tally.summary()
    assert.deepStrictEqual(
      { ...summary, serviceMillis: undefined, endToEndMillis: undefined },
      {
        answered: 3,
        failed: 2,
        failures: { StructuredOutputError: 1, InvalidInput: 1 },
        retries: 4,
        promptTokens: 40,
        completionTokens: 16,
        costUsd: 1.75,
        deployments: { a: 2, b: 1 },
        serviceMillis: undefined,
        endToEndMillis: undefined
      }
    )
    assert.approximately(summary.serviceMillis.p50 as number, 102, 3)
    assert.approximately(summary.endToEndMillis.p95 as number, 205, 5)
  })

  it("has no cost while none is known: not zero", () => {
    const tally = new Tally()
    tally.add(row("a"))
    assert.isUndefined(tally.summary().costUsd)
  })
})
