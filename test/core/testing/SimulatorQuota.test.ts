import { assert, describe, it } from "@effect/vitest"
import * as Simulator from "@infermesh/core/testing/Simulator"
import * as QuotaWindow from "@infermesh/core/testing/simulator/QuotaWindow"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"

import { chat, complete, errorOf, respond } from "./SimulatorExchange.ts"

/** How many of so many requests sent now are admitted. */
const burst = (simulator: Simulator.Simulator, count: number, prompt = "Hi") =>
  Effect.gen(function* () {
    let admitted = 0
    for (let index = 0; index < count; index++) {
      const { status } = yield* respond(simulator, chat(prompt))
      if (status === 200) admitted++
      else assert.strictEqual(status, 429)
    }
    return admitted
  })

describe("sliding-window", () => {
  it.effect(
    "refuses the 601st of 600 a minute, and admits again as the first ones leave the window",
    () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator.make({ quota: { rpm: 600 } })
        assert.strictEqual(yield* burst(simulator, 400), 400)
        yield* TestClock.adjust(30_000)
        assert.strictEqual(yield* burst(simulator, 200), 200)
        const refused = yield* respond(simulator, chat("Hi"))
        assert.strictEqual(refused.status, 429)
        assert.deepInclude(refused.headers, {
          "retry-after": "30",
          "retry-after-ms": "30000",
          "x-ratelimit-limit-requests": "600",
          "x-ratelimit-remaining-requests": "0",
          "x-ratelimit-reset-requests": "1m0s"
        })
        const error = errorOf(refused)
        assert.strictEqual(error.code, "rate_limit_exceeded")
        assert.strictEqual(error.type, "requests")
        assert.match(
          error.message,
          /requests per min \(RPM\): Limit 600, Used 600, Requested 1\. Please try again in 30s\./
        )

        yield* TestClock.adjust(29_999)
        assert.strictEqual(yield* burst(simulator, 1), 0)
        yield* TestClock.adjust(1)
        assert.strictEqual(yield* burst(simulator, 500), 400)
        const stats = yield* simulator.stats
        assert.deepStrictEqual(stats.violations, {
          total: 102,
          rpm: 102,
          tpm: 0,
          itpm: 0,
          otpm: 0,
          rpd: 0,
          tpd: 0
        })
        assert.deepInclude(stats, { answered: 1000, requests: 1102, faults: {} })
      })
  )

  it.effect("counts tokens of prompt and answer, and names the window that takes longest", () =>
    Effect.gen(function* () {
      const probe = yield* Simulator.make()
      const { usage } = yield* complete(probe, chat("Hi"))
      const tokens = usage.total_tokens
      const simulator = yield* Simulator.make({
        quota: { rpm: 100, tpm: tokens * 2 + 1, rpd: 3, tpd: tokens * 100 }
      })
      assert.strictEqual(yield* burst(simulator, 3), 2)
      const refused = yield* respond(simulator, chat("Hi"))
      assert.deepInclude(refused.headers, {
        "retry-after-ms": "60000",
        "x-ratelimit-limit-requests": "100",
        "x-ratelimit-remaining-requests": "98",
        "x-ratelimit-limit-tokens": String(tokens * 2 + 1),
        "x-ratelimit-remaining-tokens": "1",
        "x-ratelimit-reset-tokens": "1m0s"
      })
      assert.strictEqual(errorOf(refused).type, "tokens")
      yield* TestClock.adjust(60_000)
      assert.strictEqual(yield* burst(simulator, 2), 1)
      const dayIsOver = yield* respond(simulator, chat("Hi"))
      assert.strictEqual(dayIsOver.headers["retry-after"], String(86_400 - 60))
      assert.deepStrictEqual((yield* simulator.stats).violations, {
        total: 4,
        rpm: 0,
        tpm: 2,
        itpm: 0,
        otpm: 0,
        rpd: 2,
        tpd: 0
      })
      yield* TestClock.adjust(86_340_000)
      assert.strictEqual(yield* burst(simulator, 3), 2)
    })
  )

  it.effect("refuses for ever what could never fit", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ quota: { tpm: 10 } })
      const refused = yield* respond(simulator, chat("A prompt of more than ten tokens, surely so"))
      assert.strictEqual(refused.status, 429)
      assert.isUndefined(refused.headers["retry-after"])
      assert.match(errorOf(refused).message, /^Request too large for gpt-test/)
    })
  )
})

