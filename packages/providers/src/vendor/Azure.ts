/**
 * OpenAI's models at Azure: `azure/…`, where the model is the name of the deployment.
 *
 * **Details**: a base URL of one deployment,
 * `https://RESOURCE.openai.azure.com/openai/deployments/NAME?api-version=2024-10-21`, works too. A token of Entra ID goes into
 * `headers` as `authorization: Bearer …`.
 *
 * **Source**: Azure OpenAI "API version lifecycle" and "REST API reference" (read November 2026).
 *
 * @since 0.1.0
 */
import type * as Providers from "@infermesh/core/provider/Providers"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"

import * as Compatible from "../openai/Compatible.ts"
import type { Dialect } from "../openai/Dialect.ts"

/**
 * Azure's dialect.
 *
 * @category dialects
 * @since 0.1.0
 */
export const azure: Dialect = {
  name: "azure",
  apiBase: undefined,
  apiBaseExample: "https://RESOURCE.openai.azure.com/openai/v1",
  keyVariables: ["AZURE_OPENAI_API_KEY", "AZURE_API_KEY"],
  keyHeader: "api-key",
  endpoints: ["chat_completion", "text_completion", "responses"],
  options: { maxTokens: "max_completion_tokens" },
  embedLimits: { texts: 2048, tokens: 300_000 },
  base64Embeddings: true
}

/**
 * Azure alone: `azure/…`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Providers.Providers, never, HttpClient.HttpClient> =
  Compatible.layer(azure)
