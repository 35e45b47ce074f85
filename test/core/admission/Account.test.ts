import { assert, describe, it } from "@effect/vitest"
import type { Reports } from "@infermesh/core/admission/Account"
import { Account } from "@infermesh/core/admission/Account"
import type { Cost, Quota } from "@infermesh/core/admission/Quota"
import * as fc from "fast-check"

const costOf = (inputTokens: number, outputTokens = 0): Cost => ({
  requests: 1,
  inputTokens,
  outputTokens,
  audioSeconds: 0,
  usd: 0
})

const one = costOf(0)

type Report = Reports[number]

const report = (more: Partial<Report>): Report => ({
  dimension: "requests",
  scope: undefined,
  limit: undefined,
  remaining: undefined,
  resetMillis: undefined,
  ...more
})

/** Of a request that was sent before anything was known. */
const unsent = { stamps: [], used: [] }

const used = (account: Account, name: string, now = 0): number | undefined =>
  account.snapshot(now).find((limit) => limit.name === name)?.used

const limitOf = (account: Account, name: string): number | undefined =>
  account.limits.find((limit) => limit.name === name)?.limit

/** How many requests an account lets through at one instant. */
const room = (account: Account, now: number, most = 10_000): number => {
  let count = 0
  while (count < most && account.roomAt(now, one) <= now) {
    account.take(now, one)
    account.taken(now)
    count++
  }
  return count
}

describe("an account", () => {
  it("counts every dimension by itself, per minute and per day", () => {
    const quota: Quota = {
      rpm: 10,
      tpm: 1000,
      itpm: 600,
      otpm: 500,
      rpd: 100,
      tpd: 10_000,
      audioSecondsPerMinute: 60,
      usdPerDay: 2
    }
    const account = new Account("a", quota)
    account.take(0, {
      requests: 1,
      inputTokens: 300,
      outputTokens: 100,
      audioSeconds: 40,
      usd: 1.5
    })
    assert.deepStrictEqual(
      Object.fromEntries(account.snapshot(0).map((limit) => [limit.name, limit.used])),
      {
        rpm: 1,
        tpm: 400,
        itpm: 300,
        otpm: 100,
        rpd: 1,
        tpd: 400,
        audioSecondsPerMinute: 40,
        usdPerDay: 1.5
      }
    )
    const full = (cost: Partial<Cost>) => account.fullFor(0, { ...one, ...cost })?.name
    assert.deepStrictEqual(
      [
        full({ inputTokens: 301 }),
        full({ outputTokens: 401 }),
        full({ inputTokens: 300, outputTokens: 301 }),
        full({ audioSeconds: 21 }),
        full({ usd: 0.6 }),
        full({ inputTokens: 300, outputTokens: 300, audioSeconds: 20, usd: 0.5 })
      ],
      ["itpm", "otpm", "tpm", "audioSecondsPerMinute", "usdPerDay", undefined]
    )
    assert.closeTo(account.headroom(0), 0.25, 1e-9)
  })

  it("settles to what was used: all back for the unsent, the request kept for the refused", () => {
    const account = new Account("a", { rpm: 10, tpm: 1000 })
    const cost = costOf(100, 100)
    for (const [settlement, requests, tokens] of [
      [{ _tag: "Unsent" }, 0, 0],
      [{ _tag: "Refused" }, 1, 0],
      [{ _tag: "Counted" }, 2, 200],
      [{ _tag: "Used", cost: costOf(100, 20) }, 3, 320]
    ] as const) {
      account.settle(0, account.take(0, cost), cost, settlement)
      assert.deepStrictEqual([used(account, "rpm"), used(account, "tpm")], [requests, tokens])
    }
  })
})

