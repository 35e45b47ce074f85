import { assert, describe, it } from "@effect/vitest"
import * as Simulator from "@infermesh/core/testing/Simulator"
import { Effect } from "effect"
import { HttpBody, HttpClient, HttpClientRequest } from "effect/http"

import { encode, wav } from "./AudioFile.ts"
import { body, recordedIt, shape } from "./Recording.ts"
import { errorOf, events, json, read, respond } from "./SimulatorExchange.ts"

interface Fields {
  readonly [name: string]: string | ReadonlyArray<string> | undefined
}

const formOf = (file: Uint8Array<ArrayBuffer> | undefined, fields: Fields, fileName = "a.wav") => {
  const form = new FormData()
  if (file !== undefined) form.append("file", new Blob([file]), fileName)
  for (const [name, value] of Object.entries({ model: "whisper-1", ...fields })) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (typeof one === "string") form.append(name, one)
    }
  }
  return form
}

const request = (file: Uint8Array<ArrayBuffer> | undefined, fields: Fields = {}, name?: string) =>
  Effect.map(
    Effect.promise(() => encode(formOf(file, fields, name))),
    ({ bytes, contentType }) => ({
      method: "POST",
      path: "/v1/audio/transcriptions",
      headers: { "content-type": contentType },
      body: bytes
    })
  )

const ask = (
  simulator: Simulator.Simulator,
  file: Uint8Array<ArrayBuffer> | undefined,
  fields: Fields = {},
  name?: string
) => Effect.flatMap(request(file, fields, name), (asked) => respond(simulator, asked))

interface Verbose {
  readonly text: string
  readonly language: string
  readonly duration: number
  readonly words?: ReadonlyArray<{ word: string; start: number; end: number }>
  readonly segments?: ReadonlyArray<{
    text: string
    start: number
    end: number
    speaker?: string
  }>
  readonly usage: { readonly type: string; readonly seconds: number }
}

const transcribe = (
  simulator: Simulator.Simulator,
  fields: Fields = {},
  file = wav(10),
  name?: string
) =>
  Effect.map(
    ask(simulator, file, fields, name),
    (response) => (assert.strictEqual(response.status, 200), json(response) as Verbose)
  )

