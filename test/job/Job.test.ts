import { assert, describe, it } from "@effect/vitest"
import type { ClientSettings } from "@infermesh/core/Client"
import { Inference } from "@infermesh/core/Inference"
import type { TestProviderOptions } from "@infermesh/core/testing/TestProvider"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import * as Input from "@infermesh/job/Input"
import * as Job from "@infermesh/job/Job"
import * as LedgerMemory from "@infermesh/job/LedgerMemory"
import * as Output from "@infermesh/job/Output"
import { Deferred, Effect, Fiber, FileSystem, Layer, Path, Queue, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"

import * as TestClient from "../core/TestClient.ts"

type Written = Record<string, unknown>

interface RunOptions {
  readonly ordered?: boolean
  readonly system?: string
  readonly concurrency?: number
}

/** A job over the given bytes whose rows are collected. */
const start = <E>(
  input: Stream.Stream<Uint8Array, E>,
  { system, ...options }: RunOptions = {},
  append: (text: string) => Effect.Effect<void> = () => Effect.void
) => {
  const text: Array<string> = []
  const job = Job.run({
    input: Input.bytes(input),
    output: Output.text((lines) =>
      Effect.andThen(
        append(lines),
        Effect.sync(() => void text.push(lines))
      )
    ),
    operation: Job.generate({ system }),
    ...options
  })
  const rows = () =>
    text
      .join("")
      .split("\n")
      .slice(0, -1)
      .map((line): Written => JSON.parse(line))
  return { job, rows }
}

const bytesOf = (lines: ReadonlyArray<string>) =>
  Stream.succeed(new TextEncoder().encode(lines.join("\n")))

const prompts = (count: number) =>
  Array.from({ length: count }, (_, index) => `{"prompt":"q${index}"}`)

const withClient =
  (settings: ClientSettings = {}, provider: TestProviderOptions = {}) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provide(
      effect,
      Layer.mergeAll(
        TestClient.layer(settings, provider),
        LedgerMemory.layer,
        FileSystem.layerNoop({}),
        Path.layer
      )
    )

/** Starts a job and lets it come to where it waits: the clock is moved for those who sleep already. */
const begin = <A, E, R>(job: Effect.Effect<A, E, R>) =>
  Effect.tap(Effect.forkChild(job), Effect.repeat(Effect.yieldNow, { times: 100 }))

const indices = (rows: ReadonlyArray<Written>) => rows.map((row) => row["_index"] as number)
const ascending = (left: number, right: number) => left - right

describe("generate", () => {
  it.effect("writes one row for every line, whatever is in it, and sums up", () =>
    Effect.gen(function* () {
      const lines = [
        '{"prompt":"one","metadata":{"id":7}}',
        "",
        "not json",
        '{"text":1,"metadata":"kept"}',
        '{"messages":[null]}',
        '{"messages":[]}',
        "[1]",
        '{"responses_input":{"input":"x"}}',
        '{"messages":[{"role":"user","content":"two"}]}'
      ]
      const { job, rows } = start(bytesOf(lines), { ordered: true })
      const { summary } = yield* job
      assert.deepStrictEqual(
        rows().map((row) => [row["_index"], row["output_text"], row["error_reason"]]),
        [
          [0, "one", null],
          [1, null, "InvalidInput"],
          [2, null, "InvalidInput"],
          [3, null, "InvalidInput"],
          [4, null, "InvalidInput"],
          [5, null, "InvalidInput"],
          [6, null, "InvalidInput"],
          [7, "two", null]
        ]
      )
      assert.deepStrictEqual(
        rows().map((row) => row["metadata"]),
        [{ id: 7 }, undefined, "kept", ...Array.from({ length: 5 }, () => undefined)]
      )
      assert.match(String(rows()[1]?.["error"]), /^line 3: /)
      assert.deepStrictEqual(
        [summary.answered, summary.failed, summary.failures],
        [2, 6, { InvalidInput: 6 }]
      )
    }).pipe(withClient())
  )

  it("loses no row and doubles none, for any JSON in the input", () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fc.json(), fc.constant('{"prompt":"p"}'))), (lines) =>
        Effect.runPromise(
          Effect.gen(function* () {
            const { job, rows } = start(bytesOf(lines), { system: "s" })
            yield* job
            assert.deepStrictEqual(
              indices(rows()).toSorted(ascending),
              lines.map((_, index) => index)
            )
            for (const row of rows()) assert.notStrictEqual(row["error_reason"], "Defect")
          }).pipe(withClient())
        )
      )
    ))

  it.effect("writes rows as they are settled, or in the order of the input when asked", () =>
    Effect.gen(function* () {
      for (const ordered of [false, true]) {
        const { job, rows } = start(bytesOf(prompts(3)), { ordered })
        const fiber = yield* begin(job)
        // A row waits a moment for others to be written with, as long as others are under way.
        yield* TestClock.adjust("2100 millis")
        assert.deepStrictEqual(indices(rows()), ordered ? [] : [2, 1])
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(indices(rows()), ordered ? [0, 1, 2] : [2, 1, 0])
      }
    }).pipe(
      withClient({}, { reply: ({ text }) => Effect.delay(Effect.succeed(text), delays[text] ?? 0) })
    )
  )

  const delays: Record<string, `${number} seconds`> = {
    q0: "3 seconds",
    q1: "2 seconds",
    q2: "1 seconds"
  }

  it.effect("answers a row before the next one has arrived", () =>
    Effect.gen(function* () {
      const arriving = yield* Queue.unbounded<Uint8Array>()
      const { job, rows } = start(Stream.fromQueue(arriving))
      const fiber = yield* begin(job)
      for (const index of [0, 1, 2]) {
        yield* Queue.offer(arriving, new TextEncoder().encode(`{"prompt":"q${index}"}\n`))
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(indices(rows()).at(-1), index)
      }
      yield* Fiber.interrupt(fiber)
    }).pipe(withClient())
  )

  it.effect("reads no further ahead than its window", () =>
    Effect.gen(function* () {
      const provider = yield* TestProvider.TestProvider
      yield* provider.close
      let read = 0
      const endless = Stream.fromIterable(
        (function* () {
          for (;;) yield new TextEncoder().encode(`{"prompt":"q${read++}"}\n`)
        })(),
        { chunkSize: 1 }
      )
      const { job } = start(endless, { concurrency: 8, ordered: true })
      const fiber = yield* begin(job)
      yield* TestClock.adjust("1 minute")
      assert.isAtMost((yield* provider.inFlight).most, 8)
      assert.isAtLeast((yield* provider.inFlight).now, 7)
      assert.isAtMost(read, 8 + 2)
      yield* Fiber.interrupt(fiber)
    }).pipe(withClient())
  )

  it.effect("holds back no more than its window when one slow row comes first", () =>
    Effect.gen(function* () {
      let read = 0
      const endless = Stream.fromIterable(
        (function* () {
          for (;;) yield new TextEncoder().encode(`{"prompt":"q${read++}"}\n`)
        })(),
        { chunkSize: 1 }
      )
      const { job, rows } = start(endless, { concurrency: 8, ordered: true })
      const fiber = yield* begin(job)
      yield* TestClock.adjust("1 minute")
      assert.isAtMost(read, 8 + 1024 + 2)
      assert.deepStrictEqual(rows(), [])
      yield* Fiber.interrupt(fiber)
    }).pipe(withClient({}, { reply: ({ text }) => (text === "q0" ? Effect.never : text) }))
  )

  it.effect("finishes writing an answer when it is interrupted meanwhile", () =>
    Effect.gen(function* () {
      const slow = () => Effect.sleep("1 second")
      const { job, rows } = start(bytesOf(prompts(3)), {}, slow)
      const fiber = yield* begin(job)
      yield* TestClock.adjust("500 millis")
      yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* TestClock.adjust("500 millis")
      assert.strictEqual(rows().length, 3)
    }).pipe(withClient())
  )

  it.effect("gives up no answer that waits to be written when it is interrupted", () =>
    Effect.gen(function* () {
      const provider = yield* TestProvider.TestProvider
      const gate = yield* Deferred.make<void>()
      const { job, rows } = start(bytesOf(prompts(3000)), { concurrency: 64 }, () =>
        Deferred.await(gate)
      )
      const fiber = yield* begin(job)
      yield* Effect.repeat(Effect.yieldNow, { times: 2000 })
      const answered = (yield* provider.asked).length
      // The queue is full, and each of those under way has an answer that has no place in it.
      assert.isBelow(answered, 2000)
      yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* Effect.repeat(Effect.yieldNow, { times: 100 })
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.await(fiber)
      assert.strictEqual(rows().length, answered)
    }).pipe(withClient())
  )

  it.effect("has every answered row in its output, whole, when it is interrupted", () =>
    Effect.gen(function* () {
      const provider = yield* TestProvider.TestProvider
      for (const ordered of [false, true]) {
        const asked = (yield* provider.asked).length
        const interrupted = yield* provider.interrupted
        const { job, rows } = start(bytesOf(prompts(100)), { ordered, concurrency: 10 })
        const fiber = yield* begin(job)
        yield* TestClock.adjust("4500 millis")
        yield* Fiber.interrupt(fiber)
        const givenUp = (yield* provider.interrupted) - interrupted
        const answered = (yield* provider.asked).length - asked - givenUp
        assert.isAtLeast(givenUp, 1)
        assert.isAtLeast(answered, 30)
        assert.deepStrictEqual(
          indices(rows()).toSorted(ascending),
          Array.from({ length: answered }, (_, index) => index)
        )
      }
    }).pipe(withClient({}, { latency: "1 second" }))
  )

  it.effect("finishes what is under way when the input breaks off, and fails then", () =>
    Effect.gen(function* () {
      const input = Stream.concat(bytesOf([...prompts(5), ""]), Stream.fail("unreadable" as const))
      for (const ordered of [false, true]) {
        const { job, rows } = start(input, { ordered })
        const fiber = yield* begin(Effect.flip(job))
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* Fiber.join(fiber), "unreadable")
        assert.strictEqual(rows().length, 5)
      }
    }).pipe(withClient({}, { latency: "1 second" }))
  )

  it.effect("makes a row of a bug, and goes on", () =>
    Effect.gen(function* () {
      const { job, rows } = start(bytesOf(prompts(3)), { ordered: true })
      yield* job
      assert.deepStrictEqual(
        rows().map((row) => row["error_reason"]),
        [null, "Defect", null]
      )
    }).pipe(
      Effect.updateService(Inference, (inference) => ({
        ...inference,
        generate: ((input, options) =>
          input === "q1"
            ? Effect.die(new Error("boom"))
            : inference.generate(input, options)) as typeof inference.generate
      })),
      withClient()
    )
  )

  it.effect(
    "puts the system message before rows that have none, and names the row's own positions",
    () =>
      Effect.gen(function* () {
        const provider = yield* TestProvider.TestProvider
        const lines = [
          '{"prompt":"a"}',
          '{"messages":[{"role":"user","content":"b"}]}',
          '{"messages":[{"role":"developer","content":"own"},{"role":"user","content":"c"}]}',
          '{"messages":[{"role":"nobody","content":"d"}]}'
        ]
        const { job, rows } = start(bytesOf(lines), { system: "Be brief.", ordered: true })
        yield* job
        assert.deepStrictEqual(
          (yield* provider.asked).map(({ request }) =>
            request.prompt.content.map(({ content, role }) => (role === "system" ? content : role))
          ),
          [
            ["Be brief.", "user"],
            ["Be brief.", "user"],
            ["own", "user"]
          ]
        )
        assert.match(String(rows()[3]?.["error"]), /messages\[0\]\.role: unknown role "nobody"/)
      }).pipe(withClient())
  )
})