describe("what responses say", () => {
  it("tightens a setting and never loosens it", () => {
    const account = new Account("a", { rpm: 100 })
    account.learn(0, unsent, [report({ limit: 60 })])
    assert.strictEqual(limitOf(account, "rpm"), 60)
    account.learn(0, unsent, [report({ limit: 5000 })])
    assert.strictEqual(limitOf(account, "rpm"), 100)
  })

  it("never lets anything through that would have had to wait without it", () => {
    const amount = fc.option(fc.integer({ min: 0, max: 2000 }), { nil: undefined })
    const reports = fc.array(
      fc.record({
        dimension: fc.constantFrom("requests", "tokens", "inputTokens", "outputTokens"),
        scope: fc.constantFrom("minute", "day", undefined),
        limit: amount,
        remaining: amount,
        resetMillis: fc.option(fc.double({ min: 0, max: 1e8, noNaN: true }), { nil: undefined })
      }),
      { maxLength: 4 }
    )
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 5000 }), reports), { maxLength: 60 }),
        (history) => {
          const quota = { rpm: 20, tpm: 3000, rpd: 100 }
          const heard = new Account("heard", quota)
          const deaf = new Account("deaf", quota)
          let now = 0
          for (const [pause, said] of history) {
            now += pause
            const cost = costOf(50, 50)
            assert.isAtLeast(heard.roomAt(now, cost), deaf.roomAt(now, cost))
            assert.isFalse(Number.isNaN(heard.roomAt(now, cost)))
            const receipt = heard.take(now, cost)
            deaf.take(now, cost)
            heard.learn(now, receipt, said)
          }
        }
      )
    )
  })

  it("counts what others use of the same key, until the provider's reset", () => {
    const account = new Account("a", { rpm: 1000 })
    const receipt = account.take(0, one)
    account.learn(100, receipt, [report({ limit: 1000, remaining: 10, resetMillis: 30_000 })])
    // 990 were counted there, one of them ours.
    assert.strictEqual(used(account, "rpm", 100), 990)
    assert.strictEqual(room(account, 100), 10)
    assert.isAbove(account.roomAt(200, one), 200)
    assert.strictEqual(account.roomAt(30_200, one), 30_200)
  })

  it("leaves what was sent after the answered request out of the provider's count", () => {
    const account = new Account("a", { rpm: 1000, maxRequestBurst: 1000 })
    const receipt = account.take(0, one)
    for (let index = 0; index < 500; index++) account.take(1000, one)
    account.learn(2000, receipt, [report({ limit: 1000, remaining: 999, resetMillis: 60_000 })])
    assert.strictEqual(used(account, "rpm", 2000), 501)
  })

  it("takes nothing for others' use that had been ours when the request was sent", () => {
    const account = new Account("a", { rpm: 100, maxRequestBurst: 100 })
    for (let index = 0; index < 50; index++) account.take(0, one)
    const receipt = account.take(60_200, one)
    // The provider still counted the fifty; by the time its answer is here, they have expired.
    account.learn(60_900, receipt, [report({ limit: 100, remaining: 49, resetMillis: 60_000 })])
    assert.strictEqual(used(account, "rpm", 60_900), 1)
  })

  it("honours a remainder of nothing, with or without a reset, and a reset of nothing", () => {
    for (const [resetMillis, waits] of [
      [20_000, 20_000],
      [undefined, 60_000],
      [0, 0]
    ] as const) {
      const account = new Account("a", { rpm: 100 })
      account.learn(0, account.take(0, one), [report({ limit: 100, remaining: 0, resetMillis })])
      assert.strictEqual(account.roomAt(0, one), waits)
    }
  })

  it("goes to its own window: by its size where both are set", () => {
    const account = new Account("a", { rpm: 500, rpd: 10_000 })
    // The daily limit reports the time to regain what was used of it: seconds.
    account.learn(0, unsent, [report({ limit: 8000, remaining: 7999, resetMillis: 10_800 })])
    assert.deepStrictEqual([limitOf(account, "rpm"), limitOf(account, "rpd")], [500, 8000])
    account.learn(0, unsent, [report({ limit: 400, remaining: 399, resetMillis: 120 })])
    assert.deepStrictEqual([limitOf(account, "rpm"), limitOf(account, "rpd")], [400, 8000])
  })

  it("goes to the window that the header or the setting names", () => {
    const account = new Account("a", {}, { headerScope: "day" })
    account.learn(0, unsent, [report({ limit: 50 }), report({ limit: 5, scope: "minute" })])
    assert.deepStrictEqual([limitOf(account, "rpd"), limitOf(account, "rpm")], [50, 5])
  })

  it("is learned where nothing is set, and follows the provider up and down", () => {
    const account = new Account("a", {})
    const tokens = {
      dimension: "tokens",
      limit: 30_000,
      remaining: 29_000,
      resetMillis: 2000
    } as const
    account.learn(0, unsent, [
      report({ limit: 60, remaining: 59, resetMillis: 1000 }),
      report(tokens)
    ])
    assert.deepStrictEqual([limitOf(account, "rpm"), limitOf(account, "tpm")], [60, 30_000])
    account.learn(0, unsent, [report({ limit: 6000, remaining: 5999, resetMillis: 10 })])
    assert.strictEqual(limitOf(account, "rpm"), 6000)
  })

  it("is a daily limit when its resets say so several times over, not by one chance", () => {
    const daily = (limit: number, spent: number) =>
      report({ limit, remaining: limit - spent, resetMillis: (spent / limit) * 86_400_000 })
    const account = new Account("a", {})
    account.learn(0, unsent, [daily(10_000, 1)])
    assert.deepStrictEqual(account.limits, [])
    account.learn(0, unsent, [daily(10_000, 2)])
    account.learn(0, unsent, [daily(10_000, 3)])
    assert.deepStrictEqual([limitOf(account, "rpd"), limitOf(account, "rpm")], [10_000, undefined])
    // A minute's window that ends in 43 s looks daily at its first request of 2,000, and not at its second.
    const other = new Account("b", {})
    for (const spent of [1, 2, 3, 4])
      other.learn(0, unsent, [
        report({ limit: 2000, remaining: 2000 - spent, resetMillis: 43_200 })
      ])
    assert.deepStrictEqual([limitOf(other, "rpd"), limitOf(other, "rpm")], [undefined, 2000])
  })

  it("is a daily limit when the reset is further away than any minute's", () => {
    const account = new Account("a", { rpm: 100 })
    account.learn(0, unsent, [report({ limit: 200, remaining: 0, resetMillis: 3_600_000 })])
    assert.strictEqual(account.roomAt(0, one), 3_600_000)
  })
})

