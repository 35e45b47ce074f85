/**
 * DeepSeek: `deepseek/…`.
 *
 * **Details**: it enforces that an answer is JSON, but no schema. Reasoning goes back with calls of tools, or the next turn is
 * refused.
 *
 * **Source**: DeepSeek API reference, "Create Chat Completion", "JSON Output" and "Thinking Mode" (read November 2026).
 *
 * @since 0.1.0
 */
import type * as Providers from "@infermesh/core/provider/Providers"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"

import * as Compatible from "../openai/Compatible.ts"
import type { Dialect } from "../openai/Dialect.ts"

/**
 * DeepSeek's dialect.
 *
 * @category dialects
 * @since 0.1.0
 */
export const deepSeek: Dialect = {
  name: "deepseek",
  apiBase: "https://api.deepseek.com",
  keyVariables: ["DEEPSEEK_API_KEY"],
  options: { seed: false, n: false, serviceTier: false, user: false, metadata: false },
  structuredOutput: "json_object",
  reasoning: "reasoning_content",
  embeddings: false,
  transcriptions: false
}

/**
 * DeepSeek alone: `deepseek/…`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Providers.Providers, never, HttpClient.HttpClient> =
  Compatible.layer(deepSeek)
