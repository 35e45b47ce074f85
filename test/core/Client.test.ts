import { assert, describe, it } from "@effect/vitest"
import type { ClientSettings } from "@infermesh/core/Client"
import * as Client from "@infermesh/core/Client"
import * as Inference from "@infermesh/core/Inference"
import { AttemptError } from "@infermesh/core/provider/Provider"
import * as Providers from "@infermesh/core/provider/Providers"
import type { StrategyName } from "@infermesh/core/routing/Strategy"
import { strategies } from "@infermesh/core/routing/Strategy"
import * as Scheduler from "@infermesh/core/Scheduler"
import * as Pricing from "@infermesh/core/telemetry/Pricing"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Duration, Effect, Fiber, Layer } from "effect"
import { AiError } from "effect/ai"
import { TestClock } from "effect/testing"

import * as TestClient from "./TestClient.ts"

const asked = TestProvider.TestProvider.use((provider) => provider.asked)
const askedModels = Effect.map(asked, (all) => all.map(({ target }) => target.model))

/** Asks one after the other and tells where each went. */
const places = (count: number, options: Parameters<typeof Inference.generate>[1] = {}) =>
  Effect.forEach(Array.from({ length: count }), () =>
    Effect.map(Inference.generate("x", options), ({ metrics }) => metrics.deployment)
  )

const many = (
  count: number,
  options: { readonly model?: string; readonly stickyKey?: string } = {}
) =>
  Effect.forkChild(
    Inference.generateBatch(
      Array.from({ length: count }, (_, index) => `${index}`),
      { concurrency: count, ...options }
    ),
    { startImmediately: true }
  )

const ab = { a: { model: "test/a" }, b: { model: "test/b" } } as const

describe("a quota that deployments share", () => {
  const settings: ClientSettings = {
    deployments: {
      a: { model: "test/a", quotaKeys: ["key"] },
      b: { model: "test/b", quotaKeys: ["key"], limits: { rpm: 2 } }
    },
    quotas: { key: { rpm: 5 } }
  }

  it.effect("is never passed by them together, and their own limits hold besides", () =>
    Effect.gen(function* () {
      const batch = yield* many(20)
      for (let minute = 1; minute <= 3; minute++) {
        yield* TestClock.adjust("1 second")
        const models = (yield* askedModels).slice(5 * (minute - 1))
        assert.strictEqual(models.length, 5)
        assert.isAtMost(models.filter((model) => model === "b").length, 2)
        yield* TestClock.adjust("60 seconds")
      }
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual((yield* Fiber.join(batch)).successes.length, 20)
    }).pipe(Effect.provide(TestClient.layer(settings)))
  )

  it.effect("learns from what any of them hears", () =>
    Effect.gen(function* () {
      yield* Inference.generate("x", { model: "a" })
      const { deployments } = yield* Scheduler.snapshot
      for (const { limits } of deployments)
        assert.deepInclude(limits[0], { name: "rpm", limit: 3, learned: false })
      yield* many(20, { model: "b" })
      // One of the three is used by a.
      assert.strictEqual((yield* asked).length, 3)
    }).pipe(
      Effect.provide(
        TestClient.layer(
          {
            ...settings,
            deployments: {
              a: { model: "test/a", quotaKeys: ["key"] },
              b: { model: "test/b", quotaKeys: ["key"] }
            }
          },
          {
            reply: () => ({
              text: "ok",
              rateLimits: {
                requests: { limit: 3, remaining: 2, resetMillis: 20_000 },
                tokens: undefined
              }
            })
          }
        )
      )
    )
  )
})

