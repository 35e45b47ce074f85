import { assert, describe, it } from "@effect/vitest"
import * as Simulator from "@infermesh/core/testing/Simulator"
import { type FaultKind, kinds } from "@infermesh/core/testing/simulator/Fault"
import { Effect, Exit, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"

import {
  chat,
  complete,
  completionOf,
  type ErrorBody,
  errorOf,
  events,
  isResponse,
  json,
  read,
  respond
} from "./SimulatorExchange.ts"

const one = (fault: FaultKind) => Simulator.make({ script: [fault] })

describe("faults with a status", () => {
  const expected = [
    ["rateLimited", 429, "requests", "rate_limit_exceeded"],
    ["insufficientQuota", 429, "insufficient_quota", "insufficient_quota"],
    ["unauthorized", 401, "invalid_request_error", "invalid_api_key"],
    ["internal", 500, "server_error", null],
    ["unavailable", 503, "service_unavailable", null],
    ["overloaded", 529, "overloaded_error", null]
  ] as const
  for (const [fault, status, type, code] of expected) {
    it.effect(`${fault} answers with ${status}, and the next request is answered`, () =>
      Effect.gen(function* () {
        const simulator = yield* one(fault)
        const response = yield* respond(simulator, chat("Hi"))
        assert.strictEqual(response.status, status)
        assert.deepInclude(errorOf(response), { type, code, param: null })
        assert.strictEqual(
          response.headers["retry-after"],
          fault === "rateLimited" ? "1" : undefined
        )
        assert.strictEqual((yield* respond(simulator, chat("Hi"))).status, 200)
        const stats = yield* simulator.stats
        assert.deepStrictEqual(stats.faults, { [fault]: 1 })
        assert.strictEqual(stats.violations.total, 0)
        assert.strictEqual(stats.answered, 1)
      })
    )
  }

  it.effect("say when to come back as the settings or the script say", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({
        retryAfterMillis: 2500,
        script: ["rateLimited", { fault: "rateLimited", retryAfterMillis: 40 }]
      })
      const first = yield* respond(simulator, chat("Hi"))
      const second = yield* respond(simulator, chat("Hi"))
      assert.deepInclude(first.headers, { "retry-after": "3", "retry-after-ms": "2500" })
      assert.deepInclude(second.headers, { "retry-after": "1", "retry-after-ms": "40" })
    })
  )

  it.effect("cost a request and no tokens", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({
        quota: { rpm: 3, tpm: 10_000 },
        script: ["internal", "answer"]
      })
      const failed = yield* respond(simulator, chat("Hi"))
      assert.strictEqual(failed.headers["x-ratelimit-remaining-requests"], "2")
      assert.strictEqual(failed.headers["x-ratelimit-remaining-tokens"], "10000")
      const answered = yield* respond(simulator, chat("Hi"))
      const { usage } = completionOf(answered)
      assert.strictEqual(
        answered.headers["x-ratelimit-remaining-tokens"],
        String(10_000 - usage.total_tokens)
      )
    })
  )
})

