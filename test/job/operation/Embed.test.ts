import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import { assert, describe, it } from "@effect/vitest"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import * as Input from "@infermesh/job/Input"
import * as Job from "@infermesh/job/Job"
import { EmbedRow } from "@infermesh/job/operation/EmbedRow"
import * as Output from "@infermesh/job/Output"
import { Effect, Schema } from "effect"

import * as JobFolder from "../JobFolder.ts"

const run = Effect.fnUntraced(function* (
  lines: ReadonlyArray<string>,
  settings: Parameters<typeof Job.embed>[0] = {}
) {
  const { folder, output, rows } = yield* JobFolder.make
  const path = join(folder, "texts.jsonl")
  writeFileSync(path, lines.join("\n"))
  const outcome = yield* Job.run({
    input: yield* Input.file(path),
    output: Output.file(output),
    operation: yield* Job.embed(settings)
  })
  const sorted = rows().toSorted((a, b) => Number(a["_index"]) - Number(b["_index"]))
  return { outcome, rows: sorted, text: readFileSync(output, "utf8") }
})

const requests = Effect.map(
  TestProvider.TestProvider.use(({ askedEmbed }) => askedEmbed),
  (asked) => asked.map(({ request }) => request.texts)
)

/** Rows whose vectors differ: they tell of their text's length. */
const texts = (count: number) =>
  Array.from({ length: count }, (_, index) => JSON.stringify({ text: "x".repeat(index + 1) }))

const layer = (embed: TestProvider.EmbedScript = {}) => JobFolder.layer({ embed })

describe("embed", () => {
  it.live("asks many rows in one request, and gives each its own row", () =>
    Effect.gen(function* () {
      const { outcome, rows } = yield* run(texts(70))
      assert.deepStrictEqual(
        (yield* requests).map(({ length }) => length),
        [32, 32, 6]
      )
      assert.strictEqual(outcome.summary.answered, 70)
      assert.deepStrictEqual(
        rows.map((row) => row["embedding"]),
        texts(70).map((_, index) => Array.from(TestProvider.vectorOf("x".repeat(index + 1))))
      )
      assert.deepStrictEqual(Object.keys(rows[0] ?? {}), [
        "_index",
        "embedding",
        "dimensions",
        "request_id",
        "token_usage",
        "error",
        "error_reason",
        "model_id",
        "cost",
        "metrics"
      ])
    }).pipe(Effect.scoped, Effect.provide(layer()))
  )

  it.live("makes error rows of bad rows and bad texts, and of those alone", () =>
    Effect.gen(function* () {
      const lines = [
        '{"text":"a","metadata":7}',
        "no json",
        '{"txt":1}',
        '{"text":5}',
        '{"text":""}',
        '{"text":"bad"}',
        '{"text":"b"}'
      ]
      const { outcome, rows } = yield* run(lines)
      assert.deepStrictEqual(
        rows.map((row) => [row["_index"], row["dimensions"] !== null, row["error_reason"]]),
        [
          [0, true, null],
          [1, false, "InvalidInput"],
          [2, false, "InvalidInput"],
          [3, false, "InvalidInput"],
          [4, false, "InvalidInput"],
          [5, false, "InvalidRequestError"],
          [6, true, null]
        ]
      )
      assert.match(String(rows[2]?.["error"]), /^line 3: the row has no 'text'/)
      assert.strictEqual(rows[0]?.["metadata"], 7)
      assert.deepStrictEqual([outcome.summary.answered, outcome.summary.failed], [2, 5])
    }).pipe(Effect.scoped, Effect.provide(layer({ poison: (text) => text === "bad" })))
  )

  it.live("leaves the vectors out when asked, and is read back by its schema", () =>
    Effect.gen(function* () {
      const { rows } = yield* run(texts(3), { vectors: false })
      for (const row of rows) {
        assert.isNull(row["embedding"])
        assert.strictEqual(row["dimensions"], TestProvider.vectorOf("x").length)
      }
      const full = yield* run(texts(3))
      for (const row of full.rows) {
        const decoded = yield* Schema.decodeUnknownEffect(EmbedRow)(row)
        assert.deepStrictEqual(decoded.embedding, row["embedding"])
      }
    }).pipe(Effect.scoped, Effect.provide(layer()))
  )

  it.live("asks rows with options of their own apart from the others", () =>
    Effect.gen(function* () {
      const { output, rows } = yield* JobFolder.make
      yield* Job.run({
        input: Input.rows(["a", "b", "c", "d"]),
        output: Output.file(output),
        operation: yield* Job.embed({ options: { user: "u" } }),
        mapper: (row) => ({
          input: String(row),
          options: row === "b" || row === "d" ? { dimensions: 2 } : undefined
        })
      })
      assert.deepStrictEqual(
        (yield* TestProvider.TestProvider.use(({ askedEmbed }) => askedEmbed)).map(
          ({ request }) => [request.texts, request.options.dimensions, request.options.user]
        ),
        [
          [["a", "c"], undefined, "u"],
          [["b", "d"], 2, "u"]
        ]
      )
      assert.strictEqual(rows().length, 4)
    }).pipe(Effect.scoped, Effect.provide(layer()))
  )

  it.effect("refuses limits that are none", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Job.embed({ microBatchSize: 0 }))
      assert.strictEqual(error.message, "microBatchSize: 0 is not a whole number of at least 1")
    })
  )
})
