/**
 * Ollama, on this machine unless a base URL says otherwise: `ollama/…`.
 *
 * **Details**: it passes over fields that it does not know, so they are refused here. Its cloud is `https://ollama.com/v1`,
 * with a key.
 *
 * **Source**: Ollama "OpenAI compatibility", and the request types of its `openai` package (read November 2026).
 *
 * @since 0.1.0
 */
import type * as Providers from "@infermesh/core/provider/Providers"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"

import * as Compatible from "../openai/Compatible.ts"
import type { Dialect } from "../openai/Dialect.ts"

/**
 * Ollama's dialect.
 *
 * @category dialects
 * @since 0.1.0
 */
export const ollama: Dialect = {
  name: "ollama",
  apiBase: "http://localhost:11434/v1",
  keyVariables: ["OLLAMA_API_KEY"],
  keyOptional: true,
  endpoints: ["chat_completion", "text_completion", "responses"],
  options: { n: false, serviceTier: false, user: false, metadata: false },
  completionOptions: { n: false, logprobs: false, topLogprobs: false, user: false },
  reasoning: "reasoning",
  base64Embeddings: true,
  embedUser: false
}

/**
 * Ollama alone: `ollama/…`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Providers.Providers, never, HttpClient.HttpClient> =
  Compatible.layer(ollama)
