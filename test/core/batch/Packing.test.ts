import { assert, describe, it } from "@effect/vitest"
import { apportion, pack, smallest } from "@infermesh/core/batch/Packing"
import * as fc from "fast-check"

const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((left, right) => left + right, 0)

describe("pack", () => {
  const limits = fc.record({
    texts: fc.integer({ min: 1, max: 9 }),
    tokens: fc.integer({ min: 1, max: 150 })
  })

  it("puts every item into exactly one pack, in order, and makes no empty pack", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200)), limits, (sizes, limit) => {
        const items = sizes.map((size, index) => ({ size, index }))
        const packs = pack(items, ({ size }) => size, limit)
        assert.deepStrictEqual(packs.flat(), items)
        for (const one of packs) assert.isAtLeast(one.length, 1)
      })
    )
  })

  it("keeps both limits, but for a text that alone is above the tokens", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200)), limits, (sizes, limit) => {
        for (const one of pack(sizes, (size) => size, limit)) {
          assert.isAtMost(one.length, limit.texts)
          if (one.length > 1) assert.isAtMost(sum(one), limit.tokens)
        }
      })
    )
  })

  it("closes a pack only when the next item would not fit", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200)), limits, (sizes, limit) => {
        const packs = pack(sizes, (size) => size, limit)
        for (const [index, one] of packs.slice(0, -1).entries()) {
          const [next = 0] = packs[index + 1] ?? []
          assert.isTrue(one.length === limit.texts || sum(one) + next > limit.tokens)
        }
      })
    )
  })

  it("counts 70 items as 32, 32 and 6", () => {
    const packs = pack(Array.from({ length: 70 }), () => 1, { texts: 32, tokens: 1e6 })
    assert.deepStrictEqual(
      packs.map(({ length }) => length),
      [32, 32, 6]
    )
  })

  it("makes none of nothing", () => {
    assert.deepStrictEqual(
      pack([], () => 1, { texts: 1, tokens: 1 }),
      []
    )
  })
})

describe("apportion", () => {
  const weights = fc.array(fc.nat(1000), { minLength: 1 })

  it("gives whole shares, none negative, whose sum is the number", () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), weights, (total, all) => {
        const shares = apportion(total, all)
        assert.strictEqual(shares.length, all.length)
        assert.strictEqual(sum(shares), total)
        for (const share of shares) assert.isTrue(Number.isInteger(share) && share >= 0)
      })
    )
  })

  it("loses nothing where no weight is above zero", () => {
    assert.strictEqual(sum(apportion(7, [0, 0])), 7)
  })

  it("is never further than one from the exact share", () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), weights, (total, all) => {
        const whole = sum(all)
        fc.pre(whole > 0)
        for (const [index, share] of apportion(total, all).entries())
          assert.isAtMost(Math.abs(share - (total * (all[index] ?? 0)) / whole), 1)
      })
    )
  })
})

describe("smallest", () => {
  it("is what fits all, each limit by itself, and nothing where nobody names any", () => {
    assert.isUndefined(smallest([]))
    assert.isUndefined(smallest([undefined]))
    assert.deepStrictEqual(
      smallest([{ texts: 5, tokens: 100 }, undefined, { texts: 9, tokens: 50 }]),
      { texts: 5, tokens: 50 }
    )
  })
})
