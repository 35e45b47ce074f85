/**
 * Fireworks AI: `fireworks/…`, with models such as `accounts/fireworks/models/NAME`.
 *
 * **Details**: it transcribes at another host.
 *
 * **Source**: Fireworks API reference, "Create Chat Completion", "Create Completion" and "Create Response", and "Querying text
 * models" (read November 2026); its page on transcription.
 *
 * @since 0.1.0
 */
import type * as Providers from "@infermesh/core/provider/Providers"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"

import * as Compatible from "../openai/Compatible.ts"
import type { Dialect } from "../openai/Dialect.ts"

/**
 * Fireworks' dialect.
 *
 * @category dialects
 * @since 0.1.0
 */
export const fireworks: Dialect = {
  name: "fireworks",
  apiBase: "https://api.fireworks.ai/inference/v1",
  keyVariables: ["FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"],
  endpoints: ["chat_completion", "text_completion", "responses"],
  options: { topK: "top_k" },
  completionOptions: { topK: "top_k" },
  completionOutput: true,
  reasoning: "reasoning_content",
  transcriptions: false
}

/**
 * Fireworks alone: `fireworks/…`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Providers.Providers, never, HttpClient.HttpClient> =
  Compatible.layer(fireworks)
