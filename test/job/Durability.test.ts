import { execFileSync } from "node:child_process"
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import process from "node:process"

import { assert, describe, it } from "@effect/vitest"
import * as Input from "@infermesh/job/Input"
import * as Job from "@infermesh/job/Job"
import type { JobError } from "@infermesh/job/JobError"
import * as Output from "@infermesh/job/Output"
import { Cause, Clock, Effect, Exit, FileSystem, PlatformError, Stream } from "effect"

import * as JobFolder from "./JobFolder.ts"
import { answers, askedSince, prompts } from "./JobFolder.ts"
import * as Process from "./process/Process.ts"
import type { Setup } from "./process/run.ts"

const setupIn = (folder: string, more: Partial<Setup> = {}): Setup => ({
  input: join(folder, "in.jsonl"),
  output: join(folder, "out.jsonl"),
  log: join(folder, "asked.log"),
  operation: "generate",
  latencyMillis: 5,
  concurrency: 16,
  ...more
})

const give = (path: string, count: number) =>
  writeFileSync(
    path,
    Array.from({ length: count }, (_, index) => `{"prompt":"Q${index} ${"x".repeat(200)}"}\n`).join(
      ""
    )
  )

const isRoot = process.getuid?.() === 0

describe("two processes on one job", () => {
  it.live(
    "are one: the second is refused while the first lives, and goes on once it is killed",
    () =>
      Effect.gen(function* () {
        const folder = yield* Process.folder
        const setup = setupIn(folder, { latencyMillis: 400 })
        give(setup.input, 300)
        const second: Array<Promise<Process.Ended>> = []
        const first = yield* Effect.promise(() =>
          Process.run(setup, {
            onBegun: () => {
              second.push(Process.run({ ...setup, resume: true }))
              second.push(Process.run({ ...setup, overwrite: true }))
            },
            killAfterMillis: 2500
          })
        )
        assert.strictEqual(first.signal, "SIGKILL")
        for (const ended of yield* Effect.promise(() => Promise.all(second))) {
          assert.strictEqual(ended.code, 1)
          assert.match(
            ended.stderr,
            /^JobLocked: another process is running the job of .*out\.checkpoint\.sqlite/
          )
        }
        const third = yield* Effect.promise(() =>
          Process.run({ ...setup, latencyMillis: 1, resume: true })
        )
        assert.strictEqual(third.code, 0, third.stderr)
        assert.strictEqual(
          new Set(Process.rowsOf(setup.output).map((row) => row["_index"])).size,
          300
        )
        assert.strictEqual(Process.rowsOf(setup.output).length, 300)
      }).pipe(Effect.scoped)
  )

  it.live("that start at the same instant are one too", () =>
    Effect.gen(function* () {
      const folder = yield* Process.folder
      const setup = setupIn(folder, { latencyMillis: 60 })
      give(setup.input, 200)
      const ended = yield* Effect.promise(() =>
        Promise.all(Array.from({ length: 4 }, () => Process.run(setup)))
      )
      assert.strictEqual(ended.filter(({ code }) => code === 0).length, 1)
      for (const { code, stderr } of ended)
        if (code !== 0) assert.match(stderr, /JobLocked|OutputExists/)
      assert.strictEqual(readFileSync(setup.log, "utf8").split("\n").length - 1, 200)
      assert.strictEqual(Process.rowsOf(setup.output).length, 200)
    }).pipe(Effect.scoped)
  )
})

