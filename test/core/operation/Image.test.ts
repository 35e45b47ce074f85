import { pathToFileURL } from "node:url"

import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import type { ImageOptions } from "@infermesh/core/operation/Image"
import { image } from "@infermesh/core/operation/Image"
import { Effect, FileSystem } from "effect"

/** Beginnings of the four formats that vision models take, and of some that are none of them. */
const bytes = {
  png: Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3),
  jpeg: Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 1, 2),
  gif: new TextEncoder().encode("GIF89a..."),
  webp: new TextEncoder().encode("RIFF....WEBPVP8 "),
  gzip: Uint8Array.of(0x1f, 0x8b, 8, 0),
  text: new TextEncoder().encode("hello"),
  svg: new TextEncoder().encode("<svg/>")
}

const dataUrl = (type: string, content: Uint8Array) =>
  `data:${type};base64,${Buffer.from(content).toString("base64")}`

const url = (source: unknown, options?: ImageOptions) =>
  Effect.map(image(source as string, options), (block) => block.image_url.url)

const refusal = (source: unknown, options?: ImageOptions) =>
  Effect.map(Effect.flip(image(source as string, options)), ({ message }) => message)

const directory = FileSystem.FileSystem.use((files) => files.makeTempDirectoryScoped())

const write = (name: string, content: Uint8Array) =>
  Effect.gen(function* () {
    const path = `${yield* directory}/${name}`
    yield* FileSystem.FileSystem.use((files) => files.writeFile(path, content))
    return path
  })

