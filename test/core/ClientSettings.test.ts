import { assert, describe, it } from "@effect/vitest"
import type * as Client from "@infermesh/core/Client"
import * as ClientSettings from "@infermesh/core/ClientSettings"
import { Duration, Effect, Layer, Redacted, Schema } from "effect"

import * as TestClient from "./TestClient.ts"

const ab = { a: { model: "test/a" }, b: { model: "test/b" } }

const refused = (settings: unknown) =>
  Layer.build(TestClient.layer(settings as Client.ClientSettings)).pipe(
    Effect.scoped,
    Effect.flip,
    Effect.map(({ message }) => message)
  )

describe("ClientSettings", () => {
  it.effect("decode from what a file may hold, every one of them", () =>
    Effect.gen(function* () {
      const settings = yield* Schema.decodeUnknownEffect(
        Schema.toCodecJson(ClientSettings.ClientSettings)
      )({
        model: "smart",
        deployments: {
          a: {
            model: "test/a",
            apiBase: "http://a/v1",
            apiKey: "sesame",
            models: ["smart"],
            tags: ["eu"],
            limits: {
              rpm: 1,
              tpm: 2,
              itpm: 3,
              otpm: 4,
              rpd: 5,
              tpd: 6,
              itpd: 7,
              otpd: 8,
              audioSecondsPerMinute: 0.5,
              audioSecondsPerDay: 1,
              usdPerMinute: 0.1,
              usdPerDay: 2,
              maxRequestBurst: 1,
              maxTokenBurst: 2
            },
            headerScope: "minute",
            quotaKeys: ["key"],
            maxParallelRequests: { adaptive: { min: 1, max: 8, initial: 2 } },
            weight: 2,
            price: { input: 1, output: 2 },
            headers: { "x-team": "a" },
            extraBody: { top_k: 1 }
          },
          b: { model: "test/b" }
        },
        aliases: { best: "smart" },
        limits: { rpm: 10 },
        quotas: { key: { tpm: 100 } },
        maxParallelRequests: 4,
        maxRetries: 2,
        fallbacks: { smart: ["test/b"] },
        contextWindowFallbacks: { smart: ["test/b"] },
        contentPolicyFallbacks: { smart: ["test/b"] },
        hedge: { percentile: 0.9, maxShare: 0.1 },
        coalesce: true,
        budget: { name: "night", usd: 5, tokens: 1000, warnAt: [0.5] },
        routingStrategy: "usage-based-routing-v2",
        health: { failuresInARow: 3, openFor: "10 seconds" },
        healthCheck: { when: "always" },
        defaults: { temperature: 0 }
      })
      assert.strictEqual(
        Redacted.value(settings.deployments?.["a"]?.apiKey ?? assert.fail("no key")),
        "sesame"
      )
      yield* ClientSettings.check(settings)
      yield* Layer.build(TestClient.layer(settings)).pipe(Effect.scoped)
    })
  )

  it.effect("take times in words, and refuse what is no time above zero", () =>
    Effect.gen(function* () {
      const good = [
        { timeout: "30 seconds" },
        { deadline: Duration.minutes(1) },
        {
          healthCheck: { every: "5 seconds" }
        }
      ] as const
      for (const settings of good) yield* ClientSettings.check({ model: "test/m", ...settings })
      for (const [settings, name] of [
        [{ timeout: 0 }, "timeout"],
        [{ deadline: "soon" }, "deadline"],
        [{ healthCheck: { every: 0 } }, "healthCheck.every"],
        [{ health: { openFor: "never" } }, "health.openFor"]
      ] as const) {
        assert.match(
          yield* refused({ model: "test/m", ...settings }),
          new RegExp(`^${name.replace(".", "\\.")}: .*a time above zero`)
        )
      }
    })
  )

  const wrong: ReadonlyArray<readonly [string, object, RegExp]> = [
    ["limits", { limits: { rpm: 0 } }, /^limits\.rpm: 0 is not a whole number of at least 1/],
    ["limits", { limits: { usdPerDay: -1 } }, /^limits\.usdPerDay: -1 is not above 0/],
    ["a budget", { budget: { usd: 0 } }, /^budget\.usd: /],
    ["a budget", { budget: { warnAt: [2] } }, /^budget\.warnAt\.?\[?0\]?: /],
    ["maxRetries", { maxRetries: -1 }, /^maxRetries: /],
    ["maxRetries", { maxRetries: 1.5 }, /^maxRetries: /],
    ["hedge", { hedge: { percentile: 1 } }, /^hedge\.percentile: /],
    ["hedge", { hedge: { maxShare: 2 } }, /^hedge\.maxShare: /],
    ["coalesce", { coalesce: "yes" }, /^coalesce: /],
    ["headerScope", { headerScope: "hour" }, /^headerScope: /],
    ["routingStrategy", { routingStrategy: "fastest" }, /^routingStrategy: .*least-busy/],
    ["health", { health: { failureShare: 0 } }, /^health\.failureShare: /],
    ["healthCheck", { healthCheck: { when: "never" } }, /^healthCheck\.when: /],
    [
      "maxParallelRequests",
      { maxParallelRequests: "many" },
      /^maxParallelRequests: .*a number such as 32 or \{ adaptive/
    ],
    [
      "adaptive bounds",
      { maxParallelRequests: { adaptive: { min: 5, max: 2 } } },
      /^maxParallelRequests\.adaptive\.min: 5 is above max, which is 2/
    ],
    ["price", { price: { input: -1, output: 1 } }, /^price\.input: /]
  ]
  for (const [name, settings, message] of wrong) {
    it.effect(`name what is wrong: ${name}, ${JSON.stringify(settings)}`, () =>
      Effect.gen(function* () {
        assert.match(yield* refused({ model: "test/m", ...settings }), message)
      })
    )
  }

  const wrongNames: ReadonlyArray<readonly [object, RegExp]> = [
    [{ model: "c" }, /^model: no deployment serves 'c'\. Known: /],
    [{ fallbacks: { a: ["c"] } }, /^fallbacks: no deployment serves 'c'\. Known: /],
    [{ fallbacks: { c: ["a"] } }, /^fallbacks: no deployment serves 'c'\. Known: /],
    [{ contextWindowFallbacks: { a: ["c"] } }, /^contextWindowFallbacks: no deployment serves 'c'/],
    [{ contentPolicyFallbacks: { a: ["c"] } }, /^contentPolicyFallbacks: no deployment serves 'c'/],
    [{ aliases: { best: "c" } }, /^aliases\.best: 'best' stands for 'c', which no deployment/],
    [
      { deployments: { a: { model: "test/a", quotaKeys: ["k"] } }, quotas: { key: { rpm: 1 } } },
      /^deployments\.a\.quotaKeys: there is no quota 'k'.*known: key/
    ],
    [{ deployments: { a: { model: "test/a", weight: 0 } } }, /^deployments\.a\.weight: /],
    [
      { deployments: { a: { model: "test/a", limits: { rpm: 0 } } } },
      /^deployments\.a\.limits\.rpm: /
    ],
    [{ quotas: { key: { tpm: 0 } } }, /^quotas\.key\.tpm: /],
    [{ deployments: {} }, /^deployments: there is none/],
    [{ apiBase: "http://h" }, /^apiBase: it cannot be given together with deployments/],
    [{ headerScope: "day" }, /^headerScope: it cannot be given together with deployments/]
  ]
  for (const [settings, message] of wrongNames) {
    it.effect(`name what is wrong with deployments: ${JSON.stringify(settings)}`, () =>
      Effect.gen(function* () {
        assert.match(yield* refused({ deployments: ab, ...settings }), message)
      })
    )
  }

  it.effect("refuse a setting that nobody knows, instead of ignoring it", () =>
    Effect.gen(function* () {
      assert.match(yield* refused({ model: "test/m", maxRetry: 5 }), /^maxRetry: /)
      assert.match(
        yield* refused({ model: "test/m", limits: { requestsPerMinute: 5 } }),
        /^limits\.requestsPerMinute: /
      )
    })
  )
})
