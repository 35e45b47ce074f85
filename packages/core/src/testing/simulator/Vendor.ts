/**
 * What all endpoints of one vendor share over HTTP: where the key is, how errors and limits are worded.
 *
 * It knows no endpoint's JSON; that is `WireFormat`'s matter.
 *
 * @since 0.1.0
 */
import type { SimulatedRequest } from "./Exchange.ts"
import type { StatusFault } from "./Fault.ts"
import type { QuotaReport, QuotaRefusal } from "./ServerQuota.ts"

/**
 * An error as the server words it; the fields are OpenAI's, and other vendors render what they have of them.
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
  /** What the vendor adds to the words, where its errors have such a place. */
  readonly details?: ReadonlyArray<object>
}

/**
 * What goes into the headers of every response.
 *
 * @category models
 * @since 0.1.0
 */
export interface ResponseFacts {
  readonly requestId: string
  readonly nowMillis: number
  readonly processingMillis: number
  readonly limits: QuotaReport
  readonly retryAfterMillis: number | undefined
}

/**
 * A vendor.
 *
 * @category models
 * @since 0.1.0
 */
export interface Vendor {
  /** The key the client sent. */
  readonly apiKey: (request: SimulatedRequest) => string | undefined
  readonly headers: (facts: ResponseFacts) => { readonly [name: string]: string }
  /** The body of an error response. */
  readonly errorBody: (error: WireError, requestId: string) => string
  /** No endpoint has this path and method. */
  readonly unknownUrl: (method: string, path: string) => WireError
  /** The request came without a key, or with another than the one required. */
  readonly wrongKey: (key: string | undefined) => WireError
  readonly modelNotFound: (model: string) => WireError
  readonly overQuota: (model: string, refusal: QuotaRefusal) => WireError
  /** The errors that are injected, without their Retry-After. */
  readonly faults: { readonly [K in StatusFault]: WireError }
}
