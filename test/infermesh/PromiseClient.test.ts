import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { assert, describe, it } from "@effect/vitest"
import * as Client from "@infermesh/core/Client"
import { InferenceError } from "@infermesh/core/InferenceError"
import * as Providers from "@infermesh/core/provider/Providers"
import * as Pricing from "@infermesh/core/telemetry/Pricing"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Effect, Layer, Stream } from "effect"
import { Infermesh } from "infermesh"
import * as PromiseClient from "infermesh/PromiseClient"

/** The client, and how many attempts of its provider were interrupted. */
const make = (provider: TestProvider.TestProviderOptions = {}) => {
  const test = Effect.runSync(TestProvider.make(provider))
  const client = PromiseClient.make(
    Client.layer({ model: "test/m" }).pipe(
      Layer.provide(Layer.succeed(Providers.Providers, Providers.make([test.provider]))),
      Layer.provide(Pricing.layerNone)
    )
  )
  return { client, interrupted: () => Effect.runSync(test.control.interrupted) }
}

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => assert.fail("it was answered"),
    (error: unknown) => error
  )

const reason = (error: unknown) =>
  error instanceof InferenceError ? error.reason._tag : String(error)

const all = async <A>(iterable: AsyncIterable<A>): Promise<Array<A>> => {
  const seen: Array<A> = []
  for await (const one of iterable) seen.push(one)
  return seen
}

/** Inputs that come one by one. */
async function* arriving<A>(...inputs: ReadonlyArray<A>) {
  for (const input of inputs) yield await Promise.resolve(input)
}

const endless: TestProvider.TestProviderOptions = {
  latency: "1 hour",
  stream: () => ({ steps: ["a", { pause: "1 hour" }, "b"] })
}

