import { assert, describe, it } from "@effect/vitest"
import type { Quota } from "@infermesh/core/admission/Quota"
import type { Gate, Reservation } from "@infermesh/core/admission/RateLimit"
import * as RateLimit from "@infermesh/core/admission/RateLimit"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"

const gateOf = (quota: Quota): Effect.Effect<Gate> =>
  RateLimit.RateLimit.use((limits) => limits.gate("key", quota)).pipe(
    Effect.provide(RateLimit.layer)
  )

interface Ask {
  readonly atMillis: number
  readonly tokens: number
  /** Share of the reserved tokens that is really used. */
  readonly use: number
  readonly serviceMillis: number
  readonly end: "used" | "counted" | "refused" | "unsent" | "interrupted"
}

const ask = (most: number) =>
  fc.record<Ask>({
    atMillis: fc.integer({ min: 0, max: 150_000 }),
    tokens: fc.integer({ min: 1, max: most }),
    use: fc.double({ min: 0, max: 1, noNaN: true }),
    serviceMillis: fc.integer({ min: 0, max: 20_000 }),
    end: fc.constantFrom("used", "used", "used", "counted", "refused", "unsent", "interrupted")
  })

interface Grant {
  readonly order: number
  readonly atMillis: number
  requests: number
  tokens: number
}

/** Plays a history and gives the grants as the provider would count them. */
const play = Effect.fnUntraced(function* (quota: Quota, asks: ReadonlyArray<Ask>) {
  const gate = yield* gateOf(quota)
  const grants: Array<Grant> = []
  const one = Effect.fnUntraced(function* (request: Ask, order: number) {
    yield* Effect.sleep(request.atMillis)
    const reservation: Reservation = yield* gate.reserve({ requests: 1, tokens: request.tokens })
    const grant: Grant = {
      order,
      atMillis: yield* Clock.currentTimeMillis,
      requests: 1,
      tokens: request.tokens
    }
    grants.push(grant)
    yield* Effect.sleep(request.serviceMillis)
    const used = Math.floor(request.tokens * request.use)
    switch (request.end) {
      case "used":
        grant.tokens = used
        return yield* reservation.settle({ _tag: "Used", tokens: used })
      case "refused":
        grant.tokens = 0
        return yield* reservation.settle({ _tag: "Refused" })
      case "unsent":
        grant.tokens = 0
        grant.requests = 0
        return yield* reservation.settle({ _tag: "Unsent" })
      default:
        return yield* reservation.settle({ _tag: "Counted" })
    }
  })
  const fibers = yield* Effect.forEach(asks, (request, order) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(one(request, order), { startImmediately: true })
      // Interrupted while it stands in line, or not at all: a granted one settles itself.
      if (request.end === "interrupted") {
        yield* Effect.forkChild(
          Effect.andThen(
            Effect.sleep(request.atMillis + request.serviceMillis / 2),
            Fiber.interrupt(fiber)
          ),
          { startImmediately: true }
        )
      }
      return fiber
    })
  )
  yield* TestClock.adjust("3 hours")
  for (const fiber of fibers) yield* Fiber.await(fiber)
  return { gate, grants }
})

const worstWindow = (
  grants: ReadonlyArray<Grant>,
  windowMillis: number,
  of: "requests" | "tokens"
): number => {
  const sorted = grants.toSorted((left, right) => left.atMillis - right.atMillis)
  let worst = 0
  let sum = 0
  let first = 0
  for (const grant of sorted) {
    sum += grant[of]
    while ((sorted[first]?.atMillis ?? 0) <= grant.atMillis - windowMillis)
      sum -= sorted[first++]?.[of] ?? 0
    worst = Math.max(worst, sum)
  }
  return worst
}

