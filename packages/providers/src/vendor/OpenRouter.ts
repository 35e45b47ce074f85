/**
 * OpenRouter, a router to many providers: `openrouter/vendor/model`.
 *
 * **Details**: it drops parameters that a provider does not know unless told to choose among those that know them all, so it
 * is told. `extraBody: { provider: { require_parameters: false } }` takes that back.
 *
 * **Source**: OpenRouter "API Reference" (read November 2026); its "Parameters", "Provider Routing" and "Reasoning Tokens".
 *
 * @since 0.1.0
 */
import type * as Providers from "@infermesh/core/provider/Providers"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"

import * as Compatible from "../openai/Compatible.ts"
import type { Dialect } from "../openai/Dialect.ts"

/**
 * OpenRouter's dialect.
 *
 * @category dialects
 * @since 0.1.0
 */
export const openRouter: Dialect = {
  name: "openrouter",
  apiBase: "https://openrouter.ai/api/v1",
  keyVariables: ["OPENROUTER_API_KEY"],
  endpoints: ["chat_completion", "text_completion", "responses"],
  options: { topK: "top_k", n: false },
  completionOptions: { topK: "top_k", n: false },
  body: { provider: { require_parameters: true } },
  reasoning: "reasoning_details",
  transcriptions: false
}

/**
 * OpenRouter alone: `openrouter/…`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Providers.Providers, never, HttpClient.HttpClient> =
  Compatible.layer(openRouter)
