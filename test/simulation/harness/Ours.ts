/** infermesh, told what a user knows, and nothing else. */
import * as Caller from "@infermesh/core/admission/Caller"
import * as Client from "@infermesh/core/Client"
import * as Inference from "@infermesh/core/Inference"
import * as Pricing from "@infermesh/core/telemetry/Pricing"
import * as Anthropic from "@infermesh/providers/anthropic/Anthropic"
import * as OpenAi from "@infermesh/providers/openai/OpenAi"
import { Context, Effect, Layer, Redacted } from "effect"
import { HttpClient } from "effect/http"

import { promptOf, type Clients } from "./Clients.ts"

export const ours: Clients = Effect.fnUntraced(function* (scenario, world) {
  const { callers = [], limits, maxTokens, settings, vendor } = scenario
  const model = vendor === undefined ? "hosted_vllm/simulated" : "anthropic/simulated"
  const layer = Client.layer({
    ...settings,
    deployments: Object.fromEntries(
      world.names.map((name) => [
        name,
        { model, apiBase: `https://${name}/v1`, apiKey: Redacted.make("key"), limits }
      ])
    )
  }).pipe(
    Layer.provide(vendor === undefined ? OpenAi.layerCompatible : Anthropic.layer),
    Layer.provide(Pricing.layerNone),
    Layer.provide(Layer.succeed(HttpClient.HttpClient, world.client))
  )
  const context = yield* Layer.build(layer)
  const inference = Context.get(context, Inference.Inference)
  const byName = new Map(callers.map((caller) => [caller.name, caller]))
  return (request) =>
    Effect.asVoid(inference.generate(promptOf(request), { maxTokens })).pipe(
      Caller.as(byName.get(request.caller) ?? { name: request.caller })
    )
})
