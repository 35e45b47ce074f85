import { assert, describe, it } from "@effect/vitest"
import type { ClientSettings } from "@infermesh/core/Client"
import * as Inference from "@infermesh/core/Inference"
import * as Usage from "@infermesh/core/operation/Usage"
import type { Reason } from "@infermesh/core/Reason"
import { ContextWindowExceeded, ModelNotFound, Unsupported } from "@infermesh/core/Reason"
import * as Scheduler from "@infermesh/core/Scheduler"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Duration, Effect, Exit, Fiber, Schema } from "effect"
import { AiError } from "effect/ai"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"

import * as TestClient from "../TestClient.ts"

const reasons = {
  tooLong: new ContextWindowExceeded({ description: "8192 tokens at most" }),
  refused: new AiError.ContentPolicyError({ description: "no" }),
  badKey: new AiError.AuthenticationError({ kind: "InvalidKey" }),
  spent: new AiError.QuotaExhaustedError({}),
  unknownModel: new ModelNotFound({ model: "a", description: "" }),
  unsupported: new Unsupported({ provider: "test", feature: "seed" }),
  invalid: new AiError.InvalidRequestError({ description: "no" }),
  unavailable: new AiError.InternalProviderError({ description: "overloaded" }),
  limited: new AiError.RateLimitError({}),
  pausing: new AiError.RateLimitError({ retryAfter: Duration.seconds(30) })
} satisfies Record<string, Reason>

/** Models by what each of them does with every attempt. */
type Script = { readonly [model: string]: keyof typeof reasons | "ok" }

const client = (script: Script, settings: ClientSettings) =>
  TestClient.layer(settings, {
    reply: ({ target }) => {
      const what = script[target.model] ?? "ok"
      return what === "ok" ? `from ${target.model}` : TestProvider.fail(reasons[what])
    }
  })

const models = (...names: ReadonlyArray<string>): ClientSettings["deployments"] =>
  Object.fromEntries(names.map((name) => [name, { model: `test/${name}` }]))

const askedModels = Effect.map(
  TestProvider.TestProvider.use(({ asked }) => asked),
  (asked) => asked.map(({ target }) => target.model)
)

/** Asks and lets all waits pass. */
const ask = (options?: { readonly model?: string; readonly tags?: ReadonlyArray<string> }) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(Effect.exit(Inference.generate("x", options)), {
      startImmediately: true
    })
    yield* TestClock.adjust("10 minutes")
    return yield* Fiber.join(fiber)
  })

const answer = (options?: Parameters<typeof ask>[0]) =>
  Effect.map(Effect.flatten(ask(options)), String)
const failure = (options?: Parameters<typeof ask>[0]) => Effect.flip(Effect.flatten(ask(options)))

