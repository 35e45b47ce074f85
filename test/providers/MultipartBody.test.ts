import { assert, describe, it } from "@effect/vitest"
import type { Audio } from "@infermesh/core/operation/Audio"
import * as MultipartBody from "@infermesh/providers/MultipartBody"
import { Effect, Stream } from "effect"
import type { HttpBody } from "effect/http"
import * as fc from "fast-check"

const audio = (more: Partial<Audio> = {}): Audio => ({
  fileName: "a.wav",
  mediaType: "audio/wav",
  sizeBytes: 3,
  bytes: Stream.make(Uint8Array.of(1, 2), Uint8Array.of(3)),
  ...more
})

const bytesOf = (body: HttpBody.Stream): Effect.Effect<Uint8Array<ArrayBuffer>, unknown> =>
  Effect.map(Stream.mkUint8Array(body.stream), (bytes) => new Uint8Array(bytes))

/** Read by the platform's own parser. */
const parsed = (body: HttpBody.Stream) =>
  Effect.flatMap(bytesOf(body), (bytes) =>
    Effect.promise(() =>
      new Response(bytes, { headers: { "content-type": body.contentType } }).formData()
    )
  )

describe("make", () => {
  it.effect("is a form that another parser reads, the file last", () =>
    Effect.gen(function* () {
      const fields = [
        ["model", "m"],
        ["prompt", 'a "b"\r\n--c'],
        ["list[]", "1"],
        ["list[]", "2"]
      ] as const
      const form = yield* parsed(yield* MultipartBody.make(fields, audio()))
      assert.deepStrictEqual(
        [...form].map(([name, value]) => [name, typeof value === "string" ? value : value.name]),
        [...fields, ["file", "a.wav"]]
      )
      const file = form.get("file")
      if (!(file instanceof File)) return assert.fail("there is no file")
      assert.strictEqual(file.type, "audio/wav")
      assert.deepStrictEqual(
        new Uint8Array(yield* Effect.promise(() => file.arrayBuffer())),
        Uint8Array.of(1, 2, 3)
      )
    })
  )

  it.effect("tells its exact length where the audio's is known, and none otherwise", () =>
    Effect.gen(function* () {
      const known = yield* MultipartBody.make([["prompt", "ä€😀"]], audio())
      assert.strictEqual((yield* bytesOf(known)).length, known.contentLength)
      const unknown = yield* MultipartBody.make([], audio({ sizeBytes: undefined }))
      assert.isUndefined(unknown.contentLength)
    })
  )

  it.effect("reads the audio from its start each time it is sent, and only then", () =>
    Effect.gen(function* () {
      let opened = 0
      const bytes = Stream.suspend(() => {
        opened++
        return Stream.make(Uint8Array.of(1, 2, 3))
      })
      const body = yield* MultipartBody.make([], audio({ bytes }))
      assert.strictEqual(opened, 0)
      assert.deepStrictEqual(yield* bytesOf(body), yield* bytesOf(body))
      assert.strictEqual(opened, 2)
    })
  )

  it.effect("has another boundary each time", () =>
    Effect.gen(function* () {
      const [one, other] = yield* Effect.all([
        MultipartBody.make([], audio()),
        MultipartBody.make([], audio())
      ])
      assert.match(one.contentType, /^multipart\/form-data; boundary=[\w-]{20,70}$/)
      assert.notStrictEqual(one.contentType, other.contentType)
    })
  )

  it("lets no name and no type begin a line or a part of its own", async () => {
    const text = fc.string({ unit: "grapheme" })
    const nasty = fc.constantFrom('"; x="', "\r\n\r\n", "\n--", "\r", "a\r\nContent-Type: x", "é")
    await fc.assert(
      fc.asyncProperty(fc.oneof(text, nasty), fc.oneof(text, nasty), async (name, type) => {
        const body = await Effect.runPromise(
          MultipartBody.make([["model", "m"]], audio({ fileName: name, mediaType: type }))
        )
        const whole = new TextDecoder().decode(await Effect.runPromise(bytesOf(body)))
        assert.strictEqual(whole.match(/Content-Disposition/g)?.length, 2)
        const lines = whole.slice(whole.lastIndexOf("Content-Disposition")).split(/\r\n|\r|\n/)
        assert.match(
          lines[0] ?? "",
          /^Content-Disposition: form-data; name="file"; filename="[^"]*"$/
        )
        assert.match(lines[1] ?? "", /^Content-Type: /)
        assert.strictEqual(lines[2], "")
      })
    )
  })
})

describe("fields", () => {
  it("writes lists and objects as OpenAI's clients do, and nothing for null", () => {
    assert.deepStrictEqual(
      MultipartBody.fields({
        text: "a",
        number: 0.5,
        no: false,
        nothing: null,
        missing: undefined,
        list: ["a", "b"],
        "named[]": ["c"],
        chunking_strategy: { type: "server_vad", threshold: 0.5 },
        empty: []
      }),
      [
        ["text", "a"],
        ["number", "0.5"],
        ["no", "false"],
        ["list[]", "a"],
        ["list[]", "b"],
        ["named[]", "c"],
        ["chunking_strategy[type]", "server_vad"],
        ["chunking_strategy[threshold]", "0.5"]
      ]
    )
  })
})
