/**
 * Together AI: `together/…`.
 *
 * **Details**: its `logprobs` is a number, and it sends the usage of a stream unasked.
 *
 * **Source**: Together documentation, "Parameters", and its OpenAPI description of chat completions, completions and
 * embeddings (read November 2026); its API reference, "Create audio transcription".
 *
 * @since 0.1.0
 */
import type * as Providers from "@infermesh/core/provider/Providers"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"

import * as Compatible from "../openai/Compatible.ts"
import type { Dialect } from "../openai/Dialect.ts"

/**
 * Together's dialect.
 *
 * @category dialects
 * @since 0.1.0
 */
export const together: Dialect = {
  name: "together",
  apiBase: "https://api.together.xyz/v1",
  keyVariables: ["TOGETHER_API_KEY", "TOGETHER_AI_API_KEY"],
  endpoints: ["chat_completion", "text_completion"],
  options: { topK: "top_k", serviceTier: false, user: false, metadata: false },
  completionOptions: { topK: "top_k", user: false },
  countsLogprobs: true,
  streamUsage: false,
  embedUser: false,
  transcriptFormats: ["json", "verbose_json"]
}

/**
 * Together alone: `together/…`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Providers.Providers, never, HttpClient.HttpClient> =
  Compatible.layer(together)
