import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import type { Line } from "@infermesh/job/Jsonl"
import * as Jsonl from "@infermesh/job/Jsonl"
import { Deferred, Effect, Exit, Fiber, FileSystem, Path, Result, Scope, Stream } from "effect"
import * as fc from "fast-check"

const encoder = new TextEncoder()

const read = (bytes: Uint8Array, cuts: ReadonlyArray<number> = []) =>
  Stream.runCollect(Jsonl.lines(Stream.fromIterable(pieces(bytes, cuts))))

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

  it("gives the same lines however the bytes arrive, and as many as it counts", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.json(),
            fc.string({ unit: "binary" }).map((text) => text.replaceAll("\n", "")),
            fc.constantFrom("", " ", "\t\r", "\u2003", "\uFEFF")
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

describe("makeWriter", () => {
  const recording = () => {
    const written: Array<string> = []
    return {
      written,
      append: (text: string) =>
        Effect.sync(() => {
          written.push(text)
        })
    }
  }

  it.effect("writes together what is given while a write is under way", () =>
    Effect.gen(function* () {
      const first = yield* Deferred.make<void>()
      const written: Array<string> = []
      const append = (text: string) =>
        Effect.suspend(() => {
          written.push(text)
          return written.length === 1 ? Deferred.await(first) : Effect.void
        })
      const writer = yield* Jsonl.makeWriter({ append, ordered: false })
      const writes = yield* Effect.forEach(["a\n", "b\n", "c\n"], (line, index) =>
        Effect.forkChild(writer.write(index, line), { startImmediately: true })
      )
      yield* Deferred.succeed(first, undefined)
      yield* Effect.forEach(writes, Fiber.join)
      assert.deepStrictEqual(written, ["a\n", "b\nc\n"])
    })
  )

  it.effect("keeps the order of the positions when asked, in whatever order the lines come", () =>
    Effect.gen(function* () {
      const { append, written } = recording()
      const writer = yield* Jsonl.makeWriter({ append, ordered: true })
      for (const index of [2, 0, 3, 1, 4]) yield* writer.write(index, `${index}\n`)
      assert.deepStrictEqual(written, ["0\n", "1\n2\n3\n", "4\n"])
    })
  )

  it.effect("writes what it held back for order when its scope closes", () =>
    Effect.gen(function* () {
      const { append, written } = recording()
      const scope = yield* Scope.make()
      const writer = yield* Scope.provide(Jsonl.makeWriter({ append, ordered: true }), scope)
      for (const index of [3, 1, 0]) yield* writer.write(index, `${index}\n`)
      assert.deepStrictEqual(written, ["0\n1\n"])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(written, ["0\n1\n", "3\n"])
    })
  )

  it.effect("fails for those whose lines could not be written", () =>
    Effect.gen(function* () {
      const writer = yield* Jsonl.makeWriter({
        append: () => Effect.fail("disk full"),
        ordered: false
      })
      assert.strictEqual(yield* Effect.flip(writer.write(0, "a\n")), "disk full")
    })
  )

  it.live("reads back from a file what it wrote into it", () =>
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const path = (yield* Path.Path).join(yield* fileSystem.makeTempDirectoryScoped(), "a.jsonl")
      const rows = Array.from({ length: 500 }, (_, index) => ({
        index,
        text: "é\n\u2028".repeat(40)
      }))
      const append = (text: string) => fileSystem.writeFileString(path, text, { flag: "a" })
      const writer = yield* Jsonl.makeWriter({ append, ordered: true })
      yield* Effect.forEach(rows, (row) => writer.write(row.index, `${JSON.stringify(row)}\n`), {
        concurrency: 20
      })
      const lines = yield* Stream.runCollect(Jsonl.lines(fileSystem.stream(path)))
      assert.deepStrictEqual(
        lines.map(({ row }) => Result.getOrThrow(row)),
        rows
      )
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
