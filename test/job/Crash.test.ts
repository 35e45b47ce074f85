import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { DatabaseSync } from "node:sqlite"

import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"

import type { Row } from "./process/Process.ts"
import * as Process from "./process/Process.ts"
import type { Setup } from "./process/run.ts"

/** How often a job is killed; CRASH_INSTANTS=200 for the long form. */
const instants = Number(process.env["CRASH_INSTANTS"] ?? 20)
const rows = instants > 50 ? 2000 : 400

/** Numbers that are the same in every run, from 0 up to 1. */
const random = (seed: number) => () => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}

/** Rows of all sizes, a tenth of them there twice. */
const promptOf = (index: number): string => {
  const own = index % 10 === 9 ? index - 5 : index
  const length = own % 97 === 0 ? 60_000 : (own * 37) % 700
  return `Q${own} ${"x".repeat(length)}${own % 7 === 3 ? "!" : "?"}`
}

interface Kind {
  readonly name: string
  readonly setup: Partial<Setup>
  /** A whole run before, whose failed rows are asked again by the run that is killed. */
  readonly isRetry?: boolean
}

const kinds: ReadonlyArray<Kind> = [
  { name: "in order of completion", setup: {} },
  { name: "in input order", setup: { ordered: true } },
  { name: "asking failed rows again", setup: { retryFailed: true }, isRetry: true },
  { name: "embedding into a matrix", setup: { operation: "embed" } },
  {
    name: "embedding into a matrix in input order",
    setup: { operation: "embed", ordered: true }
  }
]

/** Kills a job at a random instant, once more while it is resumed, and lets it end. */
const crash = (instant: number) =>
  Effect.gen(function* () {
    const folder = yield* Process.folder
    const kind = kinds[instant % kinds.length] as Kind
    const chance = random(instant + 1)
    const isEmbedding = kind.setup.operation === "embed"
    const base: Setup = {
      input: join(folder, "in.jsonl"),
      output: join(folder, "out.jsonl"),
      log: join(folder, "asked.log"),
      operation: "generate",
      latencyMillis: 20,
      concurrency: isEmbedding ? 8 : 32,
      ...kind.setup,
      ...(isEmbedding ? { matrix: join(folder, "out.npy") } : {})
    }
    const prompts = Array.from({ length: rows }, (_, index) => promptOf(index))
    writeFileSync(
      base.input,
      prompts
        .map((text) => `${JSON.stringify(isEmbedding ? { text } : { prompt: text })}\n`)
        .join("")
    )
    const run = (setup: Setup, killAfterMillis?: number, since?: "started") =>
      Effect.promise(() => Process.run(setup, { killAfterMillis, since }))
    const askedSince = () => {
      const asked = existsSync(base.log)
        ? readFileSync(base.log, "utf8").split("\n").slice(0, -1)
        : []
      writeFileSync(base.log, "")
      return asked
    }
    // Long enough for all of it, but not much longer; a retry asks a seventh.
    const requests = rows / (isEmbedding ? 8 : 1) / (kind.isRetry === true ? 7 : 1)
    const span = (requests / base.concurrency) * 10 + 100

    const { retryFailed: _, ...plain } = base
    if (kind.isRetry === true) {
      const first = yield* run({ ...plain, failing: "!" })
      assert.strictEqual(first.code, 0, first.stderr)
      askedSince()
    }
    // What a process takes to start, before it looks at any file.
    const openingMillis = 250
    let killed = 0
    let boughtTwice = 0
    for (const attempt of [0, 1]) {
      const setup = attempt === 0 ? base : { ...base, resume: true }
      const before = answeredIn(folder)
      // The second time often while the job is being opened: repaired, planned, rewritten.
      const isOpening = attempt === 1 && chance() < 0.5
      const ended = isOpening
        ? yield* run(setup, openingMillis + chance() * 150, "started")
        : yield* run(setup, chance() * span)
      if (ended.signal === "SIGKILL") killed++
      else assert.strictEqual(ended.code, 0, ended.stderr)
      boughtTwice += count(askedSince(), before, prompts)
    }
    const before = answeredIn(folder)
    const last = yield* run({ ...plain, resume: true, retryFailed: kind.isRetry === true })
    assert.strictEqual(last.code, 0, last.stderr)
    boughtTwice += count(askedSince(), before, prompts)

    const written = Process.rowsOf(base.output)
    const indices = written.map((row) => row["_index"] as number)
    assert.strictEqual(written.length, rows)
    assert.strictEqual(new Set(indices).size, rows)
    if (base.ordered === true)
      assert.deepStrictEqual(
        indices,
        indices.toSorted((a, b) => a - b)
      )
    for (const row of written) {
      const prompt = prompts[row["_index"] as number] as string
      assert.isNull(row["error"])
      if (!isEmbedding) assert.strictEqual(row["output_text"], `re: ${prompt}`)
    }
    if (base.matrix !== undefined) checkMatrix(readFileSync(base.matrix), written, prompts)
    assert.strictEqual(boughtTwice, 0, "rows whose answer was on the disk were asked again")
    // Nothing is left behind but the job's own files.
    assert.deepStrictEqual(
      readdirSync(folder).toSorted(),
      [
        "asked.log",
        "in.jsonl",
        "out.checkpoint.sqlite",
        "out.jsonl",
        ...(isEmbedding ? ["out.npy"] : [])
      ].toSorted()
    )
    return killed
  }).pipe(Effect.scoped)

