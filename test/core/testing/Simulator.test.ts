import { assert, describe, it } from "@effect/vitest"
import * as Simulator from "@infermesh/core/testing/Simulator"
import { Effect, Fiber, Stream } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import { TestClock } from "effect/testing"

import {
  chat,
  complete,
  type Completion,
  completionOf,
  errorOf,
  events,
  get,
  json,
  post,
  respond,
  textOf
} from "./SimulatorExchange.ts"

describe("answers", () => {
  const prompts = Array.from({ length: 50 }, (_, index) => `Question number ${index}`)

  it.effect("are the same for the same seed, whatever the order of the requests", () =>
    Effect.gen(function* () {
      const forwards = yield* Simulator.make({ seed: 7 })
      const backwards = yield* Simulator.make({ seed: 7 })
      const first = new Map<string, string>()
      for (const prompt of prompts) first.set(prompt, yield* textOf(forwards, prompt))
      for (const prompt of prompts.toReversed()) {
        assert.strictEqual(yield* textOf(backwards, prompt), first.get(prompt))
      }
      assert.strictEqual(new Set(first.values()).size, prompts.length)
    })
  )

  it.effect("differ for another seed, another model and another prompt", () =>
    Effect.gen(function* () {
      const one = yield* Simulator.make({ seed: 1 })
      const two = yield* Simulator.make({ seed: 2 })
      const texts = [
        yield* textOf(one, "Hello"),
        yield* textOf(two, "Hello"),
        yield* textOf(one, "Hello", { model: "another" }),
        yield* textOf(one, "Hello!")
      ]
      assert.strictEqual(new Set(texts).size, 4)
      assert.strictEqual(yield* textOf(one, "Hello"), texts[0])
    })
  )

  it.effect("have ids of their own, in the body and in the headers", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const ids = new Set<string>()
      for (let index = 0; index < 100; index++) {
        const response = yield* respond(simulator, chat("the same"))
        ids.add(completionOf(response).id)
        ids.add(response.headers["x-request-id"] ?? "")
      }
      assert.strictEqual(ids.size, 200)
    })
  )

  it.effect("are as long as asked for", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ outputTokens: { min: 20, max: 30 } })
      const lengths = new Set<number>()
      for (const prompt of prompts) {
        const { usage } = yield* complete(simulator, chat(prompt))
        assert.isAtMost(usage.completion_tokens, 30)
        assert.isAtLeast(usage.completion_tokens, 16)
        lengths.add(usage.completion_tokens)
      }
      assert.isAbove(lengths.size, 5)
    })
  )
})

describe("latency", () => {
  const elapsed = (settings: Simulator.SimulatorSettings["latency"], prompt: string) =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ latency: settings })
      const fiber = yield* Effect.forkChild(respond(simulator, chat(prompt)), {
        startImmediately: true
      })
      let millis = 0
      while (fiber.pollUnsafe() === undefined) {
        yield* TestClock.adjust(1)
        millis++
      }
      const response = yield* Fiber.join(fiber)
      assert.strictEqual(response.headers["openai-processing-ms"], String(millis))
      return { millis, tokens: completionOf(response).usage.completion_tokens }
    })

  it.effect("is waited on the Clock, with the pace of the output tokens added", () =>
    Effect.gen(function* () {
      const constant = yield* elapsed(
        { kind: "constant", millis: 30, perOutputTokenMillis: 2 },
        "Hello"
      )
      assert.strictEqual(constant.millis, 30 + 2 * constant.tokens)
    })
  )

  it.effect("is drawn from the distribution that was set", () =>
    Effect.gen(function* () {
      const uniform: Array<number> = []
      const lognormal: Array<number> = []
      for (let index = 0; index < 200; index++) {
        const prompt = `prompt ${index}`
        const within = { kind: "uniform", minMillis: 10, maxMillis: 20 } as const
        uniform.push((yield* elapsed(within, prompt)).millis)
        const around = { kind: "lognormal", medianMillis: 50, sigma: 0.5, maxMillis: 150 } as const
        lognormal.push((yield* elapsed(around, prompt)).millis)
      }
      assert.isAtLeast(Math.min(...uniform), 10)
      assert.isAtMost(Math.max(...uniform), 20)
      assert.isAbove(new Set(uniform).size, 8)
      const median = lognormal.toSorted((left, right) => left - right)[100] ?? 0
      assert.closeTo(median, 50, 8)
      assert.isAtMost(Math.max(...lognormal), 150)
      assert.isAbove(Math.max(...lognormal), 100)
      assert.isBelow(Math.min(...lognormal), 30)
    })
  )

  it.effect("differs between two tries of one prompt, and not between two runs", () =>
    Effect.gen(function* () {
      const run = Effect.gen(function* () {
        const simulator = yield* Simulator.make({
          latency: { kind: "uniform", minMillis: 0, maxMillis: 1000 }
        })
        const waits: Array<string | undefined> = []
        for (let index = 0; index < 3; index++) {
          const fiber = yield* Effect.forkChild(respond(simulator, chat("again")))
          yield* TestClock.adjust(1000)
          waits.push((yield* Fiber.join(fiber)).headers["openai-processing-ms"])
        }
        return waits
      })
      const first = yield* run
      assert.strictEqual(new Set(first).size, 3)
      assert.deepStrictEqual(yield* run, first)
    })
  )
})