describe("image", () => {
  it.effect("passes web addresses on unchanged, also with a scheme in upper case", () =>
    Effect.gen(function* () {
      for (const address of ["https://e.com/c.jpg", "http://e.com/c", "HTTPS://x/y.png"]) {
        assert.deepStrictEqual(yield* image(address, { mimeType: "image/png" }), {
          type: "image_url",
          image_url: { url: address }
        })
      }
      assert.strictEqual(yield* url(new URL("https://e.com/c.jpg")), "https://e.com/c.jpg")
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.effect("passes data URLs of images on unchanged, and refuses others", () =>
    Effect.gen(function* () {
      const png = dataUrl("image/png", bytes.png)
      assert.strictEqual(yield* url(png), png)
      assert.strictEqual(yield* url("data:image/svg+xml,<svg/>"), "data:image/svg+xml,<svg/>")
      assert.match(yield* refusal("data:text/plain,hello"), /it is no image \(text\/plain\)/)
      assert.match(yield* refusal("data:,hello"), /it is no image \(no media type\)/)
      assert.match(yield* refusal("data:image/png;base64,"), /the image is empty/)
      assert.match(yield* refusal(png, { maxBytes: 7 }), /has \d+ bytes, more than the 7 allowed/)
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  describe("of a file", () => {
    it.effect("is its bytes in a data URL, typed by its ending or its first bytes", () =>
      Effect.gen(function* () {
        const files: ReadonlyArray<readonly [string, Uint8Array, string]> = [
          ["a.png", bytes.png, "image/png"],
          ["b.jpg", bytes.jpeg, "image/jpeg"],
          ["c.gif", bytes.gif, "image/gif"],
          ["d.webp", bytes.webp, "image/webp"],
          ["e", bytes.png, "image/png"],
          ["f.bin", bytes.jpeg, "image/jpeg"],
          // A wrong ending is common, a wrong signature is not.
          ["g.png", bytes.jpeg, "image/jpeg"],
          ["h.svg", bytes.svg, "image/svg+xml"]
        ]
        for (const [name, content, type] of files)
          assert.strictEqual(yield* url(yield* write(name, content)), dataUrl(type, content))
      }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
    )

    it.effect("can be named by a path or a file: URL", () =>
      Effect.gen(function* () {
        const path = yield* write("a photo ä.png", bytes.png)
        for (const source of [path, pathToFileURL(path), pathToFileURL(path).href])
          assert.strictEqual(yield* url(source), dataUrl("image/png", bytes.png))
      }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
    )

    it.effect("is refused when it is missing, no file, empty, too large or no image", () =>
      Effect.gen(function* () {
        // The missing file is told first, also where its name has no ending.
        assert.match(yield* refusal("/no/such"), /^\/no\/such: there is no such file$/)
        assert.match(yield* refusal(yield* directory), /it is not a regular file \(Directory\)/)
        assert.match(yield* refusal(yield* write("a.png", new Uint8Array(0))), /image is empty/)
        const large = yield* write("a.png", bytes.png)
        assert.match(
          yield* refusal(large, { maxBytes: 10 }),
          /has 11 bytes, more than the 10 allowed/
        )
        assert.strictEqual(
          yield* url(large, { maxBytes: Infinity }),
          dataUrl("image/png", bytes.png)
        )
        assert.match(yield* refusal(yield* write("a.txt", bytes.text)), /no image \(text\/plain\)/)
        assert.match(yield* refusal(yield* write("a.png.gz", bytes.gzip)), /no image \(application/)
        assert.match(
          yield* refusal(yield* write("a.png", bytes.gzip)),
          /no image \(not what image\/png begins with\). Give a PNG, JPEG, GIF or WebP/
        )
        assert.match(
          yield* refusal(yield* write("noending", bytes.text)),
          /its type cannot be told. Give mimeType/
        )
      }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
    )
  })

  it.effect("of bytes needs no file system, and is typed by mimeType or its first bytes", () =>
    Effect.gen(function* () {
      const { image_url } = yield* image(bytes.png)
      assert.strictEqual(image_url.url, dataUrl("image/png", bytes.png))
      assert.strictEqual(
        yield* url(bytes.svg, { mimeType: "image/svg+xml" }),
        dataUrl("image/svg+xml", bytes.svg)
      )
      assert.match(yield* refusal(bytes.text), /its type cannot be told/)
      assert.match(yield* refusal(bytes.text, { mimeType: "" }), /no image \(no media type\)/)
      assert.match(yield* refusal(bytes.text, { mimeType: "text/plain" }), /no image \(text\/plain/)
      assert.match(yield* refusal(bytes.text, { mimeType: "image/png" }), /image\/png begins with/)
      assert.match(yield* refusal(new Uint8Array(0), { mimeType: "image/png" }), /image is empty/)
      assert.match(yield* refusal(bytes.png, { maxBytes: 3 }), /more than the 3 allowed/)
    }).pipe(Effect.provide(FileSystem.layerNoop({})))
  )

  it.effect("of a Blob is typed by the Blob, its first bytes or mimeType", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* url(new Blob([bytes.png])), dataUrl("image/png", bytes.png))
      assert.strictEqual(
        yield* url(new Blob([bytes.svg], { type: "image/svg+xml" })),
        dataUrl("image/svg+xml", bytes.svg)
      )
      assert.match(
        yield* refusal(new Blob([bytes.text], { type: "text/plain" })),
        /no image \(text\/plain\)/
      )
      assert.match(yield* refusal(new Blob([bytes.png]), { maxBytes: 3 }), /more than the 3/)
      const broken = new Blob([bytes.png])
      broken.arrayBuffer = () => Promise.reject(new Error("changed on disk"))
      assert.match(yield* refusal(broken), /its bytes could not be read/)
    }).pipe(Effect.provide(FileSystem.layerNoop({})))
  )

  it.effect("has a detail where one is given, of a known level or a vendor's own", () =>
    Effect.gen(function* () {
      for (const detail of ["auto", "low", "high", "ultra"]) {
        const block = yield* image("https://e.com/c.jpg", { detail })
        assert.deepStrictEqual(block.image_url, { url: "https://e.com/c.jpg", detail })
      }
      for (const detail of ["", "LOW!", 3] as Array<string>)
        assert.match(
          yield* refusal("https://e.com/c.jpg", { detail }),
          /detail: .* is no detail level/
        )
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.effect("refuses what is no source of an image", () =>
    Effect.gen(function* () {
      const sources: ReadonlyArray<readonly [unknown, RegExp]> = [
        [42, /image: a value of type 'number' is no image. Give a URL, a path/],
        [null, /image: null is no image/],
        [[1, 2], /image: a value of type 'object' is no image/],
        [new URL("ftp://e.com/c.png"), /ftp:: this is no URL of a file/],
        [new URL("file://server/share/c.png"), /files of another host \('server'\)/]
      ]
      for (const [source, expected] of sources) assert.match(yield* refusal(source), expected)
      assert.match(
        yield* refusal(bytes.png, { maxBytes: Number.NaN }),
        /maxBytes: NaN is no number/
      )
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )
})
