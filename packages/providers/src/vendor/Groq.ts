/**
 * Groq: `groq/…`.
 *
 * **Source**: Groq API reference, "Create chat completion", and "OpenAI Compatibility": what is not supported (read November
 * 2026).
 *
 * @since 0.1.0
 */
import type * as Providers from "@infermesh/core/provider/Providers"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"

import * as Compatible from "../openai/Compatible.ts"
import type { Dialect } from "../openai/Dialect.ts"

/**
 * Groq's dialect.
 *
 * @category dialects
 * @since 0.1.0
 */
export const groq: Dialect = {
  name: "groq",
  apiBase: "https://api.groq.com/openai/v1",
  keyVariables: ["GROQ_API_KEY"],
  endpoints: ["chat_completion", "responses"],
  options: {
    maxTokens: "max_completion_tokens",
    n: false,
    logprobs: false,
    topLogprobs: false,
    metadata: false
  },
  messageNames: false,
  reasoning: "reasoning",
  embeddings: false,
  transcriptFormats: ["json", "text", "verbose_json"]
}

/**
 * Groq alone: `groq/…`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Providers.Providers, never, HttpClient.HttpClient> =
  Compatible.layer(groq)