describe("stats", () => {
  it.effect("count what was answered, refused as wrong and used, by model", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const one = yield* complete(simulator, chat("Hello", { model: "a" }))
      const two = yield* complete(simulator, chat("Good morning", { model: "b" }))
      yield* respond(simulator, post("{"))
      yield* respond(simulator, get("/v1/models"))
      const stats = yield* simulator.stats
      assert.strictEqual(stats.requests, 4)
      assert.strictEqual(stats.answered, 3)
      assert.strictEqual(stats.rejected, 1)
      assert.strictEqual(stats.promptTokens, one.usage.prompt_tokens + two.usage.prompt_tokens)
      assert.deepStrictEqual(stats.models, {
        a: {
          requests: 1,
          promptTokens: one.usage.prompt_tokens,
          completionTokens: one.usage.completion_tokens
        },
        b: {
          requests: 1,
          promptTokens: two.usage.prompt_tokens,
          completionTokens: two.usage.completion_tokens
        }
      })
    })
  )

  it.effect("know how many requests were in flight at once, and who gave up", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ latency: { kind: "constant", millis: 100 } })
      const fibers = []
      for (let index = 0; index < 5; index++) {
        fibers.push(yield* Effect.forkChild(respond(simulator, chat(`prompt ${index}`))))
      }
      yield* TestClock.adjust(50)
      assert.strictEqual((yield* simulator.stats).inFlight, 5)
      yield* Fiber.interruptAll(fibers.slice(0, 2))
      yield* TestClock.adjust(50)
      yield* respond(simulator, chat("one more")).pipe(Effect.forkChild)
      yield* TestClock.adjust(100)
      const stats = yield* simulator.stats
      assert.strictEqual(stats.aborted, 2)
      assert.strictEqual(stats.answered, 4)
      assert.strictEqual(stats.peakInFlight, 5)
      assert.strictEqual(stats.inFlight, 0)
    })
  )

  it.effect("know the busiest minute, wherever it begins", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const ask = (count: number) =>
        Effect.forEach(Array.from({ length: count }), () => respond(simulator, chat("Hi")))
      yield* ask(3)
      yield* TestClock.adjust(59_999)
      yield* ask(4)
      yield* TestClock.adjust(1)
      yield* ask(5)
      yield* TestClock.adjust(59_998)
      yield* ask(1)
      const stats = yield* simulator.stats
      // 4 + 5 + 1 fall within 60 s; the first 3 left the window in the very millisecond in which the 5 came.
      assert.strictEqual(stats.peakRequestsPerMinute, 10)
      const tokens = (yield* complete(simulator, chat("Hi"))).usage.total_tokens
      assert.strictEqual(stats.peakTokensPerMinute, 10 * tokens)
    })
  )

  it.effect("begin anew after a reset, and so do script and quota", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ quota: { rpm: 1 }, script: ["unavailable"] })
      const statuses: Array<number> = []
      for (let index = 0; index < 2; index++) {
        statuses.push((yield* respond(simulator, chat("Hello"))).status)
        statuses.push((yield* respond(simulator, chat("Hello"))).status)
        yield* simulator.reset
      }
      assert.deepStrictEqual(statuses, [503, 429, 503, 429])
      assert.strictEqual((yield* simulator.stats).requests, 0)
    })
  )
})

