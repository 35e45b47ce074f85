import { assert, describe, it } from "@effect/vitest"
import type { Member } from "@infermesh/core/routing/Member"
import { loadBound } from "@infermesh/core/routing/Sticky"
import type { Strategy, StrategyName } from "@infermesh/core/routing/Strategy"
import { strategies } from "@infermesh/core/routing/Strategy"
import * as fc from "fast-check"

import { busy, drawOf, members, nth, seeded } from "./Members.ts"

const choose = (
  strategy: Strategy,
  all: ReadonlyArray<Member>,
  more: Parameters<typeof drawOf>[0] = {}
) => strategy(all, drawOf(more)) as Member

/** How often each is chosen in so many draws, in order. */
const shares = (
  strategy: Strategy,
  all: ReadonlyArray<Member>,
  draws: number,
  more: (index: number) => Parameters<typeof drawOf>[0] = () => ({})
): ReadonlyArray<number> => {
  const random = seeded(7)
  const counts = all.map(() => 0)
  for (let index = 0; index < draws; index++) {
    const { order } = choose(strategy, all, { random, ...more(index) })
    counts[order] = (counts[order] ?? 0) + 1
  }
  return counts
}

/** Pearson's statistic against shares in proportion to the weights. */
const chiSquare = (counts: ReadonlyArray<number>, all: ReadonlyArray<Member>): number => {
  const draws = counts.reduce((sum, count) => sum + count, 0)
  const weights = all.reduce((sum, { deployment }) => sum + deployment.weight, 0)
  return all.reduce((sum, { deployment }, index) => {
    const expected = (draws * deployment.weight) / weights
    return sum + ((counts[index] ?? 0) - expected) ** 2 / expected
  }, 0)
}

/** The statistic's value that chance exceeds once in a thousand times, for nine degrees of freedom. */
const onceInAThousand = 27.88

const tenWeights = [1, 1, 1, 1, 1, 2, 2, 3, 0.5, 4]

/** Attempts that each strategy distributes while earlier ones end at random. */
const aLoad = fc.record({
  weights: fc.array(fc.double({ min: 0.1, max: 10, noNaN: true }), { minLength: 1, maxLength: 12 }),
  headroom: fc.double({ min: 0, max: 1, noNaN: true }),
  prices: fc.array(fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined })),
  attempts: fc.array(
    fc.record({
      key: fc.option(fc.string(), { nil: undefined }),
      ends: fc.nat(20),
      ok: fc.constantFrom(true, false, undefined),
      latencyMillis: fc.nat(60_000),
      streamed: fc.boolean()
    })
  )
})

describe("every strategy", () => {
  for (const name of Object.keys(strategies) as ReadonlyArray<StrategyName>) {
    it(`chooses one of the candidates: ${name}`, () => {
      fc.assert(
        fc.property(aLoad, fc.integer(), ({ attempts, headroom, prices, weights }, seed) => {
          const strategy = strategies[name]()
          const random = seeded(seed)
          const all = members(...weights)
          for (const [index, member] of all.entries()) {
            member.headroom = index % 2 === 0 ? headroom : 1
            member.price = prices[index]
          }
          const inFlight: Array<readonly [Member, number]> = []
          for (const [index, { key, ends, latencyMillis, ok, streamed }] of attempts.entries()) {
            const nowMillis = index * 100
            const candidates = all.filter((_, place) => place === 0 || (place + ends) % 3 !== 0)
            const draw = { random, stickyKey: key, streamed, nowMillis }
            const chosen = choose(strategy, candidates, draw)
            assert.include(candidates, chosen)
            inFlight.push([chosen, chosen.started(nowMillis)])
            const [ending] = inFlight.splice(ends % inFlight.length, ends % 2)
            ending?.[0].ended(nowMillis, {
              ticket: ending[1],
              latencyMillis,
              tokens: ends,
              outcome:
                ok === undefined
                  ? { _tag: "abandoned" }
                  : ok
                    ? { _tag: "answered" }
                    : { _tag: "failed", retryAfterMillis: undefined }
            })
          }
        }),
        { numRuns: 50 }
      )
    })

    // Giving all to the first is what `ordered` is for.
    if (name === "ordered") continue
    it(`gives equal candidates equal shares: ${name}`, () => {
      const all = members(...tenWeights.map(() => 1))
      const counts = shares(strategies[name](), all, 20_000, (index) => ({
        stickyKey: `prefix ${index}`
      }))
      assert.isBelow(chiSquare(counts, all), onceInAThousand)
    })
  }
})

