import { assert, describe, it } from "@effect/vitest"
import type { Caller } from "@infermesh/core/admission/Caller"
import * as QuotaStore from "@infermesh/core/admission/QuotaStore"
import * as Scheduler from "@infermesh/core/Scheduler"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"

import {
  answerOf,
  asks,
  attempt,
  callOf,
  costOf,
  layerOf,
  play,
  property,
  worstWindow
} from "./Scheduling.ts"

describe("quotas", () => {
  it.effect("are never passed in any sliding minute: the deployments' own and the client's", () =>
    property(
      fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 50, max: 500 }), asks(50, 60)),
      60,
      ([rpm, tpm, history]) =>
        play(history).pipe(
          Effect.map(({ sent }) => {
            assert.isAtMost(worstWindow(sent, 60_000, "requests"), rpm)
            assert.isAtMost(worstWindow(sent, 60_000, "tokens"), tpm)
            for (const label of ["a", "b"]) {
              const here = sent.filter(({ deployment }) => deployment === label)
              assert.isAtMost(worstWindow(here, 60_000, "requests"), Math.ceil(rpm / 2))
            }
          }),
          Effect.provide(
            layerOf({
              limits: { rpm, tpm },
              deployments: { a: { rpm: Math.ceil(rpm / 2) }, b: { rpm: Math.ceil(rpm / 2) } }
            })
          ),
          Effect.orDie
        )
    )
  )

  it.effect("lose nothing: after any history nobody waits, nothing is in flight or used", () =>
    property(asks(50, 40), 60, (history) =>
      play(history).pipe(
        Effect.map(({ snapshot }) => {
          assert.deepInclude(snapshot, { waiting: 0, waitingFor: undefined, inFlight: 0 })
          for (const { inFlight, limits } of snapshot.deployments) {
            assert.strictEqual(inFlight, 0)
            for (const { used } of limits) assert.strictEqual(used, 0)
          }
          for (const { used } of snapshot.limits) assert.strictEqual(used, 0)
        }),
        Effect.provide(
          layerOf({
            limits: { rpm: 7, tpm: 120 },
            maxParallelRequests: 3,
            deployments: { a: { tpm: 100 }, b: {} }
          })
        ),
        Effect.orDie
      )
    )
  )

  for (const [name, quota, tokens] of [
    ["requests", { rpm: 300 }, 0],
    ["tokens", { tpm: 30_000 }, 100],
    ["both", { rpm: 300, tpm: 30_000 }, 100],
    ["input tokens", { itpm: 30_000 }, 100],
    ["paced requests", { rpm: 300, maxRequestBurst: 5 }, 0]
  ] as const) {
    it.effect(`are used to at least 99 % over ten minutes of work always waiting: ${name}`, () =>
      Effect.gen(function* () {
        const scheduler = yield* Scheduler.Scheduler
        let sent = 0
        const worker = Effect.forever(
          scheduler.admit(callOf(tokens), () => {
            sent++
            return Effect.andThen(Effect.sleep(50), Effect.succeed(answerOf(tokens)))
          })
        )
        const workers = yield* Effect.forkChild(
          Effect.forEach(Array.from({ length: 64 }), () => worker, { concurrency: 64 })
        )
        yield* TestClock.adjust("10 minutes")
        yield* Fiber.interrupt(workers)
        assert.isAtLeast(sent, 0.99 * 3000)
      }).pipe(Effect.provide(layerOf({ limits: quota })))
    )
  }

  it.effect("that answers have overdrawn are repaid before anything is sent", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      yield* attempt(scheduler, callOf(10), 0, Effect.succeed(answerOf(250)))
      const next = yield* Effect.forkChild(attempt(scheduler, callOf(1)), {
        startImmediately: true
      })
      yield* TestClock.adjust("59 seconds")
      assert.deepInclude(yield* scheduler.snapshot, { waiting: 1, waitingFor: "tpm" })
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(next)
    }).pipe(Effect.provide(layerOf({ limits: { tpm: 100 } })))
  )

  it.effect("let the next one through as soon as tokens come back", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      const first = yield* Effect.forkChild(
        attempt(scheduler, callOf(100), 5000, Effect.succeed(answerOf(10))),
        { startImmediately: true }
      )
      const next = yield* Effect.forkChild(attempt(scheduler, callOf(90)), {
        startImmediately: true
      })
      yield* TestClock.adjust("4 seconds")
      assert.isUndefined(next.pollUnsafe())
      yield* TestClock.adjust("1 second")
      yield* Fiber.joinAll([first, next])
    }).pipe(Effect.provide(layerOf({ limits: { tpm: 100 } })))
  )

  it.effect("that can never hold a request refuse it at once, and name the limit", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      const error = yield* Effect.flip(attempt(scheduler, callOf(101)))
      assert.deepInclude(error.reason, { limit: "tpm", allowed: 100, needed: 101 })
    }).pipe(Effect.provide(layerOf({ limits: { rpm: 5, tpm: 100 } })))
  )

  it.effect("that are too small at one deployment leave the request to the others", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      for (let index = 0; index < 20; index++) {
        const call = callOf(200)
        yield* attempt(scheduler, call)
        assert.strictEqual(call.deployment?.id, "large")
      }
    }).pipe(Effect.provide(layerOf({ deployments: { small: { tpm: 100 }, large: {} } })))
  )

  it.effect("limit by what was given only: tokens per minute say nothing about requests", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      for (let index = 0; index < 900; index++) yield* attempt(scheduler, callOf(1))
      assert.strictEqual((yield* scheduler.snapshot).waiting, 0)
    }).pipe(Effect.provide(layerOf({ limits: { tpm: 1000 } })))
  )

  it.effect("are none with layerUnlimited", () =>
    Effect.gen(function* () {
      const store = yield* QuotaStore.QuotaStore
      const account = yield* store.account("key", { rpm: 1 })
      for (let index = 0; index < 100; index++)
        assert.strictEqual((yield* store.reserve([account], costOf(1e9), 0))._tag, "Granted")
    }).pipe(Effect.provide(QuotaStore.layerUnlimited))
  )
})

