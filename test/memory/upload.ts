// Uploads a file as many times at once as its second argument says, to a server of its own process that takes it slowly, and
// prints its peak memory in bytes.
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import process from "node:process"

import { NodeFileSystem, NodeHttpClient } from "@effect/platform-node"
import * as Client from "@infermesh/core/Client"
import * as Inference from "@infermesh/core/Inference"
import * as Pricing from "@infermesh/core/telemetry/Pricing"
import * as OpenAi from "@infermesh/providers/openai/OpenAi"
import { Effect, Layer } from "effect"

const [path = "", uploads = ""] = process.argv.slice(2)

let receivedBytes = 0
const server = createServer((incoming, response) => {
  incoming.on("data", (piece: Buffer) => {
    receivedBytes += piece.length
    // Slower than the disk: what is read ahead of the socket would pile up.
    incoming.pause()
    setImmediate(() => incoming.resume())
  })
  incoming.on("end", () => response.end('{"text":"hello"}'))
})
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))

const client = Client.layer({
  model: "openai/m",
  apiBase: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
}).pipe(
  Layer.provide(OpenAi.layer.pipe(Layer.provide(NodeHttpClient.layerUndici))),
  Layer.provide(Pricing.layerNone),
  Layer.provide(NodeFileSystem.layer)
)

const batch = await Inference.transcribeBatch(Array<string>(Number(uploads)).fill(path)).pipe(
  Effect.provide(client),
  Effect.runPromise
)
server.close()
const { maxRSS } = process.resourceUsage()
console.log(
  JSON.stringify({ failed: batch.failures.length, receivedBytes, peakBytes: maxRSS * 1024 })
)
