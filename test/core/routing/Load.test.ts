import { assert, describe, it } from "@effect/vitest"
import { Load } from "@infermesh/core/routing/Load"
import * as fc from "fast-check"

const minute = 60_000

/** A load that has answered once, in so many milliseconds, ending at time 0. */
const answered = (latencyMillis: number): Load => {
  const load = new Load()
  load.started(0)
  load.ended(0, { latencyMillis, ok: true })
  return load
}

const attempt = (load: Load, endMillis: number, latencyMillis: number, ok: boolean | undefined) => {
  load.started(endMillis)
  load.ended(endMillis, { latencyMillis, ok })
}

describe("Load", () => {
  it("counts attempts in flight, whatever becomes of them", () => {
    const ends = fc.array(fc.constantFrom(true, false, undefined), { maxLength: 30 })
    fc.assert(
      fc.property(ends, fc.nat(5), (all, more) => {
        const load = new Load()
        for (let index = 0; index < all.length + more; index++) load.started(index)
        for (const ok of all) load.ended(100, { latencyMillis: 10, ok })
        assert.strictEqual(load.inFlight, more)
        assert.strictEqual(load.snapshot(100).started, all.length + more)
      })
    )
  })

  it("has no latency before the first answer", () => {
    const load = new Load()
    assert.strictEqual(load.latencyMillis(0), 0)
    attempt(load, 10, 10, false)
    assert.strictEqual(load.latencyMillis(10), 0)
  })

  it("believes a rise at once and a fall slowly", () => {
    const load = answered(100)
    attempt(load, 10, 1000, true)
    assert.strictEqual(load.latencyMillis(10), 1000)
    attempt(load, 1010, 100, true)
    assert.approximately(load.latencyMillis(1010), 100 + 900 * Math.exp(-1 / 10), 1e-9)
    for (let second = 2; second < 90; second++) attempt(load, second * 1000, 100, true)
    assert.approximately(load.latencyMillis(90_000), 100, 1)
  })

  it("lets a failure or an interruption raise the latency but never lower it", () => {
    for (const ok of [false, undefined]) {
      const load = answered(1000)
      attempt(load, 5000, 10, ok)
      assert.strictEqual(load.latencyMillis(5000), 1000)
      attempt(load, 9000, 4000, ok)
      assert.strictEqual(load.latencyMillis(9000), 4000)
    }
  })

  it("stays between the least and the greatest latency it saw", () => {
    const latencies = fc.array(fc.tuple(fc.integer({ min: 1, max: 60_000 }), fc.nat(20_000)), {
      minLength: 1
    })
    fc.assert(
      fc.property(latencies, (all) => {
        const load = new Load()
        let now = 0
        for (const [latency, pause] of all) {
          now += pause
          attempt(load, now, latency, true)
        }
        const seen = all.map(([latency]) => latency)
        assert.isAtLeast(load.latencyMillis(now), Math.min(...seen) - 1e-6)
        assert.isAtMost(load.latencyMillis(now), Math.max(...seen) + 1e-6)
      })
    )
  })

  it("forgets a latency after a long silence, but not while answers are awaited", () => {
    const idle = answered(1000)
    assert.strictEqual(idle.latencyMillis(29_000), 1000)
    assert.strictEqual(idle.latencyMillis(30_000), 0)
    const awaiting = answered(1000)
    awaiting.started(20_000)
    assert.strictEqual(awaiting.latencyMillis(10 * minute), 1000)
    awaiting.ended(10 * minute, { latencyMillis: 0, ok: undefined })
    assert.strictEqual(awaiting.latencyMillis(10 * minute + 20_000), 1000)
  })

  it("measures anew after it forgot, instead of averaging with the old", () => {
    const load = answered(20_000)
    load.started(10 * minute)
    load.ended(10 * minute + 100, { latencyMillis: 100, ok: true })
    assert.strictEqual(load.latencyMillis(10 * minute + 100), 100)
  })

  it("remembers slow answers for longer than fast ones", () => {
    assert.strictEqual(answered(60_000).latencyMillis(5 * minute), 60_000)
    assert.strictEqual(answered(60_000).latencyMillis(6 * minute), 0)
  })

  it("measures the time to the first part apart", () => {
    const load = new Load()
    load.started(0)
    load.ended(9000, { latencyMillis: 9000, ok: true, firstPartMillis: 300 })
    attempt(load, 9100, 100, true)
    assert.strictEqual(load.firstPartMillis(9100), 300)
    assert.isAbove(load.latencyMillis(9100), 8000)
  })

  it("lets use and failures of late fade within minutes", () => {
    const load = new Load()
    for (let index = 0; index < 10; index++) {
      load.started(0)
      load.ended(0, { latencyMillis: 1, ok: index % 2 === 0, tokens: 100 })
    }
    assert.deepInclude(load.snapshot(0), { requestsLately: 10, tokensLately: 1000, failed: 5 })
    assert.strictEqual(load.successShare(0), 6 / 11)
    assert.approximately(load.tokensLately(minute), 1000 / Math.E, 1e-9)
    assert.approximately(load.successShare(10 * minute), 1, 0.001)
  })

  it("ranks by tokens of late as the tokens themselves do, at any time", () => {
    const use = fc.array(fc.tuple(fc.nat(200_000), fc.nat(5000)), { maxLength: 10 })
    fc.assert(
      fc.property(use, use, fc.nat(300_000), (first, second, later) => {
        const [a, b] = [first, second].map((all) => {
          const load = new Load()
          for (const [at, tokens] of all.toSorted(([left], [right]) => left - right)) {
            load.started(at)
            load.ended(at, { latencyMillis: 1, ok: true, tokens })
          }
          return load
        }) as [Load, Load]
        const now = 200_000 + later
        const difference = a.tokensLately(now) - b.tokensLately(now)
        // Where they are equal up to rounding, either order will do.
        if (Math.abs(difference) < 1e-6 * a.tokensLately(now)) return
        assert.strictEqual(Math.sign(a.tokensRank - b.tokensRank) || 0, Math.sign(difference))
      })
    )
  })

  it("takes a clock that steps back for one that stands", () => {
    const load = answered(100)
    load.started(-5000)
    load.ended(-5000, { latencyMillis: 50, ok: true, tokens: 10 })
    assert.strictEqual(load.latencyMillis(-5000), 100)
    assert.strictEqual(load.tokensLately(-6000), 10)
  })
})
