import { assert, describe, it } from "@effect/vitest"
import * as Inference from "@infermesh/core/Inference"
import type { AttemptError } from "@infermesh/core/provider/Provider"
import { ModelNotFound } from "@infermesh/core/Reason"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Effect, Fiber, Result, Schema, Stream } from "effect"
import { AiError } from "effect/ai"
import { TestClock } from "effect/testing"

import * as TestClient from "../TestClient.ts"

const isBad = (text: string) => text.startsWith("bad")
const poisoned = { embed: { poison: isBad } }
const asked = TestProvider.TestProvider.use(({ askedEmbed }) => askedEmbed)
const sizes = Effect.map(asked, (all) => all.map(({ request }) => request.texts.length))
const between = (minimum: number, maximum: number) =>
  Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const numbered = (length: number) => Array.from({ length }, (_, index) => `text ${index}`)

describe("embedBatch", () => {
  it.effect("gives one result per text, in input order, from packed requests", () =>
    Effect.gen(function* () {
      const texts = Array.from({ length: 70 }, (_, index) => "x".repeat(index + 1))
      const batch = yield* Inference.embedBatch(texts)
      assert.deepStrictEqual(
        batch.successes.map(([index, { embedding }]) => [index, embedding[0]]),
        texts.map(({ length }, index) => [index, length])
      )
      assert.deepStrictEqual(yield* sizes, [32, 32, 6])
    }).pipe(Effect.provide(TestClient.layer({}, { embed: {} })))
  )

  it.effect("packs by tokens as well, and gives a text too large for any request its own", () =>
    Effect.gen(function* () {
      const texts = ["a".repeat(40), "b".repeat(40), "c".repeat(400), "d".repeat(4), "e".repeat(4)]
      const batch = yield* Inference.embedBatch(texts, { maxTokensPerRequest: 20 })
      assert.deepStrictEqual(yield* sizes, [2, 1, 2])
      assert.deepStrictEqual(
        batch.failures.map(([index, { reason }]) => [index, reason._tag]),
        [[2, "InvalidRequestError"]]
      )
    }).pipe(Effect.provide(TestClient.layer({}, { embed: { limits: { texts: 5, tokens: 20 } } })))
  )

  it.effect(
    "has no more requests under way than its concurrency, also where tokens split them",
    () =>
      Effect.gen(function* () {
        const texts = Array.from({ length: 64 }, () => "x".repeat(40))
        const fiber = yield* Effect.forkChild(
          Inference.embedBatch(texts, { concurrency: 2, maxTokensPerRequest: 10 })
        )
        yield* TestClock.adjust("1 hour")
        assert.strictEqual((yield* Fiber.join(fiber)).failures.length, 0)
        assert.strictEqual((yield* sizes).length, 64)
        assert.deepStrictEqual(yield* TestProvider.TestProvider.use(({ inFlight }) => inFlight), {
          now: 0,
          most: 2
        })
      }).pipe(Effect.provide(TestClient.layer({}, { embed: {}, latency: "1 second" })))
  )

  it.effect("makes no request of nothing", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Inference.embedBatch([])).length, 0)
      assert.deepStrictEqual(yield* asked, [])
    }).pipe(Effect.provide(TestClient.layer({}, { embed: {} })))
  )

  describe("where a text is bad", () => {
    it.effect.prop(
      "fails exactly the bad ones, in a number of requests that grows with the logarithm",
      [between(1, 64), Schema.Array(between(0, 63)).check(Schema.isMaxLength(4))],
      ([length, positions]) =>
        Effect.gen(function* () {
          const bad = new Set(positions.filter((position) => position < length))
          const texts = numbered(length).map((text, index) => (bad.has(index) ? "bad" : text))
          const batch = yield* Inference.embedBatch(texts, { microBatchSize: 64 })
          assert.deepStrictEqual(
            batch.failures.map(([index]) => index),
            [...bad].toSorted((left, right) => left - right)
          )
          assert.isAtMost((yield* asked).length, 1 + 2 * bad.size * Math.ceil(Math.log2(length)))
        }).pipe(Effect.provide(TestClient.layer({}, poisoned)))
    )

    it.effect("finds the text whose vector cannot be used, and pays for the others once more", () =>
      Effect.gen(function* () {
        const texts = numbered(8).map((text, index) => (index === 3 ? "NaN" : text))
        const batch = yield* Inference.embedBatch(texts)
        assert.deepStrictEqual(
          batch.failures.map(([index, { reason }]) => [index, reason._tag]),
          [[3, "InvalidResponseError"]]
        )
        const sent = (yield* sizes).toSorted((left, right) => right - left)
        assert.deepStrictEqual(sent, [8, 4, 4, 2, 2, 1, 1])
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            {
              embed: {
                reply: ({ request }) =>
                  request.texts.map((text) => Float32Array.of(text === "NaN" ? Number.NaN : 1))
              }
            }
          )
        )
      )
    )

    it.effect("finds the text that an answer has no vector for", () =>
      Effect.gen(function* () {
        const batch = yield* Inference.embedBatch(["a", "none", "c", "d"])
        assert.deepStrictEqual(
          batch.failures.map(([index]) => index),
          [1]
        )
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            {
              embed: {
                reply: ({ request }) =>
                  request.texts.filter((text) => text !== "none").map(TestProvider.vectorOf)
              }
            }
          )
        )
      )
    )

    it.effect("has no more requests under way than its concurrency while it looks for it", () =>
      Effect.gen(function* () {
        const texts = numbered(64).map((text, index) => (index % 5 === 0 ? "bad" : text))
        const fiber = yield* Effect.forkChild(Inference.embedBatch(texts, { concurrency: 2 }))
        yield* TestClock.adjust("1 hour")
        assert.strictEqual((yield* Fiber.join(fiber)).failures.length, 13)
        assert.deepStrictEqual(yield* TestProvider.TestProvider.use(({ inFlight }) => inFlight), {
          now: 0,
          most: 2
        })
      }).pipe(Effect.provide(TestClient.layer({}, { ...poisoned, latency: "1 second" })))
    )

    it.effect("sends nothing of what is no text, and fails it at its position", () =>
      Effect.gen(function* () {
        const texts: ReadonlyArray<unknown> = ["a", null, "b", "", 7, undefined, "c"]
        const batch = yield* Inference.embedBatch(texts as ReadonlyArray<string>)
        assert.deepStrictEqual(
          batch.failures.map(([index, { attempts, operation, reason }]) => [
            index,
            operation,
            attempts,
            reason._tag === "InvalidInput" ? reason.input : reason._tag
          ]),
          [1, 3, 4, 5].map((index) => [index, "embed", 0, `texts[${index}]`])
        )
        assert.deepStrictEqual(
          (yield* asked).map(({ request }) => request.texts),
          [["a", "b", "c"]]
        )
      }).pipe(Effect.provide(TestClient.layer({}, { embed: {} })))
    )
  })

  const systemic: ReadonlyArray<readonly [string, AttemptError]> = [
    ["a refused key", TestProvider.fail(new AiError.AuthenticationError({ kind: "InvalidKey" }))],
    [
      "an unknown model",
      TestProvider.fail(new ModelNotFound({ model: "m", description: "no such model" }))
    ],
    ["a spent account", TestProvider.fail(new AiError.QuotaExhaustedError({}))],
    ["an overloaded provider", TestProvider.unavailable()],
    [
      "an answer in another form",
      TestProvider.fail(new AiError.InvalidResponseError({ description: "" }))
    ]
  ]
  for (const [what, failure] of systemic) {
    it.effect(`does not try piece by piece what fails for every text: ${what}`, () =>
      Effect.gen(function* () {
        const batch = yield* Inference.embedBatch(numbered(32))
        assert.strictEqual(batch.failures.length, 32)
        assert.strictEqual((yield* asked).length, 1)
        const errors = new Set(batch.failures.map(([, error]) => error))
        assert.strictEqual(errors.size, 1)
      }).pipe(
        Effect.provide(TestClient.layer({ maxRetries: 0 }, { embed: { reply: () => failure } }))
      )
    )
  }

  describe("where every request would fail", () => {
    const refusedKey = TestProvider.fail(new AiError.AuthenticationError({ kind: "InvalidKey" }))
    const texts = numbered(1000)
    const refusing = (settings: Parameters<typeof TestClient.layer>[0], from = 0) =>
      TestClient.layer(settings, {
        embed: { reply: ({ index }) => (index >= from ? refusedKey : undefined) },
        latency: "1 second"
      })
    const settled = (concurrency: number, some = texts) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(Inference.embedBatch(some, { concurrency }))
        yield* TestClock.adjust("1 hour")
        return yield* Fiber.join(fiber)
      })

    it.effect(
      "sends no more than was under way when it was learned, and fails the rest with it",
      () =>
        Effect.gen(function* () {
          const batch = yield* settled(4)
          assert.strictEqual(batch.failures.length, 1000)
          assert.strictEqual((yield* asked).length, 4)
          const last = batch.failures.at(-1)?.[1]
          assert.deepStrictEqual([last?.attempts, last?.reason._tag], [0, "AuthenticationError"])
        }).pipe(Effect.provide(refusing({})))
    )

    it.effect("goes on once a request has succeeded: the fault may pass", () =>
      Effect.gen(function* () {
        const batch = yield* settled(1)
        assert.strictEqual(batch.successes.length, 32)
        assert.strictEqual((yield* asked).length, 32)
      }).pipe(Effect.provide(refusing({}, 1)))
    )

    it.effect("goes on where another deployment may have a good key", () =>
      Effect.gen(function* () {
        yield* settled(1, texts.slice(0, 64))
        // Two requests, each of them at both deployments.
        assert.strictEqual((yield* asked).length, 4)
      }).pipe(
        Effect.provide(
          refusing({ deployments: { one: { model: "test/m" }, two: { model: "test/m" } } })
        )
      )
    )
  })

  it.effect("packs no more into a request than every provider takes", () =>
    Effect.gen(function* () {
      const batch = yield* Inference.embedBatch(numbered(7), { microBatchSize: 100 })
      assert.strictEqual(batch.failures.length, 0)
      assert.deepStrictEqual(yield* sizes, [3, 3, 1])
    }).pipe(Effect.provide(TestClient.layer({}, { embed: { limits: { texts: 3, tokens: 1000 } } })))
  )

  it.effect("splits a request that alone is more than the quota allows", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(
        Inference.embedBatch(["a".repeat(240), "b".repeat(240)])
      )
      yield* TestClock.adjust("1 hour")
      assert.strictEqual((yield* Fiber.join(fiber)).failures.length, 0)
      assert.deepStrictEqual(yield* sizes, [1, 1])
    }).pipe(Effect.provide(TestClient.layer({ limits: { tpm: 100 } }, { embed: {} })))
  )

  it.effect("shares the usage and the cost of each request out among its texts", () =>
    Effect.gen(function* () {
      const texts = ["bad", ...Array.from({ length: 40 }, (_, index) => "x".repeat(1 + index * 3))]
      const batch = yield* Inference.embedBatch(texts)
      const sum = (of: (result: (typeof batch.successes)[number][1]) => number | undefined) =>
        batch.successes.reduce((total, [, result]) => total + (of(result) ?? Number.NaN), 0)
      const expected = texts
        .slice(1)
        .reduce((total, { length }) => total + Math.ceil(length / 4), 0)
      assert.strictEqual(
        sum(({ tokenUsage }) => tokenUsage?.promptTokens),
        expected
      )
      assert.strictEqual(
        sum(({ tokenUsage }) => tokenUsage?.totalTokens),
        expected
      )
      assert.closeTo(
        sum(({ cost }) => cost),
        expected * 1e-6,
        1e-12
      )
      for (const [, { tokenUsage }] of batch.successes) {
        assert.isTrue(Number.isInteger(tokenUsage?.promptTokens))
        assert.strictEqual(tokenUsage?.completionTokens, 0)
      }
    }).pipe(Effect.provide(TestClient.layer({}, poisoned)))
  )

  it.effect("gives plain arrays where they are asked for", () =>
    Effect.gen(function* () {
      const batch = yield* Inference.embedBatch(["aaaa"], { vectors: "array" })
      assert.deepStrictEqual(batch.successes[0]?.[1].embedding, [4, 97])
    }).pipe(Effect.provide(TestClient.layer({}, { embed: {} })))
  )

  it.effect("tells of each text once, and of the progress over all of them", () =>
    Effect.gen(function* () {
      const items: Array<readonly [number, boolean]> = []
      const progress: Array<unknown> = []
      yield* Inference.embedBatch(["a", "bad", "", "d"], {
        onItem: ({ index, result }) =>
          Effect.sync(() => items.push([index, Result.isSuccess(result)])),
        onProgress: (at) => Effect.sync(() => progress.push(at))
      })
      assert.deepStrictEqual(items, [
        [0, true],
        [1, false],
        [2, false],
        [3, true]
      ])
      assert.deepStrictEqual(progress.at(-1), { done: 4, failed: 2, total: 4 })
      assert.strictEqual(progress.length, 4)
    }).pipe(Effect.provide(TestClient.layer({}, poisoned)))
  )

  describe("with mode failFast", () => {
    it.effect("gives all results when nothing fails", () =>
      Effect.gen(function* () {
        const batch = yield* Inference.embedBatch(numbered(40), { mode: "failFast" })
        assert.strictEqual(batch.successes.length, 40)
      }).pipe(Effect.provide(TestClient.layer({}, poisoned)))
    )

    it.effect("fails with the first failure, bisects nothing and starts nothing more", () =>
      Effect.gen(function* () {
        const texts = ["a", "bad", "c", "d", "e", "f"]
        const error = yield* Effect.flip(
          Inference.embedBatch(texts, { mode: "failFast", microBatchSize: 2, concurrency: 1 })
        )
        assert.strictEqual(error.reason._tag, "InvalidRequestError")
        assert.deepStrictEqual(
          (yield* asked).map(({ request }) => request.texts),
          [["a", "bad"]]
        )
      }).pipe(Effect.provide(TestClient.layer({}, poisoned)))
    )

    it.effect("sends nothing of a request in which something is no text", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Inference.embedBatch(["a", ""], { mode: "failFast" }))
        assert.match(error.message, /texts\[1\]: it is empty/)
        assert.deepStrictEqual(yield* asked, [])
      }).pipe(Effect.provide(TestClient.layer({}, poisoned)))
    )

    it.effect("interrupts the requests under way", () =>
      Effect.gen(function* () {
        const slow = Inference.embedBatch(["slow", "bad"], { mode: "failFast", microBatchSize: 1 })
        const fiber = yield* Effect.forkChild(Effect.flip(slow), { startImmediately: true })
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(fiber)
        const control = yield* TestProvider.TestProvider
        assert.deepStrictEqual([yield* control.interrupted, (yield* control.inFlight).now], [1, 0])
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            {
              embed: {
                poison: isBad,
                reply: () => Effect.as(Effect.sleep("1 hour"), undefined)
              }
            }
          )
        )
      )
    )
  })

  const refused: ReadonlyArray<readonly [object, RegExp]> = [
    [{ microBatchSize: 0 }, /microBatchSize: 0 is not a whole number/],
    [{ maxTokensPerRequest: 1.5 }, /maxTokensPerRequest: 1.5 is not/]
  ]
  it.effect("refuses limits that cannot be used, and a string where many are asked for", () =>
    Effect.gen(function* () {
      for (const [options, expected] of refused) {
        const error = yield* Effect.flip(Inference.embedBatch(["a"], options))
        assert.match(error.message, expected)
      }
      const one: unknown = "one"
      const error = yield* Effect.flip(Inference.embedBatch(one as ReadonlyArray<string>))
      assert.match(error.message, /inputs: a batch takes a list of inputs, not one string/)
      assert.deepStrictEqual(yield* asked, [])
    }).pipe(Effect.provide(TestClient.layer({}, { embed: {} })))
  )

  it.effect("fails each text for an option that cannot be used, with no request", () =>
    Effect.gen(function* () {
      const batch = yield* Inference.embedBatch(["a", "b"], { dimensions: -1 })
      assert.strictEqual(batch.failures.length, 2)
      assert.deepStrictEqual(yield* asked, [])
    }).pipe(Effect.provide(TestClient.layer({}, { embed: {} })))
  )
})

