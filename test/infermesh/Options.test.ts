import { readdirSync, readFileSync } from "node:fs"

import { assert, describe, it } from "@effect/vitest"
import { strategies } from "@infermesh/core/routing/Strategy"
import { Effect } from "effect"
import { strategyNames } from "infermesh/flag/Connection"
import { pages } from "infermesh/HelpPages"

import { folder, infermesh as spawned, prompts, rowsOf, simulated } from "./Process.ts"
import type { RunOptions } from "./Process.ts"
import { promptOf, recorder } from "./Recorder.ts"

const infermesh = (parameters: ReadonlyArray<string>, options?: RunOptions) =>
  Effect.promise(() => spawned(parameters, options))

const model = ["--model", "hosted_vllm/m"]
const indicesOf = (text: string) => rowsOf(text).map((row) => row["_index"])

describe("infermesh generate", () => {
  it.live("sends what its flags say, of the rows they choose, within the limits they set", () =>
    Effect.gen(function* () {
      const { asked, base } = yield* recorder()
      const { at, file, path } = yield* folder
      const mapper = file(
        "prompts.ts",
        "export const build = async ({ prompt }: { prompt: string }) => ({\n" +
          "  input: `say ${prompt}`,\n  metadata: { prompt },\n  options: { seed: 5 }\n})\n"
      )
      const flags = [
        "generate",
        ...model,
        "--api-base",
        base,
        "--input-jsonl",
        file("in.jsonl", prompts(20)),
        "--output-jsonl",
        at("out.jsonl"),
        "--mapper",
        `${mapper}#build`,
        "--shuffle",
        "7",
        "--ordered",
        "--checkpoint-dir",
        at("ledgers"),
        "--endpoint",
        "chat_completion",
        "--quiet",
        "--temperature",
        "0.5",
        "--top-p",
        "0.9",
        "--max-tokens",
        "7",
        "--seed",
        "3",
        "--stop",
        "END",
        "--stop",
        "FIN",
        "--system",
        "Be brief.",
        "--extra-body",
        '{"k":1}',
        "--max-parallel-requests",
        "2",
        "--rpm",
        "1000",
        "--tpm",
        "100000",
        "--rpd",
        "10000",
        "--tpd",
        "1000000",
        "--max-request-burst",
        "100",
        "--max-token-burst",
        "50000",
        "--max-retries",
        "1",
        "--timeout",
        "30",
        "--deadline",
        "2 minutes",
        "--budget-usd",
        "3",
        "--routing-strategy",
        "least-busy"
      ]
      const dry = yield* infermesh([...flags, "--limit", "4", "--dry-run"])
      assert.deepStrictEqual([dry.code, dry.stderr, asked.length], [0, "", 0])
      assert.deepStrictEqual(readdirSync(path).toSorted(), ["in.jsonl", "prompts.ts"])
      assert.match(dry.stdout, /^rows +20\nto do +4 in this run\n/)
      assert.lengthOf(dry.stdout.match(/\/v1\/chat\/completions\n\{.*"k":1/g) ?? [], 3)

      const run = yield* infermesh([...flags, "--limit", "4"])
      assert.deepStrictEqual([run.code, run.stdout, run.stderr], [0, "", ""])
      const rows = rowsOf(readFileSync(at("out.jsonl"), "utf8"))
      const indices = rows.map((row) => Number(row["_index"]))
      assert.lengthOf(new Set(indices), 4)
      assert.notDeepEqual(indices, [0, 1, 2, 3])
      assert.deepStrictEqual(
        indices,
        indices.toSorted((left, right) => left - right)
      )
      for (const row of rows) {
        assert.deepStrictEqual(row["metadata"], { prompt: `q${String(row["_index"])}` })
      }
      assert.match(readdirSync(at("ledgers")).join(), /^out\.[0-9a-f]{8}\.checkpoint\.sqlite$/)
      assert.deepStrictEqual(
        asked.map(promptOf).toSorted(),
        indices.map((index) => `say q${index}`).toSorted()
      )
      const { messages, ...body } = asked[0]?.body ?? {}
      assert.deepStrictEqual((messages as Array<unknown>)[0], {
        role: "system",
        content: "Be brief."
      })
      assert.deepStrictEqual(body, {
        model: "m",
        temperature: 0.5,
        top_p: 0.9,
        max_tokens: 7,
        seed: 5,
        stop: ["END", "FIN"],
        k: 1
      })
      // The sample is the same for the same seed, and a resume goes on with the others.
      const rest = yield* infermesh([...flags, "--resume"])
      assert.strictEqual(rest.code, 0, rest.stderr)
      assert.lengthOf(asked, 20)
      const all = indicesOf(readFileSync(at("out.jsonl"), "utf8"))
      assert.deepStrictEqual(
        all,
        Array.from({ length: 20 }, (_, index) => index)
      )
    }).pipe(Effect.scoped)
  )

  it.live("asks replicas of a model, then its fallbacks where the model fails", () =>
    Effect.gen(function* () {
      const answer = (asked: { readonly body: Readonly<Record<string, unknown>> }) =>
        asked.body["model"] === "second"
          ? undefined
          : { status: 404, body: { error: { message: "no model", code: "model_not_found" } } }
      const [left, right] = [yield* recorder(answer), yield* recorder(answer)]
      const flags = [...model, "--api-base", left.base, "--api-base", right.base]
      const stdin = prompts(4)
      const fallbacks = ["--fallback", "hosted_vllm/first", "--fallback", "hosted_vllm/second"]
      const several = yield* infermesh(["generate", ...flags, ...fallbacks, "--max-retries", "6"], {
        stdin
      })
      assert.strictEqual(several.code, 0, several.stdout)
      for (const row of rowsOf(several.stdout)) {
        assert.strictEqual(row["model_id"], "second")
        const { deployment } = row["metrics"] as { readonly deployment: string }
        assert.match(deployment, /^hosted_vllm\/second replica-[12]$/)
      }
      const models = new Set([...left.asked, ...right.asked].map(({ body }) => body["model"]))
      assert.isTrue(models.has("m") && models.has("first"))
    }).pipe(Effect.scoped)
  )

  it.live(
    "takes deployments from JSON and YAML, and what the shell sets wins over --env-file",
    () =>
      Effect.gen(function* () {
        const { asked, base } = yield* recorder()
        const { file } = yield* folder
        const json = file(
          "d.json",
          JSON.stringify({
            deployments: {
              one: { api_base: base, api_key_env: "THE_KEY" },
              two: { model: "hosted_vllm/other", api_base: base, api_key_env: "OTHER_KEY" }
            }
          })
        )
        const yaml = file(
          "d.yaml",
          `deployments:\n  one:\n    model: hosted_vllm/other\n    api_base: ${base}\n    api_key_env: OTHER_KEY\n`
        )
        const env = file(".env", "THE_KEY=from-file\nOTHER_KEY=other-from-file\n")
        const more = ["--env-file", env, "--prompt", "x"]
        const runs = yield* Effect.all(
          [
            infermesh(["generate", "--deployments-toml", json, ...model, ...more], {
              env: { THE_KEY: "from-shell" }
            }),
            infermesh(["generate", "--deployments-toml", yaml, ...more])
          ],
          { concurrency: 2 }
        )
        for (const { code, stderr } of runs) assert.strictEqual(code, 0, stderr)
        assert.deepStrictEqual(
          asked
            .map(({ authorization, body }) => `${String(body["model"])} ${authorization}`)
            .toSorted(),
          ["m Bearer from-shell", "other Bearer other-from-file"]
        )
        const refused = yield* infermesh([
          "generate",
          "--deployments-toml",
          json,
          "--api-base",
          base,
          "--api-base",
          base,
          "--prompt",
          "x"
        ])
        assert.strictEqual(refused.code, 2)
        assert.match(
          refused.stderr,
          /^error: give either --api-base or --deployments-toml, not both$/m
        )
      }).pipe(Effect.scoped)
  )

  it.live("parses answers that are JSON when asked, and takes each kind of row", () =>
    Effect.gen(function* () {
      const content = (asked: { readonly body: Readonly<Record<string, unknown>> }) => {
        const text = JSON.stringify(asked.body).includes("an object") ? '{"a":1}' : "hi"
        const message = { role: "assistant", content: text }
        return { body: { id: "r", model: "m", choices: [{ index: 0, message }] } }
      }
      const { asked, base } = yield* recorder(content)
      const stdin = [
        '{"prompt":"an object"}',
        '{"prompt":"unused","messages":[{"role":"user","content":"used"}],"metadata":{"id":1}}',
        '{"text":1,"metadata":{"id":2}}',
        '{"prompt":"\\ud800"}'
      ].join("\n")
      const run = yield* infermesh(
        ["generate", ...model, "--api-base", base, "--parse-json", "--ordered"],
        { stdin }
      )
      assert.strictEqual(run.code, 3)
      const rows = rowsOf(run.stdout)
      assert.deepStrictEqual(
        rows.map((row) => row["output_parsed"]),
        [{ a: 1 }, null, null, null]
      )
      assert.deepStrictEqual(
        rows.map((row) => row["metadata"]),
        [undefined, { id: 1 }, { id: 2 }, undefined]
      )
      assert.isTrue(asked.some((one) => promptOf(one) === "used"))
    }).pipe(Effect.scoped)
  )

  it.live("has 128 requests in flight when nothing is said", () =>
    Effect.gen(function* () {
      let [inFlight, peak] = [0, 0]
      const waiting: Array<() => void> = []
      const { asked, base } = yield* recorder(async () => {
        peak = Math.max(peak, ++inFlight)
        // All wait until as many are there as can be.
        if (peak < 128) await new Promise<void>((resolve) => waiting.push(resolve))
        for (const resolve of waiting.splice(0)) resolve()
        inFlight--
        return undefined
      })
      const run = yield* infermesh(["generate", ...model, "--api-base", base, "--quiet"], {
        stdin: prompts(300)
      })
      assert.deepStrictEqual([run.code, asked.length, peak], [0, 300, 128])
    }).pipe(Effect.scoped)
  )
})

describe("infermesh", () => {
  it.live("says everything as JSON, nothing at all, or everything there is, as it is told", () =>
    Effect.gen(function* () {
      const { base } = yield* simulated()
      const { at } = yield* folder
      const flags = ["generate", ...model, "--api-base", base, "--prompt", "x"]
      const nobody = ["generate", "--model", "nobody", "--prompt", "x"]
      const [json, wrong, quiet, debug, unset] = yield* Effect.all(
        [
          infermesh([...flags, "--json"]),
          infermesh([...flags, "--json", "--nope"]),
          infermesh([...flags, "--quiet"], { cwd: at(".") }),
          infermesh([...nobody, "--log-level", "debug"]),
          infermesh(nobody)
        ],
        { concurrency: 2 }
      )
      const said = rowsOf(json.stderr)
      assert.deepStrictEqual(
        said.map((line) => [line["type"], line["answered"], line["failed"]]),
        [["summary", 1, 0]]
      )
      const [error] = rowsOf(wrong.stderr)
      assert.deepStrictEqual([wrong.code, error?.["type"]], [2, "error"])
      assert.match(String(error?.["message"]), /--nope/)
      assert.strictEqual(quiet.stderr, "")
      // Without an output file there is no ledger.
      assert.deepStrictEqual(readdirSync(at(".")), [])
      assert.match(debug.stderr, /\n\s+at /)
      assert.match(unset.stderr, /^error: [^\n]*\n$/)
    }).pipe(Effect.scoped)
  )

  it("asks for the flags one by one, and ends where nobody answers", async () => {
    const { code, stderr, stdout } = await spawned(["simulate", "--wizard"])
    assert.deepStrictEqual([code, stderr], [0, ""])
    assert.match(stdout, /--port/)
  })

  it.live("writes completions for each shell, with every command and its flags", () =>
    Effect.gen(function* () {
      const shells = ["bash", "zsh", "fish", "powershell"]
      const scripts = yield* Effect.forEach(
        shells,
        (shell) => infermesh(["--completions", shell]),
        {
          concurrency: 2
        }
      )
      for (const { code, stderr, stdout } of scripts) {
        assert.deepStrictEqual([code, stderr], [0, ""])
        for (const word of ["transcribe", "max-parallel-requests", "output-npy"]) {
          assert.include(stdout, word)
        }
      }
      // Bash itself completes a word with it.
      const { file } = yield* folder
      const script = file("complete.bash", scripts[0]?.stdout ?? "")
      const { execFileSync } = yield* Effect.promise(() => import("node:child_process"))
      const completed = execFileSync(
        "bash",
        [
          "-c",
          `source ${script}; COMP_WORDS=(infermesh emb); COMP_CWORD=1; COMP_LINE="infermesh emb"; COMP_POINT=13; ` +
            '"$(complete -p infermesh | sed "s/.*-F \\([^ ]*\\).*/\\1/")" infermesh emb infermesh 2>/dev/null; echo "${COMPREPLY[@]}"'
        ],
        { encoding: "utf8" }
      )
      assert.include(completed, "embed")
    }).pipe(Effect.scoped)
  )

  it("shows at once the page of help that effect/cli would show", async () => {
    const generate = pages["generate"] ?? ""
    const shown = await spawned(["generate", "--help"])
    assert.deepStrictEqual([shown.code, shown.stdout], [0, `${generate}\n`])
    // A flag between them is no word of a page: effect/cli itself answers.
    const slowly = await spawned(["generate", "--quiet", "--help"])
    assert.include(slowly.stdout, "Generate text for one prompt")
    for (const name of Object.keys(pages)) assert.match(pages[name] ?? "", /^EXAMPLES$/m, name)
  })

  it("knows the strategies that core knows", () => {
    assert.deepStrictEqual([...strategyNames], Object.keys(strategies))
  })

  it.live("names every flag in a test that runs the real command", () =>
    Effect.sync(() => {
      const tests = readdirSync(import.meta.dirname)
        .filter((name) => name.endsWith(".test.ts"))
        .map((name) => readFileSync(`${import.meta.dirname}/${name}`, "utf8"))
        .filter((text) => text.includes("./Process.ts"))
        .join("\n")
      const flags = new Set(
        Object.values(pages).flatMap((page) => page.match(/(?<=^ {2})--[a-z-]+/gm) ?? [])
      )
      assert.isAbove(flags.size, 50)
      const untried = [...flags].filter((flag) => !new RegExp(`["'\`]${flag}["'=]`).test(tests))
      assert.deepStrictEqual(untried, [])
    })
  )
})
