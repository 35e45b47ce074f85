/**
 * The server of llama.cpp, on this machine unless a base URL says otherwise: `llamacpp/…`.
 *
 * **Details**: it asks for no key unless started with one. `chat_template_kwargs` in `extraBody` sets how a model thinks.
 *
 * **Source**: llama.cpp, README of its HTTP server and its checks of OpenAI-compatible parameters (read November 2026).
 *
 * @since 0.1.0
 */
import type * as Providers from "@infermesh/core/provider/Providers"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"

import * as Compatible from "../openai/Compatible.ts"
import type { Dialect } from "../openai/Dialect.ts"

/**
 * llama.cpp's dialect.
 *
 * @category dialects
 * @since 0.1.0
 */
export const llamaCpp: Dialect = {
  name: "llamacpp",
  apiBase: "http://localhost:8080/v1",
  keyVariables: ["LLAMA_API_KEY"],
  keyOptional: true,
  endpoints: ["chat_completion", "text_completion"],
  options: {
    topK: "top_k",
    n: false,
    reasoningEffort: false,
    serviceTier: false,
    user: false,
    metadata: false
  },
  completionOptions: { topK: "top_k", n: false, user: false },
  reasoning: "reasoning_content",
  base64Embeddings: true,
  transcriptions: false
}

/**
 * llama.cpp alone: `llamacpp/…`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Providers.Providers, never, HttpClient.HttpClient> =
  Compatible.layer(llamaCpp)
