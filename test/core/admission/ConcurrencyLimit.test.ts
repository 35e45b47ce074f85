import { assert, describe, it } from "@effect/vitest"
import { AdaptiveLimit } from "@infermesh/core/admission/AdaptiveLimit"
import type { ConcurrencyLimit } from "@infermesh/core/admission/ConcurrencyLimit"
import * as ConcurrencyLimitModule from "@infermesh/core/admission/ConcurrencyLimit"
import * as fc from "fast-check"

import { seeded } from "../routing/Members.ts"

describe("make", () => {
  it("gives a fixed limit for a number, none for nothing, and an adaptive one", () => {
    const fixed = ConcurrencyLimitModule.make(32)
    fixed.onOverload(10, 10)
    assert.deepStrictEqual([fixed.limit, fixed.reason], [32, "fixed"])
    assert.strictEqual(ConcurrencyLimitModule.make(undefined).limit, Infinity)
    const adaptive = ConcurrencyLimitModule.make({ adaptive: {} })
    assert.deepStrictEqual([adaptive.limit, adaptive.reason], [8, "initial"])
    assert.strictEqual(ConcurrencyLimitModule.make({ adaptive: { max: 4 } }).limit, 4)
    assert.strictEqual(ConcurrencyLimitModule.make({ adaptive: { min: 20 } }).limit, 20)
    assert.strictEqual(ConcurrencyLimitModule.make({ adaptive: { initial: 30 } }).limit, 30)
  })
})

/** A round of answers that all start at a time and take as long, with all slots in use. */
const round = (
  limit: ConcurrencyLimit,
  startMillis: number,
  latencyMillis: number,
  inFlight = limit.limit
) => {
  const answers = Math.max(10, limit.limit)
  for (let index = 0; index < answers; index++) {
    limit.onSuccess(latencyMillis, inFlight, startMillis + latencyMillis)
  }
  return startMillis + latencyMillis
}