describe("a full disk", () => {
  const mount = (folder: string, size: string) => {
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder], {
        stdio: "ignore"
      })
      return true
    } catch {
      return false
    }
  }

  it.live("ends the job with a typed error, leaves whole rows, and can be resumed", ({ skip }) =>
    Effect.gen(function* () {
      const outside = yield* Process.folder
      const small = join(outside, "small")
      mkdirSync(small)
      if (!isRoot || !mount(small, "600k"))
        return skip("no file system of a given size can be mounted here")
      yield* Effect.addFinalizer(() => Effect.sync(() => execFileSync("umount", [small])))
      const setup = setupIn(small, {
        input: join(outside, "in.jsonl"),
        log: join(outside, "asked.log")
      })
      give(setup.input, 3000)
      for (const resume of [false, true]) {
        const ended = yield* Effect.promise(() => Process.run({ ...setup, resume }))
        assert.strictEqual(ended.code, 1)
        assert.match(
          ended.stderr,
          /^FileUnusable: cannot write .*: the disk is full; free some space and resume$/m
        )
        Process.rowsOf(setup.output)
      }
      const before = Process.rowsOf(setup.output).length
      assert.isAbove(before, 100)
      execFileSync("mount", ["-o", "remount,size=20m", small])
      writeFileSync(setup.log, "")
      const ended = yield* Effect.promise(() => Process.run({ ...setup, resume: true }))
      assert.strictEqual(ended.code, 0, ended.stderr)
      assert.strictEqual(readFileSync(setup.log, "utf8").split("\n").length - 1, 3000 - before)
      const rows = Process.rowsOf(setup.output)
      assert.strictEqual(rows.length, 3000)
      assert.strictEqual(new Set(rows.map((row) => row["_index"])).size, 3000)
    }).pipe(Effect.scoped)
  )

  it.live(
    "is met at any write: each time the rest is done by a resume, and nothing is bought twice that was written",
    () =>
      Effect.gen(function* () {
        const job = yield* JobFolder.make
        const asked = askedSince()
        const count = 3000
        job.give(prompts(count))
        let failures = 0
        for (let attempt = 0; attempt < 40; attempt++) {
          const before = existsSync(job.output) ? job.rows().length : 0
          yield* asked
          const exit = yield* Effect.exit(
            Effect.updateService(
              job.run({ resume: true, concurrency: 8 }),
              FileSystem.FileSystem,
              failingAfter(attempt % 2)
            )
          )
          if (Exit.isSuccess(exit)) break
          failures++
          const { reason } = Cause.squash(exit.cause) as JobError
          assert.strictEqual(reason._tag, "FileUnusable")
          assert.match(reason.message, /the disk is full/)
          assert.isAtMost((yield* asked).length, count - before)
        }
        assert.isAbove(failures, 5)
        yield* job.run({ resume: true })
        assert.deepStrictEqual(
          answers(job.rows()),
          Array.from({ length: count }, (_, index) => [index, `q${index}`] as const)
        )
      }).pipe(Effect.scoped, Effect.provide(JobFolder.layer()))
  )

  /** Lets so many writes of the output through, tears the next one, and refuses all others. */
  const failingAfter =
    (allowed: number) =>
    (fileSystem: FileSystem.FileSystem): FileSystem.FileSystem => {
      let left = allowed
      const full = PlatformError.systemError({
        _tag: "Unknown",
        module: "FileSystem",
        method: "writeAll",
        cause: Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" })
      })
      return {
        ...fileSystem,
        open: (path, options) =>
          Effect.map(fileSystem.open(path, options), (file) =>
            path.endsWith("out.jsonl")
              ? new Proxy(file, {
                  get: (target, key) => {
                    if (key === "writeAll") {
                      return (bytes: Uint8Array) => {
                        if (left-- > 0) return target.writeAll(bytes)
                        return Effect.andThen(
                          target.writeAll(bytes.subarray(0, bytes.length >> 1)),
                          Effect.fail(full)
                        )
                      }
                    }
                    const value = Reflect.get(target, key, target) as unknown
                    return typeof value === "function" ? value.bind(target) : value
                  }
                })
              : file
          )
      }
    }
})

describe("a folder that may not be written", () => {
  it.live("is found before anything is asked", ({ skip }) =>
    Effect.gen(function* () {
      const folder = yield* Process.folder
      chmodSync(folder, 0o755)
      const outputs = join(folder, "outputs")
      mkdirSync(outputs)
      const setup = setupIn(outputs, {
        input: join(folder, "in.jsonl"),
        log: join(folder, "asked.log")
      })
      give(setup.input, 10)
      writeFileSync(setup.log, "")
      chmodSync(setup.log, 0o666)
      chmodSync(outputs, 0o555)
      // Root may write anywhere.
      const uid = isRoot ? 65_534 : undefined
      const run = (setup: Setup) => Effect.promise(() => Process.run(setup, { uid }))
      const ended = yield* run(setup)
      if (ended.stderr.includes("EACCES") && ended.stderr.includes("node:")) {
        return skip("the user nobody may not read the sources here")
      }
      assert.strictEqual(ended.code, 1, ended.stderr)
      assert.match(ended.stderr, /^FileUnusable: cannot write .*: permission denied$/m)
      assert.deepStrictEqual(readdirSync(outputs), [])
      assert.strictEqual(readFileSync(setup.log, "utf8"), "")

      // With its ledger elsewhere it is the output that cannot be made.
      const checkpointDirectory = join(folder, "ledgers")
      mkdirSync(checkpointDirectory)
      if (uid !== undefined) chownSync(checkpointDirectory, uid, uid)
      const elsewhere = yield* run({ ...setup, checkpointDirectory })
      assert.match(
        elsewhere.stderr,
        /^FileUnusable: cannot write .*out\.jsonl: permission denied$/m
      )
      assert.strictEqual(readFileSync(setup.log, "utf8"), "")

      // An output that is there, in a folder that is read-only, with its ledger elsewhere, is enough.
      chmodSync(outputs, 0o755)
      writeFileSync(setup.output, "")
      chmodSync(setup.output, 0o666)
      chmodSync(outputs, 0o555)
      const there = yield* run({ ...setup, checkpointDirectory, overwrite: true })
      assert.strictEqual(there.code, 0, there.stderr)
      assert.strictEqual(Process.rowsOf(setup.output).length, 10)
    }).pipe(Effect.scoped)
  )
})

