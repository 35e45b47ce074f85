import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  chmodSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"

import { assert, describe, it } from "@effect/vitest"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import * as Input from "@infermesh/job/Input"
import * as Job from "@infermesh/job/Job"
import type { JobError } from "@infermesh/job/JobError"
import * as Output from "@infermesh/job/Output"
import { Effect, Stream } from "effect"
import * as fc from "fast-check"

import * as JobFolder from "./JobFolder.ts"
import { answers, askedSince, prompts } from "./JobFolder.ts"

const failing = (isFailing: (text: string) => boolean) =>
  JobFolder.layer({
    reply: ({ text }) => (isFailing(text) ? TestProvider.unavailable() : `re: ${text}`)
  })

const reasonOf = <A, E extends { readonly _tag: string }, R>(job: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(job), (error) => (error as unknown as JobError).reason)

const expected = (count: number) =>
  Array.from({ length: count }, (_, index) => [index, `q${index}`] as const)

describe("resume", () => {
  it.live("asks only what is not settled, and starts a job that is not there", () =>
    Effect.gen(function* () {
      const job = yield* JobFolder.make
      const asked = askedSince()
      job.give(prompts(100))
      const first = yield* job.run({ resume: true, limit: 40 })
      assert.deepStrictEqual([first.summary.answered, first.isPartial, first.rows], [40, true, 100])
      assert.strictEqual((yield* asked).length, 40)
      const second = yield* job.run({ resume: true })
      assert.deepStrictEqual(
        [second.summary.answered, second.answeredBefore, second.isPartial],
        [60, 40, false]
      )
      assert.strictEqual((yield* asked).length, 60)
      const third = yield* job.run({ resume: true })
      assert.deepStrictEqual([third.summary.answered, third.answeredBefore], [0, 100])
      assert.deepStrictEqual(yield* asked, [])
      assert.deepStrictEqual(answers(job.rows()), expected(100))
      assert.deepStrictEqual(readdirSync(job.folder).toSorted(), [
        "in.jsonl",
        "out.checkpoint.sqlite",
        "out.jsonl"
      ])
    }).pipe(Effect.scoped, Effect.provide(JobFolder.layer()))
  )

  it("ends with one row for each row of the input, whatever was settled before and in whatever order the input comes", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({ prompt: fc.constantFrom("a", "b", "c", "d", "e"), size: fc.nat(2000) }),
          {
            minLength: 1,
            maxLength: 60
          }
        ),
        fc.array(fc.nat(20), { maxLength: 3 }),
        fc.infiniteStream(fc.nat()),
        fc.boolean(),
        fc.boolean(),
        (shapes, limits, chance, ordered, isStream) =>
          Effect.runPromise(
            Effect.gen(function* () {
              const job = yield* JobFolder.make
              const asked = askedSince()
              const rows = shapes.map(({ prompt, size }) => ({
                prompt: prompt + "x".repeat(size),
                metadata: prompt
              }))
              job.give(rows)
              const run = isStream ? job.runStream : job.run
              for (const limit of limits) yield* run({ resume: true, limit: limit + 1, ordered })
              // The whole input once, so that all of it is known before it is shuffled.
              yield* run({ resume: true, limit: rows.length, ordered })
              const settled = job.rows()
              job.give(shuffled(rows, chance))
              yield* run({ resume: true, ordered })
              const written = job.rows()
              assert.deepStrictEqual(written.slice(0, settled.length), settled)
              assert.deepStrictEqual(
                answers(written),
                rows.map(({ prompt }, index) => [index, prompt] as const)
              )
              for (const row of written)
                assert.strictEqual(row["metadata"], rows[row["_index"] as number]?.metadata)
              assert.strictEqual((yield* asked).length, rows.length)
            }).pipe(Effect.scoped, Effect.provide(JobFolder.layer()))
          )
      ),
      { numRuns: 40 }
    ))

  it("asks each of equal rows once, also when the input is reordered while some are open", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("a", "b", "c"), { minLength: 2, maxLength: 40 }),
        fc.integer({ min: 1, max: 20 }),
        fc.infiniteStream(fc.nat()),
        fc.boolean(),
        (texts, limit, chance, isStream) =>
          Effect.runPromise(
            Effect.gen(function* () {
              const job = yield* JobFolder.make
              const asked = askedSince()
              const rows = texts.map((prompt) => ({ prompt }))
              const run = isStream ? job.runStream : job.run
              job.give(rows)
              yield* run({ limit })
              job.give(shuffled(rows, chance))
              yield* run({ resume: true })
              const written = job.rows()
              assert.deepStrictEqual(
                written.map((row) => row["_index"] as number).toSorted((a, b) => a - b),
                [...rows.keys()]
              )
              assert.deepStrictEqual(
                written.map((row) => String(row["output_text"])).toSorted(byText),
                texts.toSorted(byText)
              )
              assert.strictEqual((yield* asked).length, rows.length)
            }).pipe(Effect.scoped, Effect.provide(JobFolder.layer()))
          )
      ),
      { numRuns: 40 }
    ))

  it("takes over what is in the output and not in the ledger, and cuts off what is torn, wherever it ends", () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 39 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (limit, share) =>
          Effect.runPromise(
            Effect.gen(function* () {
              const job = yield* JobFolder.make
              const asked = askedSince()
              job.give(prompts(40))
              yield* job.run({ limit })
              const ledger = readFileSync(job.ledger)
              const known = statSync(job.output).size
              yield* job.run({ resume: true })
              // The ledger of then with the output of now, as a crash in between leaves them.
              const whole = job.text() ?? ""
              const cut = whole.slice(0, known + Math.floor(share * (whole.length - known)))
              writeFileSync(job.ledger, ledger)
              job.write(cut)
              yield* asked
              const outcome = yield* job.run({ resume: true })
              const lines = cut.split("\n").length - 1
              assert.isAtLeast(outcome.answeredBefore, lines)
              assert.strictEqual(outcome.plan.adopted, outcome.answeredBefore - limit)
              assert.strictEqual((yield* asked).length, 40 - outcome.answeredBefore)
              assert.isTrue(job.text()?.startsWith(cut.slice(0, cut.lastIndexOf("\n") + 1)))
              assert.deepStrictEqual(answers(job.rows()), expected(40))
            }).pipe(Effect.scoped, Effect.provide(JobFolder.layer()))
          )
      ),
      { numRuns: 40 }
    ))

  it.live("is refused when the settings differ, says how, and can be forced", () =>
    Effect.gen(function* () {
      const job = yield* JobFolder.make
      job.give(prompts(4))
      yield* job.run({ limit: 2, identity: { model: "a", mapper: "m" } })
      const before = [job.text(), readFileSync(job.ledger)]
      const refused = yield* Effect.flip(job.run({ resume: true, identity: { model: "b" } }))
      assert.strictEqual(
        refused.message,
        'the job was started with other settings: mapper was "m" and is not set; model was "a" and is "b". Use those, force the resume, or choose another output'
      )
      assert.deepStrictEqual([job.text(), readFileSync(job.ledger)], before)
      yield* job.run({ resume: true, identity: { model: "b" }, force: true })
      assert.strictEqual(job.rows().length, 4)
      // What it was forced to is what it is now.
      yield* job.run({ resume: true, identity: { model: "b" } })
    }).pipe(Effect.scoped, Effect.provide(JobFolder.layer()))
  )

  it.live("is refused when the input has other rows, until the job is extended or forced", () =>
    Effect.gen(function* () {
      for (const run of ["run", "runStream"] as const) {
        const job = yield* JobFolder.make
        const asked = askedSince()
        const rows = prompts(6)
        job.give(rows)
        yield* job.run()
        yield* asked
        job.give([...rows.slice(0, 3), "new", ...rows.slice(3), { prompt: "q2" }])
        const added = yield* reasonOf(job[run]({ resume: true }))
        assert.strictEqual(added._tag, "InputChanged")
        assert.match(added.message, /not there before \(the first in line 4\).*extend the job/)
        assert.deepStrictEqual(yield* asked, [])
        const extended = yield* job[run]({ extend: true })
        assert.deepStrictEqual([extended.summary.answered, extended.summary.failed], [1, 1])
        assert.deepStrictEqual(yield* asked, ["q2"])
        assert.deepStrictEqual(answers(job.rows()), [...expected(6), [6, null], [7, "q2"]])
        job.give(rows.slice(2))
        const missing = yield* reasonOf(job[run]({ resume: true }))
        assert.match(missing.message, /4 rows of the job are not in the input.*force the resume/)
        yield* job[run]({ resume: true, force: true })
        assert.strictEqual(job.rows().length, 8)
      }
    }).pipe(Effect.scoped, Effect.provide(JobFolder.layer()))
  )

  it.live("needs no extension for rows that a job which was cut short had not read", () =>
    Effect.gen(function* () {
      for (const run of ["run", "runStream"] as const) {
        const job = yield* JobFolder.make
        job.give(prompts(20_000))
        const first = yield* job[run]({ limit: 3 })
        assert.isTrue(first.isPartial)
        const second = yield* job[run]({ resume: true })
        assert.strictEqual(second.summary.answered, 20_000 - 3)
        assert.deepStrictEqual(answers(job.rows()), expected(20_000))
      }
    }).pipe(Effect.scoped, Effect.provide(JobFolder.layer()))
  )
})

