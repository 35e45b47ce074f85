/**
 * How one vendor's OpenAI-compatible API differs from OpenAI's own: data, no code.
 *
 * A new compatible vendor is a file of this and nothing more. What a dialect does not say is as OpenAI has it, and what it says
 * the vendor has not is refused before anything is sent.
 *
 * @since 0.1.0
 */
import type { EndpointType } from "@infermesh/core/operation/Generate"
import type { TranscriptFormat } from "@infermesh/core/operation/Transcribe"

import type { Vendor } from "../Connect.ts"
import type { Json, OptionFields } from "../RequestBody.ts"

/**
 * A vendor of an OpenAI-compatible API.
 *
 * @category models
 * @since 0.1.0
 */
export interface Dialect extends Vendor {
  /** The header that carries the key. Default `authorization`, with `Bearer` before it. */
  readonly keyHeader?: "authorization" | "api-key" | undefined
  /** The endpoints that generate text. Default: `chat_completion` alone. */
  readonly endpoints?: ReadonlyArray<EndpointType> | undefined
  /**
   * The body's fields of options where they differ from those of OpenAI's chat endpoint: another name, or `false` for what the
   * vendor does not know.
   */
  readonly options?: OptionFields | undefined
  /** The same for `text_completion`. */
  readonly completionOptions?: OptionFields | undefined
  /** Whether `logprobs` of the chat endpoint is a number of alternatives, not a switch. Default false. */
  readonly countsLogprobs?: boolean | undefined
  /** What form of structured output the API enforces. Default `json_schema`. */
  readonly structuredOutput?: "json_schema" | "json_object" | "none" | undefined
  /** Whether `text_completion` enforces a form too, by `response_format`. Default false. */
  readonly completionOutput?: boolean | undefined
  /** Whether a message may have a `name`. Default true. */
  readonly messageNames?: boolean | undefined
  /**
   * How the reasoning of earlier answers goes back to the model: in a field of the message, or (`thinking`) as a block of its
   * content. `reasoning_details` are sent where an answer had them, else `reasoning`. Default: it stays behind, as OpenAI's
   * chat endpoint has no place for it.
   */
  readonly reasoning?:
    | "reasoning_content"
    | "reasoning"
    | "reasoning_details"
    | "thinking"
    | undefined
  /** Whether `stream_options.include_usage` is understood; else the vendor sends the usage of a stream unasked. Default true. */
  readonly streamUsage?: boolean | undefined
  /** Fields of every text request, beneath those of the deployment. */
  readonly body?: Json | undefined
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
  /** The forms of a transcript that the vendor writes. Default: all. */
  readonly transcriptFormats?: ReadonlyArray<TranscriptFormat> | undefined
}