describe("rows that wait for their turn", () => {
  it.live("are not bought again when the process is killed", () =>
    Effect.gen(function* () {
      const folder = yield* Process.folder
      const setup = setupIn(folder, { ordered: true })
      writeFileSync(
        setup.input,
        ["first", ...Array.from({ length: 300 }, (_, index) => `Q${index}`)]
          .map((prompt) => `${JSON.stringify({ prompt })}\n`)
          .join("")
      )
      const asked = () => readFileSync(setup.log, "utf8").split("\n").slice(0, -1)
      const killed = yield* Effect.promise(() =>
        Process.run({ ...setup, stuck: "first" }, { killAfterMillis: 2000 })
      )
      assert.strictEqual(killed.signal, "SIGKILL")
      assert.deepStrictEqual([asked().length, Process.rowsOf(setup.output).length], [301, 0])
      writeFileSync(setup.log, "")
      const resumed = yield* Effect.promise(() => Process.run({ ...setup, resume: true }))
      assert.strictEqual(resumed.code, 0, resumed.stderr)
      assert.deepStrictEqual(asked(), ["first"])
      assert.deepStrictEqual(
        Process.rowsOf(setup.output).map((row) => row["_index"]),
        [...Array(301).keys()]
      )
    }).pipe(Effect.scoped)
  )
})

describe("a clock that jumps", () => {
  it.live("changes nothing but the times that are reported", () =>
    Effect.gen(function* () {
      const job = yield* JobFolder.make
      const clock = yield* Clock.Clock
      job.give(prompts(300))
      let reads = 0
      // A day forward, two back, and so on, at every look.
      const jumpy: Clock.Clock = new Proxy(clock, {
        get: (target, key) => {
          const jump = (reads++ % 2 === 0 ? 1 : -2) * 86_400_000
          if (key === "currentTimeMillisUnsafe")
            return () => target.currentTimeMillisUnsafe() + jump
          if (key === "currentTimeMillis")
            return Effect.map(target.currentTimeMillis, (now) => now + jump)
          const value = Reflect.get(target, key, target) as unknown
          return typeof value === "function" ? value.bind(target) : value
        }
      })
      for (const limit of [100, 150, 300]) {
        yield* Effect.provideService(job.run({ resume: true, limit }), Clock.Clock, jumpy)
      }
      assert.deepStrictEqual(
        answers(job.rows()),
        Array.from({ length: 300 }, (_, index) => [index, `q${index}`] as const)
      )
      assert.isAbove(reads, 10)
    }).pipe(Effect.scoped, Effect.provide(JobFolder.layer()))
  )
})

describe("an interrupted job", () => {
  it.live(
    "has written all that was answered, in order when asked, and asks the rest when it is resumed",
    () =>
      Effect.gen(function* () {
        for (const ordered of [false, true]) {
          const job = yield* JobFolder.make
          const asked = askedSince()
          job.give(prompts(200))
          yield* Effect.gen(function* () {
            const { progress } = yield* Job.start({
              input: yield* Input.file(job.input),
              output: Output.file(job.output),
              operation: Job.generate(),
              ordered,
              concurrency: 16
            })
            yield* Stream.runDrain(
              Stream.takeUntil(progress, ({ summary }) => summary.answered > 50)
            )
          }).pipe(Effect.scoped)
          const written = job.rows().map((row) => row["_index"] as number)
          if (ordered)
            assert.deepStrictEqual(
              written,
              written.toSorted((a, b) => a - b)
            )
          yield* asked
          const outcome = yield* job.run({ resume: true, ordered })
          assert.strictEqual(outcome.answeredBefore, written.length)
          assert.strictEqual((yield* asked).length, 200 - written.length)
          const rows = job.rows().map((row) => row["_index"] as number)
          assert.strictEqual(new Set(rows).size, 200)
          assert.isAbove(written.length, 50)
          assert.isBelow(written.length, 200)
          if (ordered) assert.deepStrictEqual(rows, [...rows.keys()])
        }
      }).pipe(Effect.scoped, Effect.provide(JobFolder.layer({ latency: "2 millis" })))
  )
})
