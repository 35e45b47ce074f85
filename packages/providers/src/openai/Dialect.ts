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
  /** Whether there is an endpoint for embeddings. Default true. */
  readonly embeddings?: boolean | undefined
  /** The most texts, and tokens of all texts together, of one embedding request. Default: no limit is known. */
  readonly embedLimits?: { readonly texts: number; readonly tokens: number } | undefined
  /**
   * Whether vectors are asked for as base64 of 32-bit numbers (`encoding_format`). Default false: unknown servers may refuse
   * the field; a deployment's `extraBody` can ask for it all the same.
   */
  readonly base64Embeddings?: boolean | undefined
  /** The body field of `dimensions`. Default `dimensions`. */
  readonly dimensionsField?: "dimensions" | "output_dimension" | undefined
  /** Whether embedding requests may name the end user (`user`). Default true. */
  readonly embedUser?: boolean | undefined
  /** Whether there is an endpoint for transcriptions. Default true. */
  readonly transcriptions?: boolean | undefined
}
