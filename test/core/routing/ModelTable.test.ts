import { assert, describe, it } from "@effect/vitest"
import * as ModelTable from "@infermesh/core/routing/ModelTable"
import { Result } from "effect"

import { deployment } from "./Members.ts"

const at = (model: string) => ({
  target: { model, apiBase: undefined, apiKey: undefined, headers: {}, extraBody: {} }
})

const all = [
  deployment("eu", { ...at("large"), models: ["smart"], tags: ["eu", "batch"] }),
  deployment("us", { ...at("large"), models: ["smart", "any"], tags: ["us"] }),
  deployment("tiny", { ...at("org/small"), provider: "hosted_vllm", models: ["any"], tags: ["eu"] })
].map((one) => ({ deployment: one }))

const table = ModelTable.make(all, { "gpt-9": "smart", lost: "nowhere", twice: "gpt-9" })

const serving = (wanted: ModelTable.Wanted) =>
  Result.getOrThrow(table.serving(wanted)).map((one) => one.deployment.id)

const refusal = (wanted: ModelTable.Wanted) => {
  const result = table.serving(wanted)
  return Result.isFailure(result) ? result.failure.message : assert.fail("it was served")
}

describe("ModelTable", () => {
  it("finds deployments by their model, with and without the provider", () => {
    assert.deepStrictEqual(serving({ model: "large" }), ["eu", "us"])
    assert.deepStrictEqual(serving({ model: "test/large" }), ["eu", "us"])
    assert.deepStrictEqual(serving({ model: "hosted_vllm/org/small" }), ["tiny"])
    assert.deepStrictEqual(serving({ model: "org/small" }), ["tiny"])
  })

  it("finds many under one logical name, and one under several", () => {
    assert.deepStrictEqual(serving({ model: "smart" }), ["eu", "us"])
    assert.deepStrictEqual(serving({ model: "any" }), ["us", "tiny"])
  })

  it("finds by an alias what that stands for", () => {
    assert.deepStrictEqual(serving({ model: "gpt-9" }), ["eu", "us"])
  })

  it("gives all of them to a request that names no model", () => {
    assert.deepStrictEqual(serving({}), ["eu", "us", "tiny"])
  })

  it("leaves only those that have all the tags", () => {
    assert.deepStrictEqual(serving({ tags: ["eu"] }), ["eu", "tiny"])
    assert.deepStrictEqual(serving({ tags: ["batch", "eu"] }), ["eu"])
    assert.deepStrictEqual(serving({ model: "any", tags: ["eu"] }), ["tiny"])
    assert.deepStrictEqual(serving({ tags: [] }), ["eu", "us", "tiny"])
  })

  it("lists the known names when one is unknown", () => {
    const known =
      "Known: any, gpt-9, hosted_vllm/org/small, large, lost, org/small, smart, test/large, twice"
    assert.strictEqual(refusal({ model: "smrt" }), `model: no deployment serves 'smrt'. ${known}`)
    assert.strictEqual(
      refusal({ model: "lost" }),
      `model: 'lost' stands for 'nowhere', which no deployment serves. ${known}`
    )
    assert.include(refusal({ model: "twice" }), "'twice' stands for 'gpt-9'")
  })

  it("lists the known tags when one is unknown", () => {
    assert.strictEqual(
      refusal({ model: "smart", tags: ["asia"] }),
      "tags: no deployment of 'smart' has 'asia'. Known: batch, eu, us"
    )
    assert.strictEqual(
      refusal({ tags: ["eu", "us"] }),
      "tags: no deployment has 'eu' and 'us'. Known: batch, eu, us"
    )
  })

  it("does not mistake names of JavaScript for models", () => {
    assert.include(refusal({ model: "constructor" }), "no deployment serves 'constructor'")
  })
})
