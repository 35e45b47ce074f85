import { assert, describe, it } from "@effect/vitest"
import type { Caller } from "@infermesh/core/admission/Caller"
import * as QuotaStore from "@infermesh/core/admission/QuotaStore"
import * as Scheduler from "@infermesh/core/Scheduler"
import { Clock, Effect, Exit, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"

import {
  answerOf,
  asks,
  attempt,
  callOf,
  deploymentOf,
  layerOf,
  play,
  property,
  worstWindow
} from "./Scheduling.ts"

const forkNow = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.forkChild(effect, { startImmediately: true })

/** A store like one in another process: every reservation takes a while, and some are refused whatever there is room for. */
const slowStore = (seed: number) =>
  Layer.effect(
    QuotaStore.QuotaStore,
    Effect.map(QuotaStore.QuotaStore, (real) => {
      let state = seed
      const draw = () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
        return state / 2 ** 32
      }
      return {
        ...real,
        reserve: Effect.fnUntraced(function* (accounts, cost) {
          yield* Effect.sleep(1 + draw() * 40)
          const now = yield* Clock.currentTimeMillis
          return draw() < 0.2
            ? { _tag: "Refused", retryAtMillis: now + draw() * 500 }
            : yield* real.reserve(accounts, cost, now)
        })
      }
    })
  ).pipe(Layer.provide(QuotaStore.layerMemory))

const atRest = Effect.gen(function* () {
  const state = yield* Scheduler.snapshot
  assert.deepInclude(state, { waiting: 0, inFlight: 0, waitingFor: undefined })
  for (const { inFlight, limits } of state.deployments) {
    assert.strictEqual(inFlight, 0)
    for (const { used } of limits) assert.strictEqual(used, 0)
  }
  for (const { used } of state.limits) assert.strictEqual(used, 0)
})

describe("a deployment that comes", () => {
  it.effect("takes those who wait, at once", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      yield* attempt(scheduler, callOf())
      const waiting = yield* Effect.forEach([1, 2, 3], () => forkNow(attempt(scheduler, callOf())))
      assert.strictEqual((yield* Scheduler.snapshot).waiting, 3)
      yield* scheduler.add(yield* deploymentOf("new"))
      yield* Fiber.joinAll(waiting)
      assert.strictEqual((yield* Scheduler.snapshot).waiting, 0)
    }).pipe(Effect.provide(layerOf({ deployments: { a: { rpm: 1 } } })))
  )

  it.effect("is refused when it cannot be used, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      const wrong = yield* deploymentOf("new", { quotaKeys: ["nobody"] })
      const error = yield* Effect.flip(scheduler.add(wrong))
      assert.match(error.message, /^deployments\.new\.quotaKeys: there is no quota 'nobody'/)
      yield* scheduler.add(yield* deploymentOf("new"))
      assert.strictEqual(scheduler.deployments().length, 2)
    }).pipe(Effect.provide(layerOf({ deployments: { a: {} } })))
  )
})

