import { existsSync, readFileSync } from "node:fs"

import { assert, describe, it } from "@effect/vitest"
import type { Overview } from "@infermesh/job/Ledger"
import { Duration, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as Load from "infermesh/benchmark/Load"
import type { Measured } from "infermesh/benchmark/Load"
import * as Sweep from "infermesh/benchmark/Sweep"
import * as JobPage from "infermesh/JobPage"
import * as JobStatus from "infermesh/JobStatus"
import * as Forecast from "infermesh/plan/Forecast"

import { folder, infermesh, prompts, simulated } from "./Process.ts"

const run = (...parameters: ReadonlyArray<string>) => Effect.promise(() => infermesh(parameters))

const overview: Overview = {
  isRunning: false,
  costUsd: 0.25,
  promptTokens: 1000,
  completionTokens: 500,
  firstSettledMillis: 0,
  lastSettledMillis: 120_000,
  endToEndMillis: { p50: 100, p95: 200, p99: 300 },
  perMinute: [
    { minute: 7, answered: 3, failed: 1 },
    { minute: 9, answered: 2, failed: 0 }
  ],
  state: {
    record: undefined,
    items: 8,
    end: 8,
    pending: 2,
    answered: 5,
    failed: 1,
    failures: { "<script>": 1 },
    held: 0,
    stale: 0,
    lastWritten: 5,
    unnamed: 0,
    mark: { bytes: 0, lastLine: { bytes: 0, start: "" }, side: 0 },
    isInputComplete: true,
    isOutOfOrder: false
  }
}

describe("infermesh status, report and models", () => {
  it.live("tell of a job while it runs and when it has ended, as text, JSON and a page", () =>
    Effect.gen(function* () {
      const files = yield* folder
      const { base } = yield* simulated({ faults: { internal: 0.2 } })
      const input = files.file("in.jsonl", prompts(40))
      const output = files.at("out.jsonl")
      const flags = ["--model", "openai/gpt-4.1-mini", "--api-base", base, "--max-retries", "0"]
      yield* run(
        "generate",
        ...flags,
        "--input-jsonl",
        input,
        "--output-jsonl",
        output,
        "--checkpoint-dir",
        files.at("ledgers")
      )
      const status = yield* run("status", output, "--checkpoint-dir", files.at("ledgers"))
      assert.match(status.stdout, /job +finished/)
      assert.match(status.stdout, /settled +40 of 40/)
      assert.match(status.stdout, /InternalProviderError +\d/)
      const json = JSON.parse(
        (yield* run("status", output, "--checkpoint-dir", files.at("ledgers"), "--json")).stdout
      )
      assert.strictEqual(json.answered + json.failed, 40)
      const page = files.at("page.html")
      const report = yield* run(
        "report",
        output,
        "--html",
        page,
        "--checkpoint-dir",
        files.at("ledgers")
      )
      assert.deepStrictEqual([report.code, report.stdout], [0, `${page}\n`])
      const html = readFileSync(page, "utf8")
      assert.include(html, "40 of 40")
      assert.include(html, "InternalProviderError")
      assert.notMatch(html, /<script|https?:\/\/(?!www\.w3\.org)|<link|<img/)
      const missing = yield* run("status", files.at("none.jsonl"))
      assert.strictEqual(missing.code, 1)
      assert.match(missing.stderr, /^error: .*no such ledger.*--checkpoint-dir/)
      const models = yield* run("models", "gpt-4.1-mini")
      assert.match(models.stdout, /openai\/gpt-4\.1-mini +\$0\.4 +\$0\.1 +\$1\.6/)
      const unknown = yield* run("models", "no such model")
      assert.deepStrictEqual([unknown.code, unknown.stdout], [1, ""])
    }).pipe(Effect.scoped)
  )

  it("call a job finished, stopped or running by what its ledger says", () => {
    assert.strictEqual(JobStatus.word(overview), "stopped")
    assert.strictEqual(JobStatus.word({ ...overview, isRunning: true }), "running")
    const state = { ...overview.state, pending: 0 }
    assert.strictEqual(JobStatus.word({ ...overview, state }), "finished")
    assert.strictEqual(JobStatus.rowsPerMinute(overview), 3)
    assert.include(JobStatus.status(overview, "out.jsonl").text, "--resume goes on")
  })

  it("show every minute between the first and the last, and no text of others as HTML", () => {
    const figures = {
      latencies: [{ upToMillis: 200, rows: 5 }],
      deployments: { "a&b": 5 },
      retries: 2
    }
    const html = JobPage.render(overview, figures, 'out"<b>.jsonl')
    for (const minute of [1, 2, 3]) assert.include(html, `>minute ${minute}<`)
    assert.notInclude(html, "<script>")
    assert.include(html, "&lt;script&gt;")
    assert.include(html, "a&amp;b")
    assert.include(html, "out&quot;&lt;b&gt;.jsonl")
  })
})

describe("infermesh plan", () => {
  it.live("plays the job through on a virtual clock, and sends nothing", () =>
    Effect.gen(function* () {
      const files = yield* folder
      const input = files.file("in.jsonl", `${prompts(300)}not a row\n`)
      const flags = ["plan", input, "--model", "openai/gpt-4.1-mini", "--rpm", "60"]
      const plan = yield* run(
        ...flags,
        "--answer-tokens",
        "10",
        "--answer-seconds",
        "2",
        "--max-tokens",
        "20"
      )
      assert.strictEqual(plan.code, 0, plan.stderr)
      assert.match(plan.stdout, /rows +301, 1 of which cannot be asked/)
      assert.match(plan.stdout, /tokens +\S+ in, (2[5-9]\d\d|3000) out/)
      assert.match(plan.stdout, /what binds +rpm/)
      // 60 at once and 60 more in each minute.
      assert.match(plan.stdout, /finished after +4m\d\ds/)
      const sampled = JSON.parse((yield* run(...flags, "--sample", "100", "--json")).stdout)
      assert.isBelow(sampled.played, 110)
      assert.approximately(sampled.finish_s, 270, 60)
      assert.isAbove(sampled.cost_usd, 0)
      const wrong = yield* run(...flags, "--sample", "0")
      assert.strictEqual(wrong.code, 2)
    }).pipe(Effect.scoped)
  )

  it("takes the rest of the rows to come at the pace of whole minutes, however unevenly a quota is used", () => {
    const settledMillis = [0, 1, 2, 3, 4].flatMap((minute) =>
      Array.from({ length: 100 }, (_, row) => minute * 60_000 + row)
    )
    const rehearsed = {
      settledMillis,
      promptTokens: [],
      completionTokens: 0,
      costUsd: undefined,
      failures: {},
      waited: {}
    }
    assert.approximately(Forecast.finishMillis(rehearsed, 10_000), 100 * 60_000, 61_000)
    assert.strictEqual(Forecast.finishMillis(rehearsed, 500), 240_099)
  })
})

const metrics = {
  queueWait: Duration.millis(5),
  serviceTime: Duration.millis(95),
  endToEnd: Duration.millis(100),
  retries: 0,
  repairs: 0
}

describe("infermesh bench", () => {
  it.effect("counts the wait of a request that comes on time while the server stalls", () =>
    Effect.gen(function* () {
      // One slot, which the first request holds for ten seconds.
      let free = 0
      const ask = Effect.gen(function* () {
        const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
        const start = Math.max(now, free)
        free = start + (start === 0 ? 10_000 : 10)
        yield* Effect.sleep(free - now)
        return { metrics }
      })
      const load = { requests: 100, durationMillis: Infinity }
      const open = yield* Effect.forkChild(
        Load.run(ask, { ...load, arrivals: { _tag: "Open", perSecond: 10 } })
      )
      yield* TestClock.adjust("1 minute")
      const measured = yield* Fiber.join(open)
      assert.strictEqual(measured.answered, 100)
      assert.isAbove(measured.endToEndMillis.p50, 4000)
      assert.deepStrictEqual(measured.serviceMillis, { p50: 95, p95: 95, p99: 95 })
    })
  )

  it.effect("ends by requests or by time, and asks no more at once than there are workers", () =>
    Effect.gen(function* () {
      let [now, most] = [0, 0]
      const ask = Effect.suspend(() => {
        most = Math.max(most, ++now)
        return Effect.as(Effect.sleep(100), { metrics })
      }).pipe(Effect.ensuring(Effect.sync(() => now--)))
      const closed = (requests: number, durationMillis: number) =>
        Load.run(ask, { requests, durationMillis, arrivals: { _tag: "Closed", workers: 4 } })
      const byCount = yield* Effect.forkChild(closed(10, Infinity))
      yield* TestClock.adjust("10 seconds")
      const counted = yield* Fiber.join(byCount)
      assert.deepStrictEqual([counted.answered, counted.seconds, most], [10, 0.3, 4])
      const byTime = yield* Effect.forkChild(closed(Infinity, 1000))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(byTime)).answered, 40)
    })
  )

  it("recommends the smallest setting that reaches 95 % of the best", () => {
    const step = (setting: number, perSecond: number) => {
      const times = { p50: 1, p95: 2, p99: 3 }
      const measured: Measured = {
        answered: 10,
        failures: {},
        seconds: 1,
        perSecond,
        endToEndMillis: times,
        serviceMillis: times,
        queueMillis: times
      }
      return { setting, measured }
    }
    const steps = [step(1, 10), step(8, 77), step(16, 96), step(32, 100)]
    assert.strictEqual(Sweep.recommended({ name: "concurrency", unit: "requests", steps }), 16)
    // Of texts it is what comes of all of a request that counts.
    assert.strictEqual(Sweep.recommended({ name: "texts", unit: "texts", steps }), 32)
    assert.isUndefined(
      Sweep.recommended({ name: "concurrency", unit: "requests", steps: [step(1, 0)] })
    )
  })

  it.live("sweeps, says what to take, and writes its figures", () =>
    Effect.gen(function* () {
      const files = yield* folder
      const { base } = yield* simulated({ faults: { unavailable: 0.1 } })
      const at = ["--api-base", base, "--warm-up", "2", "--max-retries", "0"]
      const [json, html] = [files.at("b.json"), files.at("b.html")]
      const generate = yield* run(
        "bench",
        "generate",
        "--model",
        "openai/gpt-4.1-mini",
        "--prompt",
        "hi",
        "--max-tokens",
        "20",
        "--requests",
        "30",
        "--concurrency",
        "1,4",
        "--output-json",
        json,
        "--output-html",
        html,
        ...at
      )
      assert.strictEqual(generate.code, 0, generate.stderr)
      assert.match(generate.stdout, /^concurrency +answered +failed +requests\/s/)
      assert.match(generate.stdout, /recommended: concurrency [14]/)
      const { steps } = JSON.parse(readFileSync(json, "utf8"))
      assert.deepStrictEqual(
        steps.map(
          ({
            answered,
            failures,
            setting
          }: {
            answered: number
            failures: Record<string, number>
            setting: number
          }) => [setting, answered + (failures["InternalProviderError"] ?? 0)]
        ),
        [
          [1, 30],
          [4, 30]
        ]
      )
      assert.isTrue(existsSync(html))
      const embed = yield* run(
        "bench",
        "embed",
        "--model",
        "openai/text-embedding-3-small",
        "--text",
        "a",
        "--micro-batch-size",
        "1,8",
        "--concurrency",
        "2",
        "--rate",
        "200",
        "--duration",
        "0.1",
        ...at
      )
      assert.match(embed.stdout, /recommended: texts a request [18]/)
      const wrong = yield* run("bench", "generate", "--model", "openai/x", "--concurrency", "1,x")
      assert.strictEqual(wrong.code, 2)
      assert.match(wrong.stderr, /--concurrency: '1,x' is no list/)
    }).pipe(Effect.scoped)
  )
})