describe("the line", () => {
  it.effect("serves in the order of arrival, whatever the sizes: a large one never starves", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      const order: Array<number> = []
      const sizes = [600, 900, ...Array.from({ length: 40 }, () => 50)]
      const all = yield* Effect.forkChild(
        Effect.forEach(
          sizes,
          (tokens, index) =>
            scheduler.admit(callOf(tokens), () => {
              order.push(index)
              return Effect.succeed(answerOf(tokens))
            }),
          { concurrency: "unbounded" }
        )
      )
      yield* TestClock.adjust("10 minutes")
      yield* Fiber.join(all)
      assert.deepStrictEqual(
        order,
        sizes.map((_, index) => index)
      )
    }).pipe(Effect.provide(layerOf({ limits: { tpm: 1000 } })))
  )

  it.effect("goes on with the next when its head gives up", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      yield* attempt(scheduler, callOf(50), 0, Effect.succeed(answerOf(50)))
      const head = yield* Effect.forkChild(attempt(scheduler, callOf(100)), {
        startImmediately: true
      })
      const next = yield* Effect.forkChild(attempt(scheduler, callOf(50)), {
        startImmediately: true
      })
      yield* Fiber.interrupt(head)
      yield* Fiber.join(next)
    }).pipe(Effect.provide(layerOf({ limits: { tpm: 100 } })))
  )

  it.effect("hands its sleep over when the one that slept for it gives up", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      yield* attempt(scheduler, callOf())
      const waiting = yield* Effect.forEach([1, 2, 3], () =>
        Effect.forkChild(attempt(scheduler, callOf()), { startImmediately: true })
      )
      yield* Fiber.interrupt(waiting[0] as Fiber.Fiber<unknown>)
      yield* TestClock.adjust("3 minutes")
      yield* Fiber.joinAll(waiting.slice(1))
    }).pipe(Effect.provide(layerOf({ limits: { rpm: 1 } })))
  )

  it.effect("does not keep a quiet caller behind the thousand requests of a busy one", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      const busy = yield* Effect.forkChild(
        Effect.forEach(
          Array.from({ length: 1000 }),
          () => attempt(scheduler, callOf(0, { name: "busy" }), 1000),
          { concurrency: "unbounded", discard: true }
        ),
        { startImmediately: true }
      )
      yield* TestClock.adjust("10 seconds")
      const quiet = yield* Effect.forkChild(
        attempt(scheduler, callOf(0, { name: "quiet" }), 1000),
        { startImmediately: true }
      )
      yield* TestClock.adjust("3 seconds")
      yield* Fiber.join(quiet)
      assert.isUndefined(busy.pollUnsafe())
      yield* Fiber.interrupt(busy)
    }).pipe(Effect.provide(layerOf({ maxParallelRequests: 1 })))
  )

  it.effect("shares between callers by their weights, and starves none of lower priority", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      const sent: Record<string, number> = { one: 0, three: 0, first: 0 }
      const callers: ReadonlyArray<Caller> = [
        { name: "one" },
        { name: "three", weight: 3 },
        { name: "first", priority: 1 }
      ]
      const all = yield* Effect.forEach(callers, (caller) =>
        Effect.forkChild(
          Effect.forEach(
            Array.from({ length: 2000 }),
            () =>
              scheduler.admit(callOf(0, caller), () => {
                sent[caller.name] = (sent[caller.name] ?? 0) + 1
                return Effect.andThen(Effect.sleep(1000), Effect.succeed(answerOf()))
              }),
            { concurrency: "unbounded", discard: true }
          ),
          { startImmediately: true }
        )
      )
      yield* TestClock.adjust("1200 seconds")
      assert.approximately((sent["three"] ?? 0) / (sent["one"] ?? 0), 3, 0.2)
      assert.approximately((sent["first"] ?? 0) / (sent["one"] ?? 0), 8, 0.4)
      yield* Fiber.interruptAll(all)
    }).pipe(Effect.provide(layerOf({ maxParallelRequests: 1 })))
  )
})

