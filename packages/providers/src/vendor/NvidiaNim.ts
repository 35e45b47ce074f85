/**
 * NVIDIA's catalogue of NIM services, or one that users run: `nvidia_nim/…`.
 *
 * **Details**: services have the `responses` endpoint since version 2. Models of embeddings for search want `extraBody: { input_type: "query" }` or `"passage"`.
 *
 * **Source**: NVIDIA NIM for LLMs "API Reference", of versions 1 and 2 (read November 2026); NeMo Retriever Text Embedding NIM
 * "API Reference".
 *
 * @since 0.1.0
 */
import type * as Providers from "@infermesh/core/provider/Providers"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"

import * as Compatible from "../openai/Compatible.ts"
import type { Dialect } from "../openai/Dialect.ts"

/**
 * NIM's dialect.
 *
 * @category dialects
 * @since 0.1.0
 */
export const nvidiaNim: Dialect = {
  name: "nvidia_nim",
  apiBase: "https://integrate.api.nvidia.com/v1",
  keyVariables: ["NVIDIA_API_KEY", "NVIDIA_NIM_API_KEY"],
  endpoints: ["chat_completion", "text_completion", "responses"],
  options: { serviceTier: false, metadata: false },
  base64Embeddings: true,
  transcriptions: false
}

/**
 * NIM alone: `nvidia_nim/…`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Providers.Providers, never, HttpClient.HttpClient> =
  Compatible.layer(nvidiaNim)
