import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import type { AudioBlockOptions } from "@infermesh/core/operation/AudioBlock"
import { audio } from "@infermesh/core/operation/AudioBlock"
import { Effect, FileSystem } from "effect"

const encode = (text: string) => Uint8Array.from([...text].map((char) => char.charCodeAt(0)))
const wav = encode("RIFF....WAVEfmt ")
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64")

const sound = (source: unknown, options?: AudioBlockOptions) =>
  Effect.map(audio(source as string, options), (block) => block.input_audio)

const refusal = (source: unknown, options?: AudioBlockOptions) =>
  Effect.map(Effect.flip(audio(source as string, options)), ({ message }) => message)

describe("audio", () => {
  it.effect("has its bytes in base64 and the format that its first bytes show", () =>
    Effect.gen(function* () {
      const formats: ReadonlyArray<readonly [Uint8Array, string]> = [
        [wav, "wav"],
        [encode("fLaC...."), "flac"],
        [encode("OggS...."), "ogg"],
        [encode("ID3....."), "mp3"],
        [Uint8Array.of(0xff, 0xfb, 0x90), "mp3"],
        [Uint8Array.of(0xff, 0xf1, 0x50), "aac"],
        [encode("....ftypM4A "), "m4a"],
        [encode("....ftypisom"), "m4a"],
        [encode("\x1a\x45\xdf\xa3"), "webm"]
      ]
      for (const [bytes, format] of formats)
        assert.deepStrictEqual(yield* sound(bytes), { data: base64(bytes), format })
    }).pipe(Effect.provide(FileSystem.layerNoop({})))
  )

  it.effect("is read from a file, a Blob or a data URL, under the names that types have", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const path = `${yield* files.makeTempDirectoryScoped()}/a.bin`
      yield* files.writeFile(path, wav)
      assert.deepStrictEqual(yield* sound(path), { data: base64(wav), format: "wav" })
      const types = {
        "audio/mpeg": "mp3",
        "audio/x-m4a": "m4a",
        "audio/mp4": "m4a",
        "audio/opus": "opus"
      }
      for (const [type, format] of Object.entries(types)) {
        assert.strictEqual((yield* sound(new Blob(["x"], { type }))).format, format)
        assert.strictEqual((yield* sound(`data:${type};base64,AAAA`)).format, format)
      }
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )

  it.effect("refuses what models cannot hear, naming it", () =>
    Effect.gen(function* () {
      const wrong: ReadonlyArray<readonly [unknown, AudioBlockOptions | undefined, RegExp]> = [
        ["/no/such.wav", undefined, /such\.wav: there is no such file/],
        ["https://e.com/a.wav", undefined, /audio: audio cannot be given as a web address/],
        [
          encode("hello"),
          undefined,
          /its type cannot be told. Give mimeType, such as "audio\/wav"/
        ],
        [encode("hello"), { mimeType: "audio/wav" }, /it is no audio \(not what audio\/wav begins/],
        [encode("....ftypisom"), { mimeType: "video/mp4" }, /it is no audio \(video\/mp4\)/],
        [wav, { maxBytes: 2 }, /the audio has 16 bytes, more than the 2 allowed/]
      ]
      for (const [source, options, message] of wrong)
        assert.match(yield* refusal(source, options), message)
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )
})
