/**
 * vLLM, a server that users run: `hosted_vllm/…`.
 *
 * **Details**: also the name for any server with an API like OpenAI's that is not known by name. `user` is taken and not
 * looked at.
 *
 * **Source**: vLLM, `ChatCompletionRequest` and `CompletionRequest` of its API server, and "OpenAI-Compatible Server" (read
 * November 2026).
 *
 * @since 0.1.0
 */
import type * as Providers from "@infermesh/core/provider/Providers"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"

import * as Compatible from "../openai/Compatible.ts"
import type { Dialect } from "../openai/Dialect.ts"

/**
 * vLLM's dialect.
 *
 * @category dialects
 * @since 0.1.0
 */
export const vllm: Dialect = {
  name: "hosted_vllm",
  aliases: ["openai_compatible", "openai_like", "custom"],
  apiBase: undefined,
  keyVariables: ["HOSTED_VLLM_API_KEY", "VLLM_API_KEY"],
  endpoints: ["chat_completion", "text_completion", "responses"],
  options: { topK: "top_k", serviceTier: false, metadata: false },
  completionOptions: { topK: "top_k" },
  completionOutput: true,
  reasoning: "reasoning",
  base64Embeddings: true,
  transcriptFormats: ["json", "text", "verbose_json"]
}

/**
 * vLLM alone: `hosted_vllm/…`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Providers.Providers, never, HttpClient.HttpClient> =
  Compatible.layer(vllm)
