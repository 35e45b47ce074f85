import { assert, describe, it } from "@effect/vitest"
import * as Hedge from "@infermesh/core/attempt/Hedge"
import * as Inference from "@infermesh/core/Inference"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Duration, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"

import * as TestClient from "../TestClient.ts"

const deployments = { a: { model: "test/a" }, b: { model: "test/b" } }

/** Asks until the client knows what is usual: 100 ms. */
const learn = Effect.gen(function* () {
  const many = yield* Effect.forkChild(
    Inference.generateBatch(
      Array.from({ length: 64 }, (_, index) => `usual ${index}`),
      { concurrency: 4 }
    )
  )
  yield* TestClock.adjust("1 minute")
  yield* Fiber.join(many)
  return (yield* TestProvider.TestProvider.use(({ asked }) => asked)).length
})

const settings = (slow: ReadonlyArray<string>, others: TestProvider.Reply = "quick") => ({
  reply: ({ target, text }: TestProvider.Asked) =>
    text.startsWith("slow") && slow.includes(target.model)
      ? Effect.as(Effect.sleep("1 hour"), "late")
      : text.startsWith("slow")
        ? Effect.delay(Effect.succeed(others), "50 millis")
        : Effect.delay(Effect.succeed("usual"), "100 millis")
})

describe("hedging", () => {
  it.effect(
    "sends a second attempt elsewhere when the first takes long, and interrupts the loser",
    () =>
      Effect.gen(function* () {
        const before = yield* learn
        const first = yield* Effect.forkChild(Inference.generate("slow"))
        yield* TestClock.adjust("200 millis")
        const provider = yield* TestProvider.TestProvider
        const asked = (yield* provider.asked).slice(before)
        // Whichever was asked first, the answer came from "b" after at most 150 ms.
        assert.isAtMost(asked.length, 2)
        const result = yield* Fiber.join(first)
        assert.deepStrictEqual([String(result), result.metrics.deployment], ["quick", "b"])
        if (asked.length === 2) {
          assert.deepInclude(result.metrics, { hedges: 1, retries: 0 })
          assert.isDefined(result.metrics.hedgeCost)
          assert.strictEqual(yield* provider.interrupted, 1)
        }
        assert.deepStrictEqual((yield* provider.inFlight).now, 0)
      }).pipe(
        Effect.provide(
          TestClient.layer(
            { deployments, hedge: { maxShare: 1 }, routingStrategy: "simple-shuffle" },
            settings(["a"])
          )
        )
      )
  )

  it.effect(
    "sends none to where it has just sent the first, nor while nobody knows what is usual",
    () =>
      Effect.gen(function* () {
        const provider = yield* TestProvider.TestProvider
        const early = yield* Effect.forkChild(Inference.generate("slow"), {
          startImmediately: true
        })
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual((yield* provider.asked).length, 1)
        yield* Fiber.interrupt(early)
      }).pipe(Effect.provide(TestClient.layer({ deployments, hedge: {} }, settings(["a", "b"]))))
  )

  it.effect("sends no more than its share of the requests", () =>
    Effect.gen(function* () {
      const before = yield* learn
      const all = yield* Effect.forkChild(
        Inference.generateBatch(
          Array.from({ length: 100 }, (_, index) => `slow ${index}`),
          { deadline: Duration.seconds(10) }
        )
      )
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(all)
      const asked =
        (yield* TestProvider.TestProvider.use(({ asked: list }) => list)).length - before
      // One in twenty of 164 requests, and the one it starts with.
      assert.isAtMost(asked - 100, 10)
      assert.isAtLeast(asked - 100, 5)
    }).pipe(
      Effect.provide(
        TestClient.layer(
          { deployments, hedge: { maxShare: 0.05 }, maxRetries: 1 },
          settings(["a", "b"])
        )
      )
    )
  )

  it.effect("fails with the first attempt's failure when both fail, and both are counted", () =>
    Effect.gen(function* () {
      yield* learn
      const fiber = yield* Effect.forkChild(
        Effect.flip(Inference.generate("slow", { timeout: "1 second" }))
      )
      yield* TestClock.adjust("1 minute")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error.reason._tag, "TimedOut")
      assert.strictEqual(error.attempts, 2)
    }).pipe(
      Effect.provide(
        TestClient.layer(
          { deployments, hedge: { maxShare: 1 }, maxRetries: 1 },
          settings(["a", "b"])
        )
      )
    )
  )
})

describe("Latencies", () => {
  it("gives a threshold above the asked share of what it has seen lately", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 10_000 }), { minLength: 48, maxLength: 400 }),
        fc.constantFrom(0.5, 0.9, 0.95, 0.99),
        (seen, percentile) => {
          const latencies = new Hedge.Latencies(percentile)
          for (const millis of seen) latencies.add(millis)
          const counted = seen.slice(0, seen.length - (seen.length % 16)).slice(-256)
          const below = counted.filter((millis) => millis < (latencies.threshold ?? 0)).length
          assert.isAtMost(below / counted.length, percentile)
          assert.include(counted, latencies.threshold)
        }
      )
    )
  })
})