describe("fixed-window", () => {
  it.effect("counts anew at each minute, so a boundary passes twice the limit", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({
        quota: { rpm: 600, enforcement: "fixed-window" }
      })
      yield* TestClock.adjust(59_000)
      assert.strictEqual(yield* burst(simulator, 601), 600)
      const refused = yield* respond(simulator, chat("Hi"))
      assert.strictEqual(refused.headers["retry-after-ms"], "1000")
      assert.strictEqual(refused.headers["x-ratelimit-reset-requests"], "1s")
      yield* TestClock.adjust(1000)
      assert.strictEqual(yield* burst(simulator, 601), 600)
      const stats = yield* simulator.stats
      assert.strictEqual(stats.violations.rpm, 3)
      assert.strictEqual(stats.peakRequestsPerMinute, 1203)
    })
  )
})

describe("token-bucket", () => {
  it.effect("passes its capacity at once and then the rate", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({
        quota: { rpm: 600, enforcement: "token-bucket" }
      })
      assert.strictEqual(yield* burst(simulator, 601), 600)
      const refused = yield* respond(simulator, chat("Hi"))
      assert.strictEqual(refused.headers["retry-after-ms"], "100")
      yield* TestClock.adjust(99)
      assert.strictEqual(yield* burst(simulator, 1), 0)
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* burst(simulator, 2), 1)
      yield* TestClock.adjust(1000)
      assert.strictEqual(yield* burst(simulator, 20), 10)
      yield* TestClock.adjust(600_000)
      const whole = yield* respond(simulator, chat("Hi"))
      assert.strictEqual(whole.headers["x-ratelimit-remaining-requests"], "599")
      assert.strictEqual(whole.headers["x-ratelimit-reset-requests"], "100ms")
    })
  )

  it.effect("holds only the burst that was set", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({
        quota: { rpm: 600, enforcement: "token-bucket", burst: 0.1 }
      })
      assert.strictEqual(yield* burst(simulator, 100), 60)
      yield* TestClock.adjust(1000)
      assert.strictEqual(yield* burst(simulator, 100), 10)
    })
  )
})

describe("QuotaWindow", () => {
  const arrivals = fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 1, max: 12 })), {
    minLength: 1,
    maxLength: 200
  })
  const windowMillis = 1000
  const limit = 40

  /** Sends the arrivals through a window and gives what was admitted, with its time. */
  const pass = (
    window: QuotaWindow.QuotaWindow,
    list: ReadonlyArray<readonly [number, number]>
  ) => {
    const admitted: Array<readonly [time: number, amount: number]> = []
    let now = 0
    for (const [gap, amount] of list) {
      now += gap
      if (window.waitMillis(now, amount) > 0) continue
      window.take(now, amount)
      admitted.push([now, amount])
    }
    return admitted
  }

  /** The most that was admitted within any half-open span of so many milliseconds. */
  const peak = (admitted: ReadonlyArray<readonly [number, number]>, span: number) =>
    Math.max(
      0,
      ...admitted.map(([start]) =>
        admitted
          .filter(([time]) => time >= start && time < start + span)
          .reduce((sum, [, amount]) => sum + amount, 0)
      )
    )

  it("admits at most the limit in any sliding window", () => {
    fc.assert(
      fc.property(arrivals, (list) => {
        const admitted = pass(QuotaWindow.make("sliding-window", limit, windowMillis, 1), list)
        assert.isAtMost(peak(admitted, windowMillis), limit)
      })
    )
  })

  it("admits at most the limit in each fixed window", () => {
    fc.assert(
      fc.property(arrivals, (list) => {
        const admitted = pass(QuotaWindow.make("fixed-window", limit, windowMillis, 1), list)
        const sums = new Map<number, number>()
        for (const [time, amount] of admitted) {
          const index = Math.floor(time / windowMillis)
          sums.set(index, (sums.get(index) ?? 0) + amount)
        }
        for (const sum of sums.values()) assert.isAtMost(sum, limit)
      })
    )
  })

  it("admits at most the burst and the rate from a bucket", () => {
    fc.assert(
      fc.property(arrivals, (list) => {
        const admitted = pass(QuotaWindow.make("token-bucket", limit, windowMillis, 0.5), list)
        for (const span of [1, 100, 1000, 5000]) {
          assert.isAtMost(peak(admitted, span), limit * 0.5 + (limit / windowMillis) * span)
        }
      })
    )
  })

  for (const enforcement of ["sliding-window", "fixed-window", "token-bucket"] as const) {
    it(`names the exact wait: what is refused now fits then, and not before (${enforcement})`, () => {
      fc.assert(
        fc.property(arrivals, fc.integer({ min: 1, max: limit }), (list, amount) => {
          const build = () => {
            const window = QuotaWindow.make(enforcement, limit, windowMillis, 1)
            pass(window, list)
            return window
          }
          const now = list.reduce((sum, [gap]) => sum + gap, 0)
          const wait = build().waitMillis(now, amount)
          assert.strictEqual(build().waitMillis(now + wait, amount), 0)
          if (wait > 0) assert.isAbove(build().waitMillis(now + wait - 1, amount), 0)
        })
      )
    })
  }
})