describe("a deployment that is drained", () => {
  it.effect("gets no new attempt, and those in flight end", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      const inFlight = yield* forkNow(attempt(scheduler, callOf(), 5000))
      const drained = yield* forkNow(scheduler.drain("a"))
      for (let index = 0; index < 20; index++) {
        const call = callOf()
        yield* attempt(scheduler, call)
        assert.strictEqual(call.deployment?.id, "b")
      }
      yield* TestClock.adjust("4 seconds")
      assert.isUndefined(drained.pollUnsafe())
      yield* TestClock.adjust("1 second")
      yield* Fiber.joinAll([inFlight, drained])
      assert.deepStrictEqual(
        scheduler.deployments().map(({ id }) => id),
        ["b"]
      )
    }).pipe(
      Effect.provide(
        layerOf({ deployments: { a: {}, b: {} }, strategy: (candidates) => candidates[0] as never })
      )
    )
  )

  it.effect("leaves those who wait for it to the others", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      yield* forkNow(attempt(scheduler, callOf(), 60_000))
      yield* forkNow(attempt(scheduler, callOf(), 10_000))
      const waiting = yield* forkNow(attempt(scheduler, callOf()))
      yield* forkNow(scheduler.drain("a"))
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(waiting)
    }).pipe(
      Effect.provide(
        layerOf({
          deployments: { a: { maxParallelRequests: 1 }, b: { maxParallelRequests: 1 } },
          strategy: (candidates) => candidates[0] as never
        })
      )
    )
  )

  it.effect("fails those whom only it could serve, instead of letting them wait for ever", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      yield* attempt(scheduler, callOf(0, { name: "" }, { tags: ["eu"] }))
      const waiting = yield* Effect.forEach([1, 2, 3], () =>
        forkNow(Effect.flip(attempt(scheduler, callOf(0, { name: "" }, { tags: ["eu"] }))))
      )
      yield* scheduler.drain("a")
      for (const error of yield* Fiber.joinAll(waiting)) {
        assert.strictEqual(error.outcome, "unsent")
        assert.strictEqual(error.reason._tag, "NoDeployment")
        assert.match(error.reason.message, /none is in service/)
      }
      yield* attempt(scheduler, callOf())
    }).pipe(
      Effect.provide(layerOf({ deployments: { a: { limits: { rpm: 1 }, tags: ["eu"] }, b: {} } }))
    )
  )

  it.effect("fails whoever waits when it was the last", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      yield* attempt(scheduler, callOf())
      const waiting = yield* forkNow(Effect.flip(attempt(scheduler, callOf())))
      yield* scheduler.drain("only")
      assert.strictEqual((yield* Fiber.join(waiting)).reason._tag, "NoDeployment")
      const later = yield* Effect.flip(attempt(scheduler, callOf()))
      assert.strictEqual(later.reason._tag, "NoDeployment")
    }).pipe(Effect.provide(layerOf({ limits: { rpm: 1 } })))
  )

  it.effect("is waited for by its drain though its attempt still waits for the store", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      let sent = false
      const asked = yield* forkNow(
        scheduler.admit(callOf(), () => {
          sent = true
          return Effect.delay(Effect.succeed(answerOf()), "1 second")
        })
      )
      const drained = yield* forkNow(scheduler.drain("only"))
      assert.isFalse(sent)
      assert.isUndefined(drained.pollUnsafe())
      yield* TestClock.adjust("30 seconds")
      yield* Fiber.joinAll([asked, drained])
    }).pipe(Effect.provide(layerOf({ store: slowStore(1) })))
  )
})

describe("whoever waits for what can no longer be had", () => {
  it.effect("fails when the provider says that its limit is lower than what is asked for", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      const first = yield* forkNow(
        attempt(
          scheduler,
          callOf(10),
          1000,
          Effect.succeed({
            ...answerOf(10),
            rateLimits: {
              requests: undefined,
              tokens: { limit: 50, remaining: 40, resetMillis: 1000 }
            }
          })
        )
      )
      const waiting = yield* forkNow(Effect.flip(attempt(scheduler, callOf(95))))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(first)
      assert.deepInclude((yield* Fiber.join(waiting)).reason, {
        _tag: "QuotaUnsatisfiable",
        limit: "tpm",
        allowed: 50
      })
    }).pipe(Effect.provide(layerOf({ deployments: { a: { tpm: 100 } } })))
  )
})

describe("large requests", () => {
  /** Small ones without end, at twelve times what the quota allows. */
  const stream = (ask: Effect.Effect<unknown, unknown>) =>
    forkNow(
      Effect.forever(
        Effect.andThen(Effect.forkChild(Effect.ignore(ask)), Effect.sleep("500 millis"))
      )
    )

  it.effect("are not passed by without end by another caller's small ones", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      yield* stream(
        attempt(scheduler, callOf(10, { name: "small" }), 0, Effect.succeed(answerOf(10)))
      )
      yield* TestClock.adjust("1 minute")
      const large = yield* Effect.forEach([1, 2, 3], () =>
        forkNow(attempt(scheduler, callOf(90, { name: "large" }), 0, Effect.succeed(answerOf(90))))
      )
      // Half of the quota is theirs: one in two minutes.
      yield* TestClock.adjust("9 minutes")
      for (const fiber of large) assert.isDefined(fiber.pollUnsafe())
    }).pipe(Effect.provide(layerOf({ deployments: { a: { tpm: 100 } } })))
  )

  it.effect("are not passed by by small ones that could go elsewhere, too", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      yield* stream(attempt(scheduler, callOf(10), 0, Effect.succeed(answerOf(10))))
      yield* TestClock.adjust("1 minute")
      const large = yield* forkNow(
        attempt(
          scheduler,
          callOf(90, { name: "" }, { tags: ["eu"] }),
          0,
          Effect.succeed(answerOf(90))
        )
      )
      // The line is long by now, and it is first come, first served.
      yield* TestClock.adjust("20 minutes")
      assert.isDefined(large.pollUnsafe())
    }).pipe(
      Effect.provide(
        layerOf({ deployments: { a: { limits: { tpm: 100 }, tags: ["eu"] }, b: { tpm: 100 } } })
      )
    )
  )

  it.effect("do not hold up those behind them who can go elsewhere", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      yield* attempt(scheduler, callOf(50, { name: "" }, { tags: ["eu"] }))
      const large = yield* forkNow(attempt(scheduler, callOf(90, { name: "" }, { tags: ["eu"] })))
      for (let index = 0; index < 5; index++) yield* attempt(scheduler, callOf(10))
      assert.isUndefined(large.pollUnsafe())
      yield* Fiber.interrupt(large)
    }).pipe(
      Effect.provide(layerOf({ deployments: { a: { limits: { tpm: 100 }, tags: ["eu"] }, b: {} } }))
    )
  )
})

