/**
 * LM Studio, on this machine unless a base URL says otherwise: `lmstudio/…`.
 *
 * **Source**: LM Studio "OpenAI Compatible Endpoints" and "API Changelog" (read November 2026); its list of supported payload
 * parameters.
 *
 * @since 0.1.0
 */
import type * as Providers from "@infermesh/core/provider/Providers"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"

import * as Compatible from "../openai/Compatible.ts"
import type { Dialect } from "../openai/Dialect.ts"

/**
 * LM Studio's dialect.
 *
 * @category dialects
 * @since 0.1.0
 */
export const lmStudio: Dialect = {
  name: "lmstudio",
  apiBase: "http://localhost:1234/v1",
  keyVariables: ["LM_API_TOKEN", "LM_STUDIO_API_KEY"],
  keyOptional: true,
  endpoints: ["chat_completion", "text_completion", "responses"],
  options: {
    topK: "top_k",
    n: false,
    logprobs: false,
    topLogprobs: false,
    reasoningEffort: false,
    serviceTier: false,
    user: false,
    metadata: false
  },
  completionOptions: { topK: "top_k", n: false, logprobs: false, topLogprobs: false, user: false },
  embedUser: false,
  transcriptions: false
}

/**
 * LM Studio alone: `lmstudio/…`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Providers.Providers, never, HttpClient.HttpClient> =
  Compatible.layer(lmStudio)
