import { assert, describe, it } from "@effect/vitest"
import * as Inference from "@infermesh/core/Inference"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Effect, Fiber, Result, Stream } from "effect"
import { TestClock } from "effect/testing"

import * as TestClient from "../TestClient.ts"

const options = (
  more: TestProvider.TestProviderOptions = {}
): TestProvider.TestProviderOptions => ({
  reply: ({ text }) => (text === "bad" ? { text: "", refusal: "no" } : text),
  ...more
})

describe("generateBatch", () => {
  it.effect("gives one result or failure per input, at the input's position", () =>
    Effect.gen(function* () {
      const batch = yield* Inference.generateBatch([
        "a",
        "bad",
        "c",
        [{ role: "user", content: "d" }],
        []
      ])
      assert.strictEqual(batch.length, 5)
      assert.deepStrictEqual(
        batch.successes.map(([index, result]) => [index, result.outputText]),
        [
          [0, "a"],
          [2, "c"],
          [3, "d"]
        ]
      )
      assert.deepStrictEqual(
        batch.failures.map(([index, error]) => [index, error.reason._tag]),
        [
          [1, "ContentPolicyError"],
          [4, "InvalidInput"]
        ]
      )
      assert.deepStrictEqual([...batch].map(Result.isSuccess), [true, false, true, true, false])
    }).pipe(Effect.provide(TestClient.layer({}, options())))
  )

  it.effect("lets an item's own options win over the batch's", () =>
    Effect.gen(function* () {
      yield* Inference.generateBatch(["a", { input: "b", options: { temperature: 1 } }], {
        temperature: 0,
        seed: 1
      })
      const asked = yield* TestProvider.TestProvider.use(({ asked: all }) => all)
      assert.deepStrictEqual(
        asked.map(({ request }) => request.options),
        [
          { temperature: 0, seed: 1 },
          { temperature: 1, seed: 1 }
        ]
      )
    }).pipe(Effect.provide(TestClient.layer({}, options())))
  )

  it.effect("fails with the first failure in failFast mode, and interrupts the rest", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(
        Effect.flip(
          Inference.generateBatch(["a", "bad", ...Array.from({ length: 50 }, () => "c")], {
            mode: "failFast",
            concurrency: 4
          })
        )
      )
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Fiber.join(fiber)).reason._tag, "ContentPolicyError")
      const { interrupted, asked } = yield* TestProvider.TestProvider
      assert.isBelow((yield* asked).length, 10)
      assert.isAbove(yield* interrupted, 0)
    }).pipe(
      Effect.provide(
        TestClient.layer(
          {},
          options({
            reply: ({ text }) =>
              Effect.as(
                Effect.sleep(text === "bad" ? 5 : 50),
                text === "bad" ? { text: "", refusal: "no" } : text
              )
          })
        )
      )
    )
  )

  it.effect("survives hooks that fail, throw or die, and reports progress that only grows", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const batch = yield* Inference.generateBatch(["a", "b", "c"], {
        onItem: ({ index }) => {
          if (index === 0) throw new Error("thrown")
          return index === 1 ? Effect.fail("failed") : Effect.die("died")
        },
        onProgress: ({ done, total }) => Effect.sync(() => seen.push(done * 10 + (total ?? 0)))
      })
      assert.strictEqual(batch.successes.length, 3)
      assert.deepStrictEqual(seen, [13, 23, 33])
    }).pipe(Effect.provide(TestClient.layer({}, options())))
  )

  it.effect(
    "stops every attempt and returns every slot and reservation when it is interrupted",
    () =>
      Effect.gen(function* () {
        const batch = yield* Effect.forkChild(
          Inference.generateBatch(Array.from({ length: 100 }, () => "x"))
        )
        yield* TestClock.adjust("1 second")
        const { inFlight, interrupted } = yield* TestProvider.TestProvider
        assert.strictEqual((yield* inFlight).now, 8)
        yield* Fiber.interrupt(batch)
        assert.strictEqual((yield* inFlight).now, 0)
        assert.strictEqual(yield* interrupted, 8)
        const next = yield* Effect.forkChild(
          Inference.generateBatch(Array.from({ length: 8 }, () => "y"))
        )
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual((yield* Fiber.join(next)).successes.length, 8)
      }).pipe(
        Effect.provide(
          TestClient.layer(
            { maxParallelRequests: 8, limits: { rpm: 16 } },
            options({ latency: "5 seconds" })
          )
        )
      )
  )

  it.effect("refuses one string in place of a list", () =>
    Effect.gen(function* () {
      // @ts-expect-error a string is one input, not a list of characters
      const error = yield* Effect.flip(Inference.generateBatch("abc"))
      assert.match(error.message, /takes a list of inputs, not one string/)
    }).pipe(Effect.provide(TestClient.layer()))
  )
})

describe("generateBatchStream", () => {
  const delays: TestProvider.TestProviderOptions = {
    reply: ({ text }) => Effect.as(Effect.sleep(text === "slow" ? 100 : 10), text)
  }

  it.effect("gives results in the order of completion, or of the input when asked", () =>
    Effect.gen(function* () {
      const order = (ordered: boolean) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(
            Stream.runCollect(Inference.generateBatchStream(["slow", "a", "b"], { ordered }))
          )
          yield* TestClock.adjust("1 second")
          return (yield* Fiber.join(fiber)).map(({ index }) => index)
        })
      assert.deepStrictEqual(yield* order(false), [1, 2, 0])
      assert.deepStrictEqual(yield* order(true), [0, 1, 2])
    }).pipe(Effect.provide(TestClient.layer({}, delays)))
  )

  it.effect("runs ahead of its reader by no more than its window, over an endless input", () =>
    Effect.gen(function* () {
      let produced = 0
      function* endless() {
        for (;;) yield `q${produced++}`
      }
      const taken = yield* Inference.generateBatchStream(endless(), { concurrency: 4 }).pipe(
        Stream.take(10),
        Stream.runCollect
      )
      assert.strictEqual(taken.length, 10)
      assert.isBelow(produced, 200)
    }).pipe(Effect.provide(TestClient.layer({}, options())))
  )

  it.effect("fails only when its source does; failed inputs are elements", () =>
    Effect.gen(function* () {
      const source = Stream.concat(
        Stream.fromIterable(["a", "bad"]),
        Stream.fail("source" as const)
      )
      const seen: Array<boolean> = []
      const error = yield* Effect.flip(
        Stream.runForEach(Inference.generateBatchStream(source), ({ result }) =>
          Effect.sync(() => seen.push(Result.isSuccess(result)))
        )
      )
      assert.strictEqual(error, "source")
      assert.isAtMost(seen.length, 2)
    }).pipe(Effect.provide(TestClient.layer({}, options())))
  )
})
