import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { assert, describe, it } from "@effect/vitest"
import * as Simulator from "@infermesh/core/testing/Simulator"
import { Effect } from "effect"
import * as SimulatorServer from "infermesh/simulator/SimulatorServer"

import * as Process from "./Process.ts"

/** Runs the real command; kills it as soon as it is time. */
const infermesh = (
  parameters: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {},
  isTime?: () => boolean
) =>
  Effect.promise(() =>
    Process.infermesh(parameters, {
      env,
      kill: () => (isTime?.() === true ? "SIGKILL" : undefined)
    })
  )

const serve = Effect.fnUntraced(function* (settings: Simulator.SimulatorSettings = {}) {
  const simulator = yield* Simulator.make(settings)
  const { url } = yield* SimulatorServer.serve({ simulator })
  return `${url}/v1`
})

const prepare = Effect.fnUntraced(function* (count: number) {
  const folder = mkdtempSync(join(tmpdir(), "infermesh-"))
  yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
  const [input, output] = [join(folder, "in.jsonl"), join(folder, "out.jsonl")]
  const give = (count: number) =>
    writeFileSync(
      input,
      Array.from({ length: count }, (_, index) => `{"prompt":"q${index}"}\n`).join("")
    )
  give(count)
  const lines = () =>
    existsSync(output) ? readFileSync(output, "utf8").split("\n").slice(0, -1) : []
  return {
    folder,
    give,
    lines,
    rows: () => lines().map((line) => JSON.parse(line) as Record<string, unknown>),
    flags: (base: string, ...more: ReadonlyArray<string>) => [
      "generate",
      "--model",
      "hosted_vllm/m",
      "--api-base",
      base,
      "--input-jsonl",
      input,
      "--output-jsonl",
      output,
      "--max-retries",
      "0",
      ...more
    ]
  }
})

describe("infermesh generate", () => {
  it.live("goes on after it was killed, and asks nothing again that was answered", () =>
    Effect.gen(function* () {
      const latency = { kind: "uniform", minMillis: 5, maxMillis: 40 } as const
      const base = yield* serve({ seed: 5, latency })
      const job = yield* prepare(1500)
      const killed = yield* infermesh(
        job.flags(base, "--max-parallel-requests", "64"),
        {},
        () => job.lines().length > 100
      )
      assert.strictEqual(killed.signal, "SIGKILL")
      const before = job.lines().length
      const refused = yield* infermesh(job.flags(base))
      assert.strictEqual(refused.code, 1)
      assert.match(refused.stderr, /give --overwrite or --resume/)
      const resumed = yield* infermesh(job.flags(base, "--resume"))
      assert.strictEqual(resumed.code, 0, resumed.stderr)
      assert.match(resumed.stderr, new RegExp(`^answered +${1500 - before}$`, "m"))
      const indices = job.rows().map((row) => row["_index"])
      assert.strictEqual(indices.length, 1500)
      assert.strictEqual(new Set(indices).size, 1500)
      const again = yield* infermesh(job.flags(base, "--resume"))
      assert.match(again.stderr, /^answered +0$/m)
    }).pipe(Effect.scoped)
  )

  it.live(
    "asks failed rows again when told, with its ledger where it is told, and refuses what differs",
    () =>
      Effect.gen(function* () {
        const down = yield* serve({ seed: 1, faults: { unavailable: 1 } })
        const base = yield* serve({ seed: 1 })
        const job = yield* prepare(20)
        const ledgers = join(job.folder, "ledgers")
        const env = { INFERMESH_CHECKPOINT_DIR: join(job.folder, "elsewhere") }
        const run = (base: string, ...more: ReadonlyArray<string>) =>
          infermesh(job.flags(base, "--checkpoint-dir", ledgers, ...more), env)
        assert.strictEqual((yield* run(down)).code, 3)
        assert.lengthOf(readdirSync(ledgers), 1)
        assert.isFalse(existsSync(env.INFERMESH_CHECKPOINT_DIR))

        // Nothing to do, and rows that have failed are still failed.
        const settled = yield* run(down, "--resume")
        assert.strictEqual(settled.code, 3)
        assert.match(settled.stderr, /^answered +0$/m)

        const other = yield* run(base, "--retry-failed", "--temperature", "1")
        assert.strictEqual(other.code, 1)
        assert.match(
          other.stderr,
          /started with other settings: apiBase was .*; options\.temperature was not set and is 1/
        )
        const retried = yield* run(base, "--retry-failed", "--force")
        assert.strictEqual(retried.code, 0, retried.stderr)
        assert.isTrue(job.rows().every((row) => row["error"] === null))
        assert.lengthOf(job.rows(), 20)

        job.give(25)
        const changed = yield* run(base, "--resume")
        assert.strictEqual(changed.code, 1)
        assert.match(changed.stderr, /5 rows of the input were not there before/)
        assert.strictEqual((yield* run(base, "--extend")).code, 0)
        assert.lengthOf(job.rows(), 25)

        const wrong = yield* run(base, "--resume", "--overwrite")
        assert.strictEqual(wrong.code, 2)
        assert.match(wrong.stderr, /either resumed or overwritten/)
        const anew = yield* infermesh(job.flags(base, "--overwrite"), env)
        assert.strictEqual(anew.code, 0, anew.stderr)
        assert.lengthOf(readdirSync(env.INFERMESH_CHECKPOINT_DIR), 1)
      }).pipe(Effect.scoped)
  )
})
