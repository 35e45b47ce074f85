import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import process from "node:process"

import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"

import type { RunOptions } from "./Process.ts"
import { folder, infermesh as spawned, prompts, rowsOf } from "./Process.ts"
import { promptOf, recorder } from "./Recorder.ts"

const infermesh = (parameters: ReadonlyArray<string>, options?: RunOptions) =>
  Effect.promise(() => spawned(parameters, options))

const generate = (base: string, ...more: ReadonlyArray<string>) => [
  "generate",
  "--model=hosted_vllm/m",
  `--api-base=${base}`,
  "--max-retries=0",
  ...more
]

const read = (path: string) => rowsOf(readFileSync(path, "utf8"))

const indicesOf = (path: string) =>
  read(path)
    .map((row) => Number(row["_index"]))
    .toSorted((left, right) => left - right)

describe("infermesh generate --resume", () => {
  it.live("asks again by itself what was never sent, and what failed only when told so", () =>
    Effect.gen(function* () {
      let isDown = true
      const { asked, base } = yield* recorder((one) => {
        if (!isDown) return undefined
        if (promptOf(one) === "q0") return { status: 400, body: { error: { message: "no" } } }
        return promptOf(one) === "q1"
          ? { status: 500, body: { error: { message: "oh" } } }
          : undefined
      })
      const { at, file } = yield* folder
      const toml = file(
        "d.toml",
        `[deployments.one]\nmodel = "hosted_vllm/m"\napi_base = "${base}"\nprice = { input = 1000, output = 1000 }\n`
      )
      const flags = [
        "generate",
        "--deployments-toml",
        toml,
        "--max-retries",
        "0",
        "--input-jsonl",
        file("in.jsonl", prompts(6)),
        "--output-jsonl",
        at("out.jsonl"),
        "--max-parallel-requests",
        "1",
        "--max-tokens",
        "5"
      ]
      const poor = yield* infermesh([...flags, "--budget-usd", "0.035"])
      assert.strictEqual(poor.code, 3, poor.stderr)
      assert.match(
        poor.stderr,
        /^rows +\d \(the budget is used up; --resume with another goes on\)/m
      )
      const reasons = () =>
        read(at("out.jsonl"))
          .toSorted((left, right) => Number(left["_index"]) - Number(right["_index"]))
          .map((row) => row["error_reason"])
      assert.include(reasons(), "BudgetExceeded")
      const sent = asked.length

      const resumed = yield* infermesh([...flags, "--resume"])
      assert.strictEqual(resumed.code, 3, resumed.stderr)
      assert.deepStrictEqual(reasons(), [
        "InvalidRequestError",
        "InternalProviderError",
        null,
        null,
        null,
        null
      ])
      // Each was sent once in all.
      assert.strictEqual(asked.length, 6)
      assert.isBelow(sent, 6)

      isDown = false
      const settled = yield* infermesh([...flags, "--resume"])
      assert.deepStrictEqual([settled.code, asked.length], [3, 6])
      const some = yield* infermesh([...flags, "--retry-failed=TimedOut,InternalProviderError"])
      assert.deepStrictEqual([some.code, asked.length], [3, 7], some.stderr)
      assert.deepStrictEqual(reasons().slice(0, 2), ["InvalidRequestError", null])
      const dry = yield* infermesh([...flags, "--retry-failed", "--dry-run"])
      assert.match(dry.stdout, /^settled +5 answered, 1 failed, 1 of which are asked again$/m)
      assert.match(dry.stdout, /^to do +1 in this run$/m)
      const all = yield* infermesh([...flags, "--retry-failed"])
      assert.deepStrictEqual([all.code, asked.length], [0, 8], all.stderr)
    }).pipe(Effect.scoped)
  )

  it.live(
    "finds its rows in a reordered input, cuts off a torn line, and asks each of equal rows",
    () =>
      Effect.gen(function* () {
        const { asked, base } = yield* recorder()
        const { at, file, path } = yield* folder
        const lines = ['{"prompt":"dup"}', '{"prompt":"dup"}', '{"prompt":"x"}', '{"prompt":"y"}']
        const files = ["--input-jsonl", at("in.jsonl"), "--output-jsonl", at("out.json")]
        file("in.jsonl", `${lines.join("\n")}\n`)
        const first = yield* infermesh(generate(base, ...files, "--limit", "1"))
        assert.strictEqual(first.code, 0, first.stderr)
        assert.deepStrictEqual(readdirSync(path).toSorted(), [
          "in.jsonl",
          "out.json",
          "out.json.checkpoint.sqlite"
        ])
        appendFileSync(at("out.json"), '{"_index":1,"output_text":"to')
        file("in.jsonl", lines.toReversed().join("\r\n"))
        const resumed = yield* infermesh(generate(base, ...files, "--resume"))
        assert.strictEqual(resumed.code, 0, resumed.stderr)
        assert.deepStrictEqual(asked.map(promptOf).toSorted(), ["dup", "dup", "x", "y"])
        const indices = indicesOf(at("out.json"))
        assert.deepStrictEqual(indices, [0, 1, 2, 3])

        // What was settled must still be in the output, and in the input.
        const text = readFileSync(at("out.json"), "utf8")
        writeFileSync(at("out.json"), text.slice(text.indexOf("\n") + 1))
        const lost = yield* infermesh(generate(base, ...files, "--resume"))
        assert.strictEqual(lost.code, 1)
        assert.match(lost.stderr, /1 row that were settled|1 row.*not in it any more \(_index 0\)/)
        assert.match(lost.stderr, /--force/)
        writeFileSync(at("out.json"), text)
        file("in.jsonl", `${lines.slice(1).join("\n")}\n`)
        const fewer = yield* infermesh(generate(base, ...files, "--resume"))
        assert.strictEqual(fewer.code, 1)
        assert.match(fewer.stderr, /1 row of the job are not in the input.*--force/)
        assert.lengthOf(asked, 4)
      }).pipe(Effect.scoped)
  )

  it.live(
    "reads odd files twice in the same way: marks, line ends, blanks, bytes that are no text",
    () =>
      Effect.gen(function* () {
        const { asked, base } = yield* recorder()
        const { at } = yield* folder
        const odd = Buffer.concat([
          Buffer.from('\uFEFF{"prompt":"a"}\r\u00A0\r\n\n{"prompt":"b"}\r'),
          Buffer.from([0x22, 0xff, 0x22, 0x0a]),
          Buffer.from('{"prompt":"c"}')
        ])
        writeFileSync(at("in.jsonl"), odd)
        const files = ["--input-jsonl", at("in.jsonl"), "--output-jsonl", at("out.jsonl")]
        const run = yield* infermesh(generate(base, ...files, "--limit", "2"))
        assert.strictEqual(run.code, 0, run.stderr)
        const rest = yield* infermesh(generate(base, ...files, "--resume"))
        assert.strictEqual(rest.code, 3, rest.stderr)
        const rows = read(at("out.jsonl"))
        assert.deepStrictEqual(indicesOf(at("out.jsonl")), [0, 1, 2, 3])
        assert.match(
          String(rows.find((row) => row["_index"] === 2)?.["error"]),
          /^line 5: the line is no valid UTF-8/
        )
        assert.deepStrictEqual(asked.map(promptOf), ["a", "b", "c"])
      }).pipe(Effect.scoped)
  )

  it.live("goes on with what is piped in again, and refuses another model, mapper or content", () =>
    Effect.gen(function* () {
      const { asked, base } = yield* recorder()
      const { at, file } = yield* folder
      const mapper = file("map.js", "export default ({ prompt }) => ({ input: prompt })\n")
      const flags = generate(base, "--output-jsonl", at("out.jsonl"), "--mapper", mapper)
      const run = yield* infermesh([...flags, "--limit", "2"], { stdin: prompts(4) })
      assert.strictEqual(run.code, 0, run.stderr)
      const again = yield* infermesh([...flags, "--resume"], { stdin: prompts(4) })
      assert.deepStrictEqual([again.code, asked.length], [0, 4], again.stderr)
      const other = yield* infermesh([...flags, "--resume"], { stdin: '{"prompt":"other"}' })
      assert.strictEqual(other.code, 1)
      assert.match(other.stderr, /were not there before|not in the input/)
      file("map.js", "export default ({ prompt }) => ({ input: prompt + '!' })\n")
      const changed = yield* infermesh([...flags, "--resume", "--temperature", "1"], {
        stdin: prompts(4)
      })
      assert.strictEqual(changed.code, 1)
      assert.match(changed.stderr, /mapper was "map\.js#default .*options\.temperature was not set/)
      assert.lengthOf(asked, 4)
    }).pipe(Effect.scoped)
  )

  it.live("is refused while another process runs the job", () =>
    Effect.gen(function* () {
      let release = () => {}
      const isHeld = new Promise<void>((resolve) => (release = resolve))
      let tell = () => {}
      const isAsked = new Promise<void>((resolve) => (tell = resolve))
      const { base } = yield* recorder(async () => {
        tell()
        await isHeld
        return undefined
      })
      const { at, file } = yield* folder
      const files = ["--input-jsonl", file("in.jsonl", prompts(1)), "--output-jsonl", at("o.jsonl")]
      const first = spawned(generate(base, ...files))
      yield* Effect.promise(() => isAsked)
      const second = yield* infermesh(generate(base, ...files, "--resume"))
      release()
      assert.strictEqual(second.code, 1)
      assert.match(second.stderr, /^error: another process is running the job/)
      assert.strictEqual((yield* Effect.promise(() => first)).code, 0)
    }).pipe(Effect.scoped)
  )

  it.live("needs a file, and another one than the input", () =>
    Effect.gen(function* () {
      const { asked, base } = yield* recorder()
      const { at, file } = yield* folder
      const input = file("in.jsonl", prompts(1))
      const [none, same] = yield* Effect.all(
        [
          infermesh(generate(base, "--prompt", "x", "--resume")),
          infermesh(
            generate(
              base,
              "--input-jsonl",
              input,
              "--output-jsonl",
              at("./in.jsonl"),
              "--overwrite"
            )
          )
        ],
        { concurrency: 2 }
      )
      assert.deepStrictEqual([none.code, same.code, asked.length], [2, 2, 0])
      assert.match(none.stderr, /^error: --resume: only a job that writes into a file/)
      assert.match(same.stderr, /is the input; give --output-jsonl another file/)
      assert.strictEqual(readFileSync(input, "utf8"), prompts(1))
    }).pipe(Effect.scoped)
  )

  it.live("takes over rows that the Python library wrote, once each", () =>
    Effect.gen(function* () {
      const { asked, base } = yield* recorder()
      const { at, file } = yield* folder
      const row = (index: number, error: string | null) =>
        JSON.stringify({
          _index: index,
          output_text: error === null ? "caf\u00E9" : null,
          output_parsed: null,
          token_usage: null,
          request_id: null,
          finish_reason: error === null ? "stop" : null,
          error
        }).replaceAll("\u00E9", "\\u00e9")
      file("out.jsonl", `${row(0, null)}\n${row(2, "boom")}\n${row(0, null)}\n`)
      const files = [
        "--input-jsonl",
        file("in.jsonl", prompts(4)),
        "--output-jsonl",
        at("out.jsonl")
      ]
      const refused = yield* infermesh(generate(base, ...files, "--resume"))
      assert.strictEqual(refused.code, 1)
      assert.match(refused.stderr, /out\.checkpoint\.sqlite is missing.*--force/)
      const run = yield* infermesh(generate(base, ...files, "--resume", "--force"))
      assert.strictEqual(run.code, 3, run.stderr)
      assert.deepStrictEqual(asked.map(promptOf).toSorted(), ["q1", "q3"])
      assert.deepStrictEqual(indicesOf(at("out.jsonl")), [0, 1, 2, 3])
      const retried = yield* infermesh(generate(base, ...files, "--retry-failed=unknown"))
      assert.deepStrictEqual([retried.code, asked.length], [0, 3], retried.stderr)
    }).pipe(Effect.scoped)
  )
})

describe("infermesh generate", () => {
  it.live("answers rows that are piped in as they come, not when their end has come", () =>
    Effect.gen(function* () {
      const { base } = yield* recorder()
      const { spawn } = yield* Effect.promise(() => import("node:child_process"))
      const { bin, environment } = yield* Effect.promise(() => import("./Process.ts"))
      const child = spawn(process.execPath, [bin, ...generate(base, "--quiet")], {
        env: environment
      })
      let output = ""
      let next = 0
      const ended = new Promise<number | null>((resolve) => child.on("close", resolve))
      child.stdout.on("data", (piece: Buffer) => {
        output += piece.toString()
        // Each row is sent when the one before has been answered; the input never ends before.
        if (output.split("\n").length - 1 < next) return
        if (next === 3) child.stdin.end()
        else child.stdin.write(`{"prompt":"q${next++}"}\n`)
      })
      child.stdin.write(`{"prompt":"q${next++}"}\n`)
      assert.strictEqual(yield* Effect.promise(() => ended), 0)
      assert.lengthOf(rowsOf(output), 3)
    }).pipe(Effect.scoped)
  )

  it.live(
    "makes an error row of what a mapper does wrong, and ends for a mapper that is none",
    () =>
      Effect.gen(function* () {
        const { asked, base } = yield* recorder()
        const { file, path } = yield* folder
        file(
          "map.ts",
          "export const build = (row: { n: number }): unknown => {\n" +
            "  if (row.n === 0) throw new Error('no zero')\n" +
            "  if (row.n === 1) return { prompt: 'x' }\n" +
            "  if (row.n === 2) return { input: 'x', metadata: 1n }\n" +
            "  if (row.n === 3) return Promise.reject(new Error('later'))\n" +
            "  return { input: `n${row.n}`, metadata: { n: row.n }, other: 1 }\n}\n" +
            "export const number = 1\n"
        )
        const stdin = [0, 1, 2, 3, 4].map((n) => JSON.stringify({ n })).join("\n")
        const flags = generate(base, "--ordered", "--mapper")
        const run = yield* infermesh([...flags, "map.ts#build"], { stdin, cwd: path })
        assert.strictEqual(run.code, 3, run.stderr)
        const rows = rowsOf(run.stdout)
        const errors = [/no zero/, /gave no 'input'/, /cannot be written as JSON/, /later/]
        for (const [index, error] of errors.entries()) {
          assert.match(String(rows[index]?.["error"]), error)
        }
        assert.deepStrictEqual([rows[4]?.["error"], rows[4]?.["metadata"]], [null, { n: 4 }])
        assert.lengthOf(asked, 1)
        const none = yield* infermesh([...flags, "map.ts#nope"], { stdin, cwd: path })
        assert.strictEqual(none.code, 1)
        assert.match(none.stderr, /no function 'nope'; it exports build\. Write FILE#FUNCTION/)
      }).pipe(Effect.scoped)
  )
})
