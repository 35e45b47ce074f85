/**
 * OpenAI as a provider: `openai/…` models. It is the one that all other dialects differ from.
 *
 * `Compatible` connects it to HTTP, as it does every vendor with an API like it.
 *
 * **Source**: OpenAI API reference; `max_tokens` is deprecated there, and refused by its reasoning models (read November 2026).
 *
 * @since 0.1.0
 */
import * as Providers from "@infermesh/core/provider/Providers"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"

import * as Vendors from "../vendor/Vendors.ts"
import * as Compatible from "./Compatible.ts"
import type { Dialect } from "./Dialect.ts"
import * as EmbedProtocol from "./EmbedProtocol.ts"

/**
 * OpenAI's own dialect.
 *
 * @category dialects
 * @since 0.1.0
 */
export const openai: Dialect = {
  name: "openai",
  aliases: ["gpt", "chatgpt"],
  apiBase: "https://api.openai.com/v1",
  keyVariables: ["OPENAI_API_KEY"],
  endpoints: ["chat_completion", "text_completion", "responses"],
  options: { maxTokens: "max_completion_tokens" },
  embedLimits: EmbedProtocol.limits,
  base64Embeddings: true
}

/**
 * The provider of any dialect, such as one of a user's own server; `Compatible` makes it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const provider = Compatible.provider

/**
 * OpenAI alone: `openai/…`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Providers.Providers, never, HttpClient.HttpClient> =
  Compatible.layer(openai)

/**
 * OpenAI and all vendors and servers with an API like it: `openai/…`, `hosted_vllm/…`, `groq/…` and the rest of `Vendors`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerCompatible: Layer.Layer<Providers.Providers, never, HttpClient.HttpClient> =
  Providers.layer(Effect.forEach([openai, ...Vendors.all], Compatible.provider))