describe("settings", () => {
  it.effect("that cannot be used are named", () =>
    Effect.gen(function* () {
      const message = (settings: unknown) =>
        Effect.map(
          Effect.flip(Simulator.make(settings as Simulator.SimulatorSettings)),
          (error) => error.message
        )
      assert.match(yield* message({ quota: { rpm: 0 } }), /^simulator\.quota\.rpm: /)
      assert.match(yield* message({ faults: { reset: 1.5 } }), /^simulator\.faults\.reset: /)
      assert.match(
        yield* message({ faults: { reset: 0.6, internal: 0.6 } }),
        /^simulator\.faults: the rates add up to more than 1/
      )
      assert.match(yield* message({ quotas: {} }), /^simulator\.quotas: /)
      assert.match(
        yield* message({ outputTokens: { min: 2, max: 1 } }),
        /^simulator\.outputTokens: min is above max/
      )
    })
  )

  it.effect("limit models and keys", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ models: ["a", "b/c"], apiKey: "sk-right-key-0123" })
      const authorization = (key: string) => ({ authorization: `Bearer ${key}` })
      const body = { model: "a", messages: [{ role: "user", content: "Hi" }] }
      const none = yield* respond(simulator, post(body))
      const wrong = yield* respond(simulator, post(body, authorization("sk-wrong-key-4567")))
      const right = yield* respond(simulator, post(body, authorization("sk-right-key-0123")))
      assert.deepStrictEqual([none.status, wrong.status, right.status], [401, 401, 200])
      const error = errorOf(wrong)
      assert.strictEqual(error.code, "invalid_api_key")
      assert.notInclude(error.message, "wrong-key")

      const unknown = yield* respond(
        simulator,
        post({ ...body, model: "z" }, authorization("sk-right-key-0123"))
      )
      assert.strictEqual(unknown.status, 404)
      assert.deepInclude(errorOf(unknown), {
        message: "The model `z` does not exist or you do not have access to it.",
        code: "model_not_found"
      })
      assert.strictEqual((yield* simulator.stats).rejected, 3)
    })
  )

  it.effect("list the models there are", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ models: ["a", "b/c"], quota: { rpm: 1 } })
      const list = json(yield* respond(simulator, get("/v1/models"))) as {
        readonly data: ReadonlyArray<{ readonly id: string; readonly object: string }>
      }
      assert.deepStrictEqual(
        list.data.map(({ id, object }) => [id, object]),
        [
          ["a", "model"],
          ["b/c", "model"]
        ]
      )
      const one = json(yield* respond(simulator, get("/models/b%2Fc?x=1")))
      assert.deepInclude(one as object, { id: "b/c", object: "model" })
      assert.strictEqual((yield* respond(simulator, get("/v1/models/z"))).status, 404)
      assert.strictEqual((yield* respond(simulator, get("/v1/nothing"))).status, 404)
      assert.strictEqual((yield* simulator.stats).peakRequestsPerMinute, 0)
    })
  )
})