describe("broken connections", () => {
  it.effect("reset gives no response, after the latency", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({
        latency: { kind: "constant", millis: 10 },
        script: ["reset"]
      })
      const fiber = yield* Effect.forkChild(simulator.handle(chat("Hi")))
      yield* TestClock.adjust(10)
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Reset")
    })
  )

  it.effect("hang waits for ever and counts who gives up", () =>
    Effect.gen(function* () {
      const simulator = yield* one("hang")
      const outcome = yield* simulator.handle(chat("Hi"))
      if (outcome._tag !== "Hang") return assert.fail(outcome._tag)
      const fiber = yield* Effect.forkChild(outcome.wait)
      yield* TestClock.adjust("1 day")
      assert.deepInclude(yield* simulator.stats, { inFlight: 1, aborted: 0 })
      assert.isUndefined(fiber.pollUnsafe())
      yield* Fiber.interrupt(fiber)
      assert.deepInclude(yield* simulator.stats, { inFlight: 0, aborted: 1 })
    })
  )

  it.effect("truncated promises more than it sends", () =>
    Effect.gen(function* () {
      const simulator = yield* one("truncated")
      const outcome = yield* simulator.handle(chat("Hi"))
      if (outcome._tag !== "Truncated") return assert.fail(outcome._tag)
      assert.isAbove(outcome.body.length, 0)
      assert.isBelow(outcome.body.length, outcome.declaredBytes)
      assert.throws(() => JSON.parse(outcome.body))
    })
  )

  it.effect("truncated cuts a stream after some of its events", () =>
    Effect.gen(function* () {
      const simulator = yield* one("truncated")
      const response = yield* respond(simulator, chat("Hi", { stream: true }))
      const received: Array<string> = []
      if (typeof response.body === "string") return assert.fail("not a stream")
      const exit = yield* Effect.exit(
        Stream.runForEach(Stream.decodeText(response.body), (text) =>
          Effect.sync(() => received.push(text))
        )
      )
      assert.isTrue(Exit.hasFails(exit))
      const payloads = events(received.join(""))
      assert.isAbove(payloads.length, 0)
      for (const payload of payloads) assert.doesNotThrow(() => JSON.parse(payload))
      const stats = yield* simulator.stats
      assert.deepInclude(stats, { answered: 0, aborted: 0, inFlight: 0 })
    })
  )

  it.effect("stalled falls silent within the body", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ script: ["stalled", "stalled"] })
      for (const stream of [false, true]) {
        const response = yield* respond(simulator, chat("Hi", { stream }))
        assert.notStrictEqual(typeof response.body, "string")
        const fiber = yield* Effect.forkChild(read(response))
        yield* TestClock.adjust("1 day")
        assert.isUndefined(fiber.pollUnsafe())
        yield* Fiber.interrupt(fiber)
      }
      assert.deepInclude(yield* simulator.stats, { answered: 0, aborted: 2, inFlight: 0 })
    })
  )

  it.effect("streamError sends an error event and ends the stream without [DONE]", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ script: ["streamError", "streamError"] })
      const response = yield* respond(simulator, chat("Hi", { stream: true }))
      assert.strictEqual(response.status, 200)
      const payloads = events(yield* read(response))
      assert.isAbove(payloads.length, 1)
      const { error } = JSON.parse(payloads.at(-1) ?? "") as ErrorBody
      assert.strictEqual(error.type, "server_error")
      // A request that is not streamed is answered instead.
      assert.strictEqual((yield* respond(simulator, chat("Hi"))).status, 200)
      assert.deepInclude(yield* simulator.stats, { answered: 1, aborted: 0 })
      assert.deepStrictEqual((yield* simulator.stats).faults, { streamError: 1 })
    })
  )
})

describe("broken content", () => {
  it.effect("malformed is not JSON", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ script: ["malformed", "malformed"] })
      const whole = yield* respond(simulator, chat("Hi"))
      assert.strictEqual(whole.status, 200)
      assert.throws(() => json(whole))
      const streamed = yield* respond(simulator, chat("Hi", { stream: true }))
      const broken = events(yield* read(streamed)).filter((payload) => {
        if (payload === "[DONE]") return false
        return Exit.isFailure(Effect.runSyncExit(Effect.try(() => JSON.parse(payload))))
      })
      assert.strictEqual(broken.length, 1)
    })
  )

  it.effect("noChoices has an empty list", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ script: ["noChoices", "noChoices"] })
      assert.deepStrictEqual((yield* complete(simulator, chat("Hi"))).choices, [])
      const streamed = events(yield* read(yield* respond(simulator, chat("Hi", { stream: true }))))
      assert.notInclude(streamed.join(""), "delta")
    })
  )

  it.effect("refusal and contentFilter say so where OpenAI does", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ script: ["refusal", "contentFilter", "refusal"] })
      const refused = (yield* complete(simulator, chat("Hi"))).choices[0]
      assert.isNull(refused?.message.content)
      assert.match(refused?.message.refusal ?? "", /can't assist/)
      assert.strictEqual(refused?.finish_reason, "stop")
      const filtered = (yield* complete(simulator, chat("Hi"))).choices[0]
      assert.strictEqual(filtered?.finish_reason, "content_filter")
      const streamed = events(yield* read(yield* respond(simulator, chat("Hi", { stream: true }))))
      const parts = streamed
        .slice(0, -1)
        .map((payload) => JSON.parse(payload) as { choices: [{ delta: { refusal?: string } }] })
        .map(({ choices }) => choices[0].delta.refusal ?? "")
      assert.strictEqual(parts.join(""), refused?.message.refusal)
    })
  )

  it.effect("schemaMismatch answers with prose where JSON was asked for", () =>
    Effect.gen(function* () {
      const simulator = yield* one("schemaMismatch")
      const schema = { type: "object", properties: { a: { type: "string" } }, required: ["a"] }
      const { choices } = yield* complete(
        simulator,
        chat("Hi", {
          response_format: { type: "json_schema", json_schema: { name: "a", schema } }
        })
      )
      assert.throws(() => JSON.parse(choices[0]?.message.content ?? ""))
    })
  )
})

