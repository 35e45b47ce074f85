import { assert, describe, it } from "@effect/vitest"
import type { TranscribeModelOptions } from "@infermesh/core/operation/Transcribe"
import type { AttemptError } from "@infermesh/core/provider/Provider"
import * as TranscriptionProtocol from "@infermesh/providers/openai/TranscriptionProtocol"
import { Result, Stream } from "effect"
import * as fc from "fast-check"

import { files, read, recorded, why } from "../Wire.ts"

const audio = {
  fileName: "a.wav",
  mediaType: "audio/wav",
  sizeBytes: 0,
  bytes: Stream.empty
}

const encode = (options: TranscribeModelOptions, more = {}) =>
  TranscriptionProtocol.encode({ audio, options }, "m", more)

const context = (contentType: string) => ({
  model: "m",
  url: "http://h/v1/audio/transcriptions",
  headers: { "content-type": contentType },
  nowMillis: 0
})

const decode = (text: string, format?: string, contentType = "application/json") =>
  TranscriptionProtocol.decode(text, { response_format: format }, context(contentType))

const value = (text: string, format?: string, contentType?: string) =>
  Result.getOrThrow(decode(text, format, contentType)).value

const failure = <A>(result: Result.Result<A, AttemptError>): AttemptError =>
  Result.isFailure(result) ? result.failure : assert.fail("it was read")

describe("encode", () => {
  it("puts every option where the API has it", () => {
    assert.deepStrictEqual(
      encode({
        language: "en",
        prompt: "names",
        temperature: 0,
        responseFormat: "verbose_json",
        timestampGranularities: ["segment", "word"],
        extraBody: { include: ["logprobs"] }
      }),
      {
        model: "m",
        language: "en",
        prompt: "names",
        temperature: 0,
        response_format: "verbose_json",
        timestamp_granularities: ["segment", "word"],
        include: ["logprobs"]
      }
    )
    assert.deepStrictEqual(encode({}), { model: "m" })
  })

  it("puts the deployment's fields under the request's, and lets extraBody win over both", () => {
    const more = { prompt: "deployment", language: "fr", own: 1 }
    assert.deepStrictEqual(encode({ language: "en", extraBody: { language: "de" } }, more), {
      model: "m",
      prompt: "deployment",
      language: "de",
      own: 1
    })
  })

  it("has long audio cut by the server where speakers are told apart, unless told how", () => {
    const responseFormat = "diarized_json"
    assert.strictEqual(encode({ responseFormat })["chunking_strategy"], "auto")
    const own = { type: "server_vad" }
    const extraBody = { chunking_strategy: own }
    assert.deepStrictEqual(encode({ responseFormat, extraBody })["chunking_strategy"], own)
    assert.deepStrictEqual(encode({ responseFormat }, extraBody)["chunking_strategy"], own)
  })
})