/** The rows whose answer is on the disk: in the output, or held back in the ledger. It looks at a copy. */
const answeredIn = (folder: string): ReadonlySet<number> => {
  const answered = new Set<number>()
  for (const row of Process.wholeRowsOf(join(folder, "out.jsonl"))) {
    if (row["error"] === null) answered.add(row["_index"] as number)
  }
  const ledgers = readdirSync(folder).filter((name) => name.startsWith("out.checkpoint.sqlite"))
  if (!ledgers.includes("out.checkpoint.sqlite")) return answered
  const copy = join(folder, "copy")
  mkdirSync(copy)
  for (const name of ledgers) cpSync(join(folder, name), join(copy, name))
  const database = new DatabaseSync(join(copy, "out.checkpoint.sqlite"))
  const hasTables = database.prepare("select name from sqlite_schema where name = 'held'").get()
  const held = hasTables === undefined ? [] : database.prepare("select position from held").all()
  for (const { position } of held) answered.add(position as number)
  database.close()
  rmSync(copy, { recursive: true })
  return answered
}

/** How many of the asked rows had an answer before; equal rows are one another's. */
const count = (
  asked: ReadonlyArray<string>,
  before: ReadonlySet<number>,
  prompts: ReadonlyArray<string>
): number => {
  const open = new Map<string, number>()
  for (const [index, prompt] of prompts.entries()) {
    const key = prompt.slice(0, 40)
    open.set(key, (open.get(key) ?? 0) + (before.has(index) ? 0 : 1))
  }
  let twice = 0
  for (const key of asked) {
    const left = open.get(key) ?? 0
    if (left === 0) twice++
    open.set(key, left - 1)
  }
  return twice
}

const checkMatrix = (
  file: Buffer,
  written: ReadonlyArray<Row>,
  prompts: ReadonlyArray<string>
): void => {
  assert.include(file.toString("latin1", 0, 128), `'shape': (${rows}, 2)`)
  assert.strictEqual(file.length, 128 + rows * 2 * 4)
  for (const row of written) {
    const at = 128 + (row["matrix_row"] as number) * 8
    const prompt = prompts[row["_index"] as number] as string
    assert.deepStrictEqual(
      [file.readFloatLE(at), file.readFloatLE(at + 4)],
      [prompt.length, Number(/\d+/.exec(prompt)?.[0])]
    )
  }
}

describe("a job that is killed", () => {
  for (const [at, { name }] of kinds.entries()) {
    it.live(
      `${name} has one row for each of its input in the end, and buys no answer twice that was on the disk`,
      () =>
        Effect.gen(function* () {
          const own = Array.from({ length: instants }, (_, instant) => instant).filter(
            (instant) => instant % kinds.length === at
          )
          const killed = yield* Effect.forEach(own, crash, { concurrency: 2 })
          const total = killed.reduce((sum, one) => sum + one, 0)
          if (instants > 50) console.log(`${name}: ${total} kills in ${own.length} jobs`)
          assert.isAbove(total, own.length / 2)
        }),
      900_000
    )
  }
})