describe("simple-shuffle", () => {
  it("chooses in proportion to the weights", () => {
    const all = members(...tenWeights)
    const counts = shares(strategies["simple-shuffle"](), all, 40_000)
    assert.isBelow(chiSquare(counts, all), onceInAThousand)
  })

  it("leaves none out where the draw is at an end of its range", () => {
    const all = members(0.1, 0.2, 0.3)
    assert.strictEqual(choose(strategies["simple-shuffle"](), all, { random: () => 0 }).order, 0)
    const last = () => 1 - Number.EPSILON / 2
    assert.strictEqual(choose(strategies["simple-shuffle"](), all, { random: last }).order, 2)
  })
})

describe("least-busy", () => {
  const leastBusy = strategies["least-busy"]()

  it("takes of two the one with fewer attempts in flight for its weight", () => {
    const all = members(1, 4)
    busy(nth(all, 0), 1)
    busy(nth(all, 1), 6)
    assert.deepStrictEqual(shares(leastBusy, all, 100), [0, 100])
    busy(nth(all, 1), 2)
    assert.deepStrictEqual(shares(leastBusy, all, 100), [100, 0])
  })

  it("spreads far more evenly than chance", () => {
    const most = (strategy: Strategy) => {
      const all = members(...Array.from({ length: 1000 }, () => 1))
      const random = seeded(3)
      for (let ball = 0; ball < 10_000; ball++) choose(strategy, all, { random }).started(0)
      return Math.max(...all.map(({ load }) => load.inFlight))
    }
    // Theory: chance is sqrt(2 * 10 * ln 1000) = 12 above the mean of 10, the better of two log2 ln 1000 = 3.
    assert.isAbove(most(strategies["simple-shuffle"]()), 18)
    assert.isAtMost(most(leastBusy), 13)
  })

  it("loads in proportion to the weights", () => {
    const all = members(1, 2, 3, 4)
    const random = seeded(5)
    for (let attempt = 0; attempt < 1000; attempt++) choose(leastBusy, all, { random }).started(0)
    for (const { deployment, load } of all) {
      assert.approximately(load.inFlight, 100 * deployment.weight, 3)
    }
  })

  it("is not drawn to a deployment that fails at once", () => {
    const all = members(1, 1)
    busy(nth(all, 1), 2)
    for (let index = 0; index < 4; index++) {
      nth(all, 0).load.started(0)
      nth(all, 0).load.ended(0, { latencyMillis: 5, ok: false })
    }
    assert.strictEqual(choose(leastBusy, all).order, 1)
  })
})

