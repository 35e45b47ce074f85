import * as Client from "@infermesh/core/Client"
import * as Pricing from "@infermesh/core/telemetry/Pricing"
import * as Simulator from "@infermesh/core/testing/Simulator"
import * as Anthropic from "@infermesh/providers/anthropic/Anthropic"
import * as Gemini from "@infermesh/providers/gemini/Gemini"
import * as OpenAi from "@infermesh/providers/openai/OpenAi"
import { Layer } from "effect"

/** The wire formats of providers, each with a model and its base URL at the simulator. */
export const vendors = [
  ["OpenAI's", "openai/gpt-4.1-mini", "http://simulator.local/v1", OpenAi.layer],
  ["Anthropic's", "anthropic/claude-sonnet-4-5", "http://simulator.local/v1", Anthropic.layer],
  ["Gemini's", "gemini/gemini-2.5-flash", "http://simulator.local/v1beta", Gemini.layer]
] as const

/** The whole client in one of the formats, over a simulator in process. */
export const client = (
  [, model, apiBase, provider]: (typeof vendors)[number],
  simulator: Simulator.Simulator
) =>
  Client.layer({ model, apiBase }).pipe(
    Layer.provide(provider),
    Layer.provide(Pricing.layerTable({ "gpt-4.1-mini": { input: 1, output: 1 } })),
    Layer.provide(Simulator.layerHttpClient({ "http://simulator.local": simulator }))
  )
