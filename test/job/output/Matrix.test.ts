import { execFileSync } from "node:child_process"
import { readFileSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import { assert, describe, it } from "@effect/vitest"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import * as Input from "@infermesh/job/Input"
import * as Job from "@infermesh/job/Job"
import * as Output from "@infermesh/job/Output"
import { Effect } from "effect"
import * as fc from "fast-check"

import * as JobFolder from "../JobFolder.ts"

type Settings = Pick<
  Parameters<typeof Job.run>[0],
  "resume" | "retryFailed" | "overwrite" | "limit" | "ordered"
>

const prepare = Effect.map(JobFolder.make, (job) => {
  const matrix = join(job.folder, "vectors.npy")
  return {
    ...job,
    matrix,
    run: Effect.fnUntraced(function* (
      texts: ReadonlyArray<string>,
      settings: Settings = {},
      microBatchSize = 4
    ) {
      return yield* Job.run({
        ...settings,
        input: Input.rows(texts.map((text) => ({ text }))),
        output: Output.file(job.output, { beside: Output.matrix(matrix) }),
        operation: yield* Job.embed({ microBatchSize })
      })
    }),
    /** The vector of each answered row, read as NumPy reads it. */
    vectors: () => {
      const file = readFileSync(matrix)
      const shape = /\((\d+), (\d+)\)/.exec(file.toString("latin1", 0, 128))
      const [count, dimensions] = [Number(shape?.[1]), Number(shape?.[2])]
      assert.strictEqual(file.length, 128 + count * dimensions * 4)
      return new Map(
        job.rows().flatMap((row) => {
          if (row["error"] !== null) return []
          const at = row["matrix_row"] as number
          assert.isBelow(at, count)
          const vector = Array.from({ length: dimensions }, (_, column) =>
            file.readFloatLE(128 + (at * dimensions + column) * 4)
          )
          return [[row["_index"] as number, vector] as const]
        })
      )
    }
  }
})

const layer = (embed: TestProvider.EmbedScript = {}) => JobFolder.layer({ embed })
/** Texts whose vectors differ: they tell of their length. */
const numbered = (count: number) =>
  Array.from({ length: count }, (_, index) => "x".repeat(index + 1))
const expected = (texts: ReadonlyArray<string>) =>
  new Map(texts.map((text, index) => [index, Array.from(TestProvider.vectorOf(text))]))

describe("matrix", () => {
  it("has each row's vector where the row says, however often the job is cut short and resumed", () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.integer({ min: 1, max: 15 }), { maxLength: 3 }),
        fc.boolean(),
        (count, limits, ordered) =>
          Effect.runPromise(
            Effect.gen(function* () {
              const job = yield* prepare
              const texts = numbered(count)
              for (const limit of limits) yield* job.run(texts, { resume: true, limit, ordered })
              yield* job.run(texts, { resume: true, ordered })
              assert.deepStrictEqual(sorted(job.vectors()), sorted(expected(texts)))
              assert.isTrue(job.rows().every((row) => row["embedding"] === null))
            }).pipe(Effect.scoped, Effect.provide(layer()))
          )
      ),
      { numRuns: 30 }
    ))

  it.live("has no rows for failed texts, and gets them when they are asked again", () =>
    Effect.gen(function* () {
      const job = yield* prepare
      const texts = numbered(10)
      yield* Effect.provide(job.run(texts), layer({ poison: ({ length }) => length === 8 }))
      assert.strictEqual(job.vectors().size, 9)
      assert.deepStrictEqual(
        job
          .rows()
          .filter((row) => row["error"] !== null)
          .map((row) => [row["_index"], row["matrix_row"]]),
        [[7, null]]
      )
      yield* Effect.provide(job.run(texts, { retryFailed: true }), layer())
      assert.deepStrictEqual(sorted(job.vectors()), sorted(expected(texts)))
    }).pipe(Effect.scoped)
  )

  it.live("cuts off vectors that no row speaks of, and is refused when vectors are gone", () =>
    Effect.gen(function* () {
      const job = yield* prepare
      const texts = numbered(12)
      yield* job.run(texts, { limit: 6 })
      const whole = readFileSync(job.matrix)
      writeFileSync(job.matrix, Buffer.concat([whole, Buffer.alloc(100, 1)]))
      yield* job.run(texts, { resume: true, limit: 2 })
      assert.strictEqual(job.vectors().size, 8)
      truncateSync(job.matrix, 140)
      const error = yield* Effect.flip(job.run(texts, { resume: true }))
      assert.strictEqual(error.reason._tag, "OutputChanged")
      assert.match(error.message, /vectors\.npy has changed/)
    }).pipe(Effect.scoped, Effect.provide(layer()))
  )

  it.live("is not overwritten in silence", () =>
    Effect.gen(function* () {
      const job = yield* prepare
      writeFileSync(job.matrix, "mine")
      const error = yield* Effect.flip(job.run(["a"]))
      assert.match(error.message, /vectors\.npy exists already/)
      assert.strictEqual(readFileSync(job.matrix, "utf8"), "mine")
      yield* job.run(["a"], { overwrite: true })
      assert.deepStrictEqual(sorted(job.vectors()), sorted(expected(["a"])))
    }).pipe(Effect.scoped, Effect.provide(layer()))
  )

  it.live("keeps a vector of another length in its row, which fails", () =>
    Effect.gen(function* () {
      const job = yield* prepare
      // In a request of its own, where no other vector tells that it is odd.
      yield* job.run(["a", "b", "odd", "c"], { ordered: true }, 1)
      const odd = job.rows()[2]
      assert.match(String(odd?.["error"]), /the vector has 3 dimensions where the matrix has 2/)
      assert.deepStrictEqual(odd?.["embedding"], [0, 0, 0])
      assert.deepStrictEqual([...job.vectors().keys()], [0, 1, 3])
    }).pipe(
      Effect.scoped,
      Effect.provide(
        layer({
          reply: ({ request }) =>
            request.texts.map((text) => new Float32Array(text === "odd" ? 3 : 2))
        })
      )
    )
  )

  it.live("is what NumPy reads", ({ skip }) =>
    Effect.gen(function* () {
      const job = yield* prepare
      yield* job.run(numbered(5), { ordered: true })
      let read = ""
      try {
        read = execFileSync(
          "python3",
          [
            "-c",
            `import numpy, json; a = numpy.load("${job.matrix}"); print(json.dumps([str(a.dtype), a.tolist()]))`
          ],
          { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }
        )
      } catch {
        return skip("there is no NumPy here")
      }
      assert.deepStrictEqual(JSON.parse(read), ["float32", [...job.vectors().values()]])
    }).pipe(Effect.scoped, Effect.provide(layer()))
  )
})

const sorted = (vectors: ReadonlyMap<number, ReadonlyArray<number>>) =>
  [...vectors].toSorted(([left], [right]) => left - right)
