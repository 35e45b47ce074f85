// A job in a process of its own, for tests that kill it. `node run.ts JSON`, where JSON is a `Setup`; what is asked is logged line
// by line into a file, at once. Prints "begun" when rows are about to be asked, and the outcome as JSON.
import { openSync, writeSync } from "node:fs"
import process from "node:process"

// Deep imports: this starts hundreds of times.
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Inference } from "@infermesh/core/Inference"
import { InferenceError } from "@infermesh/core/InferenceError"
import { GenerationResult } from "@infermesh/core/operation/Generate"
import { InvalidInput } from "@infermesh/core/Reason"
import * as Input from "@infermesh/job/Input"
import * as Job from "@infermesh/job/Job"
import * as LedgerSqlite from "@infermesh/job/LedgerSqlite"
import * as Output from "@infermesh/job/Output"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

export interface Setup {
  readonly input: string
  readonly output: string
  /** The file that what is asked is logged into. */
  readonly log: string
  readonly operation: "generate" | "embed"
  readonly matrix?: string
  readonly checkpointDirectory?: string
  readonly ordered?: boolean
  readonly resume?: boolean
  readonly overwrite?: boolean
  readonly retryFailed?: boolean
  readonly force?: boolean
  /** Rows whose prompt ends with this fail. */
  readonly failing?: string
  /** Rows whose prompt is this are never answered. */
  readonly stuck?: string
  /** Longest time of an answer in milliseconds; each takes its own. */
  readonly latencyMillis: number
  readonly concurrency: number
}

/** Spread over the range without chance: the same text takes the same time. */
const latencyOf = (text: string, most: number): number => {
  let hash = 7
  for (let at = 0; at < text.length && at < 40; at++)
    hash = (hash * 31 + text.charCodeAt(at)) % 9973
  return (hash % 100) * (most / 100)
}

const metrics = {
  queueWait: Duration.zero,
  serviceTime: Duration.zero,
  endToEnd: Duration.zero,
  retries: 0,
  repairs: 0
}

const stub = (setup: Setup) => {
  const log = openSync(setup.log, "a")
  const answer = (texts: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      for (const text of texts) writeSync(log, `${text.slice(0, 40)}\n`)
      if (texts[0] === setup.stuck) yield* Effect.sleep("1 hour")
      yield* Effect.sleep(latencyOf(texts[0] ?? "", setup.latencyMillis))
      if (
        setup.failing !== undefined &&
        texts.some((text) => text.endsWith(setup.failing as string))
      )
        return yield* new InferenceError({
          operation: setup.operation,
          attempts: 1,
          reason: new InvalidInput({ input: "prompt", problem: "not today" })
        })
    })
  return Layer.mock(Inference, {
    generate: ((text: string) =>
      Effect.as(
        answer([text]),
        new GenerationResult({
          generation: {
            modelId: "stub",
            choices: [{ text: `re: ${text}`, toolCalls: [], finishReason: "stop" }]
          },
          outputParsed: undefined,
          tokenUsage: undefined,
          requestId: undefined,
          cost: undefined,
          metrics,
          rawResponse: undefined
        })
      )) as never,
    embed: ((texts: ReadonlyArray<string>) =>
      Effect.as(answer(texts), {
        modelId: "stub",
        embeddings: texts.map((text) =>
          Float32Array.from([text.length, Number(/\d+/.exec(text)?.[0])])
        ),
        tokenUsage: undefined,
        requestId: undefined,
        cost: undefined,
        metrics,
        rawResponse: undefined
      })) as never
  })
}

const setup = JSON.parse(process.argv[2] ?? "") as Setup

const program = Effect.gen(function* () {
  const common = {
    input: yield* Input.file(setup.input),
    ordered: setup.ordered,
    resume: setup.resume,
    overwrite: setup.overwrite,
    retryFailed: setup.retryFailed,
    force: setup.force,
    concurrency: setup.concurrency
  }
  const { checkpointDirectory } = setup
  const job =
    setup.operation === "generate"
      ? yield* Job.start({
          ...common,
          output: Output.file(setup.output, { checkpointDirectory }),
          operation: Job.generate()
        })
      : yield* Job.start({
          ...common,
          output: Output.file(setup.output, {
            checkpointDirectory,
            beside: setup.matrix === undefined ? undefined : Output.matrix(setup.matrix)
          }),
          operation: yield* Job.embed({ microBatchSize: 8 })
        })
  console.log("begun")
  const { plan, summary } = yield* job.await
  console.log(JSON.stringify({ plan, summary }))
}).pipe(
  Effect.scoped,
  Effect.provide([stub(setup), LedgerSqlite.layer.pipe(Layer.provideMerge(NodeServices.layer))])
)

await Effect.runPromise(
  Effect.catchTag(program, "JobError", (error) =>
    Effect.sync(() => {
      console.error(`${error.reason._tag}: ${error.message}`)
      process.exitCode = 1
    })
  )
)
