import { readdirSync, readFileSync } from "node:fs"

import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"

import type { RunOptions } from "./Process.ts"
import { folder, infermesh as spawned, rowsOf } from "./Process.ts"
import { recorder } from "./Recorder.ts"

const infermesh = (parameters: ReadonlyArray<string>, options?: RunOptions) =>
  Effect.promise(() => spawned(parameters, options))

const model = ["--model", "hosted_vllm/m"]

/** The commands of the README, word for word. */
const shown = [
  "infermesh generate --model openai/gpt-4.1-mini --input-jsonl prompts.jsonl --output-jsonl answers.jsonl --rpm 500 --budget-usd 5",
  "infermesh embed --model openai/text-embedding-3-small --input-jsonl texts.jsonl --output-jsonl rows.jsonl --output-npy vectors.npy",
  "infermesh transcribe --model openai/whisper-1 --output-jsonl talks.jsonl --subtitles srt talk.mp3"
]

/** Those of them that come before or after, and ask nobody, or another server. */
const shownThen = [
  "infermesh plan prompts.jsonl --model openai/gpt-4.1-mini --rpm 500 --tpm 200000",
  "infermesh status answers.jsonl",
  "infermesh report answers.jsonl --html answers.html",
  "infermesh models gpt-4.1"
]
const shownBench =
  "infermesh bench generate --model hosted_vllm/llama-3 --api-base http://gpu0:8000/v1 --concurrency 8,16,32"

describe("the README", () => {
  it.live("shows commands that work", () =>
    Effect.gen(function* () {
      const { base } = yield* recorder()
      const { file, path } = yield* folder
      file("prompts.jsonl", '{"prompt":"x"}\n')
      file("texts.jsonl", '{"text":"x"}\n')
      file("talk.mp3", "audio")
      // Its server alone is another.
      const runs = yield* Effect.forEach(
        shown,
        (command) =>
          infermesh([...command.split(" ").slice(1), "--api-base", base], {
            cwd: path,
            env: { OPENAI_API_KEY: "k" }
          }),
        { concurrency: 2 }
      )
      for (const { code, stderr } of runs) assert.strictEqual(code, 0, stderr)
      assert.includeMembers(readdirSync(path), [
        "answers.jsonl",
        "rows.jsonl",
        "vectors.npy",
        "talks.jsonl",
        "talk.0.srt"
      ])
      const words = [
        ...shownThen.map((command) => command.split(" ").slice(1)),
        shownBench.replace("http://gpu0:8000/v1", base).split(" ").slice(1)
      ]
      const then = yield* Effect.forEach(words, (one) => infermesh(one, { cwd: path }), {
        concurrency: 2
      })
      for (const { code, stderr } of then) assert.strictEqual(code, 0, stderr)
      assert.include(readdirSync(path), "answers.html")
    }).pipe(Effect.scoped)
  )
})

describe("infermesh embed", () => {
  it.live(
    "makes a row of every line, also of one without a text, and a matrix of the vectors",
    () =>
      Effect.gen(function* () {
        const { asked, base } = yield* recorder()
        const { at, file } = yield* folder
        const input = file(
          "in.jsonl",
          '{"text":"a"}\n{"no":"text"}\nnot json\n7\n{"text":"dddd","metadata":1}\n{"text":"fffff"}\n'
        )
        const flags = [
          "embed",
          ...model,
          "--api-base",
          base,
          "--input-jsonl",
          input,
          "--ordered",
          "--dimensions",
          "3",
          "--extra-body",
          '{"k":1}',
          "--micro-batch-size",
          "2",
          "--max-tokens-per-request",
          "1000",
          "--output-jsonl",
          at("rows.jsonl"),
          "--output-npy",
          at("vectors.npy")
        ]
        const run = yield* infermesh(flags)
        assert.strictEqual(run.code, 3, run.stderr)
        const rows = rowsOf(readFileSync(at("rows.jsonl"), "utf8"))
        assert.deepStrictEqual(
          rows.map((row) => [row["_index"], row["dimensions"], row["matrix_row"]]),
          [
            [0, 3, 0],
            [1, null, null],
            [2, null, null],
            [3, null, null],
            [4, 3, 1],
            [5, 3, 2]
          ]
        )
        assert.match(String(rows[1]?.["error"]), /^line 2: the row has no 'text'/)
        assert.match(String(rows[2]?.["error"]), /^line 3: the line is no JSON/)
        assert.match(String(rows[3]?.["error"]), /^line 4: the line is no JSON object/)
        assert.strictEqual(rows[4]?.["metadata"], 1)
        assert.isTrue(asked.every(({ body }) => (body["input"] as Array<string>).length <= 2))
        assert.isTrue(asked.every(({ body }) => body["dimensions"] === 3 && body["k"] === 1))
        const matrix = readFileSync(at("vectors.npy"))
        assert.include(matrix.toString("latin1"), "'shape': (3, 3)")
        const first = [0, 3, 6].map((cell) => matrix.readFloatLE(128 + 4 * cell))
        assert.deepStrictEqual(first, [1, 4, 5])

        // It is a job like any other: nothing is bought twice.
        const before = asked.length
        const again = yield* infermesh([...flags, "--resume"])
        assert.deepStrictEqual([again.code, asked.length], [3, before])
        assert.match(again.stderr, /^answered +0$/m)
      }).pipe(Effect.scoped)
  )

  it.live("embeds one text, with its vector or without", () =>
    Effect.gen(function* () {
      const { base } = yield* recorder()
      const flags = ["embed", ...model, "--api-base", base, "--text", "abc"]
      const [whole, short, wrong, none] = yield* Effect.all(
        [
          infermesh(flags),
          infermesh([...flags, "--no-vectors"]),
          infermesh([...flags, "--output-npy", "v.npy"]),
          infermesh(["embed", ...model, "--api-base", base, "--input-jsonl", "nope.jsonl"])
        ],
        { concurrency: 2 }
      )
      const rows = [whole, short].map(({ stdout }) => rowsOf(stdout)[0])
      assert.deepStrictEqual(
        rows.map((row) => [row?.["embedding"], row?.["dimensions"], row?.["error"]]),
        [
          [[3, 1, 0], 3, null],
          [null, 3, null]
        ]
      )
      assert.deepStrictEqual([wrong.code, none.code], [2, 1])
      assert.match(wrong.stderr, /^error: --output-npy: give --output-jsonl, too/)
      assert.match(none.stderr, /^error: cannot read nope\.jsonl: there is no such file[^\n]*\n$/)
    }).pipe(Effect.scoped)
  )
})