describe("latency-based-routing", () => {
  const latencyBased = strategies["latency-based-routing"]()
  const answer = (member: Member, latencyMillis: number, firstPartMillis?: number) => {
    member.load.started(0)
    member.load.ended(0, { latencyMillis, ok: true, firstPartMillis })
  }

  it("takes of two the one with the shorter expected wait", () => {
    const all = members(1, 1)
    answer(nth(all, 0), 1000)
    answer(nth(all, 1), 3000)
    assert.deepStrictEqual(shares(latencyBased, all, 50), [50, 0])
    busy(nth(all, 0), 3)
    assert.deepStrictEqual(shares(latencyBased, all, 50), [0, 50])
  })

  it("compares first parts where the answer is streamed", () => {
    const all = members(1, 1)
    answer(nth(all, 0), 1000, 900)
    answer(nth(all, 1), 3000, 100)
    assert.strictEqual(choose(latencyBased, all).order, 0)
    assert.strictEqual(choose(latencyBased, all, { streamed: true }).order, 1)
  })

  it("tries one that was not measured with one request, not with all", () => {
    const all = members(1, 1)
    answer(nth(all, 0), 1000)
    assert.strictEqual(choose(latencyBased, all).order, 1)
    busy(nth(all, 1), 1)
    busy(nth(all, 0), 50)
    assert.strictEqual(choose(latencyBased, all).order, 0)
  })

  it("sends a slow deployment its share and no more, in a system that runs", () => {
    const all = members(1, 1, 1, 1)
    const latencies = [1000, 1000, 1000, 4000]
    const random = seeded(11)
    const counts = [0, 0, 0, 0]
    let inFlight: Array<{ readonly member: Member; readonly since: number; readonly end: number }> =
      []
    for (let now = 0; now < 600_000; now += 50) {
      for (const { end, member, since } of inFlight) {
        if (end <= now) member.load.ended(now, { latencyMillis: now - since, ok: true })
      }
      inFlight = inFlight.filter(({ end }) => end > now)
      const member = choose(latencyBased, all, { random, nowMillis: now })
      member.load.started(now)
      counts[member.order] = (counts[member.order] ?? 0) + 1
      inFlight.push({ member, since: now, end: now + (latencies[member.order] ?? 0) })
    }
    const total = counts.reduce((sum, count) => sum + count, 0)
    // Where the products of latency and attempts in flight are equal, four times slower means a sixteenth of the rate.
    assert.isBelow((counts[3] ?? 0) / total, 0.06)
    assert.isAbove((counts[3] ?? 0) / total, 0.005)
  })
})

describe("usage-based-routing", () => {
  const usageBased = strategies["usage-based-routing"]()

  it("is the same in both versions", () => {
    assert.strictEqual(usageBased, strategies["usage-based-routing-v2"]())
  })

  it("takes the one with the most quota left", () => {
    const all = members(1, 1, 1)
    for (const [index, headroom] of [0.2, 0.9, 0.5].entries()) nth(all, index).headroom = headroom
    assert.deepStrictEqual(shares(usageBased, all, 20), [0, 20, 0])
  })

  it("takes, of those with the same, the one that used the fewest tokens for its weight", () => {
    const all = members(1, 3)
    for (const { load } of all) {
      load.started(0)
      load.ended(0, { latencyMillis: 1, ok: true, tokens: 100 })
    }
    assert.deepStrictEqual(shares(usageBased, all, 20), [0, 20])
  })
})

describe("cost-based-routing", () => {
  const costBased = strategies["cost-based-routing"]()

  it("takes the cheapest, and shuffles those that cost the same by their weights", () => {
    const all = members(1, 3, 1, 1)
    for (const [index, price] of [0.1, 0.1, 0.3, undefined].entries()) nth(all, index).price = price
    const counts = shares(costBased, all, 4000)
    assert.deepStrictEqual(counts.slice(2), [0, 0])
    assert.approximately((counts[1] ?? 0) / 4000, 0.75, 0.03)
  })

  it("takes one without a known price only where none has one", () => {
    const all = members(1, 1)
    nth(all, 1).price = 1000
    assert.strictEqual(choose(costBased, all).order, 1)
    nth(all, 1).price = undefined
    const [first = 0] = shares(costBased, all, 1000)
    assert.approximately(first, 500, 60)
  })
})

describe("ordered", () => {
  it("takes the first", () => {
    const all = members(1, 100)
    busy(nth(all, 0), 9)
    assert.deepStrictEqual(shares(strategies.ordered(), all, 10), [10, 0])
  })
})

