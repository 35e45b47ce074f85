import {
  existsSync,
  linkSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"

import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Simulator from "@infermesh/core/testing/Simulator"
import { Cause, Effect, Exit, Layer, PlatformError, Runtime, Sink, Stdio, Stream } from "effect"
import { TestConsole } from "effect/testing"
import * as Cli from "infermesh/Cli"
import * as SimulatorServer from "infermesh/simulator/SimulatorServer"

interface Terminal {
  readonly stdin?: Stream.Stream<Uint8Array, PlatformError.PlatformError>
  readonly isTerminal?: boolean
}

/** Runs the command in this process, on standard streams that are kept. */
const infermesh = Effect.fnUntraced(function* (
  parameters: ReadonlyArray<string>,
  { isTerminal = false, stdin = Stream.empty }: Terminal = {}
) {
  const streams = { stdout: "", stderr: "" }
  const into = (name: keyof typeof streams) => () =>
    Sink.forEach((piece: string | Uint8Array) =>
      Effect.sync(() => {
        streams[name] += typeof piece === "string" ? piece : new TextDecoder().decode(piece)
      })
    )
  const stdio = Stdio.layerTest({
    stdout: into("stdout"),
    stderr: into("stderr"),
    stdin,
    stdinIsTerminal: Effect.succeed(isTerminal),
    stderrIsTerminal: Effect.succeed(isTerminal)
  })
  const exit = yield* Cli.run(parameters).pipe(
    Effect.exit,
    Effect.tap(() =>
      Effect.map(TestConsole.logLines, (lines) => (streams.stdout += lines.join("\n")))
    ),
    Effect.tap(() =>
      Effect.map(TestConsole.errorLines, (lines) => (streams.stderr += lines.join("\n")))
    ),
    Effect.provide(Layer.mergeAll(NodeServices.layer, stdio, TestConsole.layer))
  )
  const code = Exit.isSuccess(exit) ? 0 : Runtime.getErrorExitCode(Cause.squash(exit.cause))
  return { code, ...streams }
})

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "infermesh-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const server = Effect.gen(function* () {
  const simulator = yield* Simulator.make({ seed: 1 })
  const { url } = yield* SimulatorServer.serve({ simulator })
  return ["generate", "--model", "hosted_vllm/m", "--api-base", `${url}/v1`]
})

/** A server that is asked nothing: what is tested is found out before. */
const nobody = ["generate", "--model", "hosted_vllm/m", "--api-base", "http://127.0.0.1:9/v1"]

const rowsOf = (text: string): ReadonlyArray<Record<string, unknown>> =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line))