describe("a burst that the user did not set", () => {
  it("starts small, doubles while the provider takes it, and ends at the whole limit", () => {
    const account = new Account("a", { rpm: 600 })
    assert.strictEqual(account.roomAt(0, one), 0)
    let now = 0
    const bursts: Array<number> = []
    for (let index = 0; index < 4; index++) {
      let count = 0
      while (account.roomAt(now, one) <= now) {
        account.take(now, one)
        count++
      }
      for (let taken = 0; taken < count; taken++) account.taken(now)
      bursts.push(count)
      now += 10
    }
    assert.deepStrictEqual(bursts, [16, 32, 64, 128])
  })

  it("shrinks when the provider refuses what the quota allows, and tries larger ones ever more rarely", () => {
    const account = new Account("a", { rpm: 600 })
    const refuse = (now: number, times: number) => {
      for (let index = 0; index < times; index++) account.refused(now, now)
    }
    assert.isAbove(room(account, 0), 16)
    refuse(1000, 2)
    assert.isAtMost(room(account, 59_000), 300)
    refuse(60_000, 10)
    // What comes in one second is no burst.
    assert.strictEqual(room(account, 119_000), 10)
    // A minute after the last refusal, then two minutes.
    assert.isAbove(room(account, 200_000), 16)
    refuse(201_000, 10)
    assert.strictEqual(room(account, 320_000), 10)
    assert.isAbove(room(account, 400_000), 16)
  })

  it("is not blamed for one refusal, nor for a few among many answers", () => {
    const account = new Account("a", { rpm: 600 })
    assert.strictEqual(room(account, 0), 600)
    account.refused(1000, 1000)
    for (let index = 0; index < 2; index++) account.refused(0, 0)
    assert.strictEqual(room(account, 70_000), 600)
  })

  it("is not blamed for the refusal of a request that was sent before the limit was known", () => {
    const learning = () => {
      const account = new Account("a", {})
      account.learn(1000, unsent, [report({ limit: 600, remaining: 590 })])
      return account
    }
    const before = learning()
    for (let index = 0; index < 2; index++) before.refused(1000, 500)
    const after = learning()
    for (let index = 0; index < 2; index++) after.refused(1000, 1000)
    const first = (account: Account) => {
      let count = 0
      for (; account.roomAt(1000, one) <= 1000; count++) account.take(1000, one)
      return count
    }
    assert.deepStrictEqual([first(before), first(after)], [16, 10])
  })

  it("is as large as the user says where he does", () => {
    assert.strictEqual(room(new Account("a", { rpm: 600, maxRequestBurst: 600 }), 0), 600)
    assert.strictEqual(room(new Account("a", { rpm: 600, maxRequestBurst: 5 }), 0), 5)
  })
})
