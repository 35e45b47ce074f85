import { execFileSync } from "node:child_process"
import { pathToFileURL } from "node:url"

import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Inference from "@infermesh/core/Inference"
import * as Usage from "@infermesh/core/operation/Usage"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Effect, Fiber, FileSystem, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"

import * as TestClient from "../TestClient.ts"

const asked = TestProvider.TestProvider.use(({ askedTranscribe }) => askedTranscribe)

const transcribing = (
  transcribe: TestProvider.TestProviderOptions["transcribe"] = () => "hello",
  settings: Parameters<typeof TestClient.layer>[0] = {}
) => Layer.provideMerge(TestClient.layer(settings, { transcribe }), NodeFileSystem.layer)

const directory = FileSystem.FileSystem.use((files) => files.makeTempDirectoryScoped())

const write = (name: string, content: Uint8Array) =>
  Effect.gen(function* () {
    const path = `${yield* directory}/${name}`
    yield* FileSystem.FileSystem.use((files) => files.writeFile(path, content))
    return path
  })

const bytes = Uint8Array.from({ length: 100 }, (_, index) => index)

/** What the provider is told of the audio, and the bytes it gets. */
const sent = (input: Inference.TranscribeInput, options?: Inference.TranscribeOptions) =>
  Effect.gen(function* () {
    yield* Inference.transcribe(input, options)
    const one = (yield* asked).at(-1)
    if (one === undefined) return assert.fail("nothing was sent")
    const { fileName, mediaType, sizeBytes } = one.request.audio
    return { fileName, mediaType, sizeBytes, bytes: one.bytes }
  })

const refusal = (input: unknown, options?: object) =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(Inference.transcribe(input as string, options))
    assert.strictEqual(error.reason._tag, "InvalidInput")
    assert.notInclude(error.message, "\n")
    return error
  })