describe("a script", () => {
  it.effect("decides the first requests, one entry each, then the rates do", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({
        faults: { overloaded: 1 },
        script: [
          "unavailable",
          "answer",
          { status: 418, headers: { "x-teapot": "yes" }, body: "short and stout" }
        ]
      })
      const first = yield* respond(simulator, chat("Hi"))
      const second = yield* respond(simulator, chat("Hi"))
      const third = yield* respond(simulator, chat("Hi"))
      const fourth = yield* respond(simulator, chat("Hi"))
      assert.deepStrictEqual(
        [first, second, third, fourth].map(({ status }) => status),
        [503, 200, 418, 529]
      )
      assert.strictEqual(third.body, "short and stout")
      assert.strictEqual(third.headers["x-teapot"], "yes")
      const stats = yield* simulator.stats
      assert.deepInclude(stats, { scripted: 1, answered: 1 })
      assert.deepStrictEqual(stats.faults, { unavailable: 1, overloaded: 1 })
    })
  )

  it.effect("is not used up by requests that are wrong or over the quota", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ quota: { rpm: 1 }, script: ["answer", "internal"] })
      const statuses: Array<number> = []
      const ask = (body = {}) =>
        Effect.map(respond(simulator, chat("Hi", body)), ({ status }) => statuses.push(status))
      yield* ask({ n: 0 })
      yield* ask()
      yield* ask()
      yield* TestClock.adjust(60_000)
      yield* ask()
      assert.deepStrictEqual(statuses, [400, 200, 429, 500])
    })
  )
})

describe("rates", () => {
  /** What became of each prompt, in the given order of arrival, with up to three tries. */
  const run = (prompts: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({
        seed: 3,
        faults: { internal: 0.2, rateLimited: 0.1, reset: 0.1 }
      })
      const outcomes = new Map<string, string>()
      for (let attempt = 0; attempt < 3; attempt++) {
        for (const prompt of prompts) {
          const outcome = yield* simulator.handle(chat(prompt))
          const what = outcome._tag === "Response" ? isResponse(outcome).status : outcome._tag
          outcomes.set(prompt, `${outcomes.get(prompt) ?? ""} ${what}`)
        }
      }
      return { outcomes, stats: yield* simulator.stats }
    })
  const prompts = Array.from({ length: 1000 }, (_, index) => `prompt ${index}`)

  it.effect("are kept, and befall the same tries of the same prompts in any order", () =>
    Effect.gen(function* () {
      const { outcomes, stats } = yield* run(prompts)
      assert.closeTo(stats.faults.internal ?? 0, 600, 80)
      assert.closeTo(stats.faults.rateLimited ?? 0, 300, 60)
      assert.closeTo(stats.faults.reset ?? 0, 300, 60)
      const again = yield* run(prompts.toReversed())
      for (const prompt of prompts) {
        assert.strictEqual(again.outcomes.get(prompt), outcomes.get(prompt))
      }
      // A prompt that failed once is answered another time: 0.4 of 1000 fail first, 0.6 of those then succeed.
      const recovered = [...outcomes.values()].filter((tries) =>
        /^ (?:500|429|Reset) 200/.test(tries)
      )
      assert.closeTo(recovered.length, 240, 50)
    })
  )

  it.effect("befall every request at a rate of 1, whatever the kind", () =>
    Effect.gen(function* () {
      for (const kind of kinds) {
        const simulator = yield* Simulator.make({ faults: { [kind]: 1 } })
        for (let index = 0; index < 5; index++) {
          yield* simulator.handle(chat(`prompt ${index}`, { stream: true }))
        }
        assert.deepStrictEqual((yield* simulator.stats).faults, { [kind]: 5 })
      }
    })
  )
})
