import { assert, describe, it } from "@effect/vitest"
import { enforceable } from "@infermesh/providers/anthropic/EnforcedSchema"

describe("enforceable", () => {
  it("closes objects and tells the model in words what the API does not enforce", () => {
    assert.deepStrictEqual(
      enforceable({
        $schema: "https://json-schema.org/draft/2020-12/schema",
        type: "object",
        properties: {
          age: { type: "integer", description: "in years", minimum: 0, maximum: 150 },
          tags: {
            type: "array",
            items: { type: "string", maxLength: 5 },
            minItems: 1,
            maxItems: 3
          },
          mail: { type: "string", format: "email" },
          color: { type: "string", format: "hex" },
          shape: { oneOf: [{ const: "round" }, { type: "null" }] }
        },
        required: ["age"]
      }),
      {
        type: "object",
        properties: {
          age: { type: "integer", description: "in years {minimum: 0, maximum: 150}" },
          tags: {
            type: "array",
            items: { type: "string", description: "{maxLength: 5}" },
            minItems: 1,
            description: "{maxItems: 3}"
          },
          mail: { type: "string", format: "email" },
          color: { type: "string", description: '{format: "hex"}' },
          shape: { anyOf: [{ const: "round" }, { type: "null" }] }
        },
        required: ["age"],
        additionalProperties: false
      }
    )
  })

  it("keeps references, and gives up where they go in circles", () => {
    const text = { type: "string" }
    const tree = (leaf: unknown) => ({
      type: "object",
      properties: { left: { $ref: "#/$defs/node" }, right: { $ref: "#/$defs/node" } },
      $defs: { node: leaf }
    })
    assert.deepStrictEqual(enforceable(tree(text)), { ...tree(text), additionalProperties: false })
    assert.isUndefined(
      enforceable(tree({ type: "object", properties: { next: { $ref: "#/$defs/node" } } }))
    )
    assert.isUndefined(enforceable({ type: "object", properties: { a: { $ref: "#" } } }))
    assert.isUndefined(enforceable({ type: "object", properties: { a: { $ref: "http://e.com" } } }))
  })

  it("does not take long over references that fork", () => {
    const $defs: Record<string, unknown> = { d0: { type: "string" } }
    for (let index = 1; index < 40; index++) {
      const $ref = `#/$defs/d${index - 1}`
      $defs[`d${index}`] = { type: "object", properties: { a: { $ref }, b: { $ref } } }
    }
    assert.isDefined(
      enforceable({ type: "object", properties: { a: { $ref: "#/$defs/d39" } }, $defs })
    )
  })

  it("gives up on maps, any objects and any values", () => {
    for (const inner of [
      { type: "object" },
      { type: "object", additionalProperties: { type: "string" } },
      { type: "object", patternProperties: { "^a": { type: "string" } }, properties: { a: {} } },
      { type: "array" },
      {},
      true
    ]) {
      assert.isUndefined(enforceable({ type: "object", properties: { inner } }))
    }
  })
})
