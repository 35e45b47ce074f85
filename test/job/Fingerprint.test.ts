import { assert, describe, it } from "@effect/vitest"
import * as Fingerprint from "@infermesh/job/Fingerprint"
import * as Identity from "@infermesh/job/Identity"
import * as Jsonl from "@infermesh/job/Jsonl"
import { Effect, Result, Stream } from "effect"
import * as fc from "fast-check"

const contentsOf = (text: string | Uint8Array) =>
  Effect.map(
    Stream.runCollect(
      Jsonl.lines(Stream.succeed(typeof text === "string" ? new TextEncoder().encode(text) : text))
    ),
    (lines) => lines.map(Fingerprint.content)
  )

describe("content", () => {
  it("is the same for the same row, however its keys are ordered and spaced", () => {
    const reversed = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(reversed)
        : typeof value === "object" && value !== null
          ? Object.fromEntries(
              Object.entries(value)
                .toReversed()
                .map(([key, inner]) => [key, reversed(inner)])
            )
          : value
    return fc.assert(
      fc.asyncProperty(fc.jsonValue(), (value) =>
        Effect.runPromise(
          Effect.gen(function* () {
            const texts = [JSON.stringify(value), JSON.stringify(reversed(value), null, 1)]
            // Numbers of many digits are told by their text.
            fc.pre(!/\d{16}/.test(texts[0] ?? ""))
            const lines = texts.map((text) => text.replaceAll("\n", " ")).join("\n")
            const [one, other] = yield* contentsOf(lines)
            assert.strictEqual(one, other)
            assert.deepStrictEqual(JSON.parse(one ?? ""), JSON.parse(texts[0] ?? ""))
          })
        )
      )
    )
  })

  it.effect("tells rows apart whose numbers JavaScript cannot, and lines that are no rows", () =>
    Effect.gen(function* () {
      const contents = yield* contentsOf(
        [
          '{"id":12345678901234567890}',
          '{"id":12345678901234567891}',
          '{"id":1}',
          '{"id":"1"}',
          "no json",
          "no  json",
          '"no json"',
          "[1]",
          '"\\ud800"',
          "[".repeat(50_000) + "]".repeat(50_000)
        ].join("\n")
      )
      assert.strictEqual(new Set(contents).size, 10)
      assert.strictEqual((yield* contentsOf(Uint8Array.from([0x22, 0xe9, 0x22])))[0]?.[0], "!")
    })
  )

  it("takes values that a program gives as what they are written as", () => {
    const line = (value: unknown): Jsonl.Line => ({ index: 0, line: 1, row: Result.succeed(value) })
    const itself: { self?: unknown } = {}
    itself.self = itself
    assert.deepStrictEqual(
      [{ b: undefined, a: new Date(0) }, 5n, undefined, itself].map((value) =>
        Fingerprint.content(line(value))
      ),
      ['{"a":"1970-01-01T00:00:00.000Z"}', "5", "null", "!no JSON"]
    )
  })
})

describe("Identity", () => {
  it("keeps what changes answers, and of headers no values", () => {
    const options = {
      temperature: 0,
      timeout: "1 minute",
      deadline: "2 minutes",
      rawResponse: true,
      headers: { "x-key": "secret" },
      seed: undefined
    }
    const identity = Identity.make({
      ...Identity.fromOptions(options),
      model: "m",
      none: undefined
    })
    assert.deepStrictEqual(identity, {
      "options.temperature": "0",
      "options.headers": '["x-key"]',
      model: '"m"'
    })
    assert.deepStrictEqual(Identity.differences(identity, { model: '"m"', schema: "{}" }), [
      { setting: "options.headers", was: '["x-key"]', now: undefined },
      { setting: "options.temperature", was: "0", now: undefined },
      { setting: "schema", was: undefined, now: "{}" }
    ])
    assert.deepStrictEqual(Identity.differences(identity, { ...identity }), [])
  })
})