describe("embedBatchStream", () => {
  it.effect("takes from an endless iterable only what is under way, and keeps no more", () =>
    Effect.gen(function* () {
      let made = 0
      const endless = {
        *[Symbol.iterator]() {
          for (;;) yield `text ${made++}`
        }
      }
      const settled = yield* Inference.embedBatchStream(endless, {
        microBatchSize: 4,
        concurrency: 2
      }).pipe(Stream.take(1000), Stream.runCollect)
      assert.strictEqual(settled.length, 1000)
      // Two requests under way, one that waits for its turn and one being packed, of four texts each.
      assert.isAtMost(made, 1000 + 4 * 4)
    }).pipe(Effect.provide(TestClient.layer({}, { embed: {} })))
  )

  it.effect("gives texts in input order with ordered, in order of completion without", () =>
    Effect.gen(function* () {
      const order = (ordered: boolean) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(
            Inference.embedBatchStream(["slow", "", "b", "c"], {
              microBatchSize: 1,
              ordered
            }).pipe(Stream.runCollect)
          )
          yield* TestClock.adjust("1 minute")
          return (yield* Fiber.join(fiber)).map(({ index }) => index)
        })
      assert.deepStrictEqual(yield* order(true), [0, 1, 2, 3])
      assert.strictEqual((yield* order(false)).at(-1), 0)
    }).pipe(
      Effect.provide(
        TestClient.layer(
          {},
          {
            embed: {
              reply: ({ request }) =>
                Effect.as(Effect.sleep(request.texts[0] === "slow" ? 9 : 1), undefined)
            }
          }
        )
      )
    )
  )

  it.effect("takes a stream, and fails with its failure", () =>
    Effect.gen(function* () {
      const texts = Stream.concat(Stream.make("a", "b"), Stream.fail("broken" as const))
      const seen: Array<number> = []
      const error = yield* Effect.flip(
        Stream.runForEach(Inference.embedBatchStream(texts, { microBatchSize: 1 }), ({ index }) =>
          Effect.sync(() => seen.push(index))
        )
      )
      assert.strictEqual(error, "broken")
    }).pipe(Effect.provide(TestClient.layer({}, { embed: {} })))
  )
})