describe("AdaptiveLimit", () => {
  it("doubles while latency holds, then grows by little", () => {
    const limit = new AdaptiveLimit({ initial: 4, max: 1000 })
    let now = 0
    const limits = [100, 100, 100, 100].map((latency) => {
      now = round(limit, now, latency)
      return limit.limit
    })
    assert.deepStrictEqual([limits, limit.reason], [[8, 16, 32, 64], "used"])
    now = round(limit, now, 170)
    assert.deepStrictEqual([limit.limit, limit.reason], [44, "latency"])
    now = round(limit, now, 120)
    assert.deepStrictEqual([limit.limit, limit.reason], [48, "used"])
  })

  it("does not grow while its slots are not used", () => {
    const limit = new AdaptiveLimit({ initial: 20, max: 1000 })
    let now = 0
    for (let index = 0; index < 10; index++) now = round(limit, now, 100, 15)
    assert.deepStrictEqual([limit.limit, limit.reason], [20, "initial"])
    round(limit, now, 100, 16)
    assert.strictEqual(limit.limit, 40)
  })

  it("halves itself to see what that does when latency has risen, and comes back when it did little", () => {
    const limit = new AdaptiveLimit({ initial: 64, max: 64 })
    let now = round(limit, 0, 100)
    now = round(limit, now, 100)
    assert.deepStrictEqual([limit.limit, limit.reason], [32, "probe"])
    now = round(limit, now, 90)
    assert.deepStrictEqual([limit.limit, limit.reason], [64, "restored"])
    now = round(limit, now, 300)
    assert.strictEqual(limit.reason, "probe")
    // The server has become slower by itself: half of the attempts take as long.
    now = round(limit, now, 280)
    assert.deepStrictEqual([limit.limit, limit.reason], [64, "restored"])
    now = round(limit, now, 310)
    assert.strictEqual(limit.limit, 64)
  })

  it("halves itself again where all of the latency was queue", () => {
    const limit = new AdaptiveLimit({ initial: 256, max: 256 })
    let now = round(limit, 0, 4000)
    const seen: Array<readonly [number, string]> = []
    for (const latency of [4000, 2000, 1000, 800]) {
      now = round(limit, now, latency)
      seen.push([limit.limit, limit.reason])
    }
    assert.deepStrictEqual(seen, [
      [128, "probe"],
      [64, "latency"],
      [32, "latency"],
      [64, "restored"]
    ])
  })

  it("asks again now and then, though nothing has changed", () => {
    const limit = new AdaptiveLimit({ initial: 64, max: 64 })
    let now = 0
    const reasons = Array.from({ length: 100 }, () => {
      now = round(limit, now, 100)
      return limit.reason
    })
    assert.strictEqual(reasons.filter((reason) => reason === "probe").length, 4)
  })

  it("notices latency that has fallen and rises again, though it stays below what it was", () => {
    const limit = new AdaptiveLimit({ initial: 64, max: 64 })
    let now = 0
    for (const latency of [200, 200, 200, 80, 80, 80, 80, 80, 80, 80, 80]) {
      now = round(limit, now, latency)
    }
    assert.strictEqual(limit.reason, "restored")
    round(limit, now, 170)
    assert.strictEqual(limit.reason, "probe")
  })

  it("ends a probe in which its slots were not used, without a conclusion", () => {
    const limit = new AdaptiveLimit({ initial: 64, max: 64 })
    let now = round(limit, 0, 100)
    now = round(limit, now, 100)
    assert.strictEqual(limit.reason, "probe")
    round(limit, now, 10, 5)
    assert.deepStrictEqual([limit.limit, limit.reason], [64, "restored"])
  })

  it("does not probe below its least, and grows back to find out", () => {
    const limit = new AdaptiveLimit({ initial: 64, min: 40, max: 64 })
    limit.onOverload(10, 10)
    let now = 10
    const limits = Array.from({ length: 6 }, () => {
      now = round(limit, now, 100)
      return limit.limit
    })
    assert.deepStrictEqual([limits, limit.reason], [[48, 51, 55, 58, 62, 64], "used"])
  })

  it("shrinks on overload, once per round trip", () => {
    const limit = new AdaptiveLimit({ initial: 100, max: 100 })
    for (let index = 0; index < 50; index++) limit.onOverload(30, 1000 + index / 10)
    assert.deepStrictEqual([limit.limit, limit.reason], [70, "overload"])
    // This one started before the limit shrank.
    limit.onOverload(500, 1400)
    assert.strictEqual(limit.limit, 70)
    limit.onOverload(300, 1400)
    assert.strictEqual(limit.limit, 49)
  })

  it("judges a change only by attempts that started after it", () => {
    const limit = new AdaptiveLimit({ initial: 10, max: 1000 })
    round(limit, 0, 1000)
    assert.strictEqual(limit.limit, 20)
    for (let index = 0; index < 100; index++) limit.onSuccess(1000, 20, 1999)
    assert.strictEqual(limit.limit, 20)
    for (let index = 0; index < 20; index++) limit.onSuccess(1000, 20, 2000)
    assert.strictEqual(limit.limit, 40)
  })

  it("stays a whole number within its bounds, whatever happens", () => {
    const bounds = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat(200), fc.nat(200))
    const events = fc.array(
      fc.record({
        overload: fc.integer({ min: 0, max: 9 }),
        latencyMillis: fc.integer({ min: 1, max: 60_000 }),
        inFlight: fc.nat(400),
        repeat: fc.nat(60),
        wait: fc.nat(5000)
      })
    )
    fc.assert(
      fc.property(bounds, events, ([min, above, wish], all) => {
        const max = min + above
        const limit = new AdaptiveLimit({ min, max, initial: Math.min(max, min + wish) })
        let now = 0
        for (const { inFlight, latencyMillis, overload, repeat, wait } of all) {
          now += wait
          for (let index = 0; index <= repeat; index++) {
            if (overload === 0) limit.onOverload(latencyMillis, now)
            else limit.onSuccess(latencyMillis, inFlight, now)
          }
          assert.isTrue(Number.isInteger(limit.limit))
          assert.isAtLeast(limit.limit, min)
          assert.isAtMost(limit.limit, max)
        }
      })
    )
  })
})

/**
 * A server like vLLM: all running requests get a token at a time, a step takes longer the more there are, and above `knee` the
 * cache is full and requests are preempted and computed again, so that more at once is less in all.
 */
const knee = 64
const stepMillis = (running: number, slowness: number) =>
  slowness * 20 * (1 + Math.min(running, knee) / 128) * Math.max(1, running / knee) ** 1.3

