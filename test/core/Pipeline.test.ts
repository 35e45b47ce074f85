import { assert, describe, it } from "@effect/vitest"
import * as RateLimit from "@infermesh/core/admission/RateLimit"
import * as Slot from "@infermesh/core/admission/Slot"
import * as TokenEstimate from "@infermesh/core/admission/TokenEstimate"
import * as Retry from "@infermesh/core/attempt/Retry"
import * as RetryBudget from "@infermesh/core/attempt/RetryBudget"
import * as Deployment from "@infermesh/core/Deployment"
import * as Inference from "@infermesh/core/Inference"
import * as Pipeline from "@infermesh/core/Pipeline"
import { Breaker } from "@infermesh/core/routing/Breaker"
import * as Health from "@infermesh/core/routing/Health"
import * as Router from "@infermesh/core/routing/Router"
import * as Pricing from "@infermesh/core/telemetry/Pricing"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Duration, Effect, Fiber, Layer, Schema } from "effect"
import { AiError } from "effect/ai"
import { TestClock } from "effect/testing"

import * as TestClient from "./TestClient.ts"

/** The whole pipeline with every stage writing down when it is passed. */
const recorded = (log: Array<string>, reply: (index: number) => TestProvider.Reply) => {
  const note = <A>(name: string, value: A): A => {
    log.push(name)
    return value
  }
  const slot = Layer.succeed(Slot.Slot, {
    total: 1,
    withSlot: (attempt) =>
      Effect.andThen(
        Effect.sync(() => note("slot", undefined)),
        Effect.ensuring(
          attempt,
          Effect.sync(() => note("slot free", undefined))
        )
      )
  })
  const router = Layer.effect(
    Router.Router,
    Effect.map(Deployment.make({ model: "test/model" }), (deployment) => ({
      deployments: [deployment],
      choose: () => Effect.sync(() => note("route", deployment))
    }))
  )
  const health = Layer.succeed(Health.Health, {
    of: () => new Breaker(),
    waitMillis: () => note("health", 0),
    started: () => 0,
    ended: () => note("health told", undefined),
    state: () => "healthy" as const,
    forget: () => {}
  })
  const gate: RateLimit.Gate = {
    needsTokens: false,
    reserve: () =>
      Effect.sync(() =>
        note("quota", {
          waitedMillis: 0,
          settle: (settlement: RateLimit.Settlement) =>
            Effect.sync(() => note(`settle ${settlement._tag}`, undefined))
        })
      ),
    waitMillis: () => 0,
    pauseUntil: () => Effect.void,
    snapshot: Effect.succeed({ limits: [], outstanding: 0, waiting: 0, pausedUntilMillis: 0 })
  }
  const stages = Layer.mergeAll(
    slot,
    router,
    health,
    Layer.succeed(RateLimit.RateLimit, { gate: () => Effect.succeed(gate) }),
    TokenEstimate.layer,
    Layer.succeed(Pricing.Pricing, { cost: () => note("price", 1) }),
    TestProvider.layer({ reply: ({ index }) => note("send", reply(index)) }),
    Retry.layer({ maxRetries: 1 }).pipe(Layer.provide(RetryBudget.layerUnlimited))
  )
  return Inference.layer().pipe(Layer.provide(stages))
}

