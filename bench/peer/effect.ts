// Effect's own HttpClient over undici, as it comes.
import { NodeHttpClient } from "@effect/platform-node"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Schema from "effect/Schema"

import { prompt } from "../answers.ts"
import type { Peer } from "../Peer.ts"

const Answer = Schema.Struct({
  choices: Schema.Array(Schema.Struct({ message: Schema.Struct({ content: Schema.String }) }))
})

export const make = (base: string): Peer => {
  const runtime = ManagedRuntime.make(NodeHttpClient.layerUndici)
  const decode = HttpClientResponse.schemaBodyJson(Answer)
  const one = HttpClientRequest.post(`${base}/chat/completions`).pipe(
    HttpClientRequest.setHeader("authorization", "Bearer key"),
    HttpClientRequest.bodyJson({ model: "m", messages: [{ role: "user", content: prompt }] }),
    Effect.flatMap(HttpClient.execute),
    Effect.flatMap(HttpClientResponse.filterStatusOk),
    Effect.flatMap(decode)
  )
  return {
    chat: async (count, concurrency) => {
      const all = Array.from({ length: count })
      await runtime.runPromise(Effect.forEach(all, () => one, { concurrency, discard: true }))
      return count
    }
  }
}
