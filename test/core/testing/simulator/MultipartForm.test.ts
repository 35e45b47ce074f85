import { assert, describe, it } from "@effect/vitest"
import * as MultipartForm from "@infermesh/core/testing/simulator/MultipartForm"
import * as fc from "fast-check"

import { encode } from "../AudioFile.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const type = "multipart/form-data; boundary=B"

describe("parse", () => {
  it("reads back what the platform's encoder wrote", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            name: fc.string({ unit: "binary", minLength: 1 }),
            fileName: fc.option(fc.string({ unit: "binary", minLength: 1 }), { nil: undefined }),
            content: fc.oneof(
              fc.uint8Array(),
              fc.constantFrom("\r\n--", "--", "\r\n\r\n", "\r\n-").map(bytes)
            )
          }),
          { minLength: 1, maxLength: 5 }
        ),
        async (fields) => {
          const form = new FormData()
          for (const { content, fileName, name } of fields) {
            const blob = new Blob([new Uint8Array(content)])
            if (fileName === undefined) form.append(name, "plain value")
            else form.append(name, blob, fileName)
          }
          const encoded = await encode(form)
          const parts = MultipartForm.parse(encoded.bytes, encoded.contentType)
          assert.strictEqual(parts?.length, fields.length)
          for (const [index, { content, fileName }] of fields.entries()) {
            const part = parts?.[index]
            assert.strictEqual(part?.fileName === undefined, fileName === undefined)
            assert.deepStrictEqual(
              part === undefined ? undefined : [...part.bytes],
              fileName === undefined ? [...bytes("plain value")] : [...content]
            )
          }
        }
      ),
      { numRuns: 100 }
    ))

  it("reads names with quotes, a preamble, and a quoted boundary", () => {
    const body =
      'before\r\n--B\r\nContent-Disposition: form-data; name="a%22b"\r\n\r\n1\r\n--B--\r\n'
    const parts = MultipartForm.parse(bytes(body), 'multipart/form-data; charset=x; boundary="B"')
    assert.deepStrictEqual(parts, [{ name: 'a"b', fileName: undefined, bytes: bytes("1") }])
  })

  it("reads an empty form", () => {
    assert.deepStrictEqual(MultipartForm.parse(bytes("--B--\r\n"), type), [])
  })

  it("gives nothing where the body is no form, breaks off, or has a nameless part", () => {
    const part = '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1'
    for (const [body, contentType] of [
      [`${part}\r\n--B--`, "application/json"],
      [`${part}\r\n--B--`, undefined],
      ["", type],
      ["no boundary at all", type],
      [part, type],
      [`${part}\r\n--B`, type],
      ["--B\r\nContent-Type: text/plain\r\n\r\n1\r\n--B--", type]
    ] as const) {
      assert.isUndefined(MultipartForm.parse(bytes(body), contentType), body)
    }
  })
})
