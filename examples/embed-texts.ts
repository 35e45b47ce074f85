// Embeds 20,000 texts, packed into requests of 500, and finds the one that is most like a query.
//
// node examples/embed-texts.ts
import process from "node:process"

import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Result, Stream } from "effect"
import { Inference } from "infermesh"

import * as Simulated from "./Simulated.ts"

const count = 20_000
const dimensions = 256
const textOf = (index: number) => `Document ${index}: what the archive holds on case ${index * 7}.`

// A generator and a stream: neither the texts nor the results are ever all in memory, only what is made of them.
function* texts() {
  for (let index = 0; index < count; index++) yield textOf(index)
}

const dot = (left: Float32Array, right: Float32Array): number =>
  left.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0)

export const program = Effect.gen(function* () {
  const query = yield* Inference.embed(textOf(12_345), { dimensions })
  const start = { embedded: 0, failed: 0, tokens: 0, cost: 0, best: { index: -1, score: -1 } }
  const total = yield* Inference.embedBatchStream(texts(), {
    dimensions,
    microBatchSize: 500
  }).pipe(
    Stream.runFold(
      () => start,
      (sum, { index, result }) => {
        if (Result.isFailure(result)) return { ...sum, failed: sum.failed + 1 }
        const { cost = 0, embedding, tokenUsage } = result.success
        const score = dot(query.embedding, embedding)
        return {
          embedded: sum.embedded + 1,
          failed: sum.failed,
          tokens: sum.tokens + (tokenUsage?.totalTokens ?? 0),
          cost: sum.cost + cost,
          best: score > sum.best.score ? { index, score } : sum.best
        }
      }
    )
  )
  yield* Console.log(`${total.embedded} texts embedded, ${total.failed} failed`)
  yield* Console.log(`${total.tokens} tokens for ${total.cost.toFixed(4)} USD`)
  yield* Console.log(
    `most like the query: text ${total.best.index}, ${total.best.score.toFixed(3)}`
  )
}).pipe(Effect.provide(Simulated.layer("openai/text-embedding-3-small")))

if (process.argv[1] === import.meta.filename) NodeRuntime.runMain(program)
