/**
 * SGLang, a server that users run: `sglang/…`.
 *
 * **Source**: SGLang, `ChatCompletionRequest` and `CompletionRequest` of its API server, and "OpenAI APIs" (read November
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
 * SGLang's dialect.
 *
 * @category dialects
 * @since 0.1.0
 */
export const sgLang: Dialect = {
  name: "sglang",
  apiBase: undefined,
  apiBaseExample: "http://localhost:30000/v1",
  keyVariables: ["SGLANG_API_KEY"],
  endpoints: ["chat_completion", "text_completion", "responses"],
  options: { topK: "top_k", serviceTier: false, metadata: false },
  completionOptions: { topK: "top_k" },
  completionOutput: true,
  reasoning: "reasoning_content",
  transcriptFormats: ["json", "text", "verbose_json"]
}

/**
 * SGLang alone: `sglang/…`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Providers.Providers, never, HttpClient.HttpClient> =
  Compatible.layer(sgLang)