describe("a transcript", () => {
  const recording = "openai-transcription/openai-transcription.json"
  recordedIt("has the keys, in the order, of a recorded one", [recording], () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const answer = yield* transcribe(simulator, {
        response_format: "verbose_json",
        "timestamp_granularities[]": ["word"]
      })
      assert.deepStrictEqual(shape(answer), shape(body(recording)))
    })
  )

  it.effect("depends on the file's content, not on its name or the request's other fields", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const { text } = yield* transcribe(simulator)
      const again = yield* transcribe(simulator, { language: "de", prompt: "x" }, wav(10), "b.WAV")
      assert.strictEqual(again.text, text)
      assert.notStrictEqual((yield* transcribe(simulator, {}, wav(10, 1))).text, text)
      const other = yield* Simulator.make({ seed: 1 })
      assert.notStrictEqual((yield* transcribe(other)).text, text)
    })
  )

  it.effect("is as long as the header of a WAV file says, whatever stands before the sound", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const verbose = { response_format: "verbose_json" }
      const answer = yield* transcribe(simulator, verbose, wav(36.71))
      assert.strictEqual(answer.duration, 36.71)
      assert.deepStrictEqual(answer.usage, { type: "duration", seconds: 37 })
      const plain = wav(2)
      const withNote = new Uint8Array(plain.length + 12)
      withNote.set(plain.subarray(0, 36))
      withNote.set([...new TextEncoder().encode("LIST"), 3, 0, 0, 0, 1, 2, 3, 0], 36)
      withNote.set(plain.subarray(36), 48)
      assert.strictEqual((yield* transcribe(simulator, verbose, withNote)).duration, 2)
      const compressed = new Uint8Array(80_000)
      assert.strictEqual((yield* transcribe(simulator, verbose, compressed, "a.mp3")).duration, 5)
    })
  )

  it.effect("has words and sentences that fill the time and make the text", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const answer = yield* transcribe(simulator, {
        response_format: "verbose_json",
        language: "de",
        "timestamp_granularities[]": ["word", "segment"]
      })
      assert.strictEqual(answer.language, "german")
      for (const list of [answer.words ?? [], answer.segments ?? []]) {
        assert.isAbove(list.length, 1)
        assert.strictEqual(list[0]?.start, 0)
        assert.strictEqual(list.at(-1)?.end, 10)
        for (const [index, { end, start }] of list.entries()) {
          assert.isAtMost(start, end)
          assert.strictEqual(start, list[index - 1]?.end ?? 0)
        }
      }
      const segments = answer.segments?.map((segment) => segment.text).join("")
      assert.strictEqual(segments?.trim(), answer.text)
      const words = answer.words?.map(({ word }) => word).join(" ")
      assert.strictEqual(words, answer.text.replaceAll(/[.,]/g, ""))
      const unasked = yield* transcribe(simulator, { response_format: "verbose_json" })
      assert.isDefined(unasked.segments)
      assert.isUndefined(unasked.words)
    })
  )

  it.effect("is written as text and as subtitles", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const { text } = yield* transcribe(simulator)
      const written = (format: string) =>
        Effect.flatMap(ask(simulator, wav(10), { response_format: format }), (response) => {
          assert.strictEqual(response.headers["content-type"], "text/plain; charset=utf-8")
          return read(response)
        })
      assert.strictEqual(yield* written("text"), `${text}\n`)
      const first = text.split(/(?<=\.) /)[0]
      const [number, times, line] = (yield* written("srt")).split("\n")
      assert.strictEqual(number, "1")
      assert.match(times ?? "", /^00:00:00,000 --> 00:00:\d\d,\d{3}$/)
      assert.strictEqual(line, first)
      const [head, , cue, said] = (yield* written("vtt")).split("\n")
      assert.strictEqual(head, "WEBVTT")
      assert.match(cue ?? "", /^00:00:00\.000 --> 00:00:\d\d\.\d{3}$/)
      assert.strictEqual(said, first)
    })
  )

  it.effect("tells speakers apart where asked, by the names given", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const fields = { model: "gpt-4o-transcribe-diarize", response_format: "diarized_json" }
      const speakers = (more: Fields = {}) =>
        Effect.map(transcribe(simulator, { ...fields, ...more }), ({ segments }) => [
          ...new Set(segments?.map(({ speaker }) => speaker))
        ])
      assert.deepStrictEqual(yield* speakers(), ["A", "B"])
      const named = { "known_speaker_names[]": ["anna", "otto"] }
      assert.deepStrictEqual(yield* speakers(named), ["anna", "otto"])
    })
  )

  it.effect("is streamed by models that can", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ script: ["answer", "answer", "streamError"] })
      const fields = { model: "gpt-4o-transcribe", stream: "true" }
      const response = yield* ask(simulator, wav(10), fields)
      const payloads = events(yield* read(response)).map(
        (payload) => JSON.parse(payload) as { type: string; delta?: string; text?: string }
      )
      const said = payloads.map(({ delta }) => delta ?? "").join("")
      assert.deepInclude(payloads.at(-1), { type: "transcript.text.done", text: said })
      const whole = yield* ask(simulator, wav(10), { stream: "true" })
      assert.hasAllKeys(json(whole), ["text", "usage"])
      const failed = events(yield* read(yield* ask(simulator, wav(10), fields)))
      assert.match(failed.at(-1) ?? "", /"type":"server_error"/)
    })
  )
})

