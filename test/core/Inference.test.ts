import { assert, describe, it } from "@effect/vitest"
import * as Inference from "@infermesh/core/Inference"
import type { InferenceError } from "@infermesh/core/InferenceError"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Duration, Effect, Fiber, Schema } from "effect"
import { AiError } from "effect/ai"
import { TestClock } from "effect/testing"

import * as TestClient from "./TestClient.ts"

const advanced = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    yield* TestClock.adjust("1 hour")
    return yield* Fiber.join(fiber)
  })

const failing = (
  times: number,
  failure: () => TestProvider.Reply
): TestProvider.TestProviderOptions => ({
  reply: ({ index }) => (index < times ? failure() : "ok"),
  latency: "1 second"
})

describe("generate", () => {
  it.effect("gives text, usage, cost and times that add up, and is its text", () =>
    Effect.gen(function* () {
      const result = yield* advanced(Inference.generate("12345678"))
      assert.strictEqual(String(result), "12345678")
      assert.strictEqual(result.outputParsed, undefined)
      assert.deepStrictEqual(
        [result.tokenUsage?.promptTokens, result.tokenUsage?.outputTokens],
        [2, 2]
      )
      assert.strictEqual(result.cost, 6e-6)
      assert.strictEqual(result.rawResponse, undefined)
      const { deployment, endToEnd, queueWait, retries, serviceTime } = result.metrics
      assert.strictEqual(Duration.toMillis(serviceTime), 1000)
      assert.strictEqual(Duration.toMillis(endToEnd), Duration.toMillis(queueWait) + 1000)
      assert.deepStrictEqual([deployment, retries], [undefined, 0])
    }).pipe(Effect.provide(TestClient.layer({}, { latency: "1 second" })))
  )

  it.effect("tries again what can pass, and counts failed attempts and waits in its times", () =>
    Effect.gen(function* () {
      const { metrics } = yield* advanced(Inference.generate("x"))
      assert.strictEqual(metrics.retries, 2)
      assert.strictEqual(Duration.toMillis(metrics.serviceTime), 3000)
      assert.isAtLeast(Duration.toMillis(metrics.queueWait), 1500)
    }).pipe(Effect.provide(TestClient.layer({}, failing(2, TestProvider.unavailable))))
  )

  it.effect("gives up after maxRetries, and says where, how often and why", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(advanced(Inference.generate("x")))
      assert.deepStrictEqual(
        [error.operation, error.deployment, error.attempts, error.reason._tag],
        ["generate", "gpu-0", 3, "InternalProviderError"]
      )
      assert.strictEqual(error.metrics?.retries, 2)
      assert.match(error.message, /^generate failed at gpu-0 after 3 attempts: /)
    }).pipe(
      Effect.provide(
        TestClient.layer(
          { deployments: { "gpu-0": { model: "test/model" } }, maxRetries: 2 },
          failing(9, TestProvider.unavailable)
        )
      )
    )
  )

  it.effect("never tries a spent account again, and is caught by the name of its reason", () =>
    Effect.gen(function* () {
      const caught = yield* advanced(
        Inference.generate("x").pipe(
          Effect.map(String),
          Effect.catchReason("InferenceError", "QuotaExhaustedError", (_, error) =>
            Effect.succeed(`attempts: ${error.attempts}`)
          )
        )
      )
      assert.strictEqual(caught, "attempts: 1")
    }).pipe(
      Effect.provide(
        TestClient.layer(
          {},
          failing(9, () => TestProvider.fail(new AiError.QuotaExhaustedError({})))
        )
      )
    )
  )

  it.effect("waits as long as Retry-After asks, for everybody, and outside the slot", () =>
    Effect.gen(function* () {
      const first = yield* Effect.forkChild(Inference.generate("a"), { startImmediately: true })
      const second = yield* Effect.forkChild(
        Effect.andThen(Effect.sleep(10), Inference.generate("b")),
        {
          startImmediately: true
        }
      )
      yield* TestClock.adjust("19 seconds")
      assert.strictEqual((yield* TestProvider.TestProvider.use(({ asked }) => asked)).length, 1)
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(first)
      yield* Fiber.join(second)
    }).pipe(
      Effect.provide(
        TestClient.layer(
          { maxParallelRequests: 1 },
          {
            reply: ({ index }) =>
              index === 0 ? TestProvider.rateLimited(Duration.seconds(20)) : "ok"
          }
        )
      )
    )
  )

  it.effect(
    "ends an attempt at its time-out and a request at its deadline, each with its own reason",
    () =>
      Effect.gen(function* () {
        const slow = Inference.generate("x", { timeout: "10 seconds" })
        assert.strictEqual((yield* Effect.flip(advanced(slow))).reason._tag, "TimedOut")
        const late = Inference.generate("x", { timeout: "10 seconds", deadline: "15 seconds" })
        const error = yield* Effect.flip(advanced(late))
        assert.strictEqual(error.reason._tag, "DeadlineExceeded")
        assert.strictEqual(error.attempts, 2)
        assert.strictEqual(
          (yield* TestProvider.TestProvider.use(({ inFlight }) => inFlight)).now,
          0
        )
      }).pipe(Effect.provide(TestClient.layer({ maxRetries: 1 }, { latency: "1 minute" })))
  )

  const Summary = Schema.Struct({
    headline: Schema.String,
    words: Schema.Array(Schema.String),
    note: Schema.optionalKey(Schema.String)
  })

  it.effect("decodes structured output by its Schema, and tells the provider its strict form", () =>
    Effect.gen(function* () {
      const fenced = '```json\n{"headline":"h","words":["a"],"note":null}\n```'
      const result = yield* Inference.generate(fenced, { output: Summary })
      assert.deepStrictEqual(result.outputParsed, { headline: "h", words: ["a"] })
      const list = yield* Inference.generate('{"value":[1,2]}', {
        output: Schema.Array(Schema.Int)
      })
      assert.deepStrictEqual(list.outputParsed, [1, 2])
      const [asked] = yield* TestProvider.TestProvider.use(({ asked: all }) => all)
      assert.strictEqual(asked?.request.output?.strict, true)
      assert.deepStrictEqual(asked?.request.output?.jsonSchema["required"], [
        "headline",
        "words",
        "note"
      ])
    }).pipe(Effect.provide(TestClient.layer()))
  )

  it.effect(
    "keeps an answer that does not fit its Schema whole in the error: it was paid for",
    () =>
      Effect.gen(function* () {
        const error: InferenceError = yield* Effect.flip(
          Inference.generate('{"headline":1}', { output: Summary })
        )
        assert.strictEqual(error.reason._tag, "StructuredOutputError")
        assert.match(error.message, /at headline: Expected string/)
        assert.strictEqual(error.result?.outputText, '{"headline":1}')
        assert.isDefined(error.result?.tokenUsage)
        assert.isDefined(error.result?.cost)
        assert.strictEqual(error.attempts, 1)
      }).pipe(Effect.provide(TestClient.layer()))
  )

  it.effect(
    "accepts a plain JSON Schema, in OpenAI's wrapper too, and refuses one that is none",
    () =>
      Effect.gen(function* () {
        const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] }
        assert.deepStrictEqual(
          (yield* Inference.generate('{"n":1}', { output: schema })).outputParsed,
          { n: 1 }
        )
        const wrapped = { type: "json_schema", json_schema: { name: "n", schema } }
        assert.deepStrictEqual(
          (yield* Inference.generate('{"n":1}', { output: wrapped })).outputParsed,
          { n: 1 }
        )
        const misfit = yield* Effect.flip(Inference.generate('{"n":"x"}', { output: schema }))
        assert.match(misfit.message, /at \/n: must be integer/)
        const wrong = yield* Effect.flip(Inference.generate("{}", { output: { type: "nonsense" } }))
        assert.deepStrictEqual([wrong.reason._tag, wrong.attempts], ["UnsupportedSchemaError", 0])
      }).pipe(Effect.provide(TestClient.layer()))
  )

  it.effect("fails with the refusal's words when the model refuses, and keeps the usage", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Inference.generate("x"))
      assert.strictEqual(error.reason._tag, "ContentPolicyError")
      assert.match(error.message, /I cannot help/)
      assert.isDefined(error.result?.tokenUsage)
    }).pipe(
      Effect.provide(
        TestClient.layer({}, { reply: () => ({ text: "", refusal: "I cannot help" }) })
      )
    )
  )

  it.effect("refuses bad input and bad options before anything is sent, naming them", () =>
    Effect.gen(function* () {
      const messages = (list: unknown) => Inference.generate(list as [])
      const cases: ReadonlyArray<
        readonly [Effect.Effect<unknown, InferenceError, Inference.Inference>, RegExp]
      > = [
        [messages([]), /messages: the message list is empty/],
        [messages([{ role: "robot", content: "x" }]), /messages\[0\]\.role: unknown role "robot"/],
        [messages([{ role: "user", content: 1 }]), /messages\[0\]/],
        [messages({ input: "x" }), /no input for the chat_completion endpoint/],
        [Inference.generate("x", { temperature: 9 }), /temperature/],
        [Inference.generate("x", { maxTokens: 0 }), /maxTokens/],
        [Inference.generate("x", { stream: true } as object), /stream: there is no such option/],
        [Inference.generate("x", { timeout: 0 }), /timeout: it must be a time above zero/],
        [Inference.generate("x", { toolChoice: { tool: "no" } }), /there is no tool 'no'/]
      ]
      for (const [effect, expected] of cases) {
        const error = yield* Effect.flip(effect)
        assert.match(error.message, expected)
        assert.notInclude(error.message, "\n")
        assert.strictEqual(error.attempts, 0)
      }
      assert.deepStrictEqual(yield* TestProvider.TestProvider.use(({ asked }) => asked), [])
    }).pipe(Effect.provide(TestClient.layer()))
  )

  it.effect("lets a call's options win over the client's defaults, field by field", () =>
    Effect.gen(function* () {
      yield* Inference.generate("x", { temperature: 1 })
      const [asked] = yield* TestProvider.TestProvider.use(({ asked: all }) => all)
      assert.deepStrictEqual(asked?.request.options, { temperature: 1, seed: 7 })
    }).pipe(Effect.provide(TestClient.layer({ defaults: { temperature: 0, seed: 7 } })))
  )

  it.effect("sends a second attempt to another deployment", () =>
    Effect.gen(function* () {
      const results = yield* advanced(
        Inference.generateBatch(Array.from({ length: 20 }, () => "x"))
      )
      assert.strictEqual(results.failures.length, 0)
      for (const [, { metrics }] of results.successes)
        assert.strictEqual(metrics.deployment, "good")
    }).pipe(
      Effect.provide(
        TestClient.layer(
          { deployments: { good: { model: "test/good" }, bad: { model: "test/bad" } } },
          { reply: ({ target }) => (target.model === "bad" ? TestProvider.unavailable() : "ok") }
        )
      )
    )
  )
})

describe("generateStream", () => {
  it.effect("refuses what the provider cannot do", () =>
    Effect.gen(function* () {
      const { Stream } = yield* Effect.promise(() => import("effect"))
      const error = yield* Effect.flip(Stream.runDrain(Inference.generateStream("x")))
      assert.strictEqual(error.reason._tag, "Unsupported")
    }).pipe(Effect.provide(TestClient.layer()))
  )
})
