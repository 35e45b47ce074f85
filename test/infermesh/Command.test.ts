import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"

import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { version } from "infermesh/Version"

import type { Ended } from "./Process.ts"
import { bin, environment, infermesh, rowsOf, simulated } from "./Process.ts"

// Commands of the README that are run here under other names, because they start from nothing or from npm:
// `npm start -- --model openai/gpt-4.1-mini` passes its arguments to the command below; `npx infermesh --help` is its bin.

const root = join(import.meta.dirname, "../..")

const withFolder = <A>(use: (folder: string) => Promise<A>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "infermesh-"))),
    (folder) => Effect.promise(() => use(folder)),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
  )

const manifest = JSON.parse(readFileSync(join(root, "packages/infermesh/package.json"), "utf8"))

describe("infermesh", () => {
  it("prints help on standard output and ends well; without a command it ends with 2 and prints it beside", async () => {
    const [help, none] = await Promise.all([infermesh(["--help"]), infermesh([])])
    assert.deepStrictEqual([help.code, help.stderr], [0, ""])
    assert.include(help.stdout, "generate")
    assert.deepStrictEqual([none.code, none.stdout], [2, ""])
    assert.include(none.stderr, "SUBCOMMANDS")
  })

  it("knows its version", async () => {
    assert.strictEqual(version, manifest.version)
    assert.include((await infermesh(["--version"])).stdout, version)
  })
})

