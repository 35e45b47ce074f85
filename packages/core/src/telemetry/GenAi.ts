/**
 * What OpenTelemetry's conventions for generative AI call our operations and providers.
 *
 * Names only; metrics and spans use them.
 *
 * **Source**: OpenTelemetry semantic conventions 1.41, `gen_ai.operation.name` and `gen_ai.provider.name`.
 *
 * @since 0.1.0
 */
import type * as Telemetry from "effect/ai/Telemetry"

import type { Plan } from "../Call.ts"

/**
 * The name of an operation; the conventions have none for transcriptions.
 *
 * @category models
 * @since 0.1.0
 */
export type OperationName = Telemetry.WellKnownOperationName | "transcription"

/**
 * The name of what a plan asks for.
 *
 * @category getters
 * @since 0.1.0
 */
export const operationName = ({ operation, request }: Plan<unknown>): OperationName => {
  switch (operation) {
    case "generate":
      return request?.endpoint === "text_completion" ? "text_completion" : "chat"
    case "embed":
      return "embeddings"
    case "transcribe":
      return "transcription"
  }
}

/** Where the conventions' name is not our prefix. */
const providerNames: Readonly<Record<string, Telemetry.WellKnownProviderName>> = {
  azure: "azure.ai.openai",
  bedrock: "aws.bedrock",
  gemini: "gcp.gemini",
  mistral: "mistral_ai",
  moonshot: "moonshot_ai",
  vertex_ai: "gcp.vertex_ai",
  watsonx: "ibm.watsonx.ai",
  xai: "x_ai"
}

/**
 * The name of a provider, by its prefix in model strings.
 *
 * @category getters
 * @since 0.1.0
 */
export const providerName = (provider: string): string => providerNames[provider] ?? provider
