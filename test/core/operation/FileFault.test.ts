import { pathToFileURL } from "node:url"

import { assert, describe, it } from "@effect/vitest"
import {
  baseName,
  checkFile,
  limitFault,
  pathOf,
  sizeFault
} from "@infermesh/core/operation/FileFault"
import { Effect, FileSystem, Result } from "effect"
import * as PlatformError from "effect/PlatformError"
import * as fc from "fast-check"

const limit = { what: "audio", maxBytes: 10 }

describe("pathOf", () => {
  it("gives the path that a URL was made of", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme", minLength: 1 })), (segments) => {
        const path = `/${segments.map((segment) => segment.replaceAll(/[/\\\0]/g, "_")).join("/")}x`
        fc.pre(!segments.some((segment) => segment === "." || segment === ".."))
        assert.deepStrictEqual(pathOf(pathToFileURL(path)), Result.succeed(path))
      })
    )
  })

  it("gives a Windows path without the URL's slash", () => {
    assert.deepStrictEqual(
      pathOf(new URL("file:///C:/Users/me/a.wav")),
      Result.succeed("C:/Users/me/a.wav")
    )
  })

  const refused: ReadonlyArray<readonly [string, RegExp]> = [
    ["https://e.com/a.wav", /https:: this is no URL of a file/],
    ["file://server/a.wav", /files of another host \('server'\) cannot be read/],
    ["file:///a%2Fb.wav", /escaped '\/'/],
    ["file:///a%zz.wav", /an escape that is none/]
  ]
  for (const [url, expected] of refused) {
    it(`refuses ${url}`, () => {
      const result = pathOf(new URL(url))
      assert.match(Result.isFailure(result) ? result.failure.message : "accepted", expected)
    })
  }
})

describe("checkFile", () => {
  const causes: ReadonlyArray<readonly [PlatformError.SystemErrorTag, RegExp]> = [
    ["NotFound", /^a\.wav: there is no such file$/],
    ["PermissionDenied", /^a\.wav: the file may not be read \(permission denied\)$/],
    ["Busy", /^a\.wav: the file cannot be read \(Busy\)$/]
  ]
  for (const [_tag, expected] of causes) {
    it.effect(`keeps the cause ${_tag} apart`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(checkFile("a.wav", limit))
        assert.match(error.message, expected)
      }).pipe(
        Effect.provide(
          FileSystem.layerNoop({
            stat: () =>
              Effect.fail(PlatformError.systemError({ _tag, module: "FileSystem", method: "stat" }))
          })
        )
      )
    )
  }
})

describe("sizeFault", () => {
  it("names both sizes, and lets the limit itself pass", () => {
    assert.isUndefined(sizeFault("a", 10, limit))
    assert.match(sizeFault("a", 11, limit)?.message ?? "", /has 11 bytes, more than the 10 allowed/)
    assert.match(sizeFault("a", 0, limit)?.message ?? "", /a: the audio is empty/)
    assert.isUndefined(sizeFault("a", 1e12, { ...limit, maxBytes: Infinity }))
  })
})

describe("limitFault", () => {
  it("refuses what is no number above zero", () => {
    for (const maxBytes of [0, -1, Number.NaN, "5", null] as Array<number>)
      assert.match(limitFault({ ...limit, maxBytes })?.message ?? "", /maxBytes: .* is no number/)
    for (const maxBytes of [1, Infinity]) assert.isUndefined(limitFault({ ...limit, maxBytes }))
  })
})

describe("baseName", () => {
  it("is the last part of a path, of either kind", () => {
    assert.deepStrictEqual(["/home/me/a.wav", "C:\\me\\a.wav", "a.wav", "dir/"].map(baseName), [
      "a.wav",
      "a.wav",
      "a.wav",
      ""
    ])
  })
})