describe("layerHttpClient", () => {
  const request = (url: string, body: unknown) =>
    HttpClientRequest.post(url).pipe(HttpClientRequest.bodyJsonUnsafe(body))
  const body = { model: "gpt-test", messages: [{ role: "user", content: "Hello" }] }

  it.effect(
    "sends requests to the simulator of their origin, and refuses connections elsewhere",
    () =>
      Effect.gen(function* () {
        const one = yield* Simulator.make({ models: ["gpt-test"] })
        const two = yield* Simulator.make({ models: [] })
        yield* Effect.gen(function* () {
          const client = yield* HttpClient.HttpClient
          const good = yield* client.execute(request("http://one.test/v1/chat/completions", body))
          assert.strictEqual(good.status, 200)
          assert.strictEqual(good.headers["content-type"], "application/json")
          const completion = (yield* good.json) as unknown as Completion
          assert.strictEqual(completion.choices[0]?.message.content, yield* textOf(one, "Hello"))

          const unknown = yield* client.execute(
            request("http://two.test/v1/chat/completions", body)
          )
          assert.strictEqual(unknown.status, 404)

          const error = yield* Effect.flip(client.get("http://three.test/v1/models"))
          assert.strictEqual(error.reason._tag, "TransportError")
        }).pipe(
          Effect.provide(
            Simulator.layerHttpClient({ "http://one.test": one, "http://two.test": two })
          )
        )
      })
  )

  it.effect("makes of broken connections what real clients make of them", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({
        script: ["reset", "truncated", "hang", "stalled", "truncated"]
      })
      yield* Effect.gen(function* () {
        const client = yield* HttpClient.HttpClient
        const ask = (extra = {}) =>
          client.execute(request("http://any.test/v1/chat/completions", { ...body, ...extra }))
        const reset = yield* Effect.flip(ask())
        assert.strictEqual(reset.reason._tag, "TransportError")

        const truncated = yield* ask()
        assert.strictEqual(truncated.status, 200)
        const error = yield* Effect.flip(truncated.text)
        assert.strictEqual(error.reason._tag, "DecodeError")

        const hanging = yield* Effect.forkChild(Effect.timeoutOption(ask(), "1 hour"))
        yield* TestClock.adjust("1 hour")
        assert.strictEqual((yield* Fiber.join(hanging))._tag, "None")

        const stalled = yield* ask()
        assert.isAbove(Number(stalled.headers["content-length"]), 100)
        const reading = yield* Effect.forkChild(Effect.timeoutOption(stalled.text, "1 hour"))
        yield* TestClock.adjust("1 hour")
        assert.strictEqual((yield* Fiber.join(reading))._tag, "None")

        const cut = yield* ask({ stream: true })
        const received: Array<string> = []
        const cutError = yield* Effect.flip(
          Stream.runForEach(Stream.decodeText(cut.stream), (text) =>
            Effect.sync(() => received.push(text))
          )
        )
        assert.strictEqual(cutError._tag, "HttpClientError")
        assert.isAbove(events(received.join("")).length, 0)
        assert.notInclude(received.join(""), "[DONE]")
      }).pipe(Effect.provide(Simulator.layerHttpClient(() => simulator)))
      const stats = yield* simulator.stats
      assert.deepStrictEqual(stats.faults, { reset: 1, truncated: 2, hang: 1, stalled: 1 })
      assert.strictEqual(stats.aborted, 2)
      assert.strictEqual(stats.answered, 0)
      assert.strictEqual(stats.inFlight, 0)
    })
  )

  it.effect("streams at the model's pace, on the Clock", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({
        latency: { kind: "constant", millis: 100, perOutputTokenMillis: 10 }
      })
      yield* Effect.gen(function* () {
        const client = yield* HttpClient.HttpClient
        const received: Array<string> = []
        const fiber = yield* client
          .execute(
            request("http://any.test/v1/chat/completions", { ...body, stream: true, max_tokens: 5 })
          )
          .pipe(
            Effect.flatMap((response) =>
              Stream.runForEach(Stream.decodeText(response.stream), (text) =>
                Effect.sync(() => received.push(text))
              )
            ),
            Effect.forkChild
          )
        yield* TestClock.adjust(109)
        assert.strictEqual(received.length, 0)
        yield* TestClock.adjust(31)
        assert.strictEqual(received.length, 4)
        yield* TestClock.adjust(1000)
        yield* Fiber.join(fiber)
        assert.strictEqual(events(received.join("")).at(-1), "[DONE]")
      }).pipe(Effect.provide(Simulator.layerHttpClient(() => simulator)))
      assert.strictEqual((yield* simulator.stats).answered, 1)
    })
  )

  it.effect(
    "counts a stream as answered when its reader stops at [DONE], and as aborted when it stops before",
    () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator.make({
          latency: { kind: "constant", millis: 0, perOutputTokenMillis: 1 }
        })
        yield* Effect.gen(function* () {
          const client = yield* HttpClient.HttpClient
          const until = (text: string) =>
            client
              .execute(request("http://any.test/v1/chat/completions", { ...body, stream: true }))
              .pipe(
                Effect.flatMap((response) =>
                  Stream.decodeText(response.stream).pipe(
                    Stream.takeUntil((part) => part.includes(text)),
                    Stream.runDrain
                  )
                ),
                Effect.forkChild
              )
          yield* until("[DONE]")
          yield* until(`"content"`)
          yield* TestClock.adjust(1000)
        }).pipe(Effect.provide(Simulator.layerHttpClient(() => simulator)))
        const stats = yield* simulator.stats
        assert.deepStrictEqual([stats.answered, stats.aborted, stats.inFlight], [1, 1, 0])
      })
  )

  it.effect("answers ten thousand requests in virtual time", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ latency: { kind: "constant", millis: 1000 } })
      yield* Effect.gen(function* () {
        const client = yield* HttpClient.HttpClient
        const fiber = yield* Effect.forEach(
          Array.from({ length: 10_000 }, (_, index) => index),
          (index) =>
            client.execute(
              request("http://any.test/v1/chat/completions", {
                ...body,
                messages: [{ role: "user", content: `prompt ${index}` }]
              })
            ),
          { concurrency: 1000, discard: true }
        ).pipe(Effect.forkChild)
        for (let second = 0; second < 10; second++) yield* TestClock.adjust(1000)
        yield* Fiber.join(fiber)
      }).pipe(Effect.provide(Simulator.layerHttpClient(() => simulator)))
      const stats = yield* simulator.stats
      assert.strictEqual(stats.answered, 10_000)
      assert.strictEqual(stats.peakInFlight, 1000)
    })
  )
})
