import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { assert, describe, it } from "@effect/vitest"
import * as Simulator from "@infermesh/core/testing/Simulator"
import { Effect } from "effect"
import * as SimulatorServer from "infermesh/simulator/SimulatorServer"

import { infermesh } from "./Process.ts"

describe("infermesh generate", () => {
  it.live(
    "ends a job as cleanly for SIGTERM: what was answered is whole, in order when asked",
    () =>
      Effect.gen(function* () {
        const latency = { kind: "uniform", minMillis: 5, maxMillis: 60 } as const
        const simulator = yield* Simulator.make({ seed: 3, latency })
        const { url } = yield* SimulatorServer.serve({ simulator })
        const folder = mkdtempSync(join(tmpdir(), "infermesh-"))
        yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
        const [input, output] = [join(folder, "in.jsonl"), join(folder, "out.jsonl")]
        const count = 2000
        writeFileSync(
          input,
          Array.from({ length: count }, (_, index) => `{"prompt":"q${index}"}\n`).join("")
        )
        const connection = ["--model", "hosted_vllm/m", "--api-base", `${url}/v1`]
        const files = ["--input-jsonl", input, "--output-jsonl", output]
        writeFileSync(output, "")
        const { code, stderr } = yield* Effect.promise(() =>
          infermesh(["generate", ...connection, ...files, "--overwrite", "--ordered"], {
            kill: () =>
              readFileSync(output, "utf8").split("\n").length > 50 ? "SIGTERM" : undefined
          })
        )
        assert.strictEqual(code, 130, stderr)
        assert.match(stderr, /^rows +\d+ \(interrupted; --resume goes on\)$/m)
        assert.notMatch(stderr, /\n\s+at |error:/)
        const text = readFileSync(output, "utf8")
        assert.isTrue(text.endsWith("\n"))
        const indices = text
          .split("\n")
          .slice(0, -1)
          .map((line) => (JSON.parse(line) as { _index: number })._index)
        assert.isAbove(indices.length, 50)
        assert.isBelow(indices.length, count)
        assert.deepStrictEqual(
          indices,
          [...new Set(indices)].toSorted((left, right) => left - right)
        )
        const rows = /^answered +(\d+)$/m.exec(stderr)?.[1]
        assert.strictEqual(Number(rows), indices.length)
      }).pipe(Effect.scoped)
  )
})
