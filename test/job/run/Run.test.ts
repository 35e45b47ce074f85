import { assert, describe, it } from "@effect/vitest"
import { BitSet } from "@infermesh/job/run/BitSet"
import * as GroupCommit from "@infermesh/job/run/GroupCommit"
import { Order } from "@infermesh/job/run/Order"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"

describe("BitSet", () => {
  it("is a set of whole numbers, in order, as large as they may be", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat(200), fc.nat(200_000), fc.nat(2 ** 40))), (numbers) => {
        const bits = new BitSet()
        const set = new Set<number>()
        for (const one of numbers) {
          assert.strictEqual(bits.add(one), !set.has(one))
          set.add(one)
        }
        assert.deepStrictEqual(
          [...bits],
          [...set].toSorted((a, b) => a - b)
        )
        assert.strictEqual(bits.size, set.size)
        for (const one of numbers) assert.isTrue(bits.has(one))
        assert.strictEqual(bits.has(77), set.has(77))
      })
    )
  })
})

describe("Order", () => {
  it("gives everything once, in order, as soon as nothing before it is missing", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...Array(20).keys()], { minLength: 20 }), (places) => {
        const order = new Order<number>()
        const given: Array<number> = []
        for (const [step, place] of places.entries()) {
          given.push(...order.put(place, place))
          const come = new Set(places.slice(0, step + 1))
          const due = [...Array(21).keys()].find((next) => !come.has(next)) ?? 0
          assert.strictEqual(given.length, due)
          assert.strictEqual(order.next, due)
        }
        assert.deepStrictEqual(given, [...Array(20).keys()])
      })
    )
  })

  it("gives up what it holds back, in order", () => {
    const order = new Order<number>()
    for (const place of [5, 2, 9]) order.put(place, place)
    assert.isTrue(order.has(9))
    assert.deepStrictEqual([order.clear(), order.clear()], [[2, 5, 9], []])
  })
})

describe("GroupCommit", () => {
  const recording = <E>(
    write: (rows: ReadonlyArray<number>) => Effect.Effect<void, E>,
    underWay = 1
  ) => {
    const groups: Array<ReadonlyArray<number>> = []
    const state = { underWay }
    const commits = GroupCommit.make<number, E>({
      write: (rows) =>
        Effect.andThen(
          Effect.sync(() => void groups.push(rows)),
          write(rows)
        ),
      underWay: () => state.underWay
    })
    return { commits, groups, state }
  }
  const settle = Effect.repeat(Effect.yieldNow, { times: 20 })

  it.effect("writes at once what nothing else can join, and waits a moment otherwise", () =>
    Effect.gen(function* () {
      const { commits, groups, state } = recording(() => Effect.void, 0)
      const { end, put } = yield* commits
      yield* put(1)
      yield* settle
      assert.deepStrictEqual(groups, [[1]])
      state.underWay = 2
      yield* put(2)
      yield* TestClock.adjust("10 millis")
      yield* put(3)
      yield* settle
      assert.deepStrictEqual(groups, [[1]])
      yield* TestClock.adjust("10 millis")
      assert.deepStrictEqual(groups, [[1], [2, 3]])
      yield* put(4)
      state.underWay = 0
      yield* put(5)
      yield* settle
      assert.deepStrictEqual(groups.at(-1), [4, 5])
      yield* end
    })
  )

  it.effect("writes no more than a group at once, and what arrives meanwhile together", () =>
    Effect.gen(function* () {
      const first = yield* Deferred.make<void>()
      const { commits, groups } = recording(
        (rows) => (rows[0] === 0 ? Deferred.await(first) : Effect.void),
        0
      )
      const { end, put } = yield* commits
      yield* Effect.forEach([...Array(600).keys()], put, { discard: true })
      yield* settle
      const before = groups.length
      yield* Deferred.succeed(first, undefined)
      yield* end
      assert.strictEqual(before, 1)
      assert.deepStrictEqual(groups.flat(), [...Array(600).keys()])
      assert.isTrue(groups.every(({ length }) => length <= 256))
      assert.isBelow(groups.length, 6)
    })
  )

  it.effect("takes no more rows when the disk is slower than the answers", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const { commits } = recording(() => Deferred.await(gate), 0)
      const { end, put } = yield* commits
      let taken = 0
      const producer = yield* Effect.forkChild(
        Effect.forEach(
          [...Array(5000).keys()],
          (row) =>
            Effect.tap(
              put(row),
              Effect.sync(() => taken++)
            ),
          {
            discard: true
          }
        )
      )
      yield* settle
      assert.isBelow(taken, 1400)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(producer)
      yield* end
      assert.strictEqual(taken, 5000)
    })
  )

  it.effect("fails once, drops rows then, and holds nobody up", () =>
    Effect.gen(function* () {
      const { commits, groups } = recording(() => Effect.fail("disk full"), 0)
      const { end, failure, put } = yield* commits
      yield* put(1)
      assert.strictEqual(yield* Effect.flip(failure), "disk full")
      yield* Effect.forEach([...Array(5000).keys()], put, { discard: true })
      assert.deepStrictEqual(yield* Effect.exit(end), Exit.fail("disk full"))
      assert.deepStrictEqual(groups, [[1]])
    })
  )
})
