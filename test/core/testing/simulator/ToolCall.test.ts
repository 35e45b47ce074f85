import { assert, describe, it } from "@effect/vitest"
import * as ToolCall from "@infermesh/core/testing/simulator/ToolCall"

const tools = ["weather", "calendar"].map((name) => ({
  kind: "function" as const,
  name,
  parameters: {}
}))
const choose = (use: Partial<ToolCall.ToolUse>) =>
  ToolCall.choose({
    tools,
    mode: "auto",
    named: undefined,
    allowed: undefined,
    lastWords: "Hello",
    parallel: true,
    ...use
  }).map(({ name }) => name)

describe("choose", () => {
  it("calls what is demanded, even where the user did not speak last", () => {
    assert.deepStrictEqual(choose({ mode: "required", lastWords: undefined }), ["weather"])
    assert.deepStrictEqual(choose({ named: "calendar", lastWords: undefined }), ["calendar"])
    assert.deepStrictEqual(choose({ lastWords: undefined }), [])
  })

  it("calls what the user's words say, among the tools that may be called", () => {
    assert.deepStrictEqual(choose({ lastWords: "call the tool calendar" }), ["calendar"])
    assert.deepStrictEqual(choose({ lastWords: "call the tools" }), ["weather", "calendar"])
    assert.deepStrictEqual(choose({ lastWords: "call the tools", parallel: false }), ["weather"])
    assert.deepStrictEqual(choose({ lastWords: "call the tools", allowed: ["calendar"] }), [
      "calendar"
    ])
    assert.deepStrictEqual(choose({ lastWords: "call the tool", mode: "none" }), [])
    assert.deepStrictEqual(choose({ mode: "required", allowed: [] }), [])
  })
})