describe("sticky", () => {
  const sticky = strategies.sticky()
  const keys = Array.from({ length: 2000 }, (_, index) => `You are a helpful assistant ${index}`)
  const homes = (all: ReadonlyArray<Member>) =>
    keys.map((stickyKey) => choose(sticky, all, { stickyKey }))

  it("takes the same deployment for the same key, whatever the draw", () => {
    const all = members(1, 1, 1, 1)
    for (const [index, home] of homes(all).entries()) {
      const again = choose(sticky, all, { stickyKey: keys[index], random: seeded(index) })
      assert.strictEqual(again, home)
    }
  })

  it("moves only the keys of a deployment that leaves, and only to one that comes", () => {
    const all = members(1, 2, 1, 3, 1)
    const before = homes(all)
    for (const gone of all) {
      const stayed = before.map((home) => (home === gone ? undefined : home))
      const after = homes(all.filter((one) => one !== gone))
      assert.deepStrictEqual(
        after.map((home, index) => (stayed[index] === undefined ? undefined : home.order)),
        stayed.map((home) => home?.order)
      )
    }
  })

  it("gives keys in proportion to the weights", () => {
    const all = members(...tenWeights)
    const counts = shares(sticky, all, 20_000, (index) => ({ stickyKey: String(index) }))
    assert.isBelow(chiSquare(counts, all), onceInAThousand)
  })

  it("never loads one above 1.25 times its fair share, rounded up", () => {
    fc.assert(
      fc.property(aLoad, ({ attempts, weights }) => {
        const all = members(...weights)
        const total = weights.reduce((sum, weight) => sum + weight, 0)
        let inFlight = 0
        for (const { ends } of attempts) {
          // Few keys, so that they are popular.
          const chosen = choose(sticky, all, { stickyKey: String(ends % 3) })
          chosen.started(0)
          inFlight++
          const bound = Math.ceil((loadBound * inFlight * chosen.deployment.weight) / total)
          assert.isAtMost(chosen.load.inFlight, bound)
        }
      })
    )
  })

  it("sends a popular key elsewhere while its home is full, and back when there is room", () => {
    const all = members(1, 1, 1, 1)
    const home = choose(sticky, all, { stickyKey: "k" })
    busy(home, 10)
    for (const other of all) if (other !== home) busy(other, 5)
    assert.notStrictEqual(choose(sticky, all, { stickyKey: "k" }), home)
    for (const other of all) if (other !== home) busy(other, 5)
    assert.strictEqual(choose(sticky, all, { stickyKey: "k" }), home)
  })

  it("takes the less busy of two for a request without a key", () => {
    const all = members(1, 1)
    busy(nth(all, 0), 1)
    assert.deepStrictEqual(shares(sticky, all, 20), [0, 20])
  })
})

describe("round-robin", () => {
  const turns = (strategy: Strategy, all: ReadonlyArray<Member>, count: number) =>
    Array.from({ length: count }, () => choose(strategy, all).order)

  it("takes each in turn", () => {
    assert.deepStrictEqual(
      turns(strategies["round-robin"](), members(1, 1, 1), 7),
      [0, 1, 2, 0, 1, 2, 0]
    )
  })

  it("takes each as often as its weight says, never far off", () => {
    const weights = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(weights, (all) => {
        const total = all.reduce((sum, weight) => sum + weight, 0)
        const counts = shares(strategies["round-robin"](), members(...all), 10 * total)
        assert.deepStrictEqual(
          counts,
          all.map((weight) => 10 * weight)
        )
      })
    )
  })

  it("respects weights that are not whole", () => {
    const counts = shares(strategies["round-robin"](), members(1, 0.3, 0.7), 2000)
    assert.deepStrictEqual(counts, [1000, 300, 700])
  })

  it("lets one that was away miss its turns, without making up for them", () => {
    const strategy = strategies["round-robin"]()
    const all = members(1, 1, 1)
    assert.deepStrictEqual(turns(strategy, all.slice(0, 2), 6), [0, 1, 0, 1, 0, 1])
    assert.deepStrictEqual(turns(strategy, all, 6), [2, 0, 1, 2, 0, 1])
  })

  it("keeps the turns of different clients apart", () => {
    const all = members(1, 1)
    const strategy = strategies["round-robin"]()
    assert.deepStrictEqual(turns(strategy, all, 1), [0])
    assert.deepStrictEqual(turns(strategies["round-robin"](), all, 1), [0])
  })
})
