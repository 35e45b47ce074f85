/**
 * Cerebras: `cerebras/…`.
 *
 * **Source**: Cerebras Inference API reference, "Chat Completions" and "Completions" (read November 2026).
 *
 * @since 0.1.0
 */
import type * as Providers from "@infermesh/core/provider/Providers"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"

import * as Compatible from "../openai/Compatible.ts"
import type { Dialect } from "../openai/Dialect.ts"

/**
 * Cerebras' dialect.
 *
 * @category dialects
 * @since 0.1.0
 */
export const cerebras: Dialect = {
  name: "cerebras",
  apiBase: "https://api.cerebras.ai/v1",
  keyVariables: ["CEREBRAS_API_KEY"],
  endpoints: ["chat_completion", "text_completion"],
  options: {
    maxTokens: "max_completion_tokens",
    presencePenalty: false,
    frequencyPenalty: false,
    metadata: false
  },
  completionOptions: { presencePenalty: false, frequencyPenalty: false },
  reasoning: "reasoning",
  embeddings: false,
  transcriptions: false
}

/**
 * Cerebras alone: `cerebras/…`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Providers.Providers, never, HttpClient.HttpClient> =
  Compatible.layer(cerebras)
