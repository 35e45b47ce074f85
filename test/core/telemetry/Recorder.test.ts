import { assert, describe, it } from "@effect/vitest"
import * as Budget from "@infermesh/core/admission/Budget"
import * as ResponseCache from "@infermesh/core/cache/ResponseCache"
import * as Inference from "@infermesh/core/Inference"
import * as Usage from "@infermesh/core/operation/Usage"
import { metrics } from "@infermesh/core/telemetry/Metrics"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Duration, Effect, Fiber, Layer, Metric, Result, Schema, Stream } from "effect"
import { AiError } from "effect/ai"
import { TestClock } from "effect/testing"

import * as TestClient from "../TestClient.ts"
import { all, count, fresh, meanwhile, sum } from "./Registry.ts"

const request = {
  "gen_ai.operation.name": "chat",
  "gen_ai.provider.name": "test",
  "gen_ai.request.model": "model"
}
const deployment = { "infermesh.deployment": "test/model" }

const failing = (times: number, error: () => TestProvider.Reply) => ({
  reply: ({ index }: TestProvider.Asked) => (index < times ? error() : "answer")
})

describe("metrics of a request", () => {
  it.effect("that is answered: one attempt, its times, its tokens and its cost", () =>
    fresh(
      Effect.gen(function* () {
        yield* meanwhile(Inference.generate("x"))
        assert.deepStrictEqual(yield* all(metrics.attempts.name), [
          {
            labels: {
              "gen_ai.operation.name": "chat",
              "infermesh.attempt.outcome": "answered",
              ...deployment
            },
            count: 1
          }
        ])
        assert.strictEqual(yield* count(metrics.duration.name, request), 1)
        assert.strictEqual(yield* sum(metrics.duration.name), 2)
        assert.strictEqual(yield* sum(metrics.serviceTime.name, request), 2)
        assert.strictEqual(yield* sum(metrics.queueWait.name, request), 0)
        assert.strictEqual(
          yield* sum(metrics.attemptDuration.name, { "infermesh.attempt.outcome": "answered" }),
          2
        )
        const tokens = (type: string) =>
          sum(metrics.tokens.name, { ...request, "gen_ai.token.type": type })
        assert.deepStrictEqual([yield* tokens("input"), yield* tokens("output")], [100, 10])
        // 100 tokens at 1 and 10 tokens at 2 dollars per million.
        assert.closeTo(
          yield* count(metrics.cost.name, { ...request, ...deployment }),
          120 / 1e6,
          1e-12
        )
        for (const name of ["retries", "fallbacks", "hedges", "rateLimited", "firstPart"] as const)
          assert.deepStrictEqual(yield* all(metrics[name].name), [])
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            {
              latency: "2 seconds",
              reply: () => ({
                text: "answer",
                usage: Usage.make({ promptTokens: 100, completionTokens: 10 })
              })
            }
          )
        )
      )
    )
  )

  it.effect("that waits for quota: the wait is told apart from the service", () =>
    fresh(
      Effect.gen(function* () {
        const [, second] = yield* meanwhile(
          Inference.generateBatch(["a", "b"], { mode: "failFast" })
        )
        const { queueWait } = Result.getOrThrow(second as NonNullable<typeof second>).metrics
        assert.isAtLeast(Duration.toSeconds(queueWait), 60)
        assert.strictEqual(yield* sum(metrics.queueWait.name), Duration.toSeconds(queueWait))
        assert.strictEqual(yield* sum(metrics.serviceTime.name), 0)
      }).pipe(Effect.provide(TestClient.layer({ limits: { rpm: 1 } })))
    )
  )

  it.effect("that fails: the failure is a label of the request and of its attempt", () =>
    fresh(
      Effect.gen(function* () {
        yield* Effect.flip(Inference.generate("x"))
        const error = { "error.type": "InvalidRequestError" }
        assert.strictEqual(yield* count(metrics.duration.name, { ...request, ...error }), 1)
        assert.strictEqual(yield* count(metrics.duration.name), 1)
        assert.strictEqual(
          yield* count(metrics.attempts.name, { "infermesh.attempt.outcome": "failed", ...error }),
          1
        )
        assert.strictEqual(yield* count(metrics.cost.name), 0)
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            failing(1, () => TestProvider.fail(new AiError.InvalidRequestError({})))
          )
        )
      )
    )
  )

  it.effect("that is retried: each attempt counts, and each retry by what it followed", () =>
    fresh(
      Effect.gen(function* () {
        yield* meanwhile(Inference.generate("x"))
        assert.strictEqual(
          yield* count(metrics.attempts.name, { "error.type": "InternalProviderError" }),
          2
        )
        assert.strictEqual(
          yield* count(metrics.attempts.name, { "infermesh.attempt.outcome": "answered" }),
          1
        )
        assert.strictEqual(
          yield* count(metrics.retries.name, {
            ...deployment,
            "error.type": "InternalProviderError"
          }),
          2
        )
        assert.strictEqual(yield* count(metrics.duration.name, request), 1)
        assert.isAbove(yield* sum(metrics.queueWait.name), 0)
      }).pipe(Effect.provide(TestClient.layer({}, failing(2, TestProvider.unavailable))))
    )
  )

  it.effect(
    "that the provider's rate limit refuses: the refusal counts, and ill-formed headers",
    () =>
      fresh(
        Effect.gen(function* () {
          yield* meanwhile(Inference.generate("x"))
          assert.strictEqual(yield* count(metrics.rateLimited.name, deployment), 1)
          assert.strictEqual(
            yield* count(metrics.retries.name, { "error.type": "RateLimitError" }),
            1
          )
          assert.strictEqual(yield* count(metrics.illFormed.name, deployment), 3)
        }).pipe(
          Effect.provide(
            TestClient.layer(
              {},
              {
                reply: ({ index }) =>
                  index === 0
                    ? TestProvider.rateLimited(Duration.seconds(1))
                    : {
                        text: "answer",
                        rateLimits: { requests: undefined, tokens: undefined, illFormed: 3 }
                      }
              }
            )
          )
        )
      )
  )

  it.effect("that a budget stops: nothing was attempted", () =>
    fresh(
      Effect.gen(function* () {
        const budget = yield* Budget.make({ name: "tiny", tokens: 1 })
        yield* Effect.flip(Inference.generate("long enough").pipe(Budget.within(budget)))
        assert.strictEqual(
          yield* count(metrics.budgetRefused.name, { "infermesh.budget": "tiny token" }),
          1
        )
        assert.strictEqual(yield* count(metrics.attempts.name), 0)
        // It reached no deployment; its labels are those of the one it would have gone to.
        assert.strictEqual(
          yield* count(metrics.duration.name, { ...request, "error.type": "BudgetExceeded" }),
          1
        )
      }).pipe(Effect.provide(TestClient.layer()))
    )
  )

  it.effect("that is interrupted: the attempt and the request say so", () =>
    fresh(
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(Inference.generate("x"), { startImmediately: true })
        yield* TestClock.adjust("3 seconds")
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(
          yield* count(metrics.attempts.name, { "infermesh.attempt.outcome": "interrupted" }),
          1
        )
        assert.strictEqual(
          yield* sum(metrics.attemptDuration.name, { "infermesh.attempt.outcome": "interrupted" }),
          3
        )
        assert.strictEqual(
          yield* sum(metrics.duration.name, { ...request, "error.type": "interrupted" }),
          3
        )
      }).pipe(Effect.provide(TestClient.layer({}, { latency: "1 hour" })))
    )
  )

  it.effect("that is interrupted while it waits: no attempt is counted", () =>
    fresh(
      Effect.gen(function* () {
        yield* Inference.generate("first")
        const fiber = yield* Effect.forkChild(Inference.generate("x"), { startImmediately: true })
        yield* TestClock.adjust("3 seconds")
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(yield* count(metrics.attempts.name), 1)
        assert.strictEqual(yield* sum(metrics.queueWait.name, request), 3)
      }).pipe(Effect.provide(TestClient.layer({ limits: { rpm: 1 } })))
    )
  )

  it.effect("that takes too long: by the reason of the deadline", () =>
    fresh(
      Effect.gen(function* () {
        yield* meanwhile(Effect.flip(Inference.generate("x", { deadline: "2 seconds" })))
        assert.strictEqual(
          yield* sum(metrics.duration.name, { "error.type": "DeadlineExceeded" }),
          2
        )
        assert.strictEqual(
          yield* count(metrics.attempts.name, { "infermesh.attempt.outcome": "interrupted" }),
          1
        )
      }).pipe(Effect.provide(TestClient.layer({}, { latency: "1 hour" })))
    )
  )

  it.effect("whose answer does not fit: it failed, and what it cost is counted", () =>
    fresh(
      Effect.gen(function* () {
        yield* Effect.flip(Inference.generate("x", { output: Schema.Struct({ a: Schema.Int }) }))
        assert.strictEqual(
          yield* count(metrics.duration.name, { "error.type": "StructuredOutputError" }),
          1
        )
        assert.strictEqual(
          yield* count(metrics.attempts.name, { "infermesh.attempt.outcome": "answered" }),
          1
        )
        assert.isAbove(yield* count(metrics.cost.name), 0)
      }).pipe(Effect.provide(TestClient.layer()))
    )
  )

  it.effect("that is streamed: the time to its first part", () =>
    fresh(
      Effect.gen(function* () {
        yield* meanwhile(Stream.runDrain(Inference.generateStream("x")))
        assert.strictEqual(yield* sum(metrics.firstPart.name, request), 3)
        assert.strictEqual(yield* count(metrics.firstPart.name, request), 1)
        assert.strictEqual(yield* sum(metrics.attemptDuration.name), 10)
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            {
              stream: () => ({ steps: [{ pause: "3 seconds" }, "a", { pause: "7 seconds" }, "b"] })
            }
          )
        )
      )
    )
  )

  it.effect("that is streamed and breaks after its first part: as its caller sees it", () =>
    fresh(
      Effect.gen(function* () {
        yield* Effect.flip(Stream.runDrain(Inference.generateStream("x")))
        assert.strictEqual(
          yield* count(metrics.duration.name, { ...request, "error.type": "StreamInterrupted" }),
          1
        )
        assert.strictEqual(
          yield* count(metrics.attempts.name, { "error.type": "InternalProviderError" }),
          1
        )
        assert.strictEqual(yield* count(metrics.firstPart.name), 1)
      }).pipe(
        Effect.provide(
          TestClient.layer({}, { stream: () => ({ steps: ["a", TestProvider.unavailable()] }) })
        )
      )
    )
  )

  it.effect("for embeddings and transcriptions: under the names of their operations", () =>
    fresh(
      Effect.gen(function* () {
        yield* Inference.embed(["a", "b"])
        yield* Inference.transcribe(Uint8Array.of(1, 2, 3), { fileName: "a.wav" })
        const of = (operation: string) =>
          count(metrics.duration.name, { "gen_ai.operation.name": operation })
        assert.deepStrictEqual([yield* of("embeddings"), yield* of("transcription")], [1, 1])
        assert.deepStrictEqual(
          (yield* all(metrics.tokens.name)).map(({ labels }) => labels["gen_ai.token.type"]),
          ["input"]
        )
      }).pipe(Effect.provide(TestClient.layer({}, { embed: {}, transcribe: () => "words" })))
    )
  )

  it.effect("for text completions: under their own name", () =>
    fresh(
      Effect.gen(function* () {
        yield* Inference.generate("x", { endpoint: "text_completion" })
        assert.strictEqual(
          yield* count(metrics.duration.name, { "gen_ai.operation.name": "text_completion" }),
          1
        )
      }).pipe(Effect.provide(TestClient.layer()))
    )
  )

  it.effect("that was given an answer again: where it came from, and no attempt", () =>
    fresh(
      Effect.gen(function* () {
        yield* Inference.generate("x")
        yield* Inference.generate("x")
        assert.strictEqual(
          yield* count(metrics.reused.name, { "infermesh.reuse.source": "cache" }),
          1
        )
        assert.strictEqual(yield* count(metrics.attempts.name), 1)
        assert.strictEqual(yield* count(metrics.duration.name, request), 2)
      }).pipe(Effect.provide(TestClient.layer().pipe(Layer.provide(ResponseCache.layerMemory()))))
    )
  )

  it.effect("goes to the registry and has the attributes of the program that asks", () =>
    fresh(
      Effect.gen(function* () {
        const asked = Inference.generate("x")
        yield* Effect.provideService(asked, Metric.CurrentMetricAttributes, { team: "a" })
        yield* Effect.provideService(asked, Metric.CurrentMetricAttributes, { team: "b" })
        yield* Effect.provideService(asked, Metric.MetricRegistry, new Map())
        assert.strictEqual(yield* count(metrics.duration.name, { ...request, team: "a" }), 1)
        assert.strictEqual(yield* count(metrics.duration.name, request), 2)
      }).pipe(Effect.provide(TestClient.layer()))
    )
  )
})

