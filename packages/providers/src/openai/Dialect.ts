/**
 * How one vendor's OpenAI-compatible API differs from OpenAI's own: data, no code.
 *
 * A new compatible vendor is a file of this and nothing more.
 *
 * @since 0.1.0
 */
import type { Vendor } from "../Connect.ts"

/**
 * A vendor of an OpenAI-compatible API.
 *
 * @category models
 * @since 0.1.0
 */
export interface Dialect extends Vendor {
  /** The header that carries the key. Default `authorization`, with `Bearer` before it. */
  readonly keyHeader?: "authorization" | "api-key" | undefined
  /** The body field of `maxTokens`. Default `max_tokens`; OpenAI's newer models take only `max_completion_tokens`. */
  readonly maxTokensField?: "max_tokens" | "max_completion_tokens" | undefined
  /** What form of structured output the API enforces. Default `json_schema`. */
  readonly structuredOutput?: "json_schema" | "json_object" | "none" | undefined
  /** Whether `stream_options.include_usage` is understood. Default true. */
  readonly streamUsage?: boolean | undefined
}