describe("slots", () => {
  it.effect("are a deployment's own, whatever the others have", () =>
    Effect.gen(function* () {
      const batch = yield* many(12)
      yield* TestClock.adjust("100 millis")
      const models = yield* askedModels
      assert.strictEqual(models.filter((model) => model === "a").length, 2)
      assert.strictEqual(models.filter((model) => model === "b").length, 3)
      const { deployments } = yield* Scheduler.snapshot
      assert.deepStrictEqual(
        deployments.map(({ inFlight, slotReason, slots }) => [slots, inFlight, slotReason]),
        [
          [2, 2, "fixed"],
          [3, 3, "fixed"]
        ]
      )
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(batch)
    }).pipe(
      Effect.provide(
        TestClient.layer(
          {
            deployments: {
              a: { ...ab.a, maxParallelRequests: 2 },
              b: { ...ab.b, maxParallelRequests: 3 }
            }
          },
          { latency: "1 second" }
        )
      )
    )
  )

  it.effect("that adapt grow while they are used, shrink when refused, and say why", () =>
    Effect.gen(function* () {
      const start = yield* Scheduler.snapshot
      assert.deepInclude(start, { slots: 4, slotReason: "initial" })
      const batch = yield* many(200)
      yield* TestClock.adjust("10 seconds")
      const grown = yield* Scheduler.snapshot
      assert.isAbove(grown.slots, 4)
      assert.strictEqual(grown.slotReason, "used")
      yield* TestClock.adjust("10 minutes")
      yield* Fiber.join(batch)
      const before = (yield* Scheduler.snapshot).slots
      const refused = yield* Effect.forkChild(
        Effect.flip(Inference.generate("overload", { deadline: "10 seconds" }))
      )
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(refused)
      const shrunk = yield* Scheduler.snapshot
      assert.isBelow(shrunk.slots, before)
      assert.strictEqual(shrunk.slotReason, "overload")
    }).pipe(
      Effect.provide(
        TestClient.layer(
          { maxParallelRequests: { adaptive: { min: 2, max: 64, initial: 4 } } },
          {
            latency: "1 second",
            reply: ({ text }) => (text === "overload" ? TestProvider.rateLimited() : "ok")
          }
        )
      )
    )
  )
})

describe("models, aliases and tags", () => {
  const settings: ClientSettings = {
    model: "smart",
    deployments: {
      one: { model: "test/big", models: ["smart"], tags: ["eu"] },
      two: { model: "test/big", models: ["smart"], tags: ["us", "batch"] },
      three: { model: "test/small", tags: ["eu"] }
    },
    aliases: { cheap: "test/small", best: "smart" }
  }
  const layer = TestClient.layer(settings)

  it.effect("choose the deployment by each of its names, and the default where none is named", () =>
    Effect.gen(function* () {
      const where = (options: Parameters<typeof places>[1]) =>
        Effect.map(places(20, options), (all) =>
          [...new Set(all)].toSorted((a, b) => `${a}`.localeCompare(`${b}`))
        )
      assert.deepStrictEqual(yield* where({}), ["one", "two"])
      assert.deepStrictEqual(yield* where({ model: "big" }), ["one", "two"])
      assert.deepStrictEqual(yield* where({ model: "test/small" }), ["three"])
      assert.deepStrictEqual(yield* where({ model: "cheap" }), ["three"])
      assert.deepStrictEqual(yield* where({ model: "best", tags: ["eu"] }), ["one"])
      assert.deepStrictEqual(yield* where({ tags: ["batch", "us"] }), ["two"])
    }).pipe(Effect.provide(layer))
  )

  it.effect("that nobody has fail the request at once, and say what there is", () =>
    Effect.gen(function* () {
      const model = yield* Effect.flip(Inference.generate("x", { model: "smrt" }))
      assert.match(model.message, /model: no deployment serves 'smrt'\. Known: best, big, cheap, /)
      const tags = yield* Effect.flip(Inference.generate("x", { tags: ["eu", "us"] }))
      assert.match(tags.message, /tags: no deployment of 'smart' has 'eu' and 'us'\. Known: /)
      assert.deepStrictEqual([model.attempts, tags.attempts], [0, 0])
    }).pipe(Effect.provide(layer))
  )
})

