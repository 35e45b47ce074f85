import { once } from "node:events"
// Runs a job over a generated file with an `Inference` that answers at once, and prints what it took as JSON, one object a run.
//
// `node test/memory/job.ts ROWS FOLDER [half]`: with `half` first one half and then, resumed, the other.
import { createWriteStream, existsSync, mkdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"

import { NodeServices } from "@effect/platform-node"
import { Inference } from "@infermesh/core/Inference"
import { GenerationResult } from "@infermesh/core/operation/Generate"
import * as Usage from "@infermesh/core/operation/Usage"
import * as Input from "@infermesh/job/Input"
import * as Job from "@infermesh/job/Job"
import * as LedgerSqlite from "@infermesh/job/LedgerSqlite"
import * as Output from "@infermesh/job/Output"
import { Duration, Effect, Layer } from "effect"

const rows = Number(process.argv[2])
const folder = process.argv[3] ?? "."
const isHalved = process.argv[4] === "half"
mkdirSync(folder, { recursive: true })
const input = join(folder, `in-${rows}.jsonl`)
const output = join(folder, "out.jsonl")

if (!existsSync(input)) {
  const file = createWriteStream(input)
  for (let index = 0; index < rows; index++) {
    const row = { prompt: `Question ${index}: ${"what ".repeat(25)}?`, metadata: { id: index } }
    if (!file.write(`${JSON.stringify(row)}\n`)) await once(file, "drain")
  }
  file.end()
  await once(file, "finish")
}
for (const name of [output, join(folder, "out.checkpoint.sqlite")]) rmSync(name, { force: true })

const metrics = {
  queueWait: Duration.millis(0),
  serviceTime: Duration.millis(1),
  endToEnd: Duration.millis(1),
  retries: 0,
  repairs: 0
}
let asked = 0
let firstAsked: number | undefined
const answer = new GenerationResult({
  generation: {
    modelId: "stub",
    choices: [{ text: "An answer of a few words. ".repeat(4), toolCalls: [], finishReason: "stop" }]
  },
  outputParsed: undefined,
  tokenUsage: Usage.make({ promptTokens: 40, completionTokens: 20 }),
  requestId: "request",
  cost: 0.001,
  metrics,
  rawResponse: undefined
})
const stub = Layer.mock(Inference, {
  generate: (() =>
    Effect.sync(() => {
      asked++
      firstAsked ??= performance.now()
      return answer
    })) as never
})

const run = Effect.fnUntraced(function* (settings: {
  readonly limit?: number
  readonly resume?: boolean
}) {
  const started = performance.now()
  const cpu = process.cpuUsage()
  asked = 0
  firstAsked = undefined
  const handle = yield* Job.start({
    input: yield* Input.file(input),
    output: Output.file(output),
    operation: Job.generate(),
    ...settings
  })
  const planned = performance.now()
  const outcome = yield* handle.await
  const seconds = (performance.now() - planned) / 1000
  const { system, user } = process.cpuUsage(cpu)
  console.log(
    JSON.stringify({
      asked,
      answeredBefore: outcome.answeredBefore,
      planSeconds: (planned - started) / 1000,
      firstRequestSeconds: ((firstAsked ?? planned) - started) / 1000,
      seconds,
      rowsPerSecond: Math.round(asked / seconds),
      cpuMicrosPerRow: Math.round((user + system) / Math.max(1, asked)),
      peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1000)
    })
  )
}, Effect.scoped)

const program = isHalved ? Effect.andThen(run({ limit: rows / 2 }), run({ resume: true })) : run({})

await program.pipe(
  Effect.provide([stub, LedgerSqlite.layer.pipe(Layer.provideMerge(NodeServices.layer))]),
  Effect.runPromise
)
