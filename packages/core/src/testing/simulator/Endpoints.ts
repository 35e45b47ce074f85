/**
 * The endpoints of the simulated server: the wire formats it speaks.
 *
 * @since 0.1.0
 */
import * as AnthropicHttp from "./AnthropicHttp.ts"
import * as AnthropicMessages from "./AnthropicMessages.ts"
import type { SimulatedRequest } from "./Exchange.ts"
import * as GeminiContent from "./GeminiContent.ts"
import * as GeminiEmbedding from "./GeminiEmbedding.ts"
import * as GeminiHttp from "./GeminiHttp.ts"
import * as OpenAiChat from "./OpenAiChat.ts"
import * as OpenAiCompletion from "./OpenAiCompletion.ts"
import * as OpenAiEmbedding from "./OpenAiEmbedding.ts"
import * as OpenAiHttp from "./OpenAiHttp.ts"
import * as OpenAiModels from "./OpenAiModels.ts"
import * as OpenAiResponses from "./OpenAiResponses.ts"
import * as OpenAiTranscription from "./OpenAiTranscription.ts"
import type { Vendor } from "./Vendor.ts"
import type { WireFormat } from "./WireFormat.ts"

/** Most used first. */
const formats: ReadonlyArray<WireFormat> = [
  OpenAiChat.format,
  OpenAiResponses.format,
  OpenAiEmbedding.format,
  AnthropicMessages.format,
  GeminiContent.format,
  OpenAiTranscription.format,
  OpenAiCompletion.format,
  GeminiEmbedding.format,
  OpenAiModels.format
]

/**
 * The format of the endpoint with this method and path, the path without its query.
 *
 * @category combinators
 * @since 0.1.0
 */
export const find = (method: string, path: string): WireFormat | undefined =>
  formats.find((format) => format.matches(method, path))

/**
 * The vendor that a request to no endpoint was meant for: the one whose header or path it has, else OpenAI.
 *
 * @category combinators
 * @since 0.1.0
 */
export const addressed = ({ headers, path }: SimulatedRequest): Vendor => {
  if (headers["anthropic-version"] !== undefined) return AnthropicHttp.vendor
  return path.startsWith("/v1beta/") ? GeminiHttp.vendor : OpenAiHttp.vendor
}
