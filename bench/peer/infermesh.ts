// infermesh with everything on: slots, quotas, a router over four deployments, retries, structured output, metrics, prices.
import * as Inference from "@infermesh/core/Inference"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Infermesh from "infermesh/Infermesh"

import { dimensions, prompt } from "../answers.ts"
import type { Peer } from "../Peer.ts"
import { texts, textsAPack } from "../Peer.ts"

const Summary = Schema.Struct({ summary: Schema.String, score: Schema.Int })

export const layer = (base: string, connections: number, model = "openai/gpt-4.1-mini") =>
  Infermesh.layer({
    deployments: Object.fromEntries(
      ["a", "b", "c", "d"].map((label) => [
        label,
        {
          model,
          apiBase: base,
          apiKey: Redacted.make("key"),
          limits: { rpm: 10_000_000, tpm: 10_000_000_000 }
        }
      ])
    ),
    limits: { rpm: 100_000_000, tpm: 100_000_000_000 },
    maxParallelRequests: connections
  })

export const make = (base: string, connections: number, isBase64: boolean): Peer => {
  const chatting = ManagedRuntime.make(layer(base, connections))
  const embedding = ManagedRuntime.make(layer(base, connections, "openai/text-embedding-3-small"))
  const form = isBase64 ? {} : { extraBody: { encoding_format: "float" } }
  function* inputs(count: number) {
    for (let index = 0; index < count; index++) yield prompt
  }
  return {
    chat: (count, concurrency) =>
      chatting.runPromise(
        Inference.generateBatchStream(inputs(count), { output: Summary, concurrency }).pipe(
          Stream.runFold(
            () => 0,
            (sum, { result }) => sum + (Result.isSuccess(result) ? 1 : 0)
          )
        )
      ),
    stream: (count, concurrency) =>
      chatting.runPromise(
        Effect.map(
          Effect.forEach(
            Array.from({ length: count }),
            () =>
              Stream.runFold(
                Inference.generateStream(prompt),
                () => 0,
                (sum, event) => sum + (event.type === "text-delta" ? 1 : 0)
              ),
            { concurrency }
          ),
          (counts) => counts.reduce((sum, one) => sum + one, 0)
        )
      ),
    embed: (count, concurrency) => {
      function* all() {
        for (let index = 0; index < count; index++) yield texts[index % textsAPack] ?? ""
      }
      return embedding.runPromise(
        Inference.embedBatchStream(all(), {
          microBatchSize: textsAPack,
          concurrency,
          ...form
        }).pipe(
          Stream.runFold(
            () => 0,
            (sum, { result }) =>
              sum +
              (Result.isSuccess(result) && result.success.embedding.length === dimensions ? 1 : 0)
          )
        )
      )
    }
  }
}