describe("decode", () => {
  it("reads a text with its usage in tokens", () => {
    const text = JSON.stringify({
      text: "hello",
      usage: { type: "tokens", input_tokens: 14, output_tokens: 45, total_tokens: 59 }
    })
    const answer = Result.getOrThrow(decode(text))
    assert.strictEqual(answer.value.text, "hello")
    assert.deepStrictEqual(
      [answer.usage?.promptTokens, answer.usage?.completionTokens, answer.usage?.totalTokens],
      [14, 45, 59]
    )
    assert.deepStrictEqual(answer.body, JSON.parse(text))
  })

  it("takes the duration from the usage where models are paid by it, and no tokens", () => {
    const text = '{"text":"hello","usage":{"type":"duration","seconds":37}}'
    const answer = Result.getOrThrow(decode(text))
    assert.deepStrictEqual([answer.value.durationSeconds, answer.usage], [37, undefined])
    const both = value('{"text":"","duration":36.7,"usage":{"type":"duration","seconds":37}}')
    assert.strictEqual(both.durationSeconds, 36.7)
  })

  it("reads segments with their speakers", () => {
    const segments = [
      {
        type: "transcript.text.segment",
        id: "seg_1",
        start: 0,
        end: 1.5,
        text: "Hi.",
        speaker: "A"
      },
      {
        type: "transcript.text.segment",
        id: "seg_2",
        start: 1.5,
        end: 2,
        text: "Yes?",
        speaker: "B"
      }
    ]
    const text = JSON.stringify({ task: "transcribe", duration: 2, text: "Hi. Yes?", segments })
    assert.deepStrictEqual(value(text, "diarized_json").segments, [
      { start: 0, end: 1.5, text: "Hi.", speaker: "A" },
      { start: 1.5, end: 2, text: "Yes?", speaker: "B" }
    ])
  })

  it("reads segments and words, and durations written as text", () => {
    const text = JSON.stringify({
      text: "Hi.",
      language: "english",
      duration: "2.5",
      segments: [{ id: 0, seek: 0, start: 0, end: 2.5, text: " Hi.", tokens: [1], speaker: null }],
      words: [{ word: "Hi", start: 0, end: 0.5, probability: 1 }]
    })
    assert.deepStrictEqual(value(text, "verbose_json"), {
      text: "Hi.",
      language: "english",
      durationSeconds: 2.5,
      segments: [{ start: 0, end: 2.5, text: " Hi." }],
      words: [{ word: "Hi", start: 0, end: 0.5 }]
    })
  })

  it("reads Mistral's usage, and takes null for absent", () => {
    const text = JSON.stringify({
      text: "Hi.",
      language: null,
      duration: null,
      segments: null,
      words: null,
      usage: { prompt_tokens: 4, completion_tokens: 3, total_tokens: 107, prompt_audio_seconds: 2 }
    })
    const answer = Result.getOrThrow(decode(text))
    assert.deepStrictEqual(
      [answer.usage?.promptTokens, answer.usage?.completionTokens, answer.usage?.totalTokens],
      [4, 3, 107]
    )
    assert.isUndefined(answer.value.language)
    assert.isUndefined(answer.value.durationSeconds)
  })

  const srt = "1\n00:00:00,000 --> 00:00:01,500\nHi.\n\n"
  const vtt = "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nHi.\n\n"

  it("reads plain text without its line break, and subtitles as whole files", () => {
    assert.strictEqual(value("Hi.\nYes?\n", "text", "text/plain; charset=utf-8").text, "Hi.\nYes?")
    assert.strictEqual(value("", "text", "text/plain").text, "")
    assert.strictEqual(value(srt, "srt", "text/plain").text, srt)
    assert.strictEqual(value(vtt, "vtt", "text/vtt").text, vtt)
    assert.strictEqual(value("\n", "srt", "text/plain").text, "\n")
    assert.strictEqual(Result.getOrThrow(decode(srt, "srt", "text/plain")).body, srt)
  })

  it("reads what a server wrote as JSON although text was asked for", () => {
    assert.strictEqual(value('{"text":"Hi."}', "text").text, "Hi.")
    assert.strictEqual(value(JSON.stringify(vtt), "vtt").text, vtt)
    assert.strictEqual(value(JSON.stringify("Hi.\n"), "text").text, "Hi.")
  })

  const wrong: ReadonlyArray<readonly [string, string, string | undefined, string, RegExp]> = [
    ["no text", '{"usage":{"seconds":3}}', "json", "application/json", /has no text/],
    ["a text that is a number", '{"text":1}', "json", "application/json", /no transcript/],
    ["no JSON", "<html>hello</html>", undefined, "text/html", /the body is no JSON/],
    ["JSON for a subtitle", '{"text":"Hi."}', "srt", "application/json", /JSON and no srt file/],
    ["another text for a vtt file", "Hi.", "vtt", "text/plain", /does not begin as a vtt file/],
    ["another text for a srt file", "Hi.", "srt", "text/plain", /it is no srt file/]
  ]
  for (const [what, text, format, contentType, problem] of wrong) {
    it(`refuses ${what}`, () => {
      const error = failure(decode(text, format, contentType))
      assert.strictEqual(error.reason._tag, "InvalidResponseError")
      assert.match(error.reason.message, problem)
      assert.strictEqual(error.outcome, "unknown")
    })
  }

  it("takes an error with status 200 for what it would be with its own", () => {
    for (const format of [undefined, "text"]) {
      const { reason } = failure(decode('{"error":{"code":429,"message":"slow"}}', format))
      assert.strictEqual(reason._tag, "RateLimitError")
    }
  })
})

describe(`recorded responses${why}`, () => {
  const [file = ""] = files("openai-transcription", ".json")

  it.skipIf(!recorded)("are all read here", () => {
    assert.deepStrictEqual(files("openai-transcription", ""), ["openai-transcription.json"])
  })

  it.skipIf(!recorded)("are read value by value", () => {
    const text = read("openai-transcription", file)
    const answer = Result.getOrThrow(decode(text, "verbose_json"))
    assert.deepStrictEqual(answer.value, {
      text: "Galileo was an American robotic space program that studied the planet Jupiter and its moons, as well as several other solar system bodies.",
      language: "english",
      durationSeconds: 36.709999084472656,
      segments: undefined,
      words: [
        { word: "Galileo", start: 0, end: 0.6600000262260437 },
        { word: "was", start: 0.6600000262260437, end: 0.8999999761581421 },
        { word: "an", start: 0.8999999761581421, end: 1.1399999856948853 },
        { word: "American", start: 1.1399999856948853, end: 1.5 },
        { word: "robotic", start: 1.5, end: 2.0199999809265137 }
      ]
    })
    assert.isUndefined(answer.usage)
    assert.deepStrictEqual(answer.body, JSON.parse(text))
  })

  it.skipIf(!recorded)("give the same cut anywhere, or a broken connection", () => {
    const text = read("openai-transcription", file).trim()
    const whole = Result.getOrThrow(decode(text, "verbose_json"))
    fc.assert(
      fc.property(fc.nat(text.length), (end) => {
        const result = decode(text.slice(0, end), "verbose_json")
        if (Result.isSuccess(result)) return assert.deepStrictEqual(result.success, whole)
        assert.strictEqual(result.failure.reason._tag, "NetworkError")
        assert.isBelow(end, text.length)
      })
    )
  })
})