describe("infermesh generate", () => {
  const refused: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
    [["--prompt", "x", "--temperature", "9"], /^error: --temperature: .* between 0 and 2$/m],
    [["--prompt", "x", "--top-p", "1.5"], /^error: --top-p: /m],
    [["--prompt", "x", "--max-tokens", "0"], /^error: --max-tokens: /m],
    [["--prompt", "x", "--extra-body", "{"], /^error: --extra-body: it is no JSON; write/m],
    [
      ["--prompt", "x", "--extra-body", "[1]"],
      /^error: --extra-body: it is no JSON object; write/m
    ],
    [
      ["--prompt", "x", "--endpoint", "text_completion", "--system", "s"],
      /^error: --system: the text_completion endpoint takes no system message/m
    ],
    [["--prompt", "x", "--timeout", "soon"], /^error: --timeout: 'soon' is no time/m],
    [["--prompt", "x", "--budget-usd", "0"], /^error: --budget-usd: 0 is no amount above zero/m],
    [["--prompt", "x", "--limit", "0"], /^error: --limit: 0 is not a whole number/m],
    [["--prompt", "x", "--parse-json", "--schema", "s.json"], /^error: .*drop --parse-json$/m],
    [
      ["--prompt", "x", "--retry-failed=Nope"],
      /^error: --retry-failed: there is no reason 'Nope'; the reasons are .*RateLimitError/m
    ],
    [["a prompt"], /^error: 'a prompt' is not expected; a prompt is given with --prompt$/m],
    [
      ["--prompt", "x", "--deployments-toml", "d.toml"],
      /^error: give either --api-base or --deploy/m
    ],
    [["--nope"], /^error: Unrecognized flag: --nope.*; see infermesh generate --help$/m]
  ]

  it.live("finds wrong flags before anything is asked, in one line, and ends with 2", () =>
    Effect.gen(function* () {
      for (const [flags, stderr] of refused) {
        const run = yield* infermesh([...nobody, ...flags])
        assert.match(run.stderr, stderr)
        assert.deepStrictEqual([run.code, run.stdout], [2, ""], run.stderr)
        assert.strictEqual(run.stderr.split("\n").length, 2)
      }
    })
  )

  it.live("ends with 1 for files that cannot be used, and says what is wrong with them", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const file = (name: string, text: string) => {
        writeFileSync(join(path, name), text)
        return join(path, name)
      }
      const schema = file("schema.json", '{"type":"nope"}')
      const cases: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
        [["--input-jsonl", path], /^error: cannot read .*: it is no regular file; send its rows/m],
        [["--input-jsonl", join(path, "no")], /^error: cannot read .*no: there is no such file/m],
        [
          ["--prompt", "x", "--output-jsonl", join(path, "no/o")],
          /^error: cannot write .*: there is no/m
        ],
        [
          ["--prompt", "x", "--schema", schema],
          /^error: .*schema\.json: it is no valid JSON Schema/m
        ],
        [["--prompt", "x", "--schema", file("a.json", "{")], /^error: .*a\.json: it is no JSON$/m],
        [["--prompt", "x", "--rpm", "0"], /^error: limits\.rpm: 0 is not a whole number of at/m],
        [["--prompt", "x", "--api-base", "x:80"], /^error: .*apiBase: .*no http or https URL/m],
        [
          ["--prompt", "x", "--fallback", "nobody"],
          /^error: .*'nobody' names no provider. Write provider\/model/m
        ],
        [
          ["--prompt", "x", "--fallback", "nope/m"],
          /^error: .*no provider 'nope'.*Known providers: .*openai/m
        ],
        [
          ["--prompt", "x", "--env-file", join(path, ".env")],
          /^error: cannot read .*\.env: there is no/m
        ]
      ]
      for (const [flags, stderr] of cases) {
        const run = yield* infermesh([...nobody, ...flags])
        assert.match(run.stderr, stderr)
        assert.deepStrictEqual([run.code, run.stdout], [1, ""], run.stderr)
      }
    })
  )

  it.live("never replaces its input, by whatever name the output is called", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const input = join(path, "in.jsonl")
      writeFileSync(input, '{"prompt":"x"}\n')
      symlinkSync(input, join(path, "symbolic.jsonl"))
      linkSync(input, join(path, "hard.jsonl"))
      for (const name of [
        "in.jsonl",
        `../${basename(path)}/in.jsonl`,
        "symbolic.jsonl",
        "hard.jsonl"
      ]) {
        const flags = ["--input-jsonl", input, "--output-jsonl", join(path, name), "--overwrite"]
        const run = yield* infermesh([...nobody, ...flags])
        assert.match(run.stderr, /is the input; give --output-jsonl another file/)
        assert.strictEqual(run.code, 2)
        assert.strictEqual(readFileSync(input, "utf8"), '{"prompt":"x"}\n')
      }
    })
  )

  it.live(
    "replaces an output that is there only when told, and makes none when it cannot run",
    () =>
      Effect.gen(function* () {
        const generate = yield* server
        const output = join(yield* folder, "out.jsonl")
        const broken = ["generate", "--model", "nope/m", "--prompt", "x", "--output-jsonl", output]
        assert.strictEqual((yield* infermesh(broken)).code, 1)
        assert.isFalse(existsSync(output))
        writeFileSync(output, "old\n")
        const flags = [...generate, "--prompt", "x", "--output-jsonl", output, "--quiet"]
        assert.match((yield* infermesh(flags)).stderr, /exists already.*--overwrite/)
        assert.strictEqual(readFileSync(output, "utf8"), "old\n")
        assert.deepStrictEqual(yield* infermesh([...flags, "--overwrite"]), {
          code: 0,
          stdout: "",
          stderr: ""
        })
        assert.strictEqual(rowsOf(readFileSync(output, "utf8")).length, 1)
      })
  )

  it.live("says that it reads from the keyboard, and how to end it", () =>
    Effect.gen(function* () {
      const run = yield* infermesh(nobody, { isTerminal: true })
      assert.match(run.stderr, /^Reading rows from the keyboard.*Ctrl-D\.\n/)
      assert.strictEqual(run.code, 0)
      assert.notInclude((yield* infermesh(nobody)).stderr, "keyboard")
    })
  )

  it.live("says what was done when the input breaks off, and why it ended", () =>
    Effect.gen(function* () {
      const generate = yield* server
      const stdin = Stream.concat(
        Stream.succeed(new TextEncoder().encode('{"prompt":"a"}\n')),
        Stream.fail(
          PlatformError.systemError({ module: "Stdio", method: "stdin", _tag: "Unknown" })
        )
      )
      const run = yield* infermesh(generate, { stdin })
      assert.strictEqual(run.code, 1)
      assert.strictEqual(rowsOf(run.stdout).length, 1)
      assert.match(run.stderr, /^rows +1 \(ended early\)$/m)
      assert.match(run.stderr, /^error: standard input cannot be read$/m)
    })
  )

  it.live("says of a bug of its own that it is one, in one line", () =>
    Effect.gen(function* () {
      const stdin = Stream.die(new Error("boom\n    at somewhere"))
      const run = yield* infermesh([...nobody, "--quiet"], { stdin })
      assert.strictEqual(run.code, 1)
      assert.match(
        run.stderr,
        /^error: a bug of infermesh: boom at somewhere\. Please report it .*\n$/
      )
    })
  )

  it.live("carries a row's metadata over, and the system message before it", () =>
    Effect.gen(function* () {
      const generate = yield* server
      const rows = '{"prompt":"a","metadata":{"id":7}}\n{"messages":[]}\n'
      const stdin = Stream.succeed(new TextEncoder().encode(rows))
      const run = yield* infermesh([...generate, "--system", "s", "--ordered"], { stdin })
      assert.strictEqual(run.code, 3)
      const [first, second] = rowsOf(run.stdout)
      assert.deepStrictEqual(first?.["metadata"], { id: 7 })
      assert.match(String(second?.["error"]), /the message list is empty/)
    })
  )
})

describe("infermesh simulate", () => {
  const refused: ReadonlyArray<readonly [string, string, RegExp]> = [
    ["--replicas", "0", /--replicas: "0"\. Expected: a value between 1 and 1000/],
    ["--port", "99999", /--port: "99999"\. Expected: a value between 0 and 65535/],
    ["--faults", "1.5", /--faults: "1\.5"\. Expected: a value between 0 and 1/],
    ["--latency-ms", "-4", /--latency-ms: "-4"\. Expected: a value greater than or equal to 0/],
    ["--rpm", "0", /--rpm: "0"\. Expected: a value greater than 0/]
  ]

  it.live("refuses what cannot be simulated", () =>
    Effect.gen(function* () {
      for (const [flag, value, stderr] of refused) {
        const run = yield* infermesh(["simulate", flag, value])
        assert.match(run.stderr, stderr)
        assert.deepStrictEqual([run.code, run.stdout], [2, ""])
      }
    })
  )
})
