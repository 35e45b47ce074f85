/**
 * The router of Hugging Face to providers of inference: `huggingface/owner/model`, or `…:provider` for one of them.
 *
 * **Source**: Hugging Face's description of the chat completion task, which says that `n` and `logit_bias` are unused (read
 * November 2026); "Inference Providers", "Responses API (beta)".
 *
 * @since 0.1.0
 */
import type * as Providers from "@infermesh/core/provider/Providers"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"

import * as Compatible from "../openai/Compatible.ts"
import type { Dialect } from "../openai/Dialect.ts"

/**
 * Hugging Face's dialect.
 *
 * @category dialects
 * @since 0.1.0
 */
export const huggingFace: Dialect = {
  name: "huggingface",
  aliases: ["hf"],
  apiBase: "https://router.huggingface.co/v1",
  keyVariables: ["HF_TOKEN", "HUGGINGFACE_API_KEY"],
  endpoints: ["chat_completion", "responses"],
  options: { n: false, serviceTier: false, user: false, metadata: false },
  embeddings: false,
  transcriptions: false
}

/**
 * Hugging Face alone: `huggingface/…`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Providers.Providers, never, HttpClient.HttpClient> =
  Compatible.layer(huggingFace)