describe("waiting", () => {
  it.effect("has an end for every caller, priority and model, however busy the others are", () =>
    property(
      fc.tuple(
        fc.array(
          fc.record({
            caller: fc.constantFrom("a", "b", "c"),
            weight: fc.constantFrom(1, 2, 5),
            priority: fc.constantFrom(0, 0, 1, 2),
            tokens: fc.integer({ min: 1, max: 100 }),
            tag: fc.constantFrom("one", "two", undefined),
            atMillis: fc.integer({ min: 0, max: 60_000 })
          }),
          { minLength: 10, maxLength: 40 }
        ),
        fc.integer({ min: 1, max: 4 })
      ),
      40,
      ([history, slots]) =>
        Effect.gen(function* () {
          const scheduler = yield* Scheduler.Scheduler
          const fibers = yield* Effect.forEach(history, (one) => {
            const caller: Caller = {
              name: one.caller,
              weight: one.weight,
              priority: one.priority
            }
            const route = one.tag === undefined ? {} : { tags: [one.tag] }
            return forkNow(
              attempt(
                scheduler,
                callOf(one.tokens, caller, route),
                500,
                Effect.succeed(answerOf(one.tokens))
              ).pipe(Effect.delay(one.atMillis))
            )
          })
          // A window and a bit for every request, were each to fill one by itself, and the minute in which they came.
          yield* TestClock.adjust((history.length + 2) * 60_600)
          for (const fiber of fibers) assert.isDefined(fiber.pollUnsafe())
          yield* TestClock.adjust("2 minutes")
          yield* atRest
        }).pipe(
          Effect.provide(
            layerOf({
              maxParallelRequests: slots,
              deployments: {
                one: { limits: { tpm: 100 }, tags: ["one"] },
                two: { limits: { tpm: 100 }, tags: ["two"], maxParallelRequests: 1 }
              }
            })
          ),
          Effect.orDie
        )
    )
  )

  it.effect("can be given up at any moment, and nothing is lost or held", () =>
    Effect.promise(async () => {
      for (const store of [QuotaStore.layerMemory, slowStore(7)]) {
        for (let which = 0; which < 5; which++) {
          for (let atMillis = 0; atMillis <= 120; atMillis += 3) {
            const run = Effect.gen(function* () {
              const scheduler = yield* Scheduler.Scheduler
              const ended: Array<Exit.Exit<unknown, unknown>> = []
              const fibers = yield* Effect.forEach([0, 1, 2, 3, 4], (index) =>
                forkNow(
                  attempt(scheduler, callOf(30, { name: `${index % 2}` }), 25).pipe(
                    Effect.delay(index * 2),
                    Effect.onExit((exit) => Effect.sync(() => ended.push(exit)))
                  )
                )
              )
              const victim = fibers[which] as Fiber.Fiber<unknown>
              yield* TestClock.adjust(atMillis)
              // Between two steps of the line as well, not only at rest.
              for (let step = 0; step < atMillis % 4; step++) yield* Effect.yieldNow
              yield* forkNow(Fiber.interrupt(victim))
              yield* TestClock.adjust("10 minutes")
              assert.strictEqual(ended.length, 5)
              assert.isAtLeast(ended.filter(Exit.isSuccess).length, 4)
              yield* atRest
            })
            await Effect.runPromise(
              run.pipe(
                Effect.provide(
                  layerOf({
                    store,
                    maxParallelRequests: 2,
                    limits: { tpm: 100 },
                    deployments: { a: { rpm: 2 }, b: { maxParallelRequests: 1 } }
                  }).pipe(Layer.provideMerge(TestClock.layer()))
                )
              )
            )
          }
        }
      }
    })
  )
})

