import { assert, describe, it } from "@effect/vitest"
import * as Inference from "@infermesh/core/Inference"
import type { InferenceError } from "@infermesh/core/InferenceError"
import * as Usage from "@infermesh/core/operation/Usage"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Duration, Effect, Fiber, Latch, Schema, Stream } from "effect"
import { AiError } from "effect/ai"
import { TestClock } from "effect/testing"

import * as TestClient from "../TestClient.ts"

type Event = Inference.GenerateEvent<unknown>

const streaming = (
  steps: (asked: TestProvider.Asked) => Iterable<TestProvider.StreamStep>,
  more: Omit<TestProvider.StreamScript, "steps"> = {}
): TestProvider.TestProviderOptions => ({
  stream: (asked) => ({ steps: steps(asked), ...more })
})

const advanced = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    yield* TestClock.adjust("1 hour")
    return yield* Fiber.join(fiber)
  })

const broken = (stream: Stream.Stream<unknown, InferenceError, Inference.Inference>) =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(advanced(Stream.runDrain(stream)))
    return error.reason._tag === "StreamInterrupted"
      ? { error, ...error.reason }
      : assert.fail(`a ${error.reason._tag}`)
  })

const texts = (events: ReadonlyArray<Event>) =>
  events.map((event) => (event.type === "text-delta" ? event.text : "")).join("")

const asked = TestProvider.TestProvider.use(({ asked: all }) => all)
const inFlight = TestProvider.TestProvider.use((provider) => provider.inFlight)
const interruptions = TestProvider.TestProvider.use(({ interrupted }) => interrupted)