describe("a wrong request for a transcript", () => {
  const cases: ReadonlyArray<
    readonly [
      string,
      { readonly file?: Uint8Array<ArrayBuffer> | null; readonly name?: string; fields?: Fields },
      RegExp,
      string | null,
      string?
    ]
  > = [
    ["no model", { fields: { model: undefined } }, /^you must provide a model parameter$/, null],
    [
      "no file",
      { file: null },
      /^Missing required parameter: 'file'/,
      "file",
      "missing_required_parameter"
    ],
    [
      "an ending the API does not know",
      { name: "a.aiff" },
      /^Invalid file format\. Supported formats: \['flac', 'm4a', 'mp3',/,
      null
    ],
    ["a file name without an ending", { name: "audio" }, /^Invalid file format/, null],
    [
      "a WAV file that is none",
      { file: new Uint8Array(5000) },
      /^Audio file might be corrupted or unsupported$/,
      "file",
      "invalid_value"
    ],
    [
      "a sound too short",
      { file: wav(0.09) },
      /^Audio file is too short/,
      "file",
      "audio_too_short"
    ],
    [
      "an unknown field",
      { fields: { translate: "yes" } },
      /^Unknown parameter: 'translate'/,
      "translate",
      "unknown_parameter"
    ],
    [
      "a bad format",
      { fields: { response_format: "xml" } },
      /^Invalid value: 'xml'/,
      "response_format",
      "invalid_value"
    ],
    [
      "a bad temperature",
      { fields: { temperature: "1.5" } },
      /above maximum/,
      "temperature",
      "decimal_above_max_value"
    ],
    [
      "a temperature that is no number",
      { fields: { temperature: "warm" } },
      /expected a decimal/,
      "temperature",
      "invalid_type"
    ],
    [
      "a language by its name",
      { fields: { language: "german" } },
      /^Invalid language 'german'/,
      "language",
      "invalid_language_format"
    ],
    [
      "a language that does not exist",
      { fields: { language: "xx" } },
      /ISO-639-1/,
      "language",
      "invalid_language_format"
    ],
    [
      "times with a format that has none",
      { fields: { "timestamp_granularities[]": ["word"] } },
      /only supported with response_format 'verbose_json'/,
      "timestamp_granularities"
    ],
    [
      "a format the model does not know",
      { fields: { model: "gpt-4o-transcribe", response_format: "verbose_json" } },
      /^response_format 'verbose_json' is not compatible with model 'gpt-4o-transcribe'\. Use 'json' or 'text' instead\.$/,
      "response_format",
      "unsupported_value"
    ],
    [
      "a long recording of several speakers in one piece",
      { file: wav(31), fields: { model: "gpt-4o-transcribe-diarize" } },
      /^chunking_strategy is required/,
      "chunking_strategy"
    ],
    [
      "a prompt for the model of several speakers",
      { fields: { model: "gpt-4o-transcribe-diarize", prompt: "x" } },
      /^prompt is not supported/,
      "prompt"
    ]
  ]
  for (const [name, { fields, file, name: fileName }, message, param, code = null] of cases) {
    it.effect(`is refused as OpenAI refuses it: ${name}`, () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator.make()
        const sent = file === null ? undefined : (file ?? wav(1))
        const response = yield* ask(simulator, sent, fields, fileName)
        assert.strictEqual(response.status, 400)
        const error = errorOf(response)
        assert.match(error.message, message)
        assert.deepInclude(error, { type: "invalid_request_error", param, code })
      })
    )
  }

  it.effect("is one that is no form", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const response = yield* respond(simulator, {
        method: "POST",
        path: "/v1/audio/transcriptions",
        headers: { "content-type": "application/json" },
        body: "{}"
      })
      assert.strictEqual(response.status, 400)
      assert.match(errorOf(response).message, /multipart form/)
    })
  )

  it.effect("is one with a file above 25 MiB, and not one of exactly that size", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const status = (bytes: number) => ask(simulator, new Uint8Array(bytes), {}, "a.mp3")
      assert.strictEqual((yield* status(26_214_400)).status, 200)
      const refused = yield* status(26_214_401)
      assert.strictEqual(refused.status, 413)
      assert.match(errorOf(refused).message, /^Maximum content size limit \(26214400\) exceeded/)
    })
  )
})

describe("transcription under load", () => {
  it.effect("costs a request and no tokens, and meets faults as other requests do", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({
        quota: { rpm: 3, tpm: 1 },
        script: ["internal", "answer", "truncated"]
      })
      assert.strictEqual((yield* ask(simulator, wav(1))).status, 500)
      const answered = yield* ask(simulator, wav(1))
      assert.deepInclude(answered.headers, {
        "x-ratelimit-remaining-requests": "1",
        "x-ratelimit-remaining-tokens": "1"
      })
      const cut = yield* simulator.handle(yield* request(wav(1)))
      assert.strictEqual(cut._tag, "Truncated")
      const refused = yield* ask(simulator, wav(1))
      assert.strictEqual(refused.status, 429)
      assert.strictEqual((yield* simulator.stats).violations.rpm, 1)
    })
  )

  it.effect("works through the client in process, with a form or with its bytes", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const { text } = yield* transcribe(simulator)
      const { bytes, contentType } = yield* Effect.promise(() => encode(formOf(wav(10), {})))
      for (const sent of [
        HttpBody.formData(formOf(wav(10), {})),
        HttpBody.uint8Array(bytes, contentType)
      ]) {
        const response = yield* HttpClient.execute(
          HttpClientRequest.post("http://simulated.test/v1/audio/transcriptions").pipe(
            HttpClientRequest.setBody(sent)
          )
        ).pipe(Effect.provide(Simulator.layerHttpClient({ "http://simulated.test": simulator })))
        assert.deepInclude(yield* response.json, { text })
      }
    })
  )
})
