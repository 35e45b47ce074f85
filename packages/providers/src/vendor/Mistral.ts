/**
 * Mistral: `mistral/…`.
 *
 * **Details**: it refuses fields that it does not know, and sends the usage of a stream unasked. Transcripts have no forms to
 * choose from.
 *
 * **Source**: Mistral API reference, "Chat Completion", "Embeddings" and "Audio transcriptions" (read November 2026).
 *
 * @since 0.1.0
 */
import type * as Providers from "@infermesh/core/provider/Providers"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"

import * as Compatible from "../openai/Compatible.ts"
import type { Dialect } from "../openai/Dialect.ts"

/**
 * Mistral's dialect.
 *
 * @category dialects
 * @since 0.1.0
 */
export const mistral: Dialect = {
  name: "mistral",
  apiBase: "https://api.mistral.ai/v1",
  keyVariables: ["MISTRAL_API_KEY"],
  options: {
    seed: "random_seed",
    logprobs: false,
    topLogprobs: false,
    serviceTier: false,
    user: false
  },
  messageNames: false,
  reasoning: "thinking",
  streamUsage: false,
  dimensionsField: "output_dimension",
  embedUser: false,
  transcriptFormats: ["json"]
}

/**
 * Mistral alone: `mistral/…`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Providers.Providers, never, HttpClient.HttpClient> =
  Compatible.layer(mistral)
