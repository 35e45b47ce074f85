import { assert, describe, it } from "@effect/vitest"
import * as Client from "@infermesh/core/Client"
import { InferenceError } from "@infermesh/core/InferenceError"
import * as Pricing from "@infermesh/core/telemetry/Pricing"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Layer } from "effect"
import * as PromiseClient from "infermesh/PromiseClient"

const make = (provider?: TestProvider.TestProviderOptions) =>
  PromiseClient.make(
    Client.layer({ model: "test/m" }).pipe(
      Layer.provide(TestProvider.layer(provider)),
      Layer.provide(Pricing.layerNone)
    )
  )

describe("PromiseClient", () => {
  it("resolves to results and rejects with the typed error", async () => {
    await using client = make()
    assert.strictEqual(String(await client.generate("hello")), "hello")
    const failure: unknown = await client.generate([]).then(
      () => undefined,
      (error: unknown) => error
    )
    assert.instanceOf(failure, InferenceError)
    assert.strictEqual(failure instanceof InferenceError ? failure.reason._tag : "", "InvalidInput")
  })

  it("gives batches whole and as async iterables", async () => {
    await using client = make()
    assert.strictEqual((await client.generateBatch(["a", [], "c"])).failures.length, 1)
    const seen: Array<number> = []
    for await (const { index } of client.generateBatchStream(["a", "b", "c"], { ordered: true })) {
      seen.push(index)
      if (index === 1) break
    }
    assert.deepStrictEqual(seen, [0, 1])
  })

  it("tells what it is doing", async () => {
    await using client = make({ latency: "1 hour" })
    const controller = new AbortController()
    const call = client.generate("x", { signal: controller.signal }).catch(() => "ended")
    const { deployments, inFlight } = await client.snapshot()
    assert.deepStrictEqual([inFlight, deployments[0]?.id], [1, "test/m"])
    controller.abort()
    await call
  })

  it("ends a call when its signal is aborted, and may be closed twice", async () => {
    const client = make({ latency: "1 hour" })
    const controller = new AbortController()
    const call = client.generate("x", { signal: controller.signal }).then(
      () => "answered",
      () => "ended"
    )
    setImmediate(() => controller.abort())
    assert.strictEqual(await call, "ended")
    await client.close()
    await client.close()
  })
})