describe("routingStrategy", () => {
  const vectors = { reply: () => [Float32Array.from([1])] }
  for (const name of Object.keys(strategies) as ReadonlyArray<StrategyName>) {
    it.effect(`routes every operation: ${name}`, () =>
      Effect.gen(function* () {
        const provider = yield* TestProvider.TestProvider
        for (let index = 0; index < 8; index++) {
          yield* Inference.generate(`${index}`, { stickyKey: `${index}` })
          yield* Inference.embed([`${index}`], { stickyKey: `${index}` })
          yield* Inference.transcribe(new TextEncoder().encode("RIFF"), { stickyKey: `${index}` })
        }
        // One that hangs is passed by, whatever the strategy prefers.
        yield* provider.close
        const busy = yield* many(2, { stickyKey: "busy" })
        assert.strictEqual((yield* asked).length, 10)
        assert.strictEqual(new Set((yield* askedModels).slice(-2)).size, 2)
        yield* provider.open
        yield* Fiber.join(busy)
        assert.strictEqual((yield* provider.askedEmbed).length, 8)
        assert.strictEqual((yield* provider.askedTranscribe).length, 8)
        if (name === "ordered") {
          const all = [...(yield* provider.askedEmbed), ...(yield* provider.askedTranscribe)]
          for (const { target } of all) assert.strictEqual(target.model, "a")
        }
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {
              deployments: {
                a: { ...ab.a, maxParallelRequests: 1 },
                b: { ...ab.b, maxParallelRequests: 1 }
              },
              routingStrategy: name
            },
            { embed: vectors, transcribe: () => "said" }
          )
        )
      )
    )
  }

  it.effect("of one's own is told load, quota, price, key and time, and is obeyed", () => {
    const seen: Array<unknown> = []
    return Effect.gen(function* () {
      yield* Inference.generate("x", { stickyKey: "k" })
      assert.deepStrictEqual(yield* places(3), ["b", "b", "b"])
      assert.deepStrictEqual(seen[0], ["k", [1, 1], [true, true], ["a", "b"]])
    }).pipe(
      Effect.provide(
        TestClient.layer({
          deployments: {
            a: { ...ab.a, limits: { rpm: 100 }, price: { input: 1, output: 1 } },
            b: { ...ab.b, price: { input: 2, output: 2 } }
          },
          routingStrategy: (candidates, { stickyKey }) => {
            seen.push([
              stickyKey,
              candidates.map(({ headroom }) => headroom),
              candidates.map(({ price }) => price !== undefined),
              candidates.map(({ deployment }) => deployment.id)
            ])
            return candidates[1] ?? assert.fail("there are two")
          }
        })
      )
    )
  })

  it.effect("cost-based-routing takes the cheapest by the deployments' own prices", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual([...new Set(yield* places(10))], ["b"])
    }).pipe(
      Effect.provide(
        TestClient.layer({
          deployments: {
            a: { ...ab.a, price: { input: 2, output: 2 } },
            b: { ...ab.b, price: { input: 1, output: 1 } }
          },
          routingStrategy: "cost-based-routing"
        })
      )
    )
  )

  it.effect("usage-based-routing takes the one with the most quota left", () =>
    Effect.gen(function* () {
      const where = yield* places(12)
      assert.strictEqual(where.filter((label) => label === "b").length, 9)
    }).pipe(
      Effect.provide(
        TestClient.layer({
          deployments: {
            a: { ...ab.a, limits: { rpm: 10 } },
            b: { ...ab.b, limits: { rpm: 30 } }
          },
          routingStrategy: "usage-based-routing-v2"
        })
      )
    )
  )

  it.effect("sticky sends a key to the same deployment, and elsewhere while that is full", () =>
    Effect.gen(function* () {
      const home = yield* places(10, { stickyKey: "conversation" })
      assert.strictEqual(new Set(home).size, 1)
      const keys = yield* Effect.forEach(Array.from({ length: 40 }), (_, index) =>
        places(1, { stickyKey: `${index}` })
      )
      assert.strictEqual(new Set(keys.flat()).size, 2)
      const provider = yield* TestProvider.TestProvider
      yield* provider.close
      yield* many(4, { stickyKey: "conversation" })
      assert.strictEqual(new Set((yield* askedModels).slice(-4)).size, 2)
    }).pipe(Effect.provide(TestClient.layer({ deployments: ab, routingStrategy: "sticky" })))
  )
})

