import { assert, describe, it } from "@effect/vitest"
import * as Inference from "@infermesh/core/Inference"
import { nextTurn } from "@infermesh/core/operation/NextTurn"
import * as Simulator from "@infermesh/core/testing/Simulator"
import { Effect, Schema, Stream } from "effect"
import { Prompt } from "effect/ai"

import { client, vendors } from "./Vendor.ts"

const tools = [
  {
    name: "weather",
    description: "Tells the weather in a city",
    parameters: {
      type: "object",
      properties: { city: { type: "string" } },
      required: ["city"],
      additionalProperties: false
    }
  }
]

const Report = Schema.Struct({
  title: Schema.String,
  degrees: Schema.Record(Schema.String, Schema.Int),
  place: Schema.Tuple([Schema.Finite, Schema.Finite]),
  note: Schema.optionalKey(Schema.String)
})

const question = "How is it in Oslo? Please call the tool."

describe("a conversation of several turns", () => {
  for (const vendor of vendors) {
    it.effect(`takes the results of tools back in ${vendor[0]} format`, () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator.make()
        const talk = Effect.gen(function* () {
          for (const input of [question, Prompt.make(question)]) {
            const asked = yield* Inference.generate(input, { tools })
            assert.strictEqual(asked.finishReason, "tool-calls")
            const results = asked.toolCalls.map(({ id }) => ({ id, result: { degrees: 4 } }))
            const told = yield* nextTurn(input as string, asked, results)
            const events = yield* Stream.runCollect(Inference.generateStream(told, { tools }))
            const finish = events.at(-1)
            assert.isNotEmpty(finish?.type === "finish" ? finish.result.outputText : "")
          }
        })
        yield* Effect.provide(talk, client(vendor, simulator))
      })
    )

    it.effect(`has an answer repaired in ${vendor[0]} format`, () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator.make({ script: ["schemaMismatch", "answer"] })
        const { metrics, outputParsed, tokenUsage } = yield* Inference.generate("Report.", {
          output: Report,
          maxRepairs: 1
        }).pipe(Effect.provide(client(vendor, simulator)))
        assert.strictEqual(metrics.repairs, 1)
        assert.isString(outputParsed.title)
        const { completionTokens } = yield* simulator.stats
        assert.strictEqual(tokenUsage?.completionTokens, completionTokens)
      })
    )
  }
})
