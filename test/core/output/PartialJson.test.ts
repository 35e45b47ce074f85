import { assert, describe, it } from "@effect/vitest"
import * as PartialJson from "@infermesh/core/output/PartialJson"
import * as fc from "fast-check"

type Json =
  | null
  | boolean
  | number
  | string
  | ReadonlyArray<Json>
  | { readonly [key: string]: Json }

/** Whether a value can have been the other while that was still being written. */
const isPart = (part: unknown, whole: unknown): boolean => {
  if (typeof part === "string") return typeof whole === "string" && whole.startsWith(part)
  if (typeof part !== "object" || part === null) return Object.is(part, whole)
  if (typeof whole !== "object" || whole === null || Array.isArray(part) !== Array.isArray(whole))
    return false
  const parts = Object.entries(part)
  const wholes = Object.entries(whole)
  return parts.every(([key, value], index) => {
    const other = wholes[index]
    if (other === undefined || other[0] !== key) return false
    return index < parts.length - 1 ? same(value, other[1]) : isPart(value, other[1])
  })
}

const same = (left: unknown, right: unknown): boolean =>
  JSON.stringify(left) === JSON.stringify(right)

/** Strings full of what a scanner may trip over. */
const odd = fc.oneof(
  fc.string({ unit: "binary", maxLength: 6 }),
  fc
    .array(
      fc.constantFrom(
        '"',
        "\\",
        "\\u",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        " ",
        "\n",
        "😀",
        "\uD83D",
        "d83d"
      ),
      {
        maxLength: 6
      }
    )
    .map((pieces) => pieces.join(""))
)

/** Any JSON value, but for keys that look like numbers: those get sorted. */
const anyJson: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(null, true, false),
    fc.double({ noDefaultInfinity: true, noNaN: true }).map((number) => number + 0 || 0),
    odd,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(
      odd.map((key) => `k${key}`),
      tie("value"),
      { maxKeys: 4, noNullPrototype: true }
    )
  )
})).value

/** The text of a value as a model may write it: any white space, and the characters of strings escaped or not. */
const written = fc
  .record({ value: anyJson, indent: fc.constantFrom(0, 2, "\t"), escaped: fc.boolean() })
  .map(({ escaped, indent, value }) => {
    const text = JSON.stringify(value, undefined, indent)
    return escaped
      ? text.replaceAll(
          /[^\0-\x7F]/g,
          (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`
        )
      : text
  })

describe("PartialJson.parse", () => {
  it("gives a part of the whole, or nothing, wherever the text is cut, and more the later", () => {
    fc.assert(
      fc.property(written, (text) => {
        let last: unknown
        for (let cut = 0; cut <= text.length; cut++) {
          const now = PartialJson.parse(text.slice(0, cut))
          assert.isTrue(
            last === undefined || (now !== undefined && isPart(last, now)),
            `${JSON.stringify(last)} is no part of ${JSON.stringify(now)} in ${text.slice(0, cut)}`
          )
          last = now
        }
        const whole: unknown = JSON.parse(text)
        assert.isTrue(last === undefined || isPart(last, whole))
        if (typeof whole === "string" || (typeof whole === "object" && whole !== null))
          assert.deepStrictEqual(last, whole)
      }),
      { numRuns: 500 }
    )
  })

  it("never throws, whatever the text", () => {
    const noise = fc.oneof(
      fc.string({ unit: "binary" }),
      fc
        .array(
          fc.constantFrom('"', "\\", "\\u12", "{", "}", "[", "]", ",", ":", "1", "nul", "```json\n")
        )
        .map((pieces) => pieces.join(""))
    )
    fc.assert(
      fc.property(noise, (text) => {
        assert.doesNotThrow(() => PartialJson.parse(text))
      }),
      { numRuns: 500 }
    )
  })

  const rows: ReadonlyArray<readonly [what: string, text: string, value: unknown]> = [
    ["nothing yet", "", undefined],
    ["an object just opened", "{", {}],
    ["half a key", '{"na', {}],
    ["a key without its value", '{"name":', {}],
    ["half a literal", '{"ok":tru', {}],
    ["a number that may go on", '{"n":12', {}],
    ["a number that is over", '{"n":12,', { n: 12 }],
    ["half a string", '{"a":"x","b":[1,{"c":"hal', { a: "x", b: [1, { c: "hal" }] }],
    ["half an escape", '{"a":"x\\', { a: "x" }],
    ["half a unicode escape", '{"a":"x\\u00', { a: "x" }],
    ["an escaped backslash at the end", '{"a":"x\\\\', { a: "x\\" }],
    ["an escaped backslash before a u", '{"a":"x\\\\u12', { a: "x\\u12" }],
    ["half a surrogate pair", '{"a":"x\uD83D', { a: "x" }],
    ["half an escaped surrogate pair", '{"a":"x\\ud83d\\ude', { a: "x" }],
    ["a string at the root", '"hal', "hal"],
    ["brackets within a string at the root", '"[1,', "[1,"],
    ["white space before it", ' \n[1, "a', [1, "a"]],
    ["a byte-order mark before it", '\uFEFF{"a":"b', { a: "b" }],
    ["a code fence around it", '```json\n{"a":"b"}\n```', { a: "b" }],
    ["half the opening of a fence", "```js", undefined],
    ["prose before it", 'Here it is: {"a":"b"}', undefined],
    ["a bracket that closes another", '{"a":[1}', undefined],
    ["two values without a comma", '[1 "b"', undefined]
  ]
  for (const [what, text, value] of rows) {
    it(`reads ${what}`, () => {
      assert.deepStrictEqual(PartialJson.parse(text), value)
    })
  }
})
