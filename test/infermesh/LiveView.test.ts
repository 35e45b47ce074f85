import { assert, describe, it } from "@effect/vitest"
import * as LiveView from "infermesh/LiveView"
import { Rate } from "infermesh/Rate"

const deployment = (label: string, inFlight: number, health: "healthy" | "open" = "healthy") => ({
  id: label,
  label,
  provider: "hosted_vllm",
  model: "m",
  health,
  latencyMillis: 420,
  slots: Number.POSITIVE_INFINITY,
  slotReason: "fixed" as never,
  inFlight,
  limits: [{ name: "rpm" as const, limit: 300, used: 100.4, learned: false }]
})

const moment: LiveView.Moment = {
  operation: "generate",
  elapsedMillis: 60_000,
  rowsPerMinute: 500,
  hasColour: false,
  progress: {
    summary: {
      answered: 290,
      failed: 10,
      failures: { InvalidInput: 3, RateLimitError: 7 },
      retries: 12,
      promptTokens: 12_000,
      completionTokens: 34_567,
      costUsd: 1.5,
      deployments: { "replica-1": 203, "replica-2": 87 },
      serviceMillis: { p50: 420, p95: 1800 },
      endToEndMillis: { p50: 900, p95: 61_000 }
    },
    rows: 2000,
    answeredBefore: 600,
    failedBefore: 100,
    underWay: 40
  },
  failedAttempts: {
    byReason: { RateLimitError: 19 },
    byDeployment: { "replica-2": { RateLimitError: 19 } }
  },
  scheduler: {
    atMillis: 0,
    waiting: 12,
    callers: [],
    waitingFor: "rpm",
    waitMillis: 1200,
    slots: 128,
    slotReason: "fixed",
    inFlight: 40,
    limits: [],
    deployments: [deployment("replica-1", 30), deployment("replica-2", 10, "open")]
  }
}

describe("render", () => {
  it("tells how far, how fast, what waits and why, for how much, what failed and who answered", () => {
    assert.deepStrictEqual(LiveView.render(moment).lines, [
      "generate   ██████████░░░░░░░░░░ 50 % · 1,000 of 2,000 rows (700 before), 2m00s left",
      "rate       500 rows/min · 1m00s so far · quota rpm 201 of 600",
      "requests   40 of 128 in flight · 12 waiting for room in rpm, next in 1.2 s",
      "cost       $1.5000 so far · $6.5000 projected · 12.0k tokens in, 34.6k out",
      "failed     10: RateLimitError 7, InvalidInput 3",
      "attempts   19 failed: RateLimitError 19",
      "replica-1  ██████████████░░░░░░  70 % · 30 in flight · 420 ms",
      "replica-2  ██████░░░░░░░░░░░░░░  30 % · 10 in flight · 420 ms · open: RateLimitError 19"
    ])
  })

  it("is one line in a log, and an object for programs", () => {
    const { line } = LiveView.render(moment)
    assert.strictEqual(
      line.text,
      "300/1300 done · 10 failed · 300 rows/min · 46.6k tokens · $1.5000 · 3m20s left · " +
        "12 waiting for room in rpm, next in 1.2 s · attempts failed: RateLimitError 19"
    )
    assert.strictEqual(line.type, "progress")
    assert.strictEqual(line.data?.["rows_per_minute"], 500)
    assert.doesNotThrow(() => JSON.stringify(line.data))
  })

  it("guesses nothing that it does not know, and has no colours but on terminals that want them", () => {
    const { progress, scheduler } = moment
    const unknown = LiveView.render({
      ...moment,
      rowsPerMinute: 0,
      progress: {
        ...progress,
        rows: undefined,
        answeredBefore: 0,
        failedBefore: 0,
        summary: { ...progress.summary, failed: 0, failures: {}, costUsd: undefined }
      },
      failedAttempts: { byReason: {}, byDeployment: {} },
      scheduler: { ...scheduler, waiting: 0, waitingFor: undefined, deployments: [] }
    })
    assert.deepStrictEqual(unknown.lines, [
      "generate  290 rows, the input goes on",
      "rate      0 rows/min · 1m00s so far",
      "requests  40 of 128 in flight",
      "cost      unknown · 12.0k tokens in, 34.6k out"
    ])
    const coloured = LiveView.render({ ...moment, hasColour: true }).lines
    assert.include(coloured[4], "\u001B[2mfailed   ")
    assert.include(coloured[4], "\u001B[31m10: ")
  })

  it("shows no more deployments than a screen holds", () => {
    const deployments = Array.from({ length: 30 }, (_, index) => deployment(`gpu-${index}`, 1))
    const { lines } = LiveView.render({
      ...moment,
      scheduler: { ...moment.scheduler, deployments }
    })
    assert.lengthOf(lines, 15)
    assert.match(lines.at(-1) ?? "", /and 22 more deployments$/)
  })
})

describe("Rate", () => {
  it("is that since the last time it was looked at half a minute ago or earlier", () => {
    const rate = new Rate()
    assert.strictEqual(rate.perMinute(0, 0), 0)
    assert.strictEqual(rate.perMinute(10_000, 100), 600)
    assert.strictEqual(rate.perMinute(40_000, 100), 0)
    assert.strictEqual(rate.perMinute(60_000, 200), 120)
  })
})