interface Run {
  readonly perSecond: number
  readonly latencySeconds: number
  /** The limit at every tenth of a second. */
  readonly limits: ReadonlyArray<number>
  readonly refused: number
}

/** Keeps a server busy for so long, with always more to do than the limit lets through. */
const simulate = (
  limit: ConcurrencyLimit,
  options: {
    readonly seconds: number
    readonly slowness?: (second: number) => number
    /** Refuses requests above so many. */
    readonly capacity?: number
    readonly seed?: number
  }
): Run => {
  const { capacity = Infinity, seconds, seed = 1, slowness = () => 1 } = options
  const random = seeded(seed)
  const tick = 100
  let running: Array<{ tokens: number; readonly since: number }> = []
  let answers = 0
  let latencies = 0
  let refused = 0
  const limits: Array<number> = []
  for (let now = 0; now < seconds * 1000; now += tick) {
    while (running.length < limit.limit) {
      if (running.length >= capacity) {
        refused++
        limit.onOverload(50, now)
        break
      }
      // Lengths as they are: exponential above a least one, 200 tokens in the mean.
      running.push({ tokens: 40 - 160 * Math.log(1 - random()), since: now })
    }
    const progress = tick / stepMillis(running.length, slowness(now / 1000))
    let inFlight = running.length
    const end = now + tick
    running = running.filter((request) => {
      request.tokens -= progress
      if (request.tokens > 0) return true
      answers++
      latencies += end - request.since
      limit.onSuccess(end - request.since, inFlight--, end)
      return false
    })
    limits.push(limit.limit)
  }
  return {
    perSecond: answers / seconds,
    latencySeconds: latencies / answers / 1000,
    limits,
    refused
  }
}

const mean = (values: ReadonlyArray<number>) =>
  values.reduce((sum, value) => sum + value, 0) / values.length

const between = ({ limits }: Run, fromSecond: number, toSecond: number) =>
  mean(limits.slice(fromSecond * 10, toSecond * 10))

describe("an adaptive limit before a server whose latency rises with load", () => {
  const fixed = (limit: number) => simulate(ConcurrencyLimitModule.fixed(limit), { seconds: 1800 })
  const best = fixed(knee)

  for (const initial of [1, 8, 256]) {
    it(`finds the knee from ${initial}, and stays near it`, () => {
      for (const seed of [1, 2, 3]) {
        const run = simulate(new AdaptiveLimit({ initial, max: 256 }), { seconds: 1800, seed })
        const found = between(run, 600, 1800)
        assert.isAbove(found, 0.75 * knee)
        assert.isBelow(found, 1.4 * knee)
        assert.isAbove(run.perSecond, 0.8 * best.perSecond)
        assert.isBelow(run.latencySeconds, 1.6 * best.latencySeconds)
      }
    })
  }

  it("does more than a fixed limit that is too low, and more and faster than one that is too high", () => {
    const adaptive = simulate(new AdaptiveLimit({ max: 256 }), { seconds: 1800 })
    for (const low of [8, 16, 32]) {
      assert.isAbove(adaptive.perSecond, 1.2 * fixed(low).perSecond)
    }
    for (const high of [128, 256]) {
      assert.isAbove(adaptive.perSecond, fixed(high).perSecond)
      assert.isBelow(adaptive.latencySeconds, 0.7 * fixed(high).latencySeconds)
    }
  })

  it("stays at the knee while the server is slower by itself, and when it is fast again", () => {
    const run = simulate(new AdaptiveLimit({ max: 256 }), {
      seconds: 5400,
      slowness: (second) => (second >= 1800 && second < 3600 ? 3 : 1)
    })
    for (const [from, to] of [
      [900, 1800],
      [2700, 3600],
      [4500, 5400]
    ] as const) {
      assert.isAbove(between(run, from, to), 0.7 * knee)
      assert.isBelow(between(run, from, to), 1.5 * knee)
    }
  })

  it("stays below the number that a server refuses, with few refusals", () => {
    const run = simulate(new AdaptiveLimit({ max: 256 }), { seconds: 1800, capacity: 40 })
    assert.isAbove(between(run, 300, 1800), 0.7 * 40)
    assert.isAtMost(between(run, 300, 1800), 40)
    assert.isBelow(run.refused, 0.01 * run.perSecond * 1800)
  })
})
