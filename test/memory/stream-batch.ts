// Settles as many generations as its argument says, through the whole pipeline, and prints its peak memory in bytes.
import process from "node:process"

import * as Client from "@infermesh/core/Client"
import * as Inference from "@infermesh/core/Inference"
import * as Pricing from "@infermesh/core/telemetry/Pricing"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Effect, Layer, Stream } from "effect"

const count = Number(process.argv[2])

function* prompts() {
  for (let index = 0; index < count; index++) yield `Question ${index}: ${"what ".repeat(40)}?`
}

const client = Client.layer({
  model: "test/model",
  maxParallelRequests: 64,
  limits: { rpm: 1e9, tpm: 1e12 }
}).pipe(Layer.provide(TestProvider.layer({ log: false })), Layer.provide(Pricing.layerNone))

const settled = await Inference.generateBatchStream(prompts()).pipe(
  Stream.runFold(
    () => 0,
    (total) => total + 1
  ),
  Effect.provide(client),
  Effect.runPromise
)
console.log(JSON.stringify({ settled, peakBytes: process.resourceUsage().maxRSS * 1024 }))