describe("PromiseClient", () => {
  it("resolves to results and rejects with the typed error", async () => {
    await using client = make().client
    assert.strictEqual(String(await client.generate("hello")), "hello")
    assert.strictEqual(reason(await rejection(client.generate([]))), "InvalidInput")
  })

  it("rejects with what is wrong with the settings, at the first call", async () => {
    await using client = Infermesh.make({ model: "nobody/m" })
    assert.match(String(await rejection(client.generate("x"))), /there is no provider 'nobody'/)
    assert.match(String(await rejection(all(client.generateStream("x")))), /no provider 'nobody'/)
  })

  it("gives batches whole, failing fast on request, and as async iterables", async () => {
    await using client = make().client
    assert.strictEqual((await client.generateBatch(["a", [], "c"])).failures.length, 1)
    const failed = await rejection(client.generateBatch(["a", []], { mode: "failFast" }))
    assert.strictEqual(reason(failed), "InvalidInput")
    const seen: Array<number> = []
    for await (const { index } of client.generateBatchStream(["a", "b", "c"], { ordered: true })) {
      seen.push(index)
      if (index === 1) break
    }
    assert.deepStrictEqual(seen, [0, 1])
    assert.strictEqual((await all(client.generateBatchStream(arriving("a", "b")))).length, 2)
  })

  it("rejects with the error of inputs that break off", async () => {
    await using client = make().client
    async function* broken() {
      yield await Promise.resolve("a")
      throw new Error("no more")
    }
    assert.match(String(await rejection(all(client.generateBatchStream(broken())))), /no more/)
  })

  it("streams an answer, and stops the provider when the loop is left", async () => {
    const { client, interrupted } = make({ stream: () => ({ steps: ["a", { pause: "1 hour" }] }) })
    await using _ = client
    for await (const part of client.generateStream("x")) {
      assert.deepInclude(part, { type: "text-delta", text: "a" })
      break
    }
    assert.strictEqual(interrupted(), 1)
  })

  it("embeds one text, several in one request, and many", async () => {
    await using client = make({ embed: {} }).client
    assert.strictEqual((await client.embed("abc")).embedding[0], 3)
    const several = await client.embed(["a", "abcd"], { vectors: "array" })
    assert.deepStrictEqual(
      several.embeddings.map(([length]) => length),
      [1, 4]
    )
    assert.strictEqual((await client.embedBatch(["a", ""])).failures.length, 1)
    const settled = await all(client.embedBatchStream(arriving("a", "b"), { microBatchSize: 1 }))
    assert.strictEqual(settled.length, 2)
  })

  it("transcribes what is at hand and what is still to come", async () => {
    await using client = make({
      transcribe: ({ bytes }) => new TextDecoder().decode(bytes)
    }).client
    const bytes = new TextEncoder().encode("hi")
    const inputs = [bytes, new Blob([bytes]), Stream.succeed(bytes), arriving(bytes)]
    for (const input of inputs) assert.strictEqual((await client.transcribe(input)).text, "hi")
    const batch = await client.transcribeBatch([bytes, arriving(bytes), "/no/such.wav"])
    assert.deepStrictEqual(
      batch.successes.map(([index]) => index),
      [0, 1]
    )
    const settled = await all(client.transcribeBatchStream([bytes, bytes], { ordered: true }))
    assert.deepStrictEqual(
      settled.map(({ index }) => index),
      [0, 1]
    )
  })

  it("makes blocks of files, and the next turn of a conversation", async () => {
    await using client = make({
      reply: () => ({ toolCalls: [{ id: "1", name: "f" }], finishReason: "tool-calls" })
    }).client
    const directory = mkdtempSync(join(tmpdir(), "infermesh-"))
    try {
      const path = join(directory, "a.txt")
      writeFileSync(path, "hello")
      assert.strictEqual((await client.document(path)).file.filename, "a.txt")
    } finally {
      rmSync(directory, { recursive: true })
    }
    assert.match(String(await rejection(client.image("/no/such.png"))), /no such file/)
    assert.match(String(await rejection(client.audio("/no/such.wav"))), /no such file/)
    const asked = await client.generate("x")
    const messages = await client.nextTurn("x", asked, [{ id: "1", result: 1 }])
    assert.deepStrictEqual(
      messages.map(({ role }) => role),
      ["user", "assistant", "tool"]
    )
  })

  it("tells what it is doing", async () => {
    await using client = make(endless).client
    const controller = new AbortController()
    const call = rejection(client.generate("x", { signal: controller.signal }))
    await new Promise(setImmediate)
    const { deployments, inFlight } = await client.snapshot()
    assert.deepStrictEqual([inFlight, deployments[0]?.id], [1, "test/m"])
    controller.abort()
    await call
  })

  describe("a signal", () => {
    it("ends a call, its provider's work too, with the signal's reason", async () => {
      const { client, interrupted } = make(endless)
      await using _ = client
      const controller = new AbortController()
      const call = rejection(client.generate("x", { signal: controller.signal }))
      setImmediate(() => controller.abort("enough"))
      assert.strictEqual(await call, "enough")
      assert.strictEqual(interrupted(), 1)
    })

    it("ends a loop, too", async () => {
      const { client, interrupted } = make({ ...endless, latency: undefined })
      await using _ = client
      const controller = new AbortController()
      const parts = client.generateStream("x", { signal: controller.signal })
      const loop = (async () => {
        for await (const _part of parts) setImmediate(() => controller.abort("enough"))
      })()
      assert.strictEqual(await rejection(loop), "enough")
      assert.strictEqual(interrupted(), 1)
    })

    it("that was aborted before sends nothing", async () => {
      await using client = make({ reply: () => assert.fail("it was sent") }).client
      const signal = AbortSignal.abort("never")
      assert.strictEqual(await rejection(client.generate("x", { signal })), "never")
      assert.strictEqual(await rejection(all(client.generateStream("x", { signal }))), "never")
    })
  })

  it("ends what is under way when it is closed, and may be closed twice", async () => {
    const { client, interrupted } = make(endless)
    const call = rejection(client.generate("x"))
    const loop = rejection(all(client.generateStream("x")))
    await new Promise(setImmediate)
    await client.close()
    await client.close()
    for (const error of [await call, await loop, await rejection(client.generate("x"))]) {
      assert.strictEqual(String(error), "AbortError: The client was closed")
    }
    assert.strictEqual(interrupted(), 2)
  })
})
