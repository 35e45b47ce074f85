import { assert, describe, it } from "@effect/vitest"
import * as StructuredOutput from "@infermesh/core/output/StructuredOutput"
import { Effect, Fiber, Schema } from "effect"
import { OpenAiStructuredOutput } from "effect/ai"

const Summary = Schema.Struct({
  headline: Schema.String,
  points: Schema.Array(Schema.Struct({ score: Schema.Int })),
  note: Schema.optionalKey(Schema.String)
})
const summary = { headline: "h", points: [{ score: 1 }] }
const summaryText = JSON.stringify({ ...summary, note: null })

class Person extends Schema.Class<Person>("Person")({ name: Schema.String }) {}

const decode = <A>(output: StructuredOutput.Output<A>, text: string) =>
  Effect.flatMap(StructuredOutput.format(output), (format) => format.decode(text))

const refusal = <A>(output: StructuredOutput.Output<A>) =>
  Effect.flip(StructuredOutput.format(output))

describe("StructuredOutput.format", () => {
  describe("of an Effect Schema", () => {
    it.effect("is strict and decodes to the schema's type", () =>
      Effect.gen(function* () {
        const format = yield* StructuredOutput.format(Summary)
        assert.isTrue(format.strict)
        assert.strictEqual(format.jsonSchema["type"], "object")
        assert.deepStrictEqual(format.jsonSchema["required"], ["headline", "points", "note"])
        const value: typeof Summary.Type = yield* format.decode(summaryText)
        assert.deepStrictEqual(value, summary)
      })
    )

    it.effect("is compiled once per schema", () =>
      Effect.gen(function* () {
        const first = yield* StructuredOutput.format(Summary)
        assert.strictEqual(yield* StructuredOutput.format(Summary), first)
      })
    )

    it.effect("decodes classes to instances", () =>
      Effect.gen(function* () {
        assert.instanceOf(yield* decode(Person, `{"name":"Ada"}`), Person)
      })
    )

    const roots: ReadonlyArray<
      readonly [string, Schema.Codec<unknown, unknown>, unknown, unknown]
    > = [
      ["string", Schema.String, "a", "a"],
      ["array", Schema.Array(Schema.Int), [1, 2], [1, 2]],
      [
        "union",
        Schema.Union([Schema.Struct({ a: Schema.Int }), Schema.Struct({ b: Schema.Int })]),
        { b: 1 },
        { b: 1 }
      ],
      // Strict mode has no open objects: records travel as lists of pairs.
      ["record", Schema.Record(Schema.String, Schema.Int), [{ 0: "k", 1: 1 }], { k: 1 }],
      ["empty struct", Schema.Struct({}), {}, {}]
    ]
    for (const [kind, schema, sent, value] of roots) {
      it.effect(`wraps a root that is no plain object (${kind}) and unwraps the answer`, () =>
        Effect.gen(function* () {
          const format = yield* StructuredOutput.format(schema)
          assert.strictEqual(format.jsonSchema["type"], "object")
          assert.deepStrictEqual(format.jsonSchema["required"], ["value"])
          assert.deepStrictEqual(yield* format.decode(JSON.stringify({ value: sent })), value)
        })
      )
    }

    const word = Schema.String
    // JSON.parse of V8 13.6 (Node 24) reads a key that is an escape as the backslash of an object before it: after
    // {"\\":0}, it reads {"\n":0} as {"\\":0}. Keys without escapes keep that out of these tests.
    const key = Schema.String.check(Schema.isPattern(/^[^"\\\p{Cc}\p{Cs}]*$/u))
    const schemas: ReadonlyArray<readonly [string, Schema.Codec<unknown, unknown>]> = [
      ["optional fields", Schema.Struct({ a: word, b: Schema.optionalKey(Schema.Int) })],
      ["nested optional fields", Schema.Struct({ a: Schema.Struct({ b: Schema.optional(word) }) })],
      ["a record", Schema.Struct({ all: Schema.Record(key, Schema.Int) })],
      ["a tuple", Schema.Struct({ pair: Schema.Tuple([word, Schema.Boolean]) })],
      ["a list of unions", Schema.Array(Schema.Union([Schema.Int, word, Schema.Null]))],
      ["literals", Schema.Struct({ kind: Schema.Literals(["a", "b"]), n: Schema.Finite })],
      ["a record at the root", Schema.Record(key, Schema.Array(word))],
      ["a tuple at the root", Schema.Tuple([word, Schema.Int])],
      ["a class", Person],
      ["a text at the root", word]
    ]
    for (const [what, schema] of schemas) {
      it.effect.prop(`reads what was written by its own form: ${what}`, [schema], ([value]) =>
        Effect.gen(function* () {
          const format = yield* StructuredOutput.format(schema)
          const wrapped = Schema.Struct({ value: schema })
          const isWrapped = Object.keys(format.jsonSchema["properties"] ?? {}).join() === "value"
          const { codec } = OpenAiStructuredOutput.toCodecOpenAI(isWrapped ? wrapped : schema)
          const sent = yield* Schema.encodeUnknownEffect(codec as Schema.Codec<unknown, unknown>)(
            isWrapped ? { value } : value
          )
          const read = yield* format.decode(JSON.stringify(sent))
          // As JSON: it knows neither -0 nor fields that are there and undefined.
          assert.strictEqual(JSON.stringify(read), JSON.stringify(value))
        })
      )
    }

    it.effect("names path and expectation in one line and keeps the answer", () =>
      Effect.gen(function* () {
        const text = `{"headline":"h","points":[{"score":1.5}],"note":null}`
        const format = yield* StructuredOutput.format(Summary)
        const error = yield* Effect.flip(format.decode(text))
        assert.strictEqual(error._tag, "StructuredOutputError")
        assert.include(error.description, "points[0].score")
        assert.include(error.description, "integer")
        assert.notInclude(error.description, "\n")
        assert.strictEqual(error.responseText, text)
      })
    )

    const Note = Schema.Struct({
      title: Schema.String,
      tags: Schema.Record(Schema.String, Schema.Int),
      place: Schema.Tuple([Schema.Finite, Schema.Finite]),
      author: Schema.optionalKey(Schema.Struct({ name: Schema.optionalKey(Schema.String) }))
    })
    const note = { title: "t", tags: { a: 1 }, place: [1, 2] }

    const plain: ReadonlyArray<readonly [string, StructuredOutput.Output<unknown>, unknown]> = [
      ["records as objects, tuples as lists, no absent fields", Note, note],
      ["a list without a box", Schema.Array(Schema.Int), [1]],
      ["a record without a box", Schema.Record(Schema.String, Schema.Int), { a: 1, value: 2 }],
      ["a text without a box", Schema.String, "a"]
    ]
    for (const [what, schema, value] of plain) {
      it.effect(`reads the form that endpoints give which enforce nothing: ${what}`, () =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* decode(schema, JSON.stringify(value)), value)
        })
      )
    }

    for (const [what, schema] of schemas) {
      it.effect.prop(`reads what was written as plain JSON: ${what}`, [schema], ([value]) =>
        Effect.gen(function* () {
          const sent = yield* Schema.encodeUnknownEffect(Schema.toCodecJson(schema))(value)
          const read = yield* decode(schema, JSON.stringify(sent))
          assert.strictEqual(JSON.stringify(read), JSON.stringify(value))
        })
      )
    }

    it.effect("reads the plain form in the box it asked for", () =>
      Effect.gen(function* () {
        const schema = Schema.Record(Schema.String, Schema.Int)
        assert.deepStrictEqual(yield* decode(schema, `{"value":{"a":1}}`), { a: 1 })
      })
    )

    it.effect("takes null for an optional field as its absence, in the plain form too", () =>
      Effect.gen(function* () {
        for (const author of [null, { name: null }, {}]) {
          const read: unknown = yield* decode(Note, JSON.stringify({ ...note, author }))
          assert.deepStrictEqual(read, author === null ? note : { ...note, author: {} })
        }
      })
    )

    it.effect("drops no null that says something", () =>
      Effect.gen(function* () {
        const Nulls = Schema.Struct({
          known: Schema.optionalKey(Schema.NullOr(Schema.Int)),
          all: Schema.Record(Schema.String, Schema.NullOr(Schema.Int)),
          any: Schema.Unknown
        })
        const value = { known: null, all: { a: null }, any: { b: null } }
        assert.deepStrictEqual(yield* decode(Nulls, JSON.stringify(value)), value)
        const scores = `{"tags":{"a":null},"title":"t","place":[1,2]}`
        assert.include((yield* Effect.flip(decode(Note, scores))).description, "tags.a")
      })
    )

    const nearest: ReadonlyArray<readonly [string, string, string]> = [
      [
        "the strict form",
        `{"title":"t","tags":[{"0":"a","1":"x"}],"place":{"0":1,"1":2},"author":null}`,
        "tags[0]"
      ],
      ["the plain form", `{"title":"t","tags":{"a":"x"},"place":[1,2]}`, "tags.a"]
    ]
    for (const [form, text, path] of nearest) {
      it.effect(`says what is wrong in the form that the answer has (${form})`, () =>
        Effect.gen(function* () {
          const { description } = yield* Effect.flip(decode(Note, text))
          assert.match(description, /^at [^;]*$/)
          assert.include(description, path)
        })
      )
    }

    it.effect("names the first things that are wrong, and how many more there are", () =>
      Effect.gen(function* () {
        const Four = Schema.Struct({ a: Schema.Int, b: Schema.Int, c: Schema.Int, d: Schema.Int })
        const { description } = yield* Effect.flip(decode(Four, `{"a":1.5}`))
        assert.strictEqual(
          description,
          "at a: Expected an integer; at b: Missing key; at c: Missing key; and 1 more"
        )
      })
    )

    const loose: ReadonlyArray<readonly [string, StructuredOutput.Output<unknown>, unknown]> = [
      ["allows any value", Schema.Struct({ a: Schema.Unknown }), { a: [1, { b: null }] }],
      ["allows any value at the root", Schema.Json, [1]],
      [
        "has more fields than strict mode takes",
        Schema.Struct(
          Object.fromEntries(Array.from({ length: 5001 }, (_, i) => [`f${i}`, Schema.Int]))
        ),
        Object.fromEntries(Array.from({ length: 5001 }, (_, i) => [`f${i}`, i]))
      ]
    ]
    for (const [what, schema, value] of loose) {
      it.effect(`is told in its plain form, not as strict, where it ${what}`, () =>
        Effect.gen(function* () {
          const format = yield* StructuredOutput.format(schema)
          assert.isFalse(format.strict)
          assert.strictEqual(format.jsonSchema["type"], "object")
          assert.deepStrictEqual(yield* format.decode(JSON.stringify(value)), value)
        })
      )
    }

    it.effect("has a plain form for models that are only told it", () =>
      Effect.gen(function* () {
        const format = yield* StructuredOutput.format(Note)
        assert.deepStrictEqual(format.plainSchema?.["required"], ["title", "tags", "place"])
        assert.strictEqual(format.plainSchema?.["additionalProperties"], false)
        const listed = yield* StructuredOutput.format(Schema.Array(Note))
        assert.deepStrictEqual(listed.plainSchema?.["required"], ["value"])
      })
    )

    it.effect("refuses what has no JSON form before anything is sent, in one line", () =>
      Effect.gen(function* () {
        const error = yield* refusal(Schema.Struct({ [Symbol.for("a")]: Schema.String }))
        assert.strictEqual(error._tag, "UnsupportedSchemaError")
        assert.notInclude(error.description, "\n")
      })
    )

    it.effect("takes its name from identifier or title where providers accept it", () =>
      Effect.gen(function* () {
        const name = (annotations: { identifier?: string; title?: string }) =>
          Effect.map(
            StructuredOutput.format(Schema.Struct({ a: Schema.String }).annotate(annotations)),
            (format) => format.name
          )
        assert.strictEqual(yield* name({ identifier: "Foo-1_b" }), "Foo-1_b")
        assert.strictEqual(yield* name({ identifier: "Foo Bar", title: "foo" }), "foo")
        assert.strictEqual(yield* name({ identifier: "a".repeat(65) }), "output")
        assert.strictEqual(yield* name({}), "output")
        assert.strictEqual((yield* StructuredOutput.format(Person)).name, "Person")
      })
    )
  })

  describe("decode", () => {
    const tolerated: ReadonlyArray<readonly [string, string]> = [
      ["white space", `\n ${summaryText} \n`],
      ["a byte order mark", `\uFEFF${summaryText}`],
      ["a code fence", "```json\n" + summaryText + "\n```"],
      ["a fence without a language", "```\n" + summaryText + "\n```"],
      ["a fence within white space", "\n```JSON\r\n" + summaryText + "\r\n```\n"],
      ["a byte order mark before a fence", "\uFEFF```json\n" + summaryText + "\n```"]
    ]
    for (const [what, text] of tolerated) {
      it.effect(`tolerates ${what}`, () =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* decode(Summary, text), summary)
        })
      )
    }

    it.effect("keeps a fence that is within a string", () =>
      Effect.gen(function* () {
        const text = JSON.stringify({ headline: "```json\n1\n```", points: [], note: null })
        const value = yield* decode(Summary, "```json\n" + text + "\n```")
        assert.strictEqual(value.headline, "```json\n1\n```")
      })
    )

    const repaired: ReadonlyArray<readonly [string, string]> = [
      ["no text", ""],
      ["prose before JSON", `Here it is: ${summaryText}`],
      ["a cut-off answer", summaryText.slice(0, -1)],
      ["a trailing comma", `{"headline":"h","points":[],"note":null,}`],
      ["a fence that never closes", "```json\n" + summaryText],
      ["two fences", "```json\n" + summaryText + "\n```\n```json\n{}\n```"]
    ]
    for (const [what, text] of repaired) {
      it.effect(`repairs nothing: ${what}`, () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(decode(Summary, text))
          assert.strictEqual(error._tag, "StructuredOutputError")
          assert.notInclude(error.description, "\n")
        })
      )
    }
  })

  describe("of a plain JSON Schema", () => {
    const schema = {
      title: "answer",
      type: "object",
      properties: { answer: { type: "string" }, list: { items: { type: "integer" } } },
      required: ["answer"]
    }

    it.effect("is sent as it is and checks the answer", () =>
      Effect.gen(function* () {
        const format = yield* StructuredOutput.format(schema)
        assert.deepStrictEqual(
          { name: format.name, jsonSchema: format.jsonSchema, strict: format.strict },
          { name: "answer", jsonSchema: schema, strict: false }
        )
        assert.deepStrictEqual(yield* format.decode('```json\n{"answer":"x"}\n```'), {
          answer: "x"
        })
        const error = yield* Effect.flip(format.decode(`{"answer":"x","list":[1,"b"]}`))
        assert.include(error.description, "list")
        assert.include(error.description, "must be integer")
      })
    )

    it.effect("is compiled once per object, also by requests at the same time", () =>
      Effect.gen(function* () {
        const own = { type: "object" }
        const formats = yield* Effect.all(
          Array.from({ length: 8 }, () => StructuredOutput.format(own)),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(new Set(formats).size, 1)
      })
    )

    it.effect("is compiled also after the first request for it was interrupted", () =>
      Effect.gen(function* () {
        const own = { type: "object", title: "interrupted" }
        const fiber = yield* Effect.forkChild(StructuredOutput.format(own), {
          startImmediately: true
        })
        yield* Fiber.interrupt(fiber)
        assert.strictEqual((yield* StructuredOutput.format(own)).name, "interrupted")
      })
    )

    it.effect("is taken out of OpenAI's wrapper", () =>
      Effect.gen(function* () {
        const closed = {
          type: "object",
          properties: { answer: { type: "string" } },
          required: ["answer"],
          additionalProperties: false
        }
        const json_schema = { name: "wrapped", schema: closed, strict: true }
        const format = yield* StructuredOutput.format({ type: "json_schema", json_schema })
        assert.deepStrictEqual([format.name, format.strict], ["wrapped", true])
        assert.deepStrictEqual(format.jsonSchema, closed)
        assert.deepStrictEqual(yield* format.decode(`{"answer":"x"}`), { answer: "x" })
      })
    )

    it.effect("is refused where its wrapper says strict and strict mode would refuse it", () =>
      Effect.gen(function* () {
        const json_schema = { name: "wrapped", schema, strict: true }
        const { description } = yield* refusal({ type: "json_schema", json_schema })
        assert.strictEqual(
          description,
          "it is marked strict, and strict mode refuses it: at the root: 'additionalProperties' is not false. Mend it, or leave 'strict' out"
        )
      })
    )

    it.effect("travels as the one field of an object where its root is none", () =>
      Effect.gen(function* () {
        const $defs = { n: { type: "integer" } }
        const format = yield* StructuredOutput.format({
          $defs,
          type: "array",
          items: { $ref: "#/$defs/n" }
        })
        assert.deepStrictEqual(format.jsonSchema, {
          $defs,
          type: "object",
          properties: { value: { type: "array", items: { $ref: "#/$defs/n" } } },
          required: ["value"],
          additionalProperties: false
        })
        assert.deepStrictEqual(yield* format.decode(`{"value":[1]}`), [1])
        assert.deepStrictEqual(yield* format.decode(`[1]`), [1])
        assert.include((yield* Effect.flip(format.decode(`["a"]`))).description, "at /0")
        assert.deepStrictEqual(
          [`{"value":[1,`, `[1,`, `{`].map((text) => format.partial(text)),
          [[1], [1], undefined]
        )
      })
    )

    it.effect("takes from a wrapper only a name that providers accept", () =>
      Effect.gen(function* () {
        for (const name of ["not a name", 5, null]) {
          const json_schema = { name, schema: { type: "object" } }
          const format = yield* StructuredOutput.format({ type: "json_schema", json_schema })
          assert.strictEqual(format.name, "output")
        }
      })
    )

    it.effect("reads json_object as any JSON object", () =>
      Effect.gen(function* () {
        const output = { type: "json_object" }
        assert.deepStrictEqual(yield* decode(output, `{"a":1}`), { a: 1 })
        for (const text of ["[]", "null", "1"]) yield* Effect.flip(decode(output, text))
      })
    )

    it.effect("follows the dialect of $schema", () =>
      Effect.gen(function* () {
        const tuple = { type: "array", items: [{ type: "string" }] }
        const $schema = "http://json-schema.org/draft-07/schema#"
        assert.deepStrictEqual(yield* decode({ $schema, ...tuple }, `["a"]`), ["a"])
        yield* Effect.flip(decode({ $schema, ...tuple }, `[1]`))
        // Since 2020-12 a list of item schemas is called prefixItems.
        assert.include((yield* refusal(tuple)).description, "items")
      })
    )

    it.effect("does not enforce formats it cannot know", () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* decode({ type: "string", format: "email" }, `"x"`), "x")
      })
    )

    it.effect("keeps two schemas of the same $id apart", () =>
      Effect.gen(function* () {
        const $id = "https://example.com/answer"
        assert.strictEqual(yield* decode({ $id, type: "string" }, `"x"`), "x")
        assert.strictEqual(yield* decode({ $id, type: "integer" }, "1"), 1)
      })
    )

    const invalid: ReadonlyArray<readonly [string, StructuredOutput.JsonSchemaObject, string]> = [
      ["an unknown type", { properties: { a: { type: "strin" } } }, "properties/a/type"],
      ["a reference to elsewhere", { $ref: "https://example.com/other" }, "example.com/other"],
      ["a reference to nothing", { $ref: "#/$defs/nope" }, "#/$defs/nope"],
      ["a pattern that is none", { properties: { a: { pattern: "[" } } }, "/[/"],
      ["a schema that validates asynchronously", { $async: true, type: "object" }, "$async"],
      [
        "a dialect nobody knows",
        { $schema: "https://example.com/meta" },
        "https://example.com/meta"
      ]
    ]
    for (const [what, output, where] of invalid) {
      it.effect(`refuses ${what} and says where`, () =>
        Effect.gen(function* () {
          const error = yield* refusal(output)
          assert.strictEqual(error._tag, "UnsupportedSchemaError")
          assert.include(error.description, where)
          assert.notInclude(error.description, "\n")
        })
      )
    }
  })
})
