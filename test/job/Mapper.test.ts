import { assert, describe, it } from "@effect/vitest"
import { Inference } from "@infermesh/core/Inference"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import * as Input from "@infermesh/job/Input"
import * as Job from "@infermesh/job/Job"
import * as Output from "@infermesh/job/Output"
import type { Layer } from "effect"
import { Context, Effect, Stream } from "effect"

import * as JobFolder from "./JobFolder.ts"
import type * as Process from "./process/Process.ts"

class Greeting extends Context.Service<Greeting, string>()("test/Greeting") {}

const collect = () => {
  const text: Array<string> = []
  return {
    output: Output.text((lines) => Effect.sync(() => void text.push(lines))),
    rows: () =>
      text
        .join("")
        .split("\n")
        .slice(0, -1)
        .map((line): Process.Row => JSON.parse(line))
  }
}

describe("a mapper", () => {
  it.live(
    "makes the input at once, as a promise or as an effect with requirements, and metadata and options with it",
    () =>
      Effect.gen(function* () {
        const { output, rows } = collect()
        yield* Job.run({
          input: Input.rows([{ q: "a" }, { q: "b", metadata: "own" }, { q: "c" }]),
          output,
          operation: Job.generate({ options: { maxTokens: 5, temperature: 1 } }),
          ordered: true,
          mapper: (row) => {
            const { q } = row as { readonly q: string }
            switch (q) {
              case "a":
                return { input: q, metadata: { from: q }, options: { maxTokens: 7 } }
              case "b":
                return Promise.resolve({ input: [{ role: "user" as const, content: q }] })
              default:
                return Greeting.useSync((greeting) => ({ input: `${greeting} ${q}` }))
            }
          }
        }).pipe(Effect.provideService(Greeting, "Dear"))
        assert.deepStrictEqual(
          rows().map((row) => [row["output_text"], row["metadata"]]),
          [
            ["a", { from: "a" }],
            ["b", "own"],
            ["Dear c", undefined]
          ]
        )
        const asked = yield* TestProvider.TestProvider.use(({ asked }) => asked)
        assert.deepStrictEqual(
          asked
            .map(({ request, text }) => [
              text,
              request.options.maxTokens,
              request.options.temperature
            ])
            .toSorted(([left], [right]) => String(left).localeCompare(String(right), "en")),
          [
            ["a", 7, 1],
            ["b", 5, 1],
            ["Dear c", 5, 1]
          ]
        )
      }).pipe(Effect.provide(JobFolder.layer()))
  )

  it.live("makes an error row of whatever it does wrong, and of that row alone", () =>
    Effect.gen(function* () {
      const { output, rows } = collect()
      const itself: { self?: unknown } = {}
      itself.self = itself
      const deeds: ReadonlyArray<readonly [() => unknown, RegExp]> = [
        [
          () => {
            throw new Error("boom\nat once")
          },
          /^line 1: the mapper failed: boom at once$/
        ],
        [() => Promise.reject(new Error("later")), /^line 2: the mapper failed: later$/],
        [() => Effect.fail("typed"), /^line 3: the mapper failed: typed$/],
        [() => Effect.die(new Error("bug")), /^line 4: the mapper failed: bug$/],
        [() => Effect.interrupt, /^line 5: the mapper failed/],
        [() => undefined, /^line 6: the mapper gave no 'input'/],
        [() => ({ output: 1 }), /^line 7: the mapper gave no 'input'/],
        [
          () => ({ input: "x", metadata: 5n }),
          /^line 8: the mapper's 'metadata' cannot be written as JSON/
        ],
        [
          () => ({ input: "x", metadata: itself }),
          /^line 9: the mapper's 'metadata' cannot be written/
        ],
        [
          () => ({ input: "x", metadata: () => 1 }),
          /^line 10: the mapper's 'metadata' is nothing that JSON/
        ],
        [() => ({ input: "x", options: 3 }), /^line 11: the mapper's 'options' are no object/],
        [() => ({ input: 7 }), /this is no input/],
        [
          () => ({ input: "x", options: { tempurature: 1 } }),
          /tempurature: there is no such option/
        ],
        [() => ({ input: "good" }), /^null$/]
      ]
      const { summary } = yield* Job.run({
        input: Input.rows([...deeds.keys()]),
        output,
        operation: Job.generate(),
        ordered: true,
        mapper: (row) => deeds[row as number]?.[0]() as never
      })
      for (const [index, [, message]] of deeds.entries()) {
        assert.match(String(rows()[index]?.["error"]), message)
      }
      assert.deepStrictEqual([summary.answered, summary.failed], [1, deeds.length - 1])
      assert.deepStrictEqual(summary.failures, { InvalidInput: deeds.length - 1 })
      assert.lengthOf(yield* TestProvider.TestProvider.use(({ asked }) => asked), 1)
    }).pipe(Effect.provide(JobFolder.layer()))
  )
})

describe("a job over rows that a program makes", () => {
  it.live("takes a stream of rows, and tells how far it is until it ends", () =>
    Effect.gen(function* () {
      const { output, rows } = collect()
      const job = yield* Job.start({
        input: Input.rows(Stream.range(1, 500).pipe(Stream.map((n) => ({ prompt: `q${n}` })))),
        output,
        operation: Job.generate(),
        concurrency: 8
      })
      const seen = yield* Stream.runCollect(job.progress)
      const answered = seen.map(({ summary }) => summary.answered)
      assert.deepStrictEqual(
        answered,
        answered.toSorted((a, b) => a - b)
      )
      assert.deepStrictEqual(
        [answered.at(-1), seen[0]?.rows, seen.at(-1)?.rows],
        [500, undefined, 500]
      )
      assert.strictEqual(seen.at(-1)?.underWay, 0)
      // Whoever comes late gets the end.
      assert.lengthOf(yield* Stream.runCollect(job.progress), 1)
      const outcome = yield* job.await
      assert.deepStrictEqual([outcome.summary.answered, rows().length], [500, 500])
    }).pipe(Effect.scoped, Effect.provide(JobFolder.layer()))
  )

  it.live("begins no more rows once it is told to stop, and none beyond its limit", () =>
    Effect.gen(function* () {
      const job = yield* JobFolder.make
      job.give(JobFolder.prompts(5000))
      const stopped = yield* job.run({
        concurrency: 4,
        stopWhen: ({ summary }) => summary.answered >= 20
      })
      assert.isTrue(stopped.isPartial)
      assert.isAtLeast(stopped.summary.answered, 20)
      assert.isBelow(stopped.summary.answered, 2000)
      const limited = yield* job.run({ resume: true, limit: 7 })
      assert.deepStrictEqual([limited.summary.answered, limited.isPartial], [7, true])
      assert.lengthOf(job.rows(), stopped.summary.answered + 7)
    }).pipe(Effect.scoped, Effect.provide(JobFolder.layer({ latency: "1 millis" })))
  )

  it.live("refuses settings that contradict one another", () =>
    Effect.gen(function* () {
      const { output } = collect()
      const job = yield* JobFolder.make
      job.give([])
      const refused = (effect: Effect.Effect<unknown, { readonly message: string }>) =>
        Effect.map(Effect.flip(effect), ({ message }) => message)
      const context = yield* Effect.context<Layer.Success<ReturnType<typeof JobFolder.layer>>>()
      const messages = yield* Effect.forEach(
        [
          job.run({ resume: true, overwrite: true }),
          job.run({ limit: 0 }),
          job.run({ concurrency: 1.5 }),
          Job.run({ input: Input.rows([]), output, operation: Job.generate(), resume: true })
        ],
        (run) => refused(Effect.provideContext(run, context))
      )
      assert.deepStrictEqual(messages, [
        "overwrite: a job is either resumed or overwritten; drop one of the two",
        "limit: 0 is not a whole number of at least 1",
        "concurrency: 1.5 is not a whole number of at least 1",
        "resume: only a job that writes into a file can be resumed; give it one"
      ])
    }).pipe(Effect.scoped, Effect.provide(JobFolder.layer()))
  )

  it.live("makes a row of an answer that JSON cannot hold", () =>
    Effect.gen(function* () {
      const { output, rows } = collect()
      yield* Job.run({
        input: Input.rows([{ prompt: "a" }]),
        output,
        operation: Job.generate()
      }).pipe(
        Effect.updateService(Inference, (inference) => ({
          ...inference,
          generate: ((input: string) =>
            Effect.map(inference.generate(input), (result) => ({
              ...result,
              outputParsed: 5n
            }))) as never
        }))
      )
      assert.strictEqual(rows()[0]?.["error_reason"], "Defect")
    }).pipe(Effect.provide(JobFolder.layer()))
  )
})