describe("generateStream", () => {
  describe("events", () => {
    it.effect("are the provider's parts in their order, then usage, then one finish", () =>
      Effect.gen(function* () {
        const events = yield* Stream.runCollect(Inference.generateStream("x"))
        assert.deepStrictEqual(events.slice(0, 4), [
          { type: "reasoning-delta", text: "hm", choice: 0 },
          { type: "text-delta", text: "a", choice: 0 },
          { type: "text-delta", text: "other", choice: 1 },
          {
            type: "tool-call-delta",
            choice: 0,
            index: 0,
            id: "1",
            name: "f",
            arguments: "{}"
          }
        ])
        assert.deepStrictEqual(
          events.slice(4).map(({ type }) => type),
          ["usage", "finish"]
        )
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            streaming(() => [
              { type: "reasoning-delta", text: "hm", choice: 0 },
              "a",
              { type: "text-delta", text: "other", choice: 1 },
              {
                type: "tool-call-delta",
                choice: 0,
                index: 0,
                id: "1",
                name: "f",
                arguments: "{}"
              }
            ])
          )
        )
      )
    )

    const usage = Usage.make({ promptTokens: 3, completionTokens: 5 })
    const detail = { reasoning: "hm", finishReason: "length" as const, requestId: "r", usage }

    it.effect("end with the same result that generate gives", () =>
      Effect.gen(function* () {
        const events = yield* Stream.runCollect(Inference.generateStream("x"))
        const finish = events.at(-1)
        const result = yield* Inference.generate("x")
        assert.strictEqual(texts(events), "hello")
        assert.deepStrictEqual(finish?.type === "finish" ? finish.result : undefined, result)
        assert.deepStrictEqual(events.at(-2), { type: "usage", usage })
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            {
              reply: () => ({ text: "hello", ...detail }),
              stream: () => ({ steps: ["hel", "lo"], answer: detail })
            }
          )
        )
      )
    )

    it.effect("have no usage where the provider reports none", () =>
      Effect.gen(function* () {
        const events = yield* Stream.runCollect(Inference.generateStream("x"))
        assert.deepStrictEqual(
          events.map(({ type }) => type),
          ["text-delta", "finish"]
        )
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            streaming(() => ["a"], { answer: { usage: undefined } })
          )
        )
      )
    )

    it.effect("come anew, from a request of its own, each time the stream is run", () =>
      Effect.gen(function* () {
        const stream = Inference.generateStream("x")
        yield* Stream.runDrain(stream)
        yield* Stream.runDrain(stream)
        assert.strictEqual((yield* asked).length, 2)
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            streaming(() => ["a"])
          )
        )
      )
    )

    it.effect("carry the times of the whole stream", () =>
      Effect.gen(function* () {
        const events = yield* advanced(Stream.runCollect(Inference.generateStream("x")))
        const finish = events.at(-1)
        assert.strictEqual(finish?.type, "finish")
        if (finish?.type === "finish")
          assert.strictEqual(Duration.toMillis(finish.result.metrics.serviceTime), 3000)
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            streaming(() => ["a", { pause: "1 second" }, "b", { pause: "2 seconds" }])
          )
        )
      )
    )
  })

  describe("reasoning that a server leaves in the text", () => {
    it.effect("comes as reasoning, and is the result's", () =>
      Effect.gen(function* () {
        const events = yield* Stream.runCollect(Inference.generateStream("x"))
        assert.deepStrictEqual(
          events.slice(0, -1).map((event) => ("text" in event ? [event.type, event.text] : [])),
          [
            ["reasoning-delta", "hm"],
            ["reasoning-delta", "m"],
            ["text-delta", "hel"],
            ["text-delta", "lo <think>"],
            []
          ]
        )
        const finish = events.at(-1)
        assert.deepStrictEqual(
          finish?.type === "finish" ? [finish.result.reasoning, finish.result.outputText] : [],
          ["hmm", "hello <think>"]
        )
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            streaming(() => [" <thi", "nk>hm", "m</th", "ink>\n\nhel", "lo <think>"])
          )
        )
      )
    )

    it.effect("does not keep from the reader what only looks like it", () =>
      Effect.gen(function* () {
        assert.strictEqual(texts(yield* Stream.runCollect(Inference.generateStream("x"))), " <thi")
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            streaming(() => [" ", "<thi"])
          )
        )
      )
    )

    it.effect("held back is nothing handed out: the stream is tried again", () =>
      Effect.gen(function* () {
        const events = yield* advanced(Stream.runCollect(Inference.generateStream("x")))
        assert.strictEqual(texts(events), "good")
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            streaming(({ index }) => (index === 0 ? ["<th", TestProvider.unavailable()] : ["good"]))
          )
        )
      )
    )
  })

  describe("back-pressure", () => {
    let written = 0
    const endless = () => ({
      *[Symbol.iterator]() {
        for (written = 0; ; written++) yield "x"
      }
    })

    it.effect("holds the provider back while the reader stands still", () =>
      Effect.gen(function* () {
        const latch = yield* Latch.make()
        let read = 0
        const fiber = yield* Effect.forkChild(
          Inference.generateStream("x").pipe(
            Stream.tap(() => Effect.map(latch.await, () => read++)),
            Stream.take(1000),
            Stream.runDrain
          )
        )
        yield* TestClock.adjust("1 second")
        const ahead = written
        assert.isAbove(ahead, 0)
        // The sixteen at hand, the sixteen that wait in the queue and the one that waits for room there.
        assert.isAtMost(ahead, 33)
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(written, ahead)
        yield* latch.open
        yield* Fiber.join(fiber)
        assert.strictEqual(read, 1000)
        assert.isAtMost(written, 1000 + 33)
      }).pipe(Effect.provide(TestClient.layer({}, streaming(endless))))
    )
  })

  describe("stopping early", () => {
    const slow = streaming(() => ["a", "b", { pause: "1 hour" }, "c"])

    it.effect("stops the provider and frees the slot, when the reader has enough", () =>
      Effect.gen(function* () {
        const events = yield* Inference.generateStream("x").pipe(Stream.take(2), Stream.runCollect)
        assert.strictEqual(texts(events), "ab")
        assert.strictEqual(yield* interruptions, 1)
        assert.deepStrictEqual(yield* inFlight, { now: 0, most: 1 })
        // There is but one slot.
        assert.strictEqual(String(yield* Inference.generate("next")), "next")
      }).pipe(Effect.provide(TestClient.layer({ maxParallelRequests: 1 }, slow)))
    )

    it.effect("stops the provider and frees the slot, when the reader is interrupted", () =>
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(Stream.runDrain(Inference.generateStream("x")))
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(yield* interruptions, 1)
        assert.deepStrictEqual(yield* inFlight, { now: 0, most: 1 })
        assert.strictEqual(String(yield* Inference.generate("next")), "next")
      }).pipe(Effect.provide(TestClient.layer({ maxParallelRequests: 1 }, slow)))
    )

    it.effect("leaves the request counted in the quota: the provider had begun to answer it", () =>
      Effect.gen(function* () {
        yield* Inference.generateStream("x").pipe(Stream.take(1), Stream.runDrain)
        yield* Inference.generate("second")
        const third = yield* Effect.forkChild(Inference.generate("third"))
        yield* TestClock.adjust("59 seconds")
        assert.strictEqual((yield* asked).length, 2)
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.join(third)
      }).pipe(Effect.provide(TestClient.layer({ limits: { rpm: 2 } }, slow)))
    )
  })

  it.effect("holds its slot until the stream has ended", () =>
    Effect.gen(function* () {
      const first = yield* Effect.forkChild(Stream.runDrain(Inference.generateStream("x")))
      const second = yield* Effect.forkChild(Inference.generate("y"))
      yield* TestClock.adjust("59 seconds")
      assert.deepStrictEqual(yield* inFlight, { now: 1, most: 1 })
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(first)
      yield* Fiber.join(second)
      assert.deepStrictEqual(yield* inFlight, { now: 0, most: 1 })
    }).pipe(
      Effect.provide(
        TestClient.layer(
          { maxParallelRequests: 1 },
          streaming(() => ["a", { pause: "1 minute" }])
        )
      )
    )
  )

  it.effect("settles its quota to what the stream has used", () =>
    Effect.gen(function* () {
      yield* Stream.runDrain(Inference.generateStream("x", { maxTokens: 10 }))
      const next = yield* Effect.forkChild(Inference.generate("y", { maxTokens: 10 }))
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual((yield* asked).length, 1)
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(next)
    }).pipe(
      Effect.provide(
        TestClient.layer(
          { limits: { tpm: 100 } },
          streaming(() => ["a"], {
            answer: { usage: Usage.make({ promptTokens: 5, completionTokens: 90 }) }
          })
        )
      )
    )
  )

  describe("a failure before the first part", () => {
    const first: ReadonlyArray<readonly [string, ReadonlyArray<TestProvider.StreamStep>]> = [
      ["at once", [TestProvider.unavailable()]],
      ["after a while", [{ pause: "5 seconds" }, TestProvider.unavailable()]],
      ["by its time limit", [{ pause: "1 minute" }, "late"]]
    ]
    for (const [when, steps] of first) {
      it.effect(`is tried again (${when})`, () =>
        Effect.gen(function* () {
          const events = yield* advanced(
            Stream.runCollect(Inference.generateStream("x", { timeout: "10 seconds" }))
          )
          assert.strictEqual(texts(events), "good")
          const finish = events.at(-1)
          assert.strictEqual(finish?.type === "finish" ? finish.result.metrics.retries : 0, 1)
          assert.strictEqual((yield* asked).length, 2)
        }).pipe(
          Effect.provide(
            TestClient.layer(
              {},
              streaming(({ index }) => (index === 0 ? steps : ["good"]))
            )
          )
        )
      )
    }

    it.effect("is tried again where the stream just ends, without a part", () =>
      Effect.gen(function* () {
        const events = yield* advanced(Stream.runCollect(Inference.generateStream("x")))
        assert.strictEqual(texts(events), "good")
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            {
              stream: ({ index }) =>
                index === 0 ? { steps: [], answer: "none" } : { steps: ["good"] }
            }
          )
        )
      )
    )

    it.effect("keeps its reason where trying again cannot help", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Stream.runDrain(Inference.generateStream("x")))
        assert.deepStrictEqual([error.reason._tag, error.attempts], ["AuthenticationError", 1])
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            streaming(() => [
              TestProvider.fail(new AiError.AuthenticationError({ kind: "InvalidKey" }))
            ])
          )
        )
      )
    )
  })

  describe("a failure after the first part", () => {
    const usage = Usage.make({ promptTokens: 1, completionTokens: 2 })
    const overloaded = new AiError.InternalProviderError({ description: "overloaded" })

    it.effect("is never tried again, and carries the text and the usage so far", () =>
      Effect.gen(function* () {
        const {
          description,
          error,
          text,
          usage: used
        } = yield* broken(Inference.generateStream("x"))
        assert.deepStrictEqual([text, used], ["ab", usage])
        assert.match(description, /overloaded/)
        assert.deepStrictEqual([error.attempts, (yield* asked).length], [1, 1])
        assert.isFalse(error.isRetryable)
        assert.match(error.message, /^generate failed: The stream broke after 2 characters: /)
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            streaming(() => [
              "a",
              { type: "text-delta", text: "not of the first choice", choice: 1 },
              "b",
              Object.assign(TestProvider.fail(overloaded, "unknown"), { usage })
            ])
          )
        )
      )
    )

    it.effect("hands out what had arrived before it fails", () =>
      Effect.gen(function* () {
        const seen: Array<Event> = []
        yield* Inference.generateStream("x").pipe(
          Stream.runForEach((event) => Effect.sync(() => seen.push(event))),
          Effect.flip
        )
        assert.strictEqual(texts(seen), "ab")
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            streaming(() => ["a", "b", TestProvider.unavailable()])
          )
        )
      )
    )

    it.effect("is one also when it is a stream's end without its last part", () =>
      Effect.gen(function* () {
        const { error, text } = yield* broken(Inference.generateStream("x"))
        assert.deepStrictEqual([text, error.attempts], ["a", 1])
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            streaming(() => ["a"], { answer: "none" })
          )
        )
      )
    )

    const limits: ReadonlyArray<readonly [string, Inference.GenerateOptions]> = [
      ["the time limit of the attempt", { timeout: "10 seconds" }],
      ["the deadline", { deadline: "10 seconds" }]
    ]
    for (const [what, options] of limits) {
      it.effect(`is one also when it is ${what}`, () =>
        Effect.gen(function* () {
          const { description, error, text } = yield* broken(Inference.generateStream("x", options))
          assert.deepStrictEqual([text, error.attempts, (yield* asked).length], ["a", 1, 1])
          assert.match(description, /10 s/)
          assert.deepStrictEqual(yield* inFlight, { now: 0, most: 1 })
        }).pipe(
          Effect.provide(
            TestClient.layer(
              {},
              streaming(() => ["a", { pause: "1 minute" }, "b"])
            )
          )
        )
      )
    }
  })

  describe("structured output", () => {
    const Person = Schema.Struct({
      name: Schema.String,
      tags: Schema.Array(Schema.String),
      age: Schema.optionalKey(Schema.Int)
    })
    const values = (events: ReadonlyArray<Event>) =>
      events.flatMap((event) => (event.type === "partial" ? [event.value] : []))
    const letters = (text: string) => Array.from(text)

    it.effect("is shown as it grows, and decoded at the end", () =>
      Effect.gen(function* () {
        const events = yield* Stream.runCollect(Inference.generateStream("x", { output: Person }))
        const seen = values(events).map((value) => JSON.stringify(value))
        // Never shorter, and in the end all of it, as it was sent.
        for (const [index, value] of seen.entries())
          assert.isAtLeast(value.length, seen[index - 1]?.length ?? 0)
        assert.isTrue(seen.includes('{"name":"Ad"}'))
        assert.isTrue(seen.includes('{"name":"Ada","tags":["x","y"]}'))
        assert.strictEqual(seen.at(-1), '{"name":"Ada","tags":["x","y"],"age":null}')
        const finish = events.at(-1)
        assert.strictEqual(finish?.type, "finish")
        if (finish?.type !== "finish") return
        const value: typeof Person.Type = finish.result.outputParsed
        assert.deepStrictEqual(value, { name: "Ada", tags: ["x", "y"] })
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            streaming(() => letters('{"name":"Ada","tags":["x","y"],"age":null}'))
          )
        )
      )
    )

    it.effect("is shown less often the longer it is, and the whole of it at the end", () =>
      Effect.gen(function* () {
        const events = yield* Stream.runCollect(
          Inference.generateStream("x", { output: Schema.Array(Schema.String) })
        )
        const shown = values(events).length
        assert.isAbove(shown, 200)
        assert.isBelow(shown, 1500)
        const finish = events.at(-1)
        assert.strictEqual(
          finish?.type === "finish" ? finish.result.outputParsed?.[0]?.length : 0,
          10_000
        )
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            streaming(() => letters(JSON.stringify({ value: ["a".repeat(10_000)] })))
          )
        )
      )
    )

    it.effect("is shown without the wrapping of a root that is no object", () =>
      Effect.gen(function* () {
        const events = yield* Stream.runCollect(
          Inference.generateStream("x", { output: Schema.Array(Schema.String) })
        )
        assert.deepStrictEqual(values(events).at(-1), ["a", "b"])
        for (const value of values(events)) assert.isArray(value)
        const finish = events.at(-1)
        assert.deepStrictEqual(finish?.type === "finish" ? finish.result.outputParsed : [], [
          "a",
          "b"
        ])
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            streaming(() => letters('{"value":["a","b"]}'))
          )
        )
      )
    )

    it.effect("is shown without the reasoning that stands before it, for a JSON Schema too", () =>
      Effect.gen(function* () {
        const events = yield* Stream.runCollect(
          Inference.generateStream("x", { output: { type: "object" } })
        )
        assert.deepStrictEqual(values(events)[0], {})
        assert.deepStrictEqual(values(events).at(-1), { a: "b" })
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            streaming(() => letters('<think>{"no":1}</think>{"a":"b"}'), {
              answer: { text: '{"a":"b"}' }
            })
          )
        )
      )
    )

    it.effect("fails with the whole answer when it does not fit", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          Stream.runDrain(Inference.generateStream("x", { output: Person }))
        )
        assert.strictEqual(error.reason._tag, "StructuredOutputError")
        assert.strictEqual(error.result?.outputText, '{"name":1}')
        assert.isDefined(error.result?.tokenUsage)
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            streaming(() => ['{"name"', ":1}"])
          )
        )
      )
    )

    it.effect("is not repaired: its text has been handed out", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          Stream.runDrain(Inference.generateStream("x", { output: Person, maxRepairs: 1 }))
        )
        assert.match(error.message, /maxRepairs: a stream has handed out its text .* Use generate$/)
        assert.deepStrictEqual(yield* asked, [])
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            streaming(() => ["{}"])
          )
        )
      )
    )

    it.effect("is refused before anything is sent where no provider can be told its schema", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          Stream.runDrain(Inference.generateStream("x", { output: { type: "nonsense" } }))
        )
        assert.deepStrictEqual([error.reason._tag, error.attempts], ["UnsupportedSchemaError", 0])
        assert.deepStrictEqual(yield* asked, [])
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            streaming(() => ["{}"])
          )
        )
      )
    )
  })

  it.effect("refuses bad input before anything is sent", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Stream.runDrain(Inference.generateStream([])))
      assert.deepStrictEqual([error.reason._tag, error.attempts], ["InvalidInput", 0])
      assert.deepStrictEqual(yield* asked, [])
    }).pipe(
      Effect.provide(
        TestClient.layer(
          {},
          streaming(() => ["a"])
        )
      )
    )
  )

  it.effect("fails with the refusal's words when the model refuses", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Stream.runDrain(Inference.generateStream("x")))
      assert.strictEqual(error.reason._tag, "ContentPolicyError")
      assert.match(error.message, /I cannot help/)
    }).pipe(
      Effect.provide(
        TestClient.layer(
          {},
          streaming(() => [], { answer: { refusal: "I cannot help" } })
        )
      )
    )
  )
})