describe("a gate", () => {
  it.effect("never lets more requests or tokens through in any sliding minute than the quota", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 20 }),
          fc.integer({ min: 50, max: 500 }),
          fc.array(ask(50), { minLength: 1, maxLength: 60 }),
          (rpm, tpm, asks) =>
            play({ rpm, tpm }, asks).pipe(
              Effect.map(({ grants }) => {
                assert.isAtMost(worstWindow(grants, 60_000, "requests"), rpm)
                assert.isAtMost(worstWindow(grants, 60_000, "tokens"), tpm)
              }),
              Effect.provide(TestClock.layer()),
              Effect.runPromise
            )
        ),
        { numRuns: 60 }
      )
    )
  )

  it.effect("loses no capacity: after any history nothing is outstanding, waiting or used", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(fc.array(ask(50), { minLength: 1, maxLength: 40 }), (asks) =>
          play({ rpm: 7, tpm: 120 }, asks).pipe(
            Effect.flatMap(({ gate }) => gate.snapshot),
            Effect.map((snapshot) => {
              const interrupted = asks.filter(({ end }) => end === "interrupted").length
              assert.isAtMost(snapshot.outstanding, interrupted)
              assert.strictEqual(snapshot.waiting, 0)
              for (const { used } of snapshot.limits) assert.strictEqual(used, 0)
            }),
            Effect.provide(TestClock.layer()),
            Effect.runPromise
          )
        ),
        { numRuns: 40 }
      )
    )
  )

  it.effect(
    "serves in the order of arrival, whatever the sizes, so a large request never starves",
    () =>
      Effect.gen(function* () {
        const gate = yield* gateOf({ tpm: 1000 })
        const order: Array<number> = []
        const sizes = [600, 900, ...Array.from({ length: 40 }, () => 50)]
        const all = yield* Effect.forkChild(
          Effect.forEach(
            sizes,
            (tokens, index) =>
              Effect.map(gate.reserve({ requests: 1, tokens }), () => order.push(index)),
            { concurrency: "unbounded" }
          )
        )
        yield* TestClock.adjust("10 minutes")
        yield* Fiber.join(all)
        assert.deepStrictEqual(
          order,
          sizes.map((_, index) => index)
        )
      })
  )

  for (const [name, quota, tokens] of [
    ["requests", { rpm: 300 }, 0],
    ["tokens", { tpm: 30_000 }, 100],
    ["both", { rpm: 300, tpm: 30_000 }, 100],
    ["paced requests", { rpm: 300, maxRequestBurst: 5 }, 0]
  ] as const) {
    it.effect(
      `uses at least 99 % of the quota over ten minutes with work always waiting (${name})`,
      () =>
        Effect.gen(function* () {
          const gate = yield* gateOf(quota)
          let granted = 0
          const worker = gate.reserve({ requests: 1, tokens }).pipe(
            Effect.flatMap((reservation) => {
              granted++
              return Effect.andThen(Effect.sleep(50), reservation.settle({ _tag: "Used", tokens }))
            }),
            Effect.forever
          )
          const workers = yield* Effect.forkChild(
            Effect.forEach(Array.from({ length: 64 }), () => worker, { concurrency: 64 })
          )
          yield* TestClock.adjust("10 minutes")
          yield* Fiber.interrupt(workers)
          assert.isAtLeast(granted, 0.99 * 3000)
        })
    )
  }

  it.effect("admits nothing while answers have used more than the quota", () =>
    Effect.gen(function* () {
      const gate = yield* gateOf({ tpm: 100 })
      const first = yield* gate.reserve({ requests: 1, tokens: 10 })
      yield* first.settle({ _tag: "Used", tokens: 250 })
      const next = yield* Effect.forkChild(gate.reserve({ requests: 1, tokens: 1 }), {
        startImmediately: true
      })
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual((yield* gate.snapshot).waiting, 1)
      yield* TestClock.adjust("2 seconds")
      assert.isAbove((yield* Fiber.join(next)).waitedMillis, 59_000)
    })
  )

  it.effect("wakes the line when tokens come back", () =>
    Effect.gen(function* () {
      const gate = yield* gateOf({ tpm: 100 })
      const first = yield* gate.reserve({ requests: 1, tokens: 100 })
      const next = yield* Effect.forkChild(gate.reserve({ requests: 1, tokens: 90 }), {
        startImmediately: true
      })
      yield* TestClock.adjust("5 seconds")
      yield* first.settle({ _tag: "Used", tokens: 10 })
      assert.strictEqual((yield* Fiber.join(next)).waitedMillis, 5000)
    })
  )

  it.effect("goes on with the next when the head of the line is interrupted", () =>
    Effect.gen(function* () {
      const gate = yield* gateOf({ tpm: 100 })
      yield* gate.reserve({ requests: 1, tokens: 50 })
      const head = yield* Effect.forkChild(gate.reserve({ requests: 1, tokens: 100 }), {
        startImmediately: true
      })
      const next = yield* Effect.forkChild(gate.reserve({ requests: 1, tokens: 50 }), {
        startImmediately: true
      })
      yield* Fiber.interrupt(head)
      assert.strictEqual((yield* Fiber.join(next)).waitedMillis, 0)
    })
  )

  it.effect("refuses at once what can never fit, and names the limit", () =>
    Effect.gen(function* () {
      const gate = yield* gateOf({ rpm: 5, tpm: 100 })
      const error = yield* Effect.flip(gate.reserve({ requests: 1, tokens: 101 }))
      assert.deepStrictEqual([error.limit, error.allowed, error.needed], ["tpm", 100, 101])
    })
  )

  it.effect("limits by what was given only: tokens per minute say nothing about requests", () =>
    Effect.gen(function* () {
      const gate = yield* gateOf({ tpm: 1000 })
      for (let index = 0; index < 900; index++) yield* gate.reserve({ requests: 1, tokens: 1 })
      assert.strictEqual((yield* gate.snapshot).waiting, 0)
    })
  )

  it.effect("settles a reservation once", () =>
    Effect.gen(function* () {
      const gate = yield* gateOf({ tpm: 100 })
      const first = yield* gate.reserve({ requests: 1, tokens: 60 })
      yield* first.settle({ _tag: "Unsent" })
      yield* first.settle({ _tag: "Unsent" })
      yield* gate.reserve({ requests: 1, tokens: 100 })
      assert.strictEqual((yield* gate.snapshot).limits[0]?.used, 100)
    })
  )

  it.effect("holds everybody while it is paused, also without limits", () =>
    Effect.gen(function* () {
      for (const quota of [{}, { rpm: 100 }]) {
        const gate = yield* gateOf(quota)
        const now = yield* Clock.currentTimeMillis
        yield* gate.pauseUntil(now + 5000)
        assert.strictEqual(gate.waitMillis({ requests: 1, tokens: 0 }, now), 5000)
        const held = yield* Effect.forkChild(gate.reserve({ requests: 1, tokens: 0 }), {
          startImmediately: true
        })
        yield* TestClock.adjust("4 seconds")
        assert.isUndefined(held.pollUnsafe())
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(held)
      }
    })
  )

  it.effect("says beforehand how long a request would wait", () =>
    Effect.gen(function* () {
      const gate = yield* gateOf({ rpm: 2 })
      yield* gate.reserve({ requests: 1, tokens: 0 })
      yield* gate.reserve({ requests: 1, tokens: 0 })
      const predicted = gate.waitMillis({ requests: 1, tokens: 0 }, yield* Clock.currentTimeMillis)
      const waiting = yield* Effect.forkChild(gate.reserve({ requests: 1, tokens: 0 }), {
        startImmediately: true
      })
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual((yield* Fiber.join(waiting)).waitedMillis, Math.ceil(predicted))
    })
  )
})

describe("layerUnlimited", () => {
  it.effect("admits everything at once", () =>
    Effect.gen(function* () {
      const gate = yield* RateLimit.RateLimit.use((limits) => limits.gate("key", { rpm: 1 }))
      for (let index = 0; index < 100; index++) yield* gate.reserve({ requests: 1, tokens: 1e9 })
      assert.isFalse(gate.needsTokens)
    }).pipe(Effect.provide(RateLimit.layerUnlimited))
  )
})
