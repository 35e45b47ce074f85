import { assert, describe, it } from "@effect/vitest"
import { Account } from "@infermesh/core/admission/Account"
import { oneRequest } from "@infermesh/core/admission/Quota"
import { TokenBucket } from "@infermesh/core/admission/TokenBucket"
import * as fc from "fast-check"

const minute = 60_000

/** The provider's bucket, which counts what is really used, when it is sent. */
class Provider {
  level: number
  readonly limit: number
  private atMillis = 0
  constructor(limit: number) {
    this.limit = limit
    this.level = limit
  }
  takes(now: number, amount: number): boolean {
    this.level = Math.min(this.limit, this.level + ((now - this.atMillis) * this.limit) / minute)
    this.atMillis = now
    this.level -= amount
    return this.level >= -1e-6
  }
}

const steps = fc.array(
  fc.record({
    gap: fc.oneof(fc.nat({ max: 200 }), fc.nat({ max: 20_000 })),
    estimate: fc.integer({ min: 1, max: 60 }),
    usedShare: fc.double({ min: 0, max: 1, noNaN: true }),
    settlesAfter: fc.nat({ max: 6 })
  }),
  { minLength: 1, maxLength: 120 }
)

describe("a limit that refills evenly", () => {
  it("never sends what the provider's bucket has not, whatever is given back and when", () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 60, max: 600 }), (all, limit) => {
        const bucket = new TokenBucket(limit, minute)
        const provider = new Provider(limit)
        const open: Array<{ stamp: number; back: number; left: number }> = []
        let now = 0
        for (const { estimate, gap, settlesAfter, usedShare } of all) {
          now = Math.max(now + gap, bucket.roomAt(now + gap, estimate))
          const used = Math.ceil(estimate * usedShare)
          assert.isTrue(provider.takes(now, used))
          open.push({
            stamp: bucket.add(now, estimate),
            back: estimate - used,
            left: settlesAfter
          })
          for (const one of open) if (one.left-- === 0) bucket.refund(one.stamp, one.back)
        }
      })
    )
  })

  it("gives room back bit by bit, all of it within a minute, and holds a request as large as itself", () => {
    const bucket = new TokenBucket(600, minute)
    assert.strictEqual(bucket.roomAt(0, 600), 0)
    bucket.add(0, 600)
    assert.strictEqual(bucket.used(30_000), 300)
    assert.approximately(bucket.roomAt(30_000, 300), 30_300, 1)
    assert.strictEqual(bucket.roomAt(0, 600), minute)
    assert.strictEqual(bucket.used(minute), 0)
  })

  it("gives back what is known not to have been used, unless it came back by itself", () => {
    const bucket = new TokenBucket(600, minute)
    bucket.add(0, 300)
    const stamp = bucket.add(2000, 200)
    assert.strictEqual(bucket.used(4000), 460)
    bucket.refund(stamp, 150)
    assert.strictEqual(bucket.used(4000), 310)
    // Half a minute later all but ten is back: no more can be given back than was used all the time.
    assert.strictEqual(bucket.used(34_000), 10)
    bucket.refund(stamp, 50)
    assert.strictEqual(bucket.used(34_000), 0)
    const early = bucket.add(40_000, 100)
    bucket.add(55_000, 100)
    bucket.refund(early, 100)
    assert.strictEqual(bucket.used(55_000), 100)
  })

  it("is an account's where its quota says so, and lets a second limit through in the first minute", () => {
    const sent = (enforcement: "token-bucket" | "sliding-window") => {
      const account = new Account("a", { rpm: 600, maxRequestBurst: 600, enforcement })
      let count = 0
      for (let now = 0; now < minute; now += 50) {
        while (account.roomAt(now, oneRequest) <= now) {
          account.take(now, oneRequest)
          count++
        }
      }
      return count
    }
    assert.strictEqual(sent("sliding-window"), 600)
    assert.isAtLeast(sent("token-bucket"), 1190)
    assert.isAtMost(sent("token-bucket"), 1200)
  })
})