describe("a chain of fallbacks", () => {
  it.effect("is gone along, model by model, until one answers", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* answer(), "from c")
      assert.deepStrictEqual([...new Set(yield* askedModels)], ["a", "b", "c"])
    }).pipe(
      Effect.provide(
        client(
          { a: "unavailable", b: "badKey" },
          { model: "a", deployments: models("a", "b", "c"), fallbacks: { a: ["b", "c"] } }
        )
      )
    )
  )

  it.effect(
    "is begun at once, and no attempt is spent, while all of a model is known to be broken",
    () =>
      Effect.gen(function* () {
        // Two failures open the breaker of the only deployment of a.
        for (let index = 0; index < 2; index++) assert.strictEqual(yield* answer(), "from b")
        const before = (yield* askedModels).length
        const fiber = yield* Effect.forkChild(Inference.generate("x"), { startImmediately: true })
        // No time passes: nothing is waited for.
        yield* TestClock.adjust(0)
        assert.strictEqual(String(yield* Fiber.join(fiber)), "from b")
        assert.deepStrictEqual((yield* askedModels).slice(before), ["b"])
      }).pipe(
        Effect.provide(
          client(
            { a: "unavailable" },
            {
              model: "a",
              deployments: models("a", "b"),
              fallbacks: { a: ["b"] },
              health: { openFor: "1 hour", longestOpen: "1 hour", failuresInARow: 2 }
            }
          )
        )
      )
  )

  it.effect("that is a list alone comes after the client's model, across providers' names", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* answer(), "from other")
    }).pipe(
      Effect.provide(client({ model: "spent" }, { model: "test/model", fallbacks: ["test/other"] }))
    )
  )

  it.effect("ends with a failure of its own kind, every cause in `failures`", () =>
    Effect.gen(function* () {
      const error = yield* failure()
      assert.strictEqual(error.reason._tag, "FallbacksExhausted")
      assert.deepInclude(error.reason, { models: ["a", "b", "c"] })
      assert.strictEqual(error.attempts, 3)
      assert.deepStrictEqual(
        error.failures?.map(({ model, reason }) => [model, reason._tag]),
        [
          ["a", "AuthenticationError"],
          ["b", "QuotaExhaustedError"],
          ["c", "ModelNotFound"]
        ]
      )
      assert.match(error.message, /None of 3 models answered \(a, b, c\)/)
      assert.isFalse(error.isRetryable)
    }).pipe(
      Effect.provide(
        client(
          { a: "badKey", b: "spent", c: "unknownModel" },
          { model: "a", deployments: models("a", "b", "c"), fallbacks: { a: ["b", "c"] } }
        )
      )
    )
  )

  it.effect("is not entered for what any model would refuse", () =>
    Effect.gen(function* () {
      const error = yield* failure()
      assert.strictEqual(error.reason._tag, "InvalidRequestError")
      assert.deepStrictEqual(yield* askedModels, ["a"])
    }).pipe(
      Effect.provide(
        client(
          { a: "invalid" },
          { model: "a", deployments: models("a", "b"), fallbacks: { a: ["b"] } }
        )
      )
    )
  )

  it.effect("is entered at once where this model is paused and the next is free", () =>
    Effect.gen(function* () {
      const result = yield* Inference.generate("x")
      assert.strictEqual(String(result), "from b")
      assert.deepStrictEqual(yield* askedModels, ["a", "b"])
      assert.strictEqual(Duration.toMillis(result.metrics.endToEnd), 0)
    }).pipe(
      Effect.provide(
        client(
          { a: "pausing" },
          { model: "a", deployments: models("a", "b"), fallbacks: { a: ["b"] } }
        )
      )
    )
  )

  it.effect("is not entered while the next model is busy and this one may be tried again", () =>
    Effect.gen(function* () {
      yield* Effect.forkChild(Inference.generate("fills b", { model: "b" }), {
        startImmediately: true
      })
      yield* Effect.ignore(ask())
      assert.deepStrictEqual((yield* askedModels).slice(0, 4), ["b", "a", "a", "a"])
    }).pipe(
      Effect.provide(
        TestClient.layer(
          {
            model: "a",
            deployments: {
              a: { model: "test/a" },
              b: { model: "test/b", maxParallelRequests: 1 }
            },
            fallbacks: { a: ["b"] },
            maxRetries: 3,
            deadline: "5 minutes"
          },
          {
            reply: ({ target }) =>
              target.model === "b" ? Effect.never : TestProvider.fail(reasons.limited)
          }
        )
      )
    )
  )

  it.effect("is that of what an alias stands for", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* answer({ model: "best" }), "from b")
    }).pipe(
      Effect.provide(
        client(
          { a: "spent" },
          { deployments: models("a", "b"), aliases: { best: "a" }, fallbacks: { a: ["b"] } }
        )
      )
    )
  )

  it.effect("is entered when the first model's last deployment has left", () =>
    Effect.gen(function* () {
      yield* (yield* Scheduler.Scheduler).drain("a")
      assert.strictEqual(yield* answer(), "from b")
      assert.deepStrictEqual(yield* askedModels, ["b"])
    }).pipe(
      Effect.provide(
        client({}, { model: "a", deployments: models("a", "b"), fallbacks: { a: ["b"] } })
      )
    )
  )

  it.effect("gives every model one attempt where it is longer than the retries", () =>
    Effect.gen(function* () {
      yield* failure()
      assert.deepStrictEqual(yield* askedModels, ["a", "b", "c", "d"])
    }).pipe(
      Effect.provide(
        client(
          { a: "unavailable", b: "unavailable", c: "unavailable", d: "unavailable" },
          {
            model: "a",
            deployments: models("a", "b", "c", "d"),
            fallbacks: { a: ["b", "c", "d"] },
            maxRetries: 1
          }
        )
      )
    )
  )
})

describe("a prompt that does not fit", () => {
  it.effect("goes to a larger model, and on along that chain when the larger one fails", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* answer(), "from larger")
      const asked = yield* askedModels
      assert.notInclude(asked, "small")
      assert.deepStrictEqual([...new Set(asked)], ["a", "large", "larger"])
    }).pipe(
      Effect.provide(
        client(
          { a: "tooLong", large: "unavailable" },
          {
            model: "a",
            deployments: models("a", "small", "large", "larger"),
            fallbacks: { a: ["small"] },
            contextWindowFallbacks: { a: ["large", "larger"] }
          }
        )
      )
    )
  )

  it.effect("goes along the usual chain where there is none for it", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* answer(), "from b")
    }).pipe(
      Effect.provide(
        client(
          { a: "tooLong" },
          { model: "a", deployments: models("a", "b"), fallbacks: { a: ["b"] } }
        )
      )
    )
  )
})