describe("retryFailed", () => {
  it.live("asks failed rows again and leaves no old row of them, in input order when asked", () =>
    Effect.gen(function* () {
      for (const ordered of [false, true]) {
        const job = yield* JobFolder.make
        job.give([...prompts(30), "no json", { prompt: "" }])
        const first = yield* Effect.provide(
          job.run({ ordered }),
          failing((text) => Number(text.slice(1)) % 3 === 0)
        )
        assert.strictEqual(first.summary.failed, 11 + 1)
        const settled = yield* Effect.provide(job.run({ resume: true }), JobFolder.layer())
        assert.deepStrictEqual([settled.summary.answered, settled.failedBefore], [0, 12])

        const some = yield* Effect.provide(
          job.run({ retryFailed: ["InternalProviderError"], ordered }),
          failing((text) => text === "q9")
        )
        assert.deepStrictEqual(
          [some.plan.retried, some.summary.answered, some.summary.failed, some.failedBefore],
          [11, 10, 1, 1]
        )
        const rows = job.rows()
        assert.strictEqual(new Set(rows.map((row) => row["_index"])).size, 32)
        assert.strictEqual(rows.length, 32)
        assert.deepStrictEqual(
          rows
            .filter((row) => row["error"] !== null)
            .map((row) => row["_index"] as number)
            .toSorted((left, right) => left - right),
          [9, 30]
        )
        if (ordered)
          assert.deepStrictEqual(
            rows.map((row) => row["_index"]),
            [...rows.keys()]
          )

        const rest = yield* Effect.provide(job.run({ retryFailed: true }), JobFolder.layer())
        assert.deepStrictEqual([rest.plan.retried, rest.summary.failed], [2, 1])
        assert.strictEqual(job.rows().length, 32)
        assert.isFalse(existsSync(`${job.output}.rewrite`))
      }
    }).pipe(Effect.scoped)
  )

  it.live("keeps the output's access rights when it writes it anew", () =>
    Effect.gen(function* () {
      const job = yield* JobFolder.make
      job.give(prompts(3))
      yield* Effect.provide(
        job.run(),
        failing((text) => text === "q1")
      )
      chmodSync(job.output, 0o640)
      yield* Effect.provide(job.run({ retryFailed: true }), JobFolder.layer())
      assert.strictEqual(statSync(job.output).mode & 0o777, 0o640)
    }).pipe(Effect.scoped)
  )

  it.live("has not changed anything when the resume is refused", () =>
    Effect.gen(function* () {
      const job = yield* JobFolder.make
      job.give(prompts(3))
      yield* Effect.provide(
        job.run(),
        failing((text) => text === "q1")
      )
      const before = job.text()
      job.give(prompts(4))
      const reason = yield* Effect.provide(
        reasonOf(job.run({ retryFailed: true })),
        JobFolder.layer()
      )
      assert.strictEqual(reason._tag, "InputChanged")
      assert.strictEqual(job.text(), before)
      job.give(prompts(3))
      const { plan } = yield* Effect.provide(job.run({ retryFailed: true }), JobFolder.layer())
      assert.strictEqual(plan.retried, 1)
    }).pipe(Effect.scoped)
  )
})