describe("health", () => {
  it.effect("pauses a deployment by Retry-After for everybody, and uses the others meanwhile", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 second")
      const first = yield* Effect.forkChild(Inference.generate("x"), { startImmediately: true })
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(
        yield* places(10),
        Array.from({ length: 10 }, () => "b")
      )
      yield* TestClock.adjust("30 seconds")
      yield* Fiber.join(first)
      assert.strictEqual((yield* places(1))[0], "a")
    }).pipe(
      Effect.provide(
        TestClient.layer(
          { deployments: ab, routingStrategy: "ordered" },
          {
            reply: ({ index }) =>
              index === 0 ? TestProvider.rateLimited(Duration.seconds(30)) : "ok"
          }
        )
      )
    )
  )

  it.effect("is checked by itself where settings say so, so that no request finds out", () => {
    let up = true
    const provider = Effect.map(TestProvider.make(), ({ provider: test }) =>
      Providers.make([
        {
          ...test,
          connect: (target) =>
            Effect.map(test.connect(target), (connection) => ({
              ...connection,
              check: Effect.suspend(() =>
                up || target.model !== "a"
                  ? Effect.void
                  : Effect.fail(
                      new AttemptError({
                        reason: new AiError.InternalProviderError({ description: "down" }),
                        outcome: "refused"
                      })
                    )
              )
            }))
        }
      ])
    )
    return Effect.gen(function* () {
      assert.strictEqual((yield* places(1))[0], "a")
      up = false
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Scheduler.snapshot).deployments[0]?.health, "open")
      assert.strictEqual((yield* places(1))[0], "b")
      up = true
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* places(1))[0], "a")
    }).pipe(
      Effect.provide(
        Client.layer({
          deployments: ab,
          routingStrategy: "ordered",
          health: { failuresInARow: 3 },
          healthCheck: { every: "5 seconds", when: "always" }
        }).pipe(
          Layer.provide([Layer.effect(Providers.Providers, provider), Pricing.layerTable({})])
        )
      )
    )
  })
})

describe("a client without any limits", () => {
  const headers = (limit: number, remaining: number, resetMillis: number) => ({
    requests: { limit, remaining, resetMillis },
    tokens: undefined
  })

  it.effect("learns them from the first answer's headers, and keeps them", () =>
    Effect.gen(function* () {
      yield* Inference.generate("first")
      assert.deepInclude((yield* Scheduler.snapshot).deployments[0]?.limits[0], {
        name: "rpm",
        limit: 10,
        learned: true
      })
      const batch = yield* many(30)
      yield* TestClock.adjust("50 seconds")
      assert.isAtMost((yield* asked).length, 10)
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual((yield* Fiber.join(batch)).successes.length, 30)
    }).pipe(
      Effect.provide(
        TestClient.layer(
          {},
          {
            reply: ({ index }) => ({
              text: "ok",
              rateLimits: headers(10, 9 - (index % 10), 60_000)
            })
          }
        )
      )
    )
  )

  it.effect("learns them from the headers of a refusal", () =>
    Effect.gen(function* () {
      const first = yield* Effect.forkChild(Inference.generate("x"), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.deepInclude((yield* Scheduler.snapshot).deployments[0]?.limits[0], { limit: 7 })
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* asked).length, 1)
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(first)
    }).pipe(
      Effect.provide(
        TestClient.layer(
          {},
          {
            reply: ({ index }) =>
              index === 0
                ? new AttemptError({
                    reason: new AiError.RateLimitError({}),
                    outcome: "refused",
                    rateLimits: headers(7, 0, 30_000)
                  })
                : "ok"
          }
        )
      )
    )
  )

  it.effect("takes a header for the window that `headerScope` names", () =>
    Effect.gen(function* () {
      yield* Inference.generate("x")
      assert.deepInclude((yield* Scheduler.snapshot).deployments[0]?.limits[0], { name: "rpd" })
    }).pipe(
      Effect.provide(
        TestClient.layer(
          { headerScope: "day" },
          { reply: () => ({ text: "ok", rateLimits: headers(1000, 999, 1000) }) }
        )
      )
    )
  )
})