describe("content that is refused", () => {
  const deployments = models("a", "b")

  it.effect("goes to the model for it, where one is named", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* answer(), "from b")
    }).pipe(
      Effect.provide(
        client({ a: "refused" }, { model: "a", deployments, contentPolicyFallbacks: { a: ["b"] } })
      )
    )
  )

  it.effect("goes nowhere else: other fallbacks are not for getting round a refusal", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* failure()).reason._tag, "ContentPolicyError")
      assert.deepStrictEqual(yield* askedModels, ["a"])
    }).pipe(
      Effect.provide(client({ a: "refused" }, { model: "a", deployments, fallbacks: { a: ["b"] } }))
    )
  )
})

describe("a failure of a deployment's own", () => {
  const both: ClientSettings = {
    deployments: {
      bad: { model: "test/bad", models: ["m"] },
      good: { model: "test/good", models: ["m"] }
    },
    model: "m",
    routingStrategy: "ordered"
  }

  for (const kind of ["badKey", "spent", "unknownModel"] as const) {
    it.effect(`is tried at another at once, and others avoid it for a minute: ${kind}`, () =>
      Effect.gen(function* () {
        const first = yield* Inference.generate("x")
        assert.strictEqual(String(first), "from good")
        assert.deepInclude(first.metrics, { deployment: "good", retries: 1 })
        assert.strictEqual(Duration.toMillis(first.metrics.endToEnd), 0)
        for (let index = 0; index < 5; index++) yield* Inference.generate("x")
        assert.deepStrictEqual(
          (yield* askedModels).filter((model) => model === "bad"),
          ["bad"]
        )
        yield* TestClock.adjust("61 seconds")
        yield* Inference.generate("x")
        assert.deepStrictEqual((yield* askedModels).slice(-2), ["bad", "good"])
      }).pipe(Effect.provide(client({ bad: kind }, both)))
    )
  }

  it.effect("is the request's where all have it, without a wait or a second attempt at any", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Inference.generate("x"))
      assert.strictEqual(error.reason._tag, "AuthenticationError")
      assert.deepStrictEqual(yield* askedModels, ["bad", "good"])
      assert.strictEqual(error.failures?.length, 2)
    }).pipe(Effect.provide(client({ bad: "badKey", good: "badKey" }, both)))
  )

  it.effect(
    "does not leave a client without deployments: the shunned are asked where all are",
    () =>
      Effect.gen(function* () {
        yield* Effect.flip(Inference.generate("x"))
        yield* Effect.flip(Inference.generate("x"))
        assert.deepStrictEqual(yield* askedModels, ["bad", "good", "bad", "good"])
      }).pipe(Effect.provide(client({ bad: "badKey", good: "spent" }, both)))
  )

  it.effect(
    "is also an option that its provider has not, but others do not avoid it for that",
    () =>
      Effect.gen(function* () {
        yield* Inference.generate("x")
        yield* Inference.generate("x")
        assert.deepStrictEqual(yield* askedModels, ["bad", "good", "bad", "good"])
      }).pipe(Effect.provide(client({ bad: "unsupported" }, both)))
  )
})

