// What needs no rounds: each in a process of its own, `node bench/alone.ts NAME`, printed as one line of JSON.
import process from "node:process"

import * as TokenEstimate from "@infermesh/core/admission/TokenEstimate"
import * as Client from "@infermesh/core/Client"
import * as Inference from "@infermesh/core/Inference"
import { strategies } from "@infermesh/core/routing/Strategy"
import * as Scheduler from "@infermesh/core/Scheduler"
import * as Pricing from "@infermesh/core/telemetry/Pricing"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Effect, Layer, Stream } from "effect"

import { answerOf, callOf, layerOf } from "../test/core/Scheduling.ts"
import { ours } from "../test/simulation/harness/Ours.ts"
import { run } from "../test/simulation/harness/Run.ts"
import { tenThousand } from "../test/simulation/harness/Scenarios.ts"
import { prompt } from "./answers.ts"

const quota = { rpm: 1e9, tpm: 1e12, itpm: 1e12, otpm: 1e12 }

/** Microseconds of one admission, the fastest of ten series: what slows a series down is not the scheduler. */
const admitting = (layer: ReturnType<typeof layerOf>, series: number) =>
  Effect.gen(function* () {
    const scheduler = yield* Scheduler.Scheduler
    const answer = Effect.succeed(answerOf(100))
    const once = Effect.suspend(() => scheduler.admit(callOf(100), () => answer))
    const all = Array.from({ length: series }, () => once)
    let best = Infinity
    for (let round = 0; round < 12; round++) {
      const start = performance.now()
      for (const one of all) yield* one
      best = Math.min(best, ((performance.now() - start) * 1000) / series)
    }
    return best
  }).pipe(Effect.provide(layer))

const thousand = Object.fromEntries(
  Array.from({ length: 1000 }, (_, index) => [`d${index}`, { rpm: 1e9 }])
)

function* prompts(count: number) {
  for (let index = 0; index < count; index++) yield prompt
}

const client = Client.layer({
  model: "test/model",
  maxParallelRequests: 128,
  limits: { rpm: 1e9, tpm: 1e12 }
}).pipe(Layer.provide(TestProvider.layer({ log: false })), Layer.provide(Pricing.layerNone))

const measures: { readonly [name: string]: Effect.Effect<object, unknown> } = {
  reservation: Effect.map(
    Effect.all({
      free: admitting(layerOf({ deployments: { a: {} } }), 20_000),
      reserved: admitting(layerOf({ deployments: { a: quota }, limits: quota }), 20_000)
    }),
    ({ free, reserved }) => ({ admitMicros: reserved, reservationMicros: reserved - free })
  ),
  choice: Effect.gen(function* () {
    const found: Record<string, number> = {}
    const one = yield* admitting(layerOf({ deployments: { a: { rpm: 1e9 } } }), 5000)
    for (const name of ["simple-shuffle", "least-busy", "latency-based-routing"] as const) {
      const layer = layerOf({ deployments: thousand, strategy: strategies[name]() })
      found[name] = (yield* admitting(layer, 1000)) - one
    }
    return found
  }),
  tokens: Effect.sync(() => {
    const { estimate } = TokenEstimate.make()
    const ask = () =>
      estimate({
        model: "m",
        texts: [prompt],
        messageCount: 1,
        maxOutputTokens: 64,
        choices: 1
      })
    let best = Infinity
    for (let round = 0; round < 12; round++) {
      const start = performance.now()
      for (let index = 0; index < 20_000; index++) Effect.runSync(ask())
      best = Math.min(best, (performance.now() - start) / 20)
    }
    return { estimateMicros: best }
  }),
  streamed: Effect.gen(function* () {
    const settle = (count: number) =>
      Stream.runDrain(Inference.generateBatchStream(prompts(count), { concurrency: 128 }))
    yield* settle(40_000)
    const before = process.memoryUsage.rss()
    let most = before
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 50)
    yield* settle(200_000)
    clearInterval(watch)
    return { grownBytes: most - before, residentBytes: before }
  }).pipe(Effect.provide(client)),
  collected: Effect.gen(function* () {
    const count = 20_000
    yield* Inference.generateBatch(prompts(2000), { concurrency: 128 })
    globalThis.gc?.()
    const before = process.memoryUsage().heapUsed
    const batch = yield* Inference.generateBatch(prompts(count), { concurrency: 128 })
    globalThis.gc?.()
    const after = process.memoryUsage().heapUsed
    return { bytesAResult: (after - before) / count, successes: batch.successes.length }
  }).pipe(Effect.provide(client)),
  thousands: Effect.gen(function* () {
    const start = performance.now()
    const { settled } = yield* run(tenThousand, ours)
    const answered = settled.filter(({ isAnswered }) => isAnswered).length
    return { seconds: (performance.now() - start) / 1000, answered }
  })
}

const measure = measures[process.argv[2] ?? ""]
if (measure === undefined) throw new Error(`one of ${Object.keys(measures).join(", ")}`)
console.log(JSON.stringify(await Effect.runPromise(measure)))
process.exit(0)
