import { assert, describe, it } from "@effect/vitest"
import * as Budget from "@infermesh/core/admission/Budget"
import type { Cost } from "@infermesh/core/admission/Quota"
import * as Inference from "@infermesh/core/Inference"
import * as Usage from "@infermesh/core/operation/Usage"
import { BudgetExceeded } from "@infermesh/core/Reason"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Effect, Fiber, Logger, References } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"

import * as TestClient from "../TestClient.ts"

// A prompt of one million tokens costs a dollar, an answer two: see TestClient.
const answering = (promptTokens: number, completionTokens: number) => ({
  reply: () => ({
    text: "ok",
    usage: Usage.make({ promptTokens, completionTokens })
  })
})

const costOf = (tokens: number, usd = 0): Cost => ({
  requests: 1,
  inputTokens: tokens,
  outputTokens: 0,
  audioSeconds: 0,
  usd
})

describe("a budget", () => {
  it.effect("of the client lets nothing more be sent once it is used up", () =>
    Effect.gen(function* () {
      const { failures, successes } = yield* Inference.generateBatch(
        Array.from({ length: 20 }, () => "x"),
        { concurrency: 1 }
      )
      // Each costs three cents, which is soon known: the one cent that is left is not enough for a fourth.
      assert.strictEqual(successes.length, 3)
      assert.strictEqual(failures.length, 17)
      for (const [, error] of failures) {
        assert.deepStrictEqual([error.reason._tag, error.attempts], ["BudgetExceeded", 0])
        assert.match(
          error.message,
          /client money budget of 0.1 has too little left .*0.09 spent.*raise it/
        )
      }
      assert.strictEqual((yield* TestProvider.TestProvider.use(({ asked }) => asked)).length, 3)
    }).pipe(Effect.provide(TestClient.layer({ budget: { usd: 0.1 } }, answering(10_000, 10_000))))
  )

  it.effect("of one batch does not touch what is asked beside it", () =>
    Effect.gen(function* () {
      const budget = yield* Budget.make({ name: "nightly", tokens: 1000 })
      const batch = yield* Inference.generateBatch(["a", "b", "c"], { concurrency: 1 }).pipe(
        Budget.within(budget)
      )
      assert.strictEqual(batch.successes.length, 2)
      assert.match(batch.failures[0]?.[1].message ?? "", /nightly token budget of 1000/)
      yield* Inference.generate("d")
      assert.deepStrictEqual((yield* budget.spent).tokens, 900)
    }).pipe(Effect.provide(TestClient.layer({}, answering(400, 50))))
  )

  it.effect(
    "sets aside what attempts under way may cost, so that many at once do not pass it",
    () =>
      Effect.gen(function* () {
        const budget = yield* Budget.make({ tokens: 1000 })
        const batch = yield* Effect.forkChild(
          Inference.generateBatch(
            Array.from({ length: 10 }, () => "x"),
            { maxTokens: 395 }
          ).pipe(Budget.within(budget))
        )
        yield* TestClock.adjust("1 minute")
        assert.strictEqual((yield* Fiber.join(batch)).successes.length, 2)
        assert.isAtMost((yield* budget.spent).tokens, 1000)
      }).pipe(Effect.provide(TestClient.layer({}, { ...answering(5, 395), latency: "1 second" })))
  )

  it.effect("is not charged for what was never sent", () =>
    Effect.gen(function* () {
      const budget = yield* Budget.make({ tokens: 1000 })
      const waiting = yield* Effect.forkChild(
        Inference.generateBatch(["a", "b"]).pipe(Budget.within(budget)),
        { startImmediately: true }
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(waiting)
      assert.strictEqual((yield* budget.spent).tokens, 10)
    }).pipe(Effect.provide(TestClient.layer({ limits: { rpm: 1 } }, answering(5, 5))))
  )

  it.effect("warns once at each threshold", () => {
    const logged: Array<unknown> = []
    const capture = Logger.make(({ message }) => void logged.push(message))
    return Effect.gen(function* () {
      yield* Inference.generateBatch(
        Array.from({ length: 9 }, () => "x"),
        { concurrency: 1 }
      )
      assert.deepStrictEqual(logged.flat(), [
        "The client budget is used to 50 % (500 of 1000 tokens)",
        "The client budget is used to 90 % (900 of 1000 tokens)"
      ])
    }).pipe(
      Effect.provide([
        TestClient.layer({ budget: { tokens: 1000, warnAt: [0.5, 0.9] } }, answering(50, 50)),
        Logger.layer([capture])
      ]),
      Effect.provideService(References.MinimumLogLevel, "Warn")
    )
  })

  it.effect("says which setting cannot be used", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Budget.make({ usd: -1 }))
      assert.match(error.message, /budget\.usd/)
    })
  )

  it("never sets aside more than its limit, and ends with exactly what was settled", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            tokens: fc.integer({ min: 0, max: 400 }),
            used: fc.double({ min: 0, max: 1, noNaN: true }),
            end: fc.constantFrom("Used", "Counted", "Refused", "Unsent"),
            late: fc.boolean()
          })
        ),
        (attempts) =>
          Effect.runSync(
            Effect.gen(function* () {
              const budget = yield* Effect.orDie(Budget.make({ tokens: 1000 }))
              const open: Array<Effect.Effect<void>> = []
              let expected = 0
              for (const { end, late, tokens, used } of attempts) {
                const reserved = budget.reserve(costOf(tokens))
                if (reserved instanceof BudgetExceeded) continue
                const really = Math.floor(tokens * used)
                expected += end === "Used" ? really : end === "Counted" ? tokens : 0
                const settle = reserved(
                  end === "Used" ? { _tag: end, cost: costOf(really) } : { _tag: end }
                )
                if (late) open.push(settle)
                else yield* settle
                yield* settle
              }
              yield* Effect.all(open)
              const { tokens } = yield* budget.spent
              assert.strictEqual(tokens, expected)
              assert.isAtMost(tokens, 1000)
            }).pipe(Effect.provideService(References.MinimumLogLevel, "None"))
          )
      )
    )
  })
})
