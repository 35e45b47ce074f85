/**
 * xAI: `xai/…`.
 *
 * **Details**: `metadata` and `service_tier` are taken for compatibility and not supported, so they are refused here.
 *
 * **Source**: xAI's OpenAPI description of chat completions, completions and responses (read November 2026).
 *
 * @since 0.1.0
 */
import type * as Providers from "@infermesh/core/provider/Providers"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"

import * as Compatible from "../openai/Compatible.ts"
import type { Dialect } from "../openai/Dialect.ts"

/**
 * xAI's dialect.
 *
 * @category dialects
 * @since 0.1.0
 */
export const xai: Dialect = {
  name: "xai",
  aliases: ["grok"],
  apiBase: "https://api.x.ai/v1",
  keyVariables: ["XAI_API_KEY"],
  endpoints: ["chat_completion", "text_completion", "responses"],
  options: { maxTokens: "max_completion_tokens", serviceTier: false, metadata: false },
  reasoning: "reasoning_content",
  embeddings: false,
  transcriptions: false
}

/**
 * xAI alone: `xai/…`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Providers.Providers, never, HttpClient.HttpClient> =
  Compatible.layer(xai)