describe("the choice", () => {
  it.effect(
    "is made when an attempt can be sent: nobody waits at one replica while another is idle",
    () =>
      Effect.gen(function* () {
        const scheduler = yield* Scheduler.Scheduler
        const all = yield* Effect.forEach([1, 2, 3, 4, 5, 6], () =>
          Effect.forkChild(attempt(scheduler, callOf()), { startImmediately: true })
        )
        // Five at "many" and one at "few" have room at once, whoever was chosen first.
        yield* Effect.yieldNow
        yield* Fiber.joinAll(all)
      }).pipe(Effect.provide(layerOf({ deployments: { few: { rpm: 1 }, many: { rpm: 5 } } })))
  )

  it.effect("avoids a deployment that has just failed the call, while another would do", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      const [a] = scheduler.deployments()
      for (let index = 0; index < 30; index++) {
        const call = callOf()
        if (a !== undefined) call.failedAt.push(a)
        yield* attempt(scheduler, call)
        assert.strictEqual(call.deployment?.id, "b")
      }
    }).pipe(Effect.provide(layerOf({ deployments: { a: {}, b: {} } })))
  )

  it.effect("holds no slot while it waits for quota", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      yield* attempt(scheduler, callOf())
      const waiting = yield* Effect.forkChild(attempt(scheduler, callOf()), {
        startImmediately: true
      })
      assert.deepInclude(yield* scheduler.snapshot, { waiting: 1, inFlight: 0, waitingFor: "rpm" })
      yield* Fiber.interrupt(waiting)
    }).pipe(Effect.provide(layerOf({ limits: { rpm: 1 }, maxParallelRequests: 1 })))
  )

  it.effect("keeps to the slots, and says that they are what is waited for", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler.Scheduler
      let now = 0
      let most = 0
      const all = yield* Effect.forkChild(
        Effect.forEach(
          Array.from({ length: 50 }),
          () =>
            scheduler.admit(callOf(), () => {
              most = Math.max(most, ++now)
              return Effect.andThen(
                Effect.sleep(1000),
                Effect.sync(() => {
                  now--
                  return answerOf()
                })
              )
            }),
          { concurrency: "unbounded", discard: true }
        ),
        { startImmediately: true }
      )
      assert.deepInclude(yield* scheduler.snapshot, {
        waiting: 43,
        inFlight: 7,
        waitingFor: "slots",
        slots: 7
      })
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(all)
      assert.strictEqual(most, 7)
    }).pipe(Effect.provide(layerOf({ maxParallelRequests: 7 })))
  )
})
