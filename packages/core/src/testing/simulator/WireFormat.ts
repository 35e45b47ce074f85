/**
 * The small interface every wire format of the simulator fills in: recognise, check, answer, word errors.
 *
 * A format knows one endpoint's JSON. It knows no quota, no latency and no broken connections; the simulator adds those
 * around it. The next format is one more file that exports a value of this type, and one more entry in `Endpoints.ts`.
 *
 * @since 0.1.0
 */
import type * as Result from "effect/Result"

import type { Draw } from "./Draw.ts"
import type { EmbeddingSettings } from "./EmbeddingVector.ts"
import type { SimulatedRequest } from "./Exchange.ts"
import type { Vendor, WireError } from "./Vendor.ts"

/**
 * What the simulated model can take.
 *
 * **Units**: tokens; no limit where absent.
 *
 * @category models
 * @since 0.1.0
 */
export interface ModelLimits {
  readonly models?: ReadonlyArray<string> | undefined
  readonly contextWindow?: number | undefined
  readonly maxOutputTokens?: number | undefined
  /** Parameters the model refuses, as reasoning models refuse `max_tokens`. */
  readonly unsupportedParameters: ReadonlyArray<string>
  readonly embeddings: EmbeddingSettings
}

/**
 * Faults that only the format itself can put into an answer.
 *
 * @category models
 * @since 0.1.0
 */
export type ContentFault = "noChoices" | "refusal" | "contentFilter" | "schemaMismatch"

/**
 * What an answer is made from.
 *
 * @category models
 * @since 0.1.0
 */
export interface AnswerContext {
  readonly seed: number
  /** Draws that depend on the seed and the prompt alone. */
  readonly draw: (purpose: string, ordinal: number) => Draw
  readonly fault: ContentFault | undefined
  readonly createdSeconds: number
  /** Letters and digits, another for every response. */
  readonly id: string
  /** How long a text answer gets, in tokens. */
  readonly outputTokens: { readonly min: number; readonly max: number }
}

/**
 * An answer, not yet written out: a request over the quota never pays for the writing.
 *
 * @category models
 * @since 0.1.0
 */
export interface WireAnswer {
  readonly completionTokens: number
  /** Of the whole body; JSON when absent. */
  readonly contentType?: string
  /** The whole body of a response that is not streamed. */
  readonly body: () => string
  /** The streamed response; absent where the endpoint streams nothing. */
  readonly stream?: WireStream
}

/**
 * A streamed answer, not yet written out.
 *
 * **Shape**: each text is one server-sent event with its `data: ` and its blank line.
 *
 * @category models
 * @since 0.1.0
 */
export interface WireStream {
  readonly events: () => ReadonlyArray<string>
  /** What follows after so many events, when the server fails then. */
  readonly failure: (error: WireError, sent: number) => ReadonlyArray<string>
}

/**
 * A request that was understood.
 *
 * @category models
 * @since 0.1.0
 */
export interface WireRequest {
  readonly model: string
  /** Hash of the model and the prompt: what the draws depend on. */
  readonly hash: number
  readonly promptTokens: number
  readonly stream: boolean
  readonly answer: (context: AnswerContext) => WireAnswer
}

/**
 * One endpoint of one vendor.
 *
 * @category models
 * @since 0.1.0
 */
export interface WireFormat {
  readonly name: string
  readonly vendor: Vendor
  /** Whether latency, quota, faults and the script apply. */
  readonly metered: boolean
  /** The faults its answers can have in their content; requests that meet another are answered. */
  readonly contentFaults: ReadonlyArray<ContentFault>
  /** `path` comes without its query. */
  readonly matches: (method: string, path: string) => boolean
  /** Reads the request and checks it against the documented format. */
  readonly decode: (
    request: SimulatedRequest,
    limits: ModelLimits
  ) => Result.Result<WireRequest, WireError>
}