describe("transcribe", () => {
  it.effect("gives the transcript with what the provider reports", () =>
    Effect.gen(function* () {
      const result = yield* Inference.transcribe(bytes, { language: "de" })
      const { text, durationSeconds, language, segments, modelId, requestId } = result
      assert.deepStrictEqual(
        { text, durationSeconds, language, segments, modelId, requestId },
        {
          text: "hello",
          durationSeconds: 1.5,
          language: "english",
          segments: [{ start: 0, end: 1, text: "hello" }],
          modelId: "model",
          requestId: "test-transcribe-0"
        }
      )
      assert.deepStrictEqual([result.tokenUsage?.promptTokens, result.cost], [10, 14e-6])
      assert.isUndefined(result.rawResponse)
    }).pipe(
      Effect.provide(
        transcribing(() => ({
          text: "hello",
          durationSeconds: 1.5,
          language: "english",
          segments: [{ start: 0, end: 1, text: "hello" }],
          usage: Usage.make({ promptTokens: 10, completionTokens: 2 })
        }))
      )
    )
  )

  it.effect("gives the language that was asked for where the provider reports none", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Inference.transcribe(bytes, { language: "de" })).language, "de")
      assert.isUndefined((yield* Inference.transcribe(bytes)).language)
    }).pipe(Effect.provide(transcribing()))
  )

  it.effect("tells the provider its options, and nothing of ours", () =>
    Effect.gen(function* () {
      const own: Inference.TranscribeOptions = {
        language: "en",
        prompt: "names",
        temperature: 0,
        responseFormat: "verbose_json",
        timestampGranularities: ["word"],
        extraBody: { a: 1 },
        headers: { b: "c" }
      }
      yield* Inference.transcribe(bytes, { ...own, fileName: "a.mp3", deadline: "1 minute" })
      assert.deepStrictEqual((yield* asked)[0]?.request.options, own)
    }).pipe(Effect.provide(transcribing()))
  )

  describe("reads", () => {
    it.effect("a file, by path or file: URL, and tells of its path only the last part", () =>
      Effect.gen(function* () {
        const path = yield* write("a talk ä.mp3", bytes)
        for (const input of [path, pathToFileURL(path), pathToFileURL(path).href]) {
          assert.deepStrictEqual(yield* sent(input), {
            fileName: "a talk ä.mp3",
            mediaType: "audio/mpeg",
            sizeBytes: 100,
            bytes
          })
        }
      }).pipe(Effect.scoped, Effect.provide(transcribing()))
    )

    it.effect("bytes, under a name that tells their format", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* sent(bytes), {
          fileName: "audio.wav",
          mediaType: "application/octet-stream",
          sizeBytes: 100,
          bytes
        })
        const named = yield* sent(bytes, { fileName: "/home/me/talk.FLAC" })
        assert.deepStrictEqual([named.fileName, named.mediaType], ["talk.FLAC", "audio/flac"])
        const types = [
          "audio/mpeg",
          "audio/flac",
          "audio/webm;codecs=opus",
          "audio/ogg",
          "audio/mp4"
        ]
        const names = yield* Effect.forEach(types, (mediaType) => sent(bytes, { mediaType }))
        // Endings that OpenAI's endpoint knows.
        assert.deepStrictEqual(
          names.map(({ fileName }) => fileName),
          ["mp3", "flac", "webm", "ogg", "m4a"].map((ending) => `audio.${ending}`)
        )
        const both = yield* sent(bytes, { fileName: "a.bin", mediaType: "audio/ogg" })
        assert.deepStrictEqual([both.fileName, both.mediaType], ["a.bin", "audio/ogg"])
        assert.strictEqual((yield* sent(bytes, { fileName: "" })).fileName, "audio.wav")
      }).pipe(Effect.provide(transcribing()))
    )

    it.effect("a Blob, and a File by its name's last part", () =>
      Effect.gen(function* () {
        const blob = yield* sent(new Blob([bytes], { type: "audio/mpeg" }))
        assert.deepStrictEqual([blob.mediaType, blob.sizeBytes], ["audio/mpeg", 100])
        assert.deepStrictEqual(blob.bytes, bytes)
        const file = yield* sent(new File([bytes], "/home/me/talk.mp3"))
        assert.deepStrictEqual([file.fileName, file.mediaType], ["talk.mp3", "audio/mpeg"])
      }).pipe(Effect.provide(transcribing()))
    )

    it.effect("a stream of bytes, whose size nobody knows before its end", () =>
      Effect.gen(function* () {
        const stream = Stream.make(bytes.subarray(0, 30), bytes.subarray(30))
        assert.deepStrictEqual(yield* sent(stream, { fileName: "a.wav" }), {
          fileName: "a.wav",
          mediaType: "audio/wav",
          sizeBytes: undefined,
          bytes
        })
      }).pipe(Effect.provide(transcribing()))
    )

    it.effect("from the start again when a request is tried again", () =>
      Effect.gen(function* () {
        const path = yield* write("a.mp3", bytes)
        for (const input of [path, bytes, new Blob([bytes]), Stream.make(bytes)]) {
          const before = (yield* asked).length
          // Disk and Blob answer outside the test's clock: however slow they are, the request must outlive them.
          const fiber = yield* Effect.forkChild(
            Inference.transcribe(input, { timeout: "1000 days" })
          )
          while ((yield* asked).length < before + 2) {
            yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
            yield* TestClock.adjust("1 minute")
          }
          yield* Fiber.join(fiber)
          assert.deepStrictEqual(
            (yield* asked).slice(before).map((one) => one.bytes),
            [bytes, bytes]
          )
        }
      }).pipe(
        Effect.scoped,
        Effect.provide(
          transcribing(({ index }) => (index % 2 === 0 ? TestProvider.unavailable() : "hello"))
        )
      )
    )
  })

  describe("refuses before anything is sent", () => {
    it.effect("files that are missing, none, empty or too large, naming them", () =>
      Effect.gen(function* () {
        assert.match((yield* refusal("/no/such.mp3")).message, /\/no\/such\.mp3: there is no such/)
        assert.match(
          (yield* refusal(yield* directory)).message,
          /it is not a regular file \(Directory\)/
        )
        const empty = yield* write("a.mp3", new Uint8Array(0))
        assert.match((yield* refusal(empty)).message, /the audio is empty/)
        const large = yield* write("a.mp3", bytes)
        assert.match(
          (yield* refusal(large, { maxBytes: 99 })).message,
          /the audio has 100 bytes, more than the 99 allowed. Make it smaller/
        )
        assert.strictEqual((yield* sent(large, { maxBytes: 100 })).bytes.length, 100)
        assert.strictEqual((yield* sent(large, { maxBytes: Infinity })).bytes.length, 100)
        assert.strictEqual((yield* asked).length, 2)
      }).pipe(Effect.scoped, Effect.provide(transcribing()))
    )

    it.effect.skipIf(process.platform === "win32")(
      "pipes and devices, which have no size and may never end, without opening them",
      () =>
        Effect.gen(function* () {
          const pipe = `${yield* directory}/pipe.wav`
          execFileSync("mkfifo", [pipe])
          assert.match((yield* refusal(pipe)).message, /it is not a regular file \(FIFO\)/)
          assert.match(
            (yield* refusal("/dev/zero")).message,
            /not a regular file \(CharacterDevice\)/
          )
        }).pipe(Effect.scoped, Effect.provide(transcribing()))
    )

    it.effect("bytes and Blobs that are empty or too large", () =>
      Effect.gen(function* () {
        for (const make of [
          (length: number) => bytes.subarray(0, length),
          (length: number) => new Blob([bytes.subarray(0, length)])
        ]) {
          assert.match((yield* refusal(make(0))).message, /the audio is empty/)
          assert.match(
            (yield* refusal(make(11), { maxBytes: 10 })).message,
            /has 11 bytes, more than the 10/
          )
        }
        const large = new Uint8Array(26_214_401)
        assert.match((yield* refusal(large)).message, /26214401 bytes, more than the 26214400/)
        assert.deepStrictEqual(yield* asked, [])
      }).pipe(Effect.provide(transcribing()))
    )

    it.effect("web addresses and what is no audio", () =>
      Effect.gen(function* () {
        const cases: ReadonlyArray<readonly [unknown, RegExp]> = [
          [new URL("https://e.com/a.mp3"), /audio cannot be given as a web address. Download it/],
          ["https://e.com/a.mp3?key=secret", /audio cannot be given as a web address/],
          [new URL("file://server/a.mp3"), /files of another host/],
          [new URL("file:///a%zz.mp3"), /an escape that is none/],
          [42, /audio: this is no audio. Give a path/],
          [null, /audio: this is no audio/]
        ]
        for (const [input, expected] of cases) {
          const error = yield* refusal(input)
          assert.match(error.message, expected)
          assert.notInclude(error.message, "secret")
          assert.strictEqual(error.attempts, 0)
        }
      }).pipe(Effect.provide(transcribing()))
    )

    it.effect("options that cannot be used", () =>
      Effect.gen(function* () {
        const cases: ReadonlyArray<readonly [object, RegExp]> = [
          [{ language: "" }, /language/],
          [{ temperature: 2 }, /temperature/],
          [{ responseFormat: "pdf" }, /responseFormat/],
          [{ timestampGranularities: ["word"] }, /only with responseFormat 'verbose_json'/],
          [{ maxBytes: 0 }, /maxBytes: 0 is no number of bytes above zero/],
          [{ maxBytes: Number.NaN }, /maxBytes: NaN/],
          [{ timeout: 0 }, /timeout/],
          [{ filename: "a.wav" }, /filename: there is no such option/]
        ]
        for (const [options, expected] of cases)
          assert.match((yield* refusal(bytes, options)).message, expected)
        assert.deepStrictEqual(yield* asked, [])
      }).pipe(Effect.provide(transcribing()))
    )

    it.effect("paths where there is no file system, and says so", () =>
      Effect.gen(function* () {
        assert.match((yield* refusal("a.wav")).message, /a\.wav: .*no FileSystem was provided/)
        assert.strictEqual((yield* sent(bytes)).bytes.length, 100)
      }).pipe(Effect.provide(TestClient.layer({}, { transcribe: () => "hello" })))
    )
  })

  describe("fails in the sending", () => {
    it.effect("of a stream at the first byte above the limit", () =>
      Effect.gen(function* () {
        let taken = 0
        const endless = Stream.tap(Stream.forever(Stream.succeed(new Uint8Array(10))), () =>
          Effect.sync(() => taken++)
        )
        const error = yield* refusal(endless, { maxBytes: 25 })
        assert.match(error.message, /has 30 bytes, more than the 25 allowed/)
        assert.deepStrictEqual([error.attempts, taken], [1, 3])
      }).pipe(Effect.provide(transcribing()))
    )

    it.effect("of a stream that has no bytes or breaks", () =>
      Effect.gen(function* () {
        assert.match((yield* refusal(Stream.empty)).message, /the audio is empty/)
        const broken = Stream.concat(Stream.make(bytes), Stream.fail("gone"))
        assert.match((yield* refusal(broken)).message, /its bytes could not be read to the end/)
      }).pipe(Effect.provide(transcribing()))
    )

    it.effect("of a stream that holds something else than bytes", () =>
      Effect.gen(function* () {
        const error = yield* refusal(Stream.make("text"))
        assert.match(error.message, /something else than bytes. Its elements must be Uint8Array/)
      }).pipe(Effect.provide(transcribing()))
    )

    /** A file of which one size is told, and other bytes are read. */
    const changing = (told: number, read: ReadonlyArray<number>) =>
      TestClient.layer({}, { transcribe: () => "hello" }).pipe(
        Layer.provide(
          FileSystem.layerNoop({
            stat: () =>
              Effect.succeed({
                type: "File",
                size: BigInt(told)
              } as unknown as FileSystem.File.Info),
            stream: () => Stream.fromIterable(read.map((length) => new Uint8Array(length)))
          })
        )
      )

    it.effect("of a file that has grown above the limit since it was looked at", () =>
      Effect.gen(function* () {
        const error = yield* refusal("a.wav", { maxBytes: 10 })
        assert.match(error.message, /a\.wav: the audio has 12 bytes, more than the 10 allowed/)
      }).pipe(Effect.provide(changing(10, [12])))
    )

    const changes: ReadonlyArray<readonly [how: string, ReadonlyArray<number>, RegExp]> = [
      ["grown", [6, 6, 6], /a\.wav: it changed while it was read: 12 bytes have been read of 10/],
      ["shrunk", [6], /a\.wav: it changed while it was read: 6 bytes have been read of 10/]
    ]
    for (const [how, read, problem] of changes) {
      it.effect(`of a file that has ${how} since its size was told`, () =>
        Effect.gen(function* () {
          assert.match((yield* refusal("a.wav")).message, problem)
        }).pipe(Effect.provide(changing(10, read)))
      )
    }
  })

  it.effect("is charged to the request quota", () =>
    Effect.gen(function* () {
      const fibers = yield* Effect.forEach([1, 2, 3], () =>
        Effect.forkChild(Inference.transcribe(bytes))
      )
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual((yield* asked).length, 2)
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.joinAll(fibers)
      assert.strictEqual((yield* asked).length, 3)
    }).pipe(Effect.provide(transcribing(() => "hello", { limits: { rpm: 2 } })))
  )

  it.effect("is refused by a provider that cannot transcribe", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Inference.transcribe(bytes))
      assert.strictEqual(error.reason._tag, "Unsupported")
      assert.match(error.message, /transcription/)
    }).pipe(Effect.provide(TestClient.layer()))
  )
})