describe("an output that is there", () => {
  it.live("is never overwritten in silence, nor its ledger", () =>
    Effect.gen(function* () {
      const job = yield* JobFolder.make
      job.give(prompts(3))
      yield* job.run({ limit: 1 })
      const before = job.text()
      assert.strictEqual((yield* reasonOf(job.run()))._tag, "OutputExists")
      assert.strictEqual(job.text(), before)
      renameSync(job.output, `${job.output}.away`)
      assert.match((yield* reasonOf(job.run())).message, /checkpoint\.sqlite exists already/)
      renameSync(`${job.output}.away`, job.output)
      rmSync(job.ledger)
      assert.strictEqual((yield* reasonOf(job.run()))._tag, "OutputExists")
      assert.strictEqual((yield* reasonOf(job.run({ resume: true })))._tag, "LedgerMissing")
      assert.strictEqual(job.text(), before)
      const outcome = yield* job.run({ overwrite: true })
      assert.strictEqual(outcome.summary.answered, 3)
      assert.deepStrictEqual(answers(job.rows()), expected(3))
    }).pipe(Effect.scoped, Effect.provide(JobFolder.layer()))
  )

  it.live("is not thrown away for an input that cannot be read to its end", () =>
    Effect.gen(function* () {
      const job = yield* JobFolder.make
      job.give(prompts(3))
      yield* job.run()
      const before = job.text()
      const broken: Input.Input<string> = {
        lines: Stream.fail("broken"),
        count: Effect.fail("broken"),
        path: undefined
      }
      const output = Output.file(job.output)
      const anew = Job.run({ input: broken, output, operation: Job.generate(), overwrite: true })
      assert.strictEqual(yield* Effect.flip(anew), "broken")
      assert.strictEqual(job.text(), before)
      yield* job.run({ resume: true })
    }).pipe(Effect.scoped, Effect.provide(JobFolder.layer()))
  )

  it.live("can be looked at with its job, while that runs and afterwards", () =>
    Effect.gen(function* () {
      const job = yield* JobFolder.make
      job.give(prompts(10))
      const look = Job.look({ path: job.output })
      assert.match((yield* Effect.flip(look)).message, /there is no such ledger/)
      yield* Effect.gen(function* () {
        const { progress } = yield* Job.start({
          input: yield* Input.file(job.input),
          output: Output.file(job.output),
          operation: Job.generate()
        })
        yield* Stream.runDrain(Stream.takeUntil(progress, ({ summary }) => summary.failed > 0))
        const { state } = yield* look
        assert.deepStrictEqual([state.failures, state.pending], [{ InternalProviderError: 1 }, 9])
      }).pipe(Effect.scoped)
      const { endToEndMillis, state } = yield* look
      assert.deepStrictEqual([state.failed, state.record?.output], [1, "out.jsonl"])
      assert.isUndefined(endToEndMillis.p50)
    }).pipe(
      Effect.scoped,
      Effect.provide(
        JobFolder.layer({
          reply: ({ text }) => (text === "q0" ? TestProvider.unavailable() : Effect.never)
        })
      )
    )
  )

  it.live("leaves nothing behind when a job is refused", () =>
    Effect.gen(function* () {
      const job = yield* JobFolder.make
      job.give(prompts(3))
      job.write("mine\n")
      assert.strictEqual((yield* reasonOf(job.run()))._tag, "OutputExists")
      assert.deepStrictEqual(readdirSync(job.folder).toSorted(), ["in.jsonl", "out.jsonl"])
    }).pipe(Effect.scoped, Effect.provide(JobFolder.layer()))
  )

  it.live(
    "is not resumed when settled rows are gone from it, unless forced to ask them again",
    () =>
      Effect.gen(function* () {
        const job = yield* JobFolder.make
        const asked = askedSince()
        job.give(prompts(20))
        yield* job.run()
        yield* asked
        const lines = (job.text() ?? "").split("\n")
        job.write([...lines.slice(0, 4), ...lines.slice(6)].join("\n"))
        const gone = lines
          .slice(4, 6)
          .map((line) => (JSON.parse(line) as { _index: number })._index)
        const reason = yield* reasonOf(job.run({ resume: true }))
        assert.strictEqual(reason._tag, "OutputChanged")
        assert.include(reason.message, `_index ${gone.toSorted((a, b) => a - b).join(", ")}`)
        assert.deepStrictEqual(yield* asked, [])
        const outcome = yield* job.run({ resume: true, force: true })
        assert.strictEqual(outcome.summary.answered, 2)
        assert.deepStrictEqual(answers(job.rows()), expected(20))
      }).pipe(Effect.scoped, Effect.provide(JobFolder.layer()))
  )

  it.live("may be sorted by its user in between", () =>
    Effect.gen(function* () {
      const job = yield* JobFolder.make
      job.give(prompts(20))
      yield* job.run({ limit: 15 })
      const lines = (job.text() ?? "").split("\n").slice(0, -1)
      job.write(`${lines.toReversed().join("\n")}\n`)
      const outcome = yield* job.run({ resume: true, ordered: true })
      assert.strictEqual(outcome.summary.answered, 5)
      assert.deepStrictEqual(
        job.rows().map((row) => row["_index"]),
        [...Array.from({ length: 20 }).keys()]
      )
    }).pipe(Effect.scoped, Effect.provide(JobFolder.layer()))
  )

  it.live("is freed of lines that are no rows, and of rows that are there twice", () =>
    Effect.gen(function* () {
      const job = yield* JobFolder.make
      job.give(prompts(6))
      yield* job.run({ limit: 4 })
      const text = job.text() ?? ""
      const [first] = text.split("\n")
      const error = { _index: 5, output_text: null, error: "later", error_reason: "TimedOut" }
      job.write(`${text}{"garbled": {"_ind\n${first}\n\n${JSON.stringify(error)}\n`)
      const outcome = yield* job.run({ retryFailed: ["TimedOut"] })
      assert.deepStrictEqual([outcome.plan.adopted, outcome.plan.retried], [1, 1])
      assert.deepStrictEqual(answers(job.rows()), expected(6))
    }).pipe(Effect.scoped, Effect.provide(JobFolder.layer()))
  )

  it.live(
    "of the Python library is taken over by its positions when its checkpoint is moved away and the resume forced",
    () =>
      Effect.gen(function* () {
        const job = yield* JobFolder.make
        const asked = askedSince()
        job.give(prompts(5))
        // As infermesh 0.3.1 writes them, in order of completion, the answer of the second in the output twice.
        const python = (index: number, text: string | null, error: string | null) =>
          JSON.stringify({
            _index: index,
            output_text: text,
            output_parsed: null,
            token_usage:
              text === null
                ? null
                : {
                    prompt_tokens: 3,
                    completion_tokens: 1,
                    total_tokens: 4,
                    reasoning_tokens: null
                  },
            request_id: "r",
            finish_reason: "stop",
            error
          })
        job.write(
          `${[python(3, "q3", null), python(1, "q1", null), python(0, null, ""), python(1, "q1", null)].join("\n")}\n`
        )
        const outcome = yield* job.run({ resume: true, force: true })
        assert.deepStrictEqual(
          [outcome.plan.adopted, outcome.answeredBefore, outcome.failedBefore],
          [3, 2, 1]
        )
        assert.deepStrictEqual((yield* asked).toSorted(), ["q2", "q4"])
        yield* job.run({ retryFailed: true })
        assert.deepStrictEqual(yield* asked, ["q0"])
        assert.deepStrictEqual(answers(job.rows()), expected(5))
        // From now on the rows are known by what is in them.
        job.give(prompts(5).toReversed())
        yield* job.run({ resume: true })
        assert.deepStrictEqual(yield* asked, [])
      }).pipe(Effect.scoped, Effect.provide(JobFolder.layer()))
  )

  it.live("is never the input, through no link either", () =>
    Effect.gen(function* () {
      const job = yield* JobFolder.make
      job.give(prompts(2))
      symlinkSync(job.input, job.output)
      for (const settings of [{}, { overwrite: true }, { resume: true, force: true }]) {
        assert.strictEqual((yield* reasonOf(job.run(settings)))._tag, "OutputIsInput")
      }
      assert.deepStrictEqual(readFileSync(job.input, "utf8").split("\n").length, 3)
    }).pipe(Effect.scoped, Effect.provide(JobFolder.layer()))
  )

  it.live("may be a link, which stays one", () =>
    Effect.gen(function* () {
      const job = yield* JobFolder.make
      job.give(prompts(3))
      const real = join(job.folder, "real.jsonl")
      writeFileSync(real, "")
      symlinkSync(real, job.output)
      yield* Effect.provide(
        job.run({ overwrite: true }),
        failing((text) => text === "q1")
      )
      yield* Effect.provide(
        job.run({ retryFailed: true }),
        failing(() => false)
      )
      assert.strictEqual(readFileSync(real, "utf8"), job.text())
      assert.isTrue(existsSync(join(job.folder, "real.checkpoint.sqlite")))
      assert.strictEqual(job.rows().length, 3)
    }).pipe(Effect.scoped)
  )
})

const byText = (left: string, right: string) => left.localeCompare(right, "en")

/** The same rows in another order. */
const shuffled = <A>(rows: ReadonlyArray<A>, chance: fc.Stream<number>): ReadonlyArray<A> => {
  const numbers = [...chance.take(rows.length)]
  return rows
    .map((row, index) => [numbers[index] ?? 0, row] as const)
    .toSorted(([left], [right]) => left - right)
    .map(([, row]) => row)
}