describe("a store that takes a while and refuses at random", () => {
  it.effect("keeps every quota and loses nothing, with interruptions at random moments", () =>
    property(fc.tuple(fc.integer({ min: 1, max: 1e6 }), asks(50, 30)), 40, ([seed, history]) =>
      play(history).pipe(
        Effect.map(({ sent, snapshot }) => {
          assert.isAtMost(worstWindow(sent, 60_000, "requests"), 7)
          assert.isAtMost(worstWindow(sent, 60_000, "tokens"), 120)
          assert.deepInclude(snapshot, { waiting: 0, inFlight: 0 })
          for (const { used } of snapshot.limits) assert.strictEqual(used, 0)
          // Whoever was not interrupted was sent, in the end.
          for (const [order, { end }] of history.entries())
            if (end !== "Interrupted")
              assert.include(
                sent.map((one) => one.order),
                order
              )
        }),
        Effect.provide(
          layerOf({
            store: slowStore(seed),
            limits: { rpm: 7, tpm: 120 },
            maxParallelRequests: 3,
            deployments: { a: { tpm: 100 }, b: {} }
          })
        ),
        Effect.orDie
      )
    )
  )

  it.effect("does not let more attempts go than there are slots, however many ask at once", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      const most = { client: 0, a: 0 }
      const now = { client: 0, a: 0 }
      const all = yield* forkNow(
        Effect.forEach(
          Array.from({ length: 40 }),
          () => {
            const call = callOf()
            return scheduler.admit(call, () => {
              const atA = call.deployment?.id === "a" ? 1 : 0
              now.a += atA
              most.client = Math.max(most.client, ++now.client)
              most.a = Math.max(most.a, now.a)
              return Effect.sleep(100).pipe(
                Effect.andThen(
                  Effect.sync(() => {
                    now.client--
                    now.a -= atA
                    return answerOf()
                  })
                )
              )
            })
          },
          { concurrency: "unbounded", discard: true }
        )
      )
      yield* TestClock.adjust("5 minutes")
      yield* Fiber.join(all)
      assert.deepStrictEqual(most, { client: 5, a: 2 })
    }).pipe(
      Effect.provide(
        layerOf({
          store: slowStore(3),
          maxParallelRequests: 5,
          deployments: { a: { maxParallelRequests: 2 }, b: {} }
        })
      )
    )
  )

  it.effect("keeps the order of the line", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      const order: Array<number> = []
      const first = yield* forkNow(attempt(scheduler, callOf(), 5000))
      yield* TestClock.adjust("1 second")
      const all = yield* Effect.forEach(
        Array.from({ length: 30 }, (_, index) => index),
        (index) =>
          forkNow(
            scheduler.admit(callOf(), () => {
              order.push(index)
              return Effect.succeed(answerOf())
            })
          )
      )
      yield* TestClock.adjust("5 minutes")
      yield* Fiber.joinAll([first, ...all] as ReadonlyArray<Fiber.Fiber<unknown, unknown>>)
      assert.deepStrictEqual(
        order,
        Array.from({ length: 30 }, (_, index) => index)
      )
    }).pipe(Effect.provide(layerOf({ store: slowStore(5), maxParallelRequests: 1 })))
  )

  it.effect("gives back what was taken where the store itself fails", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      for (let index = 0; index < 3; index++) {
        const exit = yield* Effect.exit(attempt(scheduler, callOf()))
        assert.isTrue(Exit.hasDies(exit))
      }
      assert.strictEqual((yield* Scheduler.snapshot).inFlight, 0)
    }).pipe(
      Effect.provide(
        layerOf({
          maxParallelRequests: 1,
          store: Layer.effect(
            QuotaStore.QuotaStore,
            Effect.map(QuotaStore.QuotaStore, (real) => ({
              ...real,
              reserve: () => Effect.die("the store is gone")
            }))
          ).pipe(Layer.provide(QuotaStore.layerMemory))
        })
      )
    )
  )
})
