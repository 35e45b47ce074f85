/**
 * Every provider of this package in one registry: OpenAI and all with an API like it, Anthropic, and Gemini.
 *
 * A program that asks one vendor takes that vendor's own Layer and loads less. `Providers.layerAdd` of core adds one of a
 * user's own.
 *
 * @since 0.1.0
 */
import * as Registry from "@infermesh/core/provider/Providers"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"

import * as Anthropic from "./anthropic/Anthropic.ts"
import * as Gemini from "./gemini/Gemini.ts"
import * as OpenAi from "./openai/OpenAi.ts"

/**
 * All providers: `openai/…`, `anthropic/…`, `gemini/…`, `hosted_vllm/…`, `groq/…` and the rest of `Vendors`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Registry.Providers, never, HttpClient.HttpClient> = Registry.merge([
  OpenAi.layerCompatible,
  Anthropic.layer,
  Gemini.layer
])