describe("infermesh transcribe", () => {
  it.live("transcribes each file, whatever becomes of the others, with subtitles beside", () =>
    Effect.gen(function* () {
      const { asked, base } = yield* recorder(({ text }) =>
        text.includes("broken")
          ? { status: 400, body: { error: { message: "no audio" } } }
          : undefined
      )
      const { at, file } = yield* folder
      const paths = ["talk.wav", "broken.wav", "song.wav"].map((name) =>
        file(name, `${name} audio`)
      )
      const flags = [
        "transcribe",
        ...model,
        "--api-base",
        base,
        "--ordered",
        "--language",
        "en",
        "--prompt",
        "Names.",
        "--temperature",
        "0.25",
        "--extra-body",
        '{"k":1}',
        "--response-format",
        "verbose_json"
      ]
      const run = yield* infermesh([
        ...flags,
        "--subtitles=srt",
        "--subtitles=vtt",
        `--subtitles-dir=${at("subtitles")}`,
        `--output-jsonl=${at("rows.jsonl")}`,
        ...paths,
        at("missing.wav")
      ])
      assert.strictEqual(run.code, 3, run.stderr)
      const rows = rowsOf(readFileSync(at("rows.jsonl"), "utf8"))
      assert.deepStrictEqual(
        rows.map((row) => [row["_index"], row["text"], row["duration_s"], row["language"]]),
        [
          [0, "hello", 1.5, "en"],
          [1, null, null, null],
          [2, "hello", 1.5, "en"],
          [3, null, null, null]
        ]
      )
      assert.match(String(rows[1]?.["error"]), /no audio/)
      assert.match(String(rows[3]?.["error"]), /missing\.wav/)
      assert.deepStrictEqual(readdirSync(at("subtitles")).toSorted(), [
        "song.2.srt",
        "song.2.vtt",
        "talk.0.srt",
        "talk.0.vtt"
      ])
      assert.match(readFileSync(at("subtitles/talk.0.srt"), "utf8"), /00:00:01,500\nhello/)
      const form = asked.find(({ text }) => text.includes("talk.wav audio"))?.text ?? ""
      for (const field of ["en", "Names.", "0.25", "verbose_json", "1"]) {
        assert.include(form, `\r\n\r\n${field}\r\n`)
      }
      // Its base name is enough for the provider.
      assert.notInclude(form, at(""))
    }).pipe(Effect.scoped)
  )

  it.live(
    "takes rows with paths from a file, relative to where it runs, and prints their rows",
    () =>
      Effect.gen(function* () {
        const { asked, base } = yield* recorder()
        const { file, path } = yield* folder
        file("talk.wav", "audio")
        const stdin = '{"path":"talk.wav"}\n{"file":"talk.wav"}\n'
        const flags = ["transcribe", ...model, "--api-base", base]
        const run = yield* infermesh([...flags, "--ordered"], { stdin, cwd: path })
        assert.strictEqual(run.code, 3, run.stderr)
        assert.deepStrictEqual(
          rowsOf(run.stdout).map((row) => [row["_index"], row["text"], row["error"] === null]),
          [
            [0, "hello", true],
            [1, null, false]
          ]
        )
        assert.lengthOf(asked, 1)
        const dry = yield* infermesh([...flags, "--dry-run", "talk.wav"], { cwd: path })
        assert.match(dry.stdout, /\/v1\/audio\/transcriptions\n\(multipart\/form-data/)
        assert.lengthOf(asked, 1)
        const both = yield* infermesh([...flags, "--input-jsonl", "x", "talk.wav"], { cwd: path })
        assert.match(both.stderr, /^error: give either the paths of audio files or --input-jsonl/)
        const alone = yield* infermesh([...flags, "--subtitles", "srt", "talk.wav"], { cwd: path })
        assert.deepStrictEqual([both.code, alone.code], [2, 2])
      }).pipe(Effect.scoped)
  )
})
