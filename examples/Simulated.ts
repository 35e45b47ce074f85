// A client whose provider is the simulator, in this process: no key, no network, the same answers every time.
//
// A real one is one line instead: `Infermesh.layer({ model: "openai/gpt-4.1-mini" })`, with the key in OPENAI_API_KEY.
import { NodeFileSystem } from "@effect/platform-node"
import * as Pricing from "@infermesh/core/telemetry/Pricing"
import type { SimulatorSettings } from "@infermesh/core/testing/Simulator"
import * as Simulator from "@infermesh/core/testing/Simulator"
import * as OpenAi from "@infermesh/providers/openai/OpenAi"
import { Effect, Layer } from "effect"
import { Client } from "infermesh"

export const layer = (model: string, settings?: SimulatorSettings) =>
  Layer.unwrap(
    Effect.map(Simulator.make(settings), (simulator) =>
      Client.layer({ model, apiBase: "http://simulated/v1", maxParallelRequests: 16 }).pipe(
        Layer.provide(OpenAi.layer),
        Layer.provide(Simulator.layerHttpClient(() => simulator)),
        Layer.provide(Pricing.layerTable({ "text-embedding-3-small": { input: 0.02, output: 0 } })),
        Layer.provideMerge(NodeFileSystem.layer)
      )
    )
  )
