// A conversation in which the model calls a tool: its call and its final answer are streamed.
//
// node examples/tool-conversation.ts
import process from "node:process"

import { NodeRuntime } from "@effect/platform-node"
import type { ChatMessage } from "@infermesh/core/operation/Message"
import { nextTurn } from "@infermesh/core/operation/NextTurn"
import { Console, Effect, Schema, Stream } from "effect"
import { Tool } from "effect/ai"
import { Inference } from "infermesh"

import * as Simulated from "./Simulated.ts"

const parameters = Schema.Struct({ city: Schema.Literals(["Paris", "Oslo", "Quito"]) })

const weather = Tool.make("weather", {
  description: "Tells the weather in a city",
  parameters,
  success: Schema.String
})

const decodeArguments = Schema.decodeUnknownEffect(Schema.fromJsonString(parameters))
const forecast = (city: string) => `${city}: rain until noon, 14 °C`

/** Streams one turn, prints its text as it arrives, and gives its whole result. */
const turn = (input: string | ReadonlyArray<ChatMessage>) =>
  Inference.generateStream(input, { tools: [weather] }).pipe(
    Stream.tap((event) =>
      Effect.sync(() => event.type === "text-delta" && process.stdout.write(event.text))
    ),
    Stream.filter((event) => event.type === "finish"),
    Stream.runHead,
    Effect.flatMap(Effect.fromOption),
    Effect.map(({ result }) => result)
  )

export const program = Effect.gen(function* () {
  const question = "Do I need an umbrella today? Call the tool weather."
  const asked = yield* turn(question)
  const results = yield* Effect.forEach(asked.toolCalls, (call) =>
    Effect.gen(function* () {
      const { city } = yield* decodeArguments(call.arguments)
      const result = forecast(city)
      yield* Console.log(`the model calls ${call.name}(${call.arguments}): ${result}`)
      return { id: call.id, result }
    })
  )
  const answer = yield* turn(yield* nextTurn(question, asked, results))
  yield* Console.log(`\n${answer.finishReason}, ${answer.tokenUsage?.totalTokens} tokens`)
}).pipe(Effect.provide(Simulated.layer("openai/gpt-4.1-mini")))

if (process.argv[1] === import.meta.filename) NodeRuntime.runMain(program)