describe("metrics of fallbacks", () => {
  const layer = TestClient.layer(
    {
      model: "first",
      deployments: {
        a: { model: "test/a", models: ["first"] },
        b: { model: "test/b", models: ["other"] }
      },
      fallbacks: ["other"],
      maxRetries: 0
    },
    failing(1, TestProvider.unavailable)
  )

  it.effect("name the model that was asked instead, and what the one before failed with", () =>
    fresh(
      Effect.gen(function* () {
        yield* Inference.generate("x")
        assert.deepStrictEqual(
          (yield* all(metrics.fallbacks.name)).map(({ labels }) => labels),
          [
            {
              "gen_ai.operation.name": "chat",
              "infermesh.fallback.model": "other",
              "error.type": "InternalProviderError"
            }
          ]
        )
        assert.strictEqual(yield* count(metrics.retries.name), 0)
      }).pipe(Effect.provide(layer))
    )
  )
})

describe("metrics of hedges", () => {
  const deployments = { a: { model: "test/a" }, b: { model: "test/b" } }

  /** Asks until the client knows what is usual, then once where only one of the two is quick. */
  const race = (reply: TestProvider.TestProviderOptions["reply"]) =>
    Effect.gen(function* () {
      yield* meanwhile(Inference.generateBatch(Array.from({ length: 64 }, () => "usual")))
      return yield* meanwhile(Inference.generate("slow"))
    }).pipe(Effect.provide(TestClient.layer({ deployments, hedge: { maxShare: 1 } }, { reply })))

  it.effect("tell those that won from those that lost, and what the losers may have cost", () =>
    fresh(
      Effect.gen(function* () {
        let slow = 0
        const result = yield* race(({ text }) =>
          text === "usual"
            ? Effect.delay(Effect.succeed("usual"), "100 millis")
            : slow++ === 0
              ? Effect.delay(Effect.succeed("late"), "1 minute")
              : Effect.delay(Effect.succeed("quick"), "10 millis")
        )
        assert.strictEqual(result.outputText, "quick")
        const won = { "infermesh.hedge.outcome": "won" }
        assert.strictEqual(yield* count(metrics.hedges.name, won), 1)
        assert.strictEqual(yield* count(metrics.hedges.name), 1)
        assert.strictEqual(
          yield* count(metrics.attempts.name, { "infermesh.attempt.outcome": "interrupted" }),
          1
        )
        assert.strictEqual(yield* count(metrics.retries.name), 0)
      })
    )
  )

  it.effect("count one that is overtaken by the first as lost", () =>
    fresh(
      Effect.gen(function* () {
        let slow = 0
        const result = yield* race(({ text }) =>
          text === "usual"
            ? Effect.delay(Effect.succeed("usual"), "100 millis")
            : slow++ === 0
              ? Effect.delay(Effect.succeed("first"), "150 millis")
              : Effect.delay(Effect.succeed("second"), "1 minute")
        )
        assert.strictEqual(result.outputText, "first")
        assert.strictEqual(
          yield* count(metrics.hedges.name, { "infermesh.hedge.outcome": "lost" }),
          1
        )
        assert.strictEqual(yield* count(metrics.hedges.name), 1)
      })
    )
  )
})