describe("the attempts of a request", () => {
  interface World {
    readonly replies: ReadonlyArray<keyof typeof reasons | "ok" | "no json" | "slow">
    readonly deployments: number
    readonly chain: number
    readonly maxRetries: number
    readonly maxRepairs: number
    readonly hedge: boolean
    readonly requests: number
  }

  const worlds = fc.record<World>({
    replies: fc.array(
      fc.constantFrom<World["replies"][number]>(
        "unavailable",
        "unavailable",
        "limited",
        "badKey",
        "unsupported",
        "tooLong",
        "refused",
        "invalid",
        "no json",
        "slow",
        "slow",
        "ok"
      ),
      { minLength: 1, maxLength: 12 }
    ),
    deployments: fc.integer({ min: 1, max: 3 }),
    chain: fc.integer({ min: 0, max: 4 }),
    maxRetries: fc.integer({ min: 0, max: 3 }),
    maxRepairs: fc.integer({ min: 0, max: 2 }),
    hedge: fc.boolean(),
    requests: fc.integer({ min: 1, max: 3 })
  })

  const play = ({
    chain,
    deployments,
    hedge,
    maxRepairs,
    maxRetries,
    replies,
    requests
  }: World) => {
    const names = Array.from({ length: chain }, (_, index) => `f${index}`)
    const perText = new Map<string, number>()
    let index = 0
    const layer = TestClient.layer(
      {
        model: "m",
        deployments: Object.fromEntries(
          ["m", ...names].flatMap((name) =>
            Array.from({ length: deployments }, (_, copy) => [
              `${name}-${copy}`,
              { model: `test/${name}`, models: [name] }
            ])
          )
        ),
        fallbacks: { m: names },
        contextWindowFallbacks: { m: names.toReversed() },
        maxRetries,
        health: { failuresInARow: 1000, failureShare: 1 },
        ...(hedge ? { hedge: { maxShare: 1, percentile: 0.5 } } : {})
      },
      {
        reply: ({ request, text }) => {
          if (text.startsWith("usual")) return Effect.delay(Effect.succeed("usual"), "10 millis")
          // A repair has its own last message; the first one tells the request.
          const of = JSON.stringify(request.prompt.content[0])
          perText.set(of, (perText.get(of) ?? 0) + 1)
          const reply = replies[index++ % replies.length] ?? "ok"
          if (reply === "ok") return '{"a":1}'
          if (reply === "no json") return "no json"
          if (reply === "slow") return Effect.as(Effect.sleep("1 second"), "no json")
          return TestProvider.fail(reasons[reply])
        }
      }
    )
    return Effect.gen(function* () {
      if (hedge) {
        const usual = yield* Effect.forkChild(
          Inference.generateBatch(Array.from({ length: 48 }, () => "usual"))
        )
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(usual)
      }
      const fibers = yield* Effect.forEach(Array.from({ length: requests }), (_, request) =>
        Effect.forkChild(
          Effect.exit(
            Inference.generate(`question ${request}`, {
              output: Schema.Struct({ a: Schema.Int }),
              maxRepairs,
              deadline: "1 hour"
            })
          ),
          { startImmediately: true }
        )
      )
      yield* TestClock.adjust("2 hours")
      const most = Math.max(maxRetries, chain) + 1 + maxRepairs
      for (const fiber of fibers) {
        const exit = yield* Fiber.join(fiber)
        const error = Exit.isFailure(exit)
          ? exit.cause.reasons.find((one) => one._tag === "Fail")
          : undefined
        if (error !== undefined) assert.isAtMost(error.error.attempts, most)
      }
      for (const attempts of perText.values()) assert.isAtMost(attempts, most)
      const state = yield* Scheduler.snapshot
      assert.deepInclude(state, { waiting: 0, inFlight: 0 })
    }).pipe(Effect.provide(layer), Effect.orDie)
  }

  it.effect(
    "are never more than allowed, whatever fails: retries, fallbacks, hedges and repairs together",
    () =>
      Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(worlds, (world) =>
            Effect.runPromise(Effect.provide(play(world), TestClock.layer()))
          ),
          { numRuns: 150 }
        )
      )
  )

  it.effect("that are retries are never above the client's retry budget", () =>
    Effect.gen(function* () {
      const batch = yield* Effect.forkChild(
        Inference.generateBatch(
          Array.from({ length: 1000 }, (_, index) => `${index}`),
          { concurrency: 1000 }
        )
      )
      yield* TestClock.adjust("20 seconds")
      yield* Fiber.join(batch)
      const retries = (yield* askedModels).length - 1000
      // A fifth of the requests, the reserve of a hundred, and a third of that again for the time it took.
      assert.isAtMost(retries, 200 + 100 + 34)
      assert.isAtLeast(retries, 200)
    }).pipe(
      Effect.provide(
        TestClient.layer(
          { health: { failuresInARow: 1000, failureShare: 1 } },
          // One in ten is answered, so that the breaker stays closed.
          { reply: ({ index }) => (index % 10 === 0 ? "ok" : TestProvider.unavailable()) }
        )
      )
    )
  )

  it.effect("are all in the error, those of hedges and of earlier turns too", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(
        Effect.flip(
          Inference.generate("x", { output: Schema.Struct({ a: Schema.Int }), maxRepairs: 1 })
        ),
        { startImmediately: true }
      )
      yield* TestClock.adjust("10 minutes")
      const error = yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        error.failures?.map(({ reason }) => reason._tag),
        ["InternalProviderError", "InvalidRequestError"]
      )
    }).pipe(
      Effect.provide(
        TestClient.layer(
          {},
          {
            reply: ({ index }) =>
              index === 0
                ? TestProvider.unavailable()
                : index === 1
                  ? { text: "no json", usage: Usage.make({ promptTokens: 1, completionTokens: 1 }) }
                  : TestProvider.fail(reasons.invalid)
          }
        )
      )
    )
  )
})
