import { pathToFileURL } from "node:url"

import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import type { DocumentOptions } from "@infermesh/core/operation/Document"
import { document } from "@infermesh/core/operation/Document"
import { Effect, FileSystem } from "effect"

const encode = (text: string) => new TextEncoder().encode(text)
const pdf = encode("%PDF-1.7\n...")
const text = encode("hello ä")
const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1)

const dataUrl = (type: string, content: Uint8Array) =>
  `data:${type};base64,${Buffer.from(content).toString("base64")}`

const file = (source: unknown, options?: DocumentOptions) =>
  Effect.map(document(source as string, options), (block) => block.file)

const refusal = (source: unknown, options?: DocumentOptions) =>
  Effect.map(Effect.flip(document(source as string, options)), ({ message }) => message)

const write = (name: string, content: Uint8Array) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const path = `${yield* files.makeTempDirectoryScoped()}/${name}`
    yield* files.writeFile(path, content)
    return path
  })

describe("document", () => {
  it.effect("of a file has its base name, its bytes and its type", () =>
    Effect.gen(function* () {
      const files: ReadonlyArray<readonly [string, Uint8Array, string]> = [
        ["report.pdf", pdf, "application/pdf"],
        ["report", pdf, "application/pdf"],
        ["late.pdf", encode("%!PS\n%PDF-1.4"), "application/pdf"],
        ["notes.md", text, "text/markdown"],
        ["rows.csv", text, "text/csv"],
        ["data.json", encode("{}"), "application/json"],
        ["LICENSE", text, "text/plain"]
      ]
      for (const [name, content, type] of files) {
        const path = yield* write(name, content)
        for (const source of [path, pathToFileURL(path)]) {
          assert.deepStrictEqual(yield* file(source), {
            filename: name,
            file_data: dataUrl(type, content)
          })
        }
      }
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )

  it.effect("of bytes, a Blob or a data URL is named by its type, or as the caller says", () =>
    Effect.gen(function* () {
      const names = [
        [pdf, undefined, "document.pdf"],
        [text, undefined, "document.txt"],
        [text, { mimeType: "text/csv" }, "document.csv"],
        [new File([pdf], "dir/a.pdf"), undefined, "a.pdf"],
        [dataUrl("application/pdf", pdf), undefined, "document.pdf"],
        [pdf, { fileName: "dir/b.pdf" }, "b.pdf"]
      ] as const
      for (const [source, options, name] of names) {
        assert.strictEqual((yield* file(source, options)).filename, name)
      }
      const plain = yield* file("data:text/plain,a%20b")
      assert.strictEqual(plain.file_data, dataUrl("text/plain", encode("a b")))
    }).pipe(Effect.provide(FileSystem.layerNoop({})))
  )

  it.effect("at a web address is left there", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* file("https://e.com/a.txt?b"), {
        file_url: "https://e.com/a.txt?b",
        format: "text/plain"
      })
      assert.deepStrictEqual(yield* file(new URL("https://e.com/a"), { fileName: "a" }), {
        filename: "a",
        file_url: "https://e.com/a",
        format: "application/pdf"
      })
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.effect("refuses what is missing, too large or no document", () =>
    Effect.gen(function* () {
      const wrong: ReadonlyArray<readonly [unknown, DocumentOptions | undefined, RegExp]> = [
        ["/no/such.pdf", undefined, /such\.pdf: there is no such file/],
        [pdf, { maxBytes: 3 }, /the document has 12 bytes, more than the 3 allowed/],
        [new Uint8Array(0), undefined, /the document is empty/],
        [png, undefined, /its type cannot be told. Give mimeType, such as "application\/pdf"/],
        [png, { mimeType: "image/png" }, /it is no document \(image\/png\). Give a PDF or a text/],
        [text, { mimeType: "application/pdf" }, /not what application\/pdf begins with/],
        ["data:image/png;base64,AAAA", undefined, /it is no document \(image\/png\)/],
        ["data:text/plain,%", undefined, /an escape that is none/],
        [7, undefined, /a value of type 'number' is no document/]
      ]
      for (const [source, options, message] of wrong)
        assert.match(yield* refusal(source, options), message)
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )
})
