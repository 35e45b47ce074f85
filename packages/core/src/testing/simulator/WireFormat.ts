/**
 * The small interface every wire format of the simulator fills in: recognise, check, answer, word errors.
 *
 * A format knows one endpoint's JSON. It knows no quota, no latency and no broken connections; the simulator adds those
 * around it. The next format is one more file that exports a value of this type, and one more entry in `Server.ts`.
 *
 * @since 0.1.0
 */
import type * as Result from "effect/Result"

import type { Draw } from "./Draw.ts"
import type { SimulatedRequest } from "./Exchange.ts"
import type { LimitReport } from "./ServerQuota.ts"

/**
 * An error as the server words it; the fields are OpenAI's, and other formats render what they have of them.
 *
 * @category models
 * @since 0.1.0
 */
export interface WireError {
  readonly status: number
  readonly message: string
  readonly type: string
  readonly param: string | null
  readonly code: string | null
  readonly retryAfterMillis?: number
}

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
  /** The whole body of a response that is not streamed. */
  readonly body: () => string
  /** The server-sent events of a streamed one, each with its `data: ` and blank line. */
  readonly events: () => ReadonlyArray<string>
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
 * What goes into the headers of every response.
 *
 * @category models
 * @since 0.1.0
 */
export interface ResponseFacts {
  readonly requestId: string
  readonly processingMillis: number
  readonly requests: LimitReport | undefined
  readonly tokens: LimitReport | undefined
  readonly retryAfterMillis: number | undefined
}

/**
 * One endpoint of one vendor.
 *
 * @category models
 * @since 0.1.0
 */
export interface WireFormat {
  readonly name: string
  /** Whether latency, quota, faults and the script apply. */
  readonly metered: boolean
  /** `path` comes without its query. */
  readonly matches: (method: string, path: string) => boolean
  /** The key the client sent. */
  readonly apiKey: (request: SimulatedRequest) => string | undefined
  /** Reads the request and checks it against the documented format. */
  readonly decode: (
    request: SimulatedRequest,
    limits: ModelLimits
  ) => Result.Result<WireRequest, WireError>
  /** The body of an error response. */
  readonly errorBody: (error: WireError) => string
  /** An error as an event within a stream that had begun. */
  readonly errorEvent: (error: WireError) => string
  readonly headers: (facts: ResponseFacts) => { readonly [name: string]: string }
}