describe("the pipeline", () => {
  it("names its stages in order, each with its reason", () => {
    assert.deepStrictEqual(
      Pipeline.describe.map(({ name }) => name),
      [
        "validate",
        "deadline",
        "retry",
        "slot",
        "route",
        "health",
        "quota",
        "send",
        "decode",
        "settle",
        "parse",
        "price",
        "result"
      ]
    )
    for (const { because } of Pipeline.describe) assert.isAbove(because.length, 20)
  })

  it.effect("passes them in that order, and again from the slot on for a second attempt", () => {
    const log: Array<string> = []
    return Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(Inference.generate("x"))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      const attempt = ["slot", "route", "health", "quota", "send"]
      assert.deepStrictEqual(log, [
        ...attempt,
        "settle Refused",
        "health told",
        "slot free",
        ...attempt,
        "settle Used",
        "health told",
        "slot free",
        "price"
      ])
    }).pipe(
      Effect.provide(recorded(log, (index) => (index === 0 ? TestProvider.unavailable() : "ok")))
    )
  })

  it.effect("validates first: bad input fails before anything is waited for or spent", () => {
    const log: Array<string> = []
    return Effect.gen(function* () {
      yield* Effect.flip(Inference.generate([]))
      assert.deepStrictEqual(log, [])
    }).pipe(Effect.provide(recorded(log, () => "ok")))
  })

  it.effect(
    "parses after settling, so that a misfit is paid for, priced and not tried again",
    () => {
      const log: Array<string> = []
      return Effect.gen(function* () {
        yield* Effect.flip(Inference.generate("x", { output: Schema.Struct({ a: Schema.Int }) }))
        assert.deepStrictEqual(log.slice(4), [
          "send",
          "settle Used",
          "health told",
          "slot free",
          "price"
        ])
      }).pipe(Effect.provide(recorded(log, () => "no json")))
    }
  )

  it.effect("counts every wait and retry into the deadline", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(
        Effect.flip(Inference.generate("x", { deadline: "90 seconds" }))
      )
      yield* TestClock.adjust("90 seconds")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error.reason._tag, "DeadlineExceeded")
      assert.match(error.message, /last attempt: The provider failed/)
    }).pipe(
      Effect.provide(
        TestClient.layer({ maxRetries: 50 }, { reply: () => TestProvider.unavailable() })
      )
    )
  )

  it.effect("frees the slot during backoff", () =>
    Effect.gen(function* () {
      const failing = yield* Effect.forkChild(Inference.generate("bad"), { startImmediately: true })
      const good = yield* Effect.forkChild(Inference.generate("good"), { startImmediately: true })
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(String(yield* Fiber.join(good)), "good")
      yield* Fiber.interrupt(failing)
    }).pipe(
      Effect.provide(
        TestClient.layer(
          { maxParallelRequests: 1 },
          {
            latency: "10 millis",
            reply: ({ text }) => (text === "bad" ? TestProvider.unavailable() : text)
          }
        )
      )
    )
  )

  it.effect("holds a paused deployment's requests before they take quota", () =>
    Effect.gen(function* () {
      const first = yield* Effect.forkChild(Inference.generate("a"), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      const second = yield* Effect.forkChild(Inference.generate("b"), { startImmediately: true })
      yield* TestClock.adjust("28 seconds")
      assert.strictEqual((yield* TestProvider.TestProvider.use(({ asked }) => asked)).length, 1)
      yield* TestClock.adjust("2 minutes")
      yield* Fiber.join(first)
      assert.isAtLeast(Duration.toSeconds((yield* Fiber.join(second)).metrics.queueWait), 29)
    }).pipe(
      Effect.provide(
        TestClient.layer(
          { limits: { rpm: 2 } },
          {
            reply: ({ index }) =>
              index === 0 ? TestProvider.rateLimited(Duration.seconds(30)) : "ok"
          }
        )
      )
    )
  )

  it.effect("routes before it charges: each deployment has a quota of its own", () =>
    Effect.gen(function* () {
      const batch = yield* Effect.forkChild(Inference.generateBatch(["x", "y", "z"]))
      yield* TestClock.adjust("1 second")
      const asked = yield* TestProvider.TestProvider.use(({ asked: all }) => all)
      assert.deepStrictEqual(asked.map(({ target }) => target.model).toSorted(), ["a", "b"])
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual((yield* Fiber.join(batch)).successes.length, 3)
    }).pipe(
      Effect.provide(
        TestClient.layer({
          deployments: {
            a: { model: "test/a", limits: { rpm: 1 } },
            b: { model: "test/b", limits: { rpm: 1 } }
          }
        })
      )
    )
  )

  it.effect("sees an answer that cannot be read as a failed attempt, and tries again", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(Inference.generate("x"))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Fiber.join(fiber)).metrics.retries, 1)
    }).pipe(
      Effect.provide(
        TestClient.layer(
          {},
          {
            reply: ({ index }) =>
              index === 0
                ? TestProvider.fail(
                    new AiError.NetworkError({
                      reason: "TransportError",
                      method: "POST",
                      url: "http://h/"
                    }),
                    "unknown"
                  )
                : "ok"
          }
        )
      )
    )
  )

  it.effect("settles at once: tokens that were not used let the next request through", () =>
    Effect.gen(function* () {
      const batch = yield* Effect.forkChild(
        Inference.generateBatch(["first", "second"], { maxTokens: 90 })
      )
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(batch)).successes.length, 2)
    }).pipe(Effect.provide(TestClient.layer({ limits: { tpm: 100 } }, { latency: "1 second" })))
  )
})
