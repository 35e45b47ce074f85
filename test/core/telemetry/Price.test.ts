import { assert, describe, it } from "@effect/vitest"
import * as Price from "@infermesh/core/telemetry/Price"

describe("cost", () => {
  const price = { input: 2, output: 8, cachedInput: 0.5 }

  it("is in USD, by the million tokens", () => {
    const usage = { promptTokens: 1_000_000, completionTokens: 500_000 }
    assert.strictEqual(Price.cost(price, usage), 6)
  })

  it("takes cached prompt tokens at their own price, or at that of the others", () => {
    const usage = { promptTokens: 1_000_000, completionTokens: 0, cachedTokens: 400_000 }
    assert.approximately(Price.cost(price, usage) ?? 0, 0.6 * 2 + 0.4 * 0.5, 1e-12)
    assert.strictEqual(Price.cost({ input: 2, output: 8 }, usage), 2)
  })
})