describe("infermesh generate", () => {
  it.live(
    "answers rows of a file into a file, in input order when asked, and sums up on standard error",
    () =>
      Effect.gen(function* () {
        const { base } = yield* simulated({ seed: 1, faults: { unavailable: 0.1 } })
        yield* withFolder(async (folder) => {
          const input = join(folder, "in.jsonl")
          const output = join(folder, "out.jsonl")
          const lines = [
            '\uFEFF{"prompt":"one"}',
            "",
            '{"messages":[{"role":"user","content":"two"}]}\r',
            "not json",
            '{"text":1}',
            '{"messages":[]}',
            '{"prompt":"six"}'
          ]
          writeFileSync(input, lines.join("\n"))
          const flags = [
            "generate",
            "--model",
            "hosted_vllm/m",
            "--api-base",
            base,
            "--input-jsonl",
            input
          ]
          const run = await infermesh([
            ...flags,
            "--output-jsonl",
            output,
            "--ordered",
            "--max-tokens",
            "20"
          ])
          assert.deepStrictEqual([run.code, run.stdout], [3, ""])
          assert.match(run.stderr, /answered\s+3\n/)
          assert.match(run.stderr, /InvalidInput\s+3\n/)
          const rows = rowsOf(readFileSync(output, "utf8"))
          assert.deepStrictEqual(
            rows.map((row) => row["_index"]),
            [0, 1, 2, 3, 4, 5]
          )
          assert.match(String(rows[2]?.["error"]), /^line 4: the line is no JSON/)
          assert.match(String(rows[3]?.["error"]), /^line 5: the row has neither/)
          assert.match(String(rows[4]?.["error"]), /the message list is empty/)
          const keys = Object.keys(rows[0] ?? {})
          for (const row of rows) assert.deepStrictEqual(Object.keys(row), keys)
          for (const key of [
            "output_text",
            "output_parsed",
            "token_usage",
            "request_id",
            "finish_reason",
            "error"
          ]) {
            assert.include(keys, key)
          }
          assert.strictEqual(rows[0]?.["model_id"], "m")

          const again = await infermesh([...flags, "--output-jsonl", output])
          assert.strictEqual(again.code, 1)
          assert.match(again.stderr, /exists already; choose another file, or give --overwrite/)
        })
      }).pipe(Effect.scoped)
  )

  it.live(
    "reads standard input, spreads over replicas and writes only rows to standard output",
    () =>
      Effect.gen(function* () {
        const [left, right] = [yield* simulated({ seed: 1 }), yield* simulated({ seed: 2 })]
        const flags = [
          "generate",
          "--model",
          "hosted_vllm/m",
          "--api-base",
          left.base,
          "--api-base",
          right.base
        ]
        const stdin = Array.from({ length: 40 }, (_, index) => `{"prompt":"q${index}"}`).join("\n")
        const run = yield* Effect.promise(() =>
          infermesh([...flags, "--rpm", "1000", "--temperature", "0.5"], { stdin })
        )
        assert.strictEqual(run.code, 0, run.stderr)
        const rows = rowsOf(run.stdout)
        assert.strictEqual(rows.length, 40)
        const labels = new Set(
          rows.map((row) => (row["metrics"] as { deployment: string }).deployment)
        )
        assert.deepStrictEqual([...labels].toSorted(), ["replica-1", "replica-2"])
        assert.match(run.stderr, /quota 1000 requests\/min/)
      }).pipe(Effect.scoped)
  )

  it.live("parses answers by a JSON Schema file, and takes keys and deployments from files", () =>
    Effect.gen(function* () {
      const { base } = yield* simulated({ apiKey: "sesame-12345678" })
      yield* withFolder(async (folder) => {
        const file = (name: string, text: string) => {
          writeFileSync(join(folder, name), text)
          return join(folder, name)
        }
        const schema = file(
          "schema.json",
          '{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"],"additionalProperties":false}'
        )
        const toml = file(
          "d.toml",
          `[deployments.one]\nmodel = "hosted_vllm/m"\napi_base = "${base}"\napi_key_env = "THE_KEY"\nlimits = { rpm = 100 }\n`
        )
        const env = file(".env", "THE_KEY=sesame-12345678\n")
        const flags = [
          "generate",
          "--deployments-toml",
          toml,
          "--prompt",
          "give n",
          "--schema",
          schema
        ]
        const run = await infermesh([...flags, "--env-file", env])
        assert.strictEqual(run.code, 0, run.stderr)
        const [row] = rowsOf(run.stdout)
        assert.match(JSON.stringify(row?.["output_parsed"]), /^\{"n":-?\d+\}$/)

        const without = await infermesh(flags)
        assert.match(without.stderr, /error: .*one\.api_key_env: the variable THE_KEY is not set/)
        const wrong = await infermesh(flags, { env: { THE_KEY: "sk-not-the-right-key" } })
        assert.strictEqual(wrong.code, 3)
        assert.match(wrong.stdout, /AuthenticationError/)
        assert.notInclude(wrong.stdout + wrong.stderr, "sk-not-the-right-key")

        const plain = file(
          "plain.toml",
          '[deployments.one]\nmodel = "hosted_vllm/m"\napi_key = "sk-secret"\n'
        )
        const refused = await infermesh(["generate", "--deployments-toml", plain, "--prompt", "x"])
        assert.strictEqual(refused.code, 1)
        assert.match(
          refused.stderr,
          /deployments\.one\.api_key: a key must not stand in this file.*--env-file/
        )
        // Node itself looks for --env-file among all arguments, and may be the one to complain.
        const missing = await infermesh([...flags, "--env-file", join(folder, "no.env")])
        assert.match(missing.stderr, /no\.env: (there is no such file|not found)/)
        assert.notStrictEqual(missing.code, 0)
      })
    }).pipe(Effect.scoped)
  )

  const usage: ReadonlyArray<
    readonly [name: string, flags: ReadonlyArray<string>, code: number, stderr: RegExp]
  > = [
    ["no model", ["--prompt", "x"], 2, /error: which model\? Give --model provider\/model/],
    [
      "no key",
      ["--model", "openai/m", "--prompt", "x"],
      1,
      /no key for openai. Set OPENAI_API_KEY/
    ],
    [
      "an unreadable file",
      [
        "--model",
        "hosted_vllm/m",
        "--api-base",
        "http://127.0.0.1:9/v1",
        "--input-jsonl",
        "nope.jsonl"
      ],
      1,
      /cannot read .*nope\.jsonl: there is no such file/
    ],
    ["an unknown flag", ["--modle", "x"], 2, /error: .*--modle.*see infermesh generate --help/],
    ["a flag that is no number", ["--rpm", "many"], 2, /error: .*rpm/],
    ["two inputs", ["--model", "openai/m", "--prompt", "x", "--input-jsonl", "y"], 2, /not both/]
  ]

  it("says what is wrong in one line and how to mend it, and prints nothing on standard output", async () => {
    const runs = await Promise.all(usage.map(([, flags]) => infermesh(["generate", ...flags])))
    for (const [index, [name, , code, stderr]] of usage.entries()) {
      const run = runs[index]
      assert.strictEqual(run?.code, code, `${name}: ${run?.stderr}`)
      assert.match(run?.stderr ?? "", stderr, name)
      assert.notMatch(run?.stderr ?? "", /\n\s+at /, `${name}: a stack trace`)
      assert.strictEqual(run?.stdout, "", name)
    }
  })

  it.live("makes what a server does wrong an error row that says so", () =>
    Effect.gen(function* () {
      const bodies: Record<string, string> = {
        "/html/v1/chat/completions": "<html>hello</html>",
        "/empty/v1/chat/completions": '{"id":"1","model":"m","choices":[]}'
      }
      const server = createServer((request, response) => {
        response.writeHead(200, { "content-type": "text/plain" })
        response.end(bodies[request.url ?? ""])
      })
      yield* Effect.acquireRelease(
        Effect.promise(
          () => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
        ),
        () => Effect.sync(() => server.close())
      )
      const { port } = server.address() as AddressInfo
      const ask = (base: string) =>
        infermesh([
          "generate",
          "--model",
          "hosted_vllm/m",
          "--api-base",
          base,
          "--prompt",
          "x",
          "--max-retries",
          "0"
        ])
      const [html, empty, nobody] = yield* Effect.promise(() =>
        Promise.all([
          ask(`http://127.0.0.1:${port}/html/v1`),
          ask(`http://127.0.0.1:${port}/empty/v1`),
          ask("http://127.0.0.1:9/v1")
        ])
      )
      const expected = [
        [html, "InvalidResponseError", /the body is no JSON: <html>/],
        [empty, "InvalidResponseError", /the answer has no choices/],
        [
          nobody,
          "NetworkError",
          /ECONNREFUSED.*POST http:\/\/127\.0\.0\.1:9\/v1\/chat\/completions/
        ]
      ] as const
      for (const [run, reason, message] of expected) {
        assert.strictEqual(run.code, 3)
        const [row] = rowsOf(run.stdout)
        assert.strictEqual(row?.["error_reason"], reason)
        assert.match(String(row?.["error"]), message)
      }
    }).pipe(Effect.scoped)
  )

  it.live("keeps every answered row whole when it is interrupted, says so and ends with 130", () =>
    Effect.gen(function* () {
      const { base, simulator } = yield* simulated({
        latency: { kind: "uniform", minMillis: 5, maxMillis: 60 }
      })
      const stdin = Array.from({ length: 3000 }, (_, index) => `{"prompt":"q${index}"}`).join("\n")
      for (const after of [1, 200]) {
        yield* withFolder(async (folder) => {
          const output = join(folder, "out.jsonl")
          const flags = [
            "generate",
            "--model",
            "hosted_vllm/m",
            "--api-base",
            base,
            "--max-parallel-requests",
            "16"
          ]
          const ended = new Promise<Ended>((resolve) => {
            const child = spawn(process.execPath, [bin, ...flags, "--output-jsonl", output], {
              env: environment
            })
            let stderr = ""
            child.stderr.on("data", (piece: Buffer) => (stderr += piece.toString()))
            child.on("close", (code) => resolve({ code, signal: null, stdout: "", stderr }))
            child.stdin.on("error", () => {})
            child.stdin.end(stdin)
            const poll = setInterval(() => {
              if (!existsSync(output) || readFileSync(output, "utf8").split("\n").length <= after)
                return
              clearInterval(poll)
              child.kill("SIGINT")
            }, 2)
          })
          const { code, stderr } = await ended
          assert.strictEqual(code, 130, stderr)
          assert.match(stderr, /\(interrupted; --resume goes on\)/)
          const text = readFileSync(output, "utf8")
          assert.isTrue(text.endsWith("\n"))
          const rows = rowsOf(text)
          assert.isAtLeast(rows.length, after)
          assert.strictEqual(new Set(rows.map((row) => row["_index"])).size, rows.length)
          for (const row of rows) assert.isNull(row["error"])
        })
      }
      assert.isAbove((yield* simulator.stats).aborted, 0)
    }).pipe(Effect.scoped)
  )

  it.live("ends quietly when the reader of its output has seen enough", () =>
    Effect.gen(function* () {
      const { base } = yield* simulated()
      const stdin = Array.from({ length: 2000 }, (_, index) => `{"prompt":"q${index}"}`).join("\n")
      const run = yield* Effect.promise(() =>
        infermesh(["generate", "--model", "hosted_vllm/m", "--api-base", base], {
          stdin,
          closeStdoutAfter: 2000
        })
      )
      assert.notMatch(run.stderr, /EPIPE|\n\s+at /)
    }).pipe(Effect.scoped)
  )
})

describe("infermesh simulate", () => {
  it("prints the base URL of each replica and serves until it is interrupted", async () => {
    let answered: Promise<unknown> | undefined
    let seen = ""
    const run = await infermesh(
      [
        "simulate",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--replicas",
        "2",
        "--seed",
        "2",
        "--rpm",
        "100",
        "--tpm",
        "100000",
        "--latency-ms",
        "1",
        "--faults",
        "0.1"
      ],
      {
        onOutput: (kill, piece) => {
          seen += piece
          const urls = seen.trim().split("\n")
          if (urls.length < 2 || answered !== undefined) return
          answered = fetch(`${urls[1]}/models`).then(async (response) => {
            await response.text()
            kill("SIGINT")
            return response.status
          })
        }
      }
    )
    assert.strictEqual(await answered, 200)
    assert.strictEqual(run.code, 130)
    assert.match(run.stdout, /^(http:\/\/127\.0\.0\.1:\d+\/v1\n){2}$/)
  })
})
