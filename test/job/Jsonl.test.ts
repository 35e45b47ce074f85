import { assert, describe, it } from "@effect/vitest"
import type { Line } from "@infermesh/job/Jsonl"
import * as Jsonl from "@infermesh/job/Jsonl"
import { Effect, Result, Stream } from "effect"
import * as fc from "fast-check"

const encoder = new TextEncoder()

const read = (bytes: Uint8Array, cuts: ReadonlyArray<number> = [], maxBytes?: number) =>
  Stream.runCollect(Jsonl.lines(Stream.fromIterable(pieces(bytes, cuts)), { maxBytes }))

/** The bytes, cut after each of the given positions. */
const pieces = (bytes: Uint8Array, cuts: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted(
    (left, right) => left - right
  )
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end))
}

const shown = (lines: ReadonlyArray<Line>) =>
  lines.map(({ index, line, row }) => [
    index,
    line,
    Result.getOrElse(row, (problem) => `! ${problem}`)
  ])

describe("lines", () => {
  it.effect("passes over blank lines, whose numbers count while their positions do not", () =>
    Effect.gen(function* () {
      const text = '\uFEFF{"a":1}\r\n\n  \t\r\n\u00A0\n[2]\n\n"last, without a line end"'
      assert.deepStrictEqual(shown(yield* read(encoder.encode(text))), [
        [0, 1, { a: 1 }],
        [1, 5, [2]],
        [2, 7, "last, without a line end"]
      ])
      assert.deepStrictEqual(yield* read(encoder.encode("\n\r\n \n\uFEFF")), [])
      assert.deepStrictEqual(yield* read(new Uint8Array()), [])
    })
  )

  it.effect("makes of a line that cannot be read an element that says why, and goes on", () =>
    Effect.gen(function* () {
      const good = encoder.encode('{"ok":"é"}\n')
      const latin1 = [0x22, 0xe9, 0x22, 0x0a]
      const lines = yield* read(
        Uint8Array.from([...encoder.encode("{oops\n"), ...latin1, 0, 0x0a, ...good])
      )
      const [broken, encoded, zero, last] = shown(lines).map(([, , row]) => row)
      assert.match(String(broken), /^! the line is no JSON \(.+\)$/)
      assert.strictEqual(encoded, "! the line is no valid UTF-8")
      assert.match(String(zero), /^! the line is no JSON/)
      assert.deepStrictEqual(last, { ok: "é" })
    })
  )

  it("ends lines at \\n, \\r\\n and \\r alike, wherever the bytes are cut", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom("1", "22", ""), fc.constantFrom("\n", "\r\n", "\r"))),
        fc.array(fc.nat()),
        (parts, cuts) =>
          Effect.runPromise(
            Effect.gen(function* () {
              // An empty line that \r begins and \n ends is one line end.
              const text = parts.flat().join("").replaceAll("\r\n\n", "\r\n \n")
              const expected = text
                .split(/\r\n|\r|\n/)
                .flatMap((part, index) => (part.trim() === "" ? [] : [[index + 1, Number(part)]]))
              const lines = yield* read(encoder.encode(text), cuts)
              assert.deepStrictEqual(
                lines.map(({ line, row }) => [line, Result.getOrThrow(row)]),
                expected
              )
            })
          )
      )
    ))

  it.effect(
    "makes of a line that is too long an element that says so, and holds on to none of it",
    () =>
      Effect.gen(function* () {
        const bytes = encoder.encode(
          `"${"x".repeat(5000)}"\n"${"y".repeat(98)}"\n"${"z".repeat(99)}"`
        )
        for (const cuts of [[], [1, 2000, 4999], [5002, 5003, 5004]]) {
          const lines = yield* read(bytes, cuts, 100)
          assert.deepStrictEqual(shown(lines), [
            [0, 1, "! the line is too long to be read (5002 bytes)"],
            [1, 2, "y".repeat(98)],
            [2, 3, "! the line is too long to be read (101 bytes)"]
          ])
          assert.isBelow(lines[0]?.text?.length ?? Infinity, 1100)
          assert.isTrue(lines[0]?.text?.endsWith("…5002"))
        }
      })
  )

  it.effect("looks into a line only when it is asked", () =>
    Effect.gen(function* () {
      const parse = JSON.parse
      let parsed = 0
      JSON.parse = (text) => {
        parsed++
        return parse(text)
      }
      const lines = yield* Effect.ensuring(
        Effect.map(read(encoder.encode("1\n2\n3\n")), (lines) => {
          void lines[1]?.row
          void lines[1]?.row
          return lines
        }),
        Effect.sync(() => {
          JSON.parse = parse
        })
      )
      assert.deepStrictEqual([lines.length, parsed], [3, 1])
    })
  )

  it("gives the same lines however the bytes arrive, and as many as it counts", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.json(),
            fc.string({ unit: "binary" }).map((text) => text.replaceAll(/[\r\n]/g, "")),
            fc.constantFrom("", " ", "\t", "\u2003", "\uFEFF")
          )
        ),
        fc.array(fc.nat()),
        (texts, cuts) =>
          Effect.runPromise(
            Effect.gen(function* () {
              const bytes = encoder.encode(texts.join("\n"))
              const lines = yield* read(bytes, cuts)
              assert.deepStrictEqual(shown(lines), shown(yield* read(bytes)))
              const filled = texts.flatMap((text, index) => (text.trim() === "" ? [] : [index + 1]))
              assert.deepStrictEqual(
                lines.map(({ line }) => line),
                filled
              )
              assert.deepStrictEqual(
                lines.map(({ index }) => index),
                filled.map((_, index) => index)
              )
              const counted = yield* Jsonl.count(Stream.fromIterable(pieces(bytes, cuts)))
              assert.strictEqual(counted, lines.length)
            })
          )
      )
    ))

  it.effect("reads a line of megabytes out of many pieces", () =>
    Effect.gen(function* () {
      const prompt = "word ".repeat(400_000)
      const bytes = encoder.encode(`{"prompt":"${prompt}"}\n{"prompt":"b"}`)
      const cuts = Array.from({ length: 30 }, (_, index) => index * 65_536)
      const lines = yield* read(bytes, cuts)
      assert.deepStrictEqual(
        lines.map(({ row }) => (Result.getOrThrow(row) as { prompt: string }).prompt.length),
        [prompt.length, 1]
      )
    })
  )
})
