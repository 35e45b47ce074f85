import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import { assert, describe, it } from "@effect/vitest"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import * as Input from "@infermesh/job/Input"
import * as Job from "@infermesh/job/Job"
import { TranscribeRow } from "@infermesh/job/operation/TranscribeRow"
import * as Output from "@infermesh/job/Output"
import { Effect, Schema } from "effect"

import * as JobFolder from "../JobFolder.ts"

const reply: NonNullable<TestProvider.TestProviderOptions["transcribe"]> = ({ request }) => {
  switch (request.audio.fileName) {
    case "plain.wav":
      return { text: "only text" }
    case "whole.wav":
      return { text: "one\n\ncue", durationSeconds: 61.5 }
    case "down.wav":
      return TestProvider.unavailable()
    default:
      return {
        text: "Hello. A < B & so --> on",
        durationSeconds: 3.25,
        language: "en",
        segments: [
          { start: 0, end: 1.5, text: " Hello." },
          { start: 3599.9996, end: 3601.25, text: "A < B & so --> on" }
        ]
      }
  }
}

const prepare = Effect.map(JobFolder.make, (job) => {
  const audio = (name: string) => {
    const path = join(job.folder, name)
    writeFileSync(path, "RIFF")
    return path
  }
  return { ...job, audio }
})

describe("transcribe", () => {
  it.live("gives each audio file a row, and makes error rows of those that cannot be read", () =>
    Effect.gen(function* () {
      const { audio, folder, input, output, rows } = yield* prepare
      const paths = [audio("talk.wav"), join(folder, "missing.wav"), audio("down.wav")]
      writeFileSync(
        input,
        [
          ...paths.map((path) => JSON.stringify({ path, metadata: path.length })),
          '{"file":1}'
        ].join("\n")
      )
      const { summary } = yield* Job.run({
        input: yield* Input.file(input),
        output: Output.file(output),
        operation: Job.transcribe({ options: { language: "en" } }),
        ordered: true
      })
      assert.deepStrictEqual([summary.answered, summary.failed], [1, 3])
      const written = rows()
      assert.deepStrictEqual(
        written.map((row) => [row["_index"], row["path"], row["error_reason"], row["metadata"]]),
        [
          [0, paths[0], null, paths[0]?.length],
          [1, paths[1], "InvalidInput", paths[1]?.length],
          [2, paths[2], "InternalProviderError", paths[2]?.length],
          [3, null, "InvalidInput", undefined]
        ]
      )
      assert.deepStrictEqual(Object.keys(written[1] ?? {}).slice(0, 6), [
        "_index",
        "text",
        "duration_s",
        "language",
        "request_id",
        "error"
      ])
      assert.deepStrictEqual([written[0]?.["duration_s"], written[0]?.["language"]], [3.25, "en"])
      const decoded = yield* Schema.decodeUnknownEffect(TranscribeRow)(written[0])
      assert.strictEqual(decoded.segments?.length, 2)
    }).pipe(Effect.scoped, Effect.provide(JobFolder.layer({ transcribe: reply })))
  )

  it.live("writes subtitles beside the rows, one file for each, whatever the audio is called", () =>
    Effect.gen(function* () {
      const { audio, folder, output, rows } = yield* prepare
      const names = ["talk.wav", "talk.wav", "whole.wav", "plain.wav", "down.wav"]
      const subtitles = join(folder, "subtitles")
      yield* Job.run({
        input: Input.rows(names.map((name) => ({ path: audio(name) }))),
        output: Output.file(output, {
          beside: Output.subtitles({ folder: subtitles, formats: ["srt", "vtt"] })
        }),
        operation: Job.transcribe(),
        ordered: true
      })
      assert.deepStrictEqual(
        rows().map((row) => row["subtitles"]),
        [
          ["talk.0.srt", "talk.0.vtt"],
          ["talk.1.srt", "talk.1.vtt"],
          ["whole.2.srt", "whole.2.vtt"],
          [],
          undefined
        ]
      )
      assert.deepStrictEqual(
        readdirSync(subtitles).toSorted(),
        rows()
          .flatMap((row) => (row["subtitles"] as ReadonlyArray<string> | undefined) ?? [])
          .toSorted()
      )
      const read = (name: string) => readFileSync(join(subtitles, name), "utf8")
      assert.strictEqual(
        read("talk.1.srt"),
        "1\n00:00:00,000 --> 00:00:01,500\nHello.\n\n2\n01:00:00,000 --> 01:00:01,250\nA < B & so --> on\n\n"
      )
      assert.strictEqual(
        read("talk.1.vtt"),
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nHello.\n\n01:00:00.000 --> 01:00:01.250\nA &lt; B &amp; so --&gt; on\n\n"
      )
      assert.strictEqual(read("whole.2.srt"), "1\n00:00:00,000 --> 00:01:01,500\none\ncue\n\n")
    }).pipe(Effect.scoped, Effect.provide(JobFolder.layer({ transcribe: reply })))
  )
})
