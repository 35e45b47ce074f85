/**
 * Faults a simulated server injects, and which of them befalls a request.
 *
 * An injected fault is the server's doing; a request over the quota is the client's and is decided elsewhere
 * (`ServerQuota`).
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

import type { Draw } from "./Draw.ts"
import type { ContentFault, WireError } from "./WireFormat.ts"

/**
 * Every kind of fault, in the order in which a draw goes through them.
 *
 * **Details**: answers with an error status: `rateLimited` (429 with Retry-After), `insufficientQuota` (429, the account is
 * out of credit), `unauthorized` (401), `internal` (500), `unavailable` (503), `overloaded` (529).
 * Broken connections: `hang` (no answer ever), `reset` (before the first byte), `truncated` (cut within the body),
 * `stalled` (silent within the body), `streamError` (an error event within a stream; other requests are answered).
 * Broken content, all with status 200: `malformed` (not JSON), `noChoices`, `refusal`, `contentFilter`,
 * `schemaMismatch` (prose where JSON was asked for).
 *
 * @category models
 * @since 0.1.0
 */
export const kinds = [
  "rateLimited",
  "insufficientQuota",
  "unauthorized",
  "internal",
  "unavailable",
  "overloaded",
  "hang",
  "reset",
  "truncated",
  "stalled",
  "streamError",
  "malformed",
  "noChoices",
  "refusal",
  "contentFilter",
  "schemaMismatch"
] as const

/**
 * A kind of fault.
 *
 * @category models
 * @since 0.1.0
 */
export type FaultKind = (typeof kinds)[number]

const Rate = Schema.optional(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 })))

/**
 * How often each kind befalls a request, as a share of all admitted requests.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FaultRates = Schema.Struct(
  // `fromEntries` forgets the keys, which are those of `kinds`.
  Object.fromEntries(kinds.map((kind) => [kind, Rate])) as {
    readonly [K in FaultKind]: typeof Rate
  }
).check(
  Schema.makeFilter((rates) =>
    kinds.reduce((sum, kind) => sum + (rates[kind] ?? 0), 0) <= 1 + 1e-9
      ? undefined
      : "the rates add up to more than 1"
  )
)

/**
 * How often each kind befalls a request.
 *
 * @category models
 * @since 0.1.0
 */
export type FaultRates = typeof FaultRates.Type

/**
 * The fault that befalls a request, if one does.
 *
 * @category combinators
 * @since 0.1.0
 */
export const choose = (rates: FaultRates, draw: Draw): FaultKind | undefined => {
  let left = draw.next()
  for (const kind of kinds) {
    left -= rates[kind] ?? 0
    if (left < 0) return kind
  }
  return undefined
}

/**
 * Whether a fault lies in the content of an answer, where only the wire format can put it.
 *
 * @category guards
 * @since 0.1.0
 */
export const isContentFault = (kind: FaultKind | undefined): kind is ContentFault =>
  kind === "noChoices" ||
  kind === "refusal" ||
  kind === "contentFilter" ||
  kind === "schemaMismatch"

/**
 * The error a status fault answers with, in OpenAI's wording; `undefined` for faults that are not an error status.
 *
 * **Source**: OpenAI "Error codes"; 529 is Anthropic's ("Errors", `overloaded_error`).
 *
 * @category combinators
 * @since 0.1.0
 */
export const errorOf = (kind: FaultKind, retryAfterMillis: number): WireError | undefined => {
  const error = statusFaults[kind]
  return error !== undefined && kind === "rateLimited" ? { ...error, retryAfterMillis } : error
}

/**
 * The server's own error, as a response of status 500 and as an event within a stream.
 *
 * @category constants
 * @since 0.1.0
 */
export const serverError: WireError = {
  status: 500,
  message: "The server had an error while processing your request. Sorry about that!",
  type: "server_error",
  param: null,
  code: null
}

const statusFaults: { readonly [K in FaultKind]?: WireError } = {
  rateLimited: {
    status: 429,
    message: "Rate limit reached for requests. Please slow down.",
    type: "requests",
    param: null,
    code: "rate_limit_exceeded"
  },
  insufficientQuota: {
    status: 429,
    message:
      "You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
    type: "insufficient_quota",
    param: null,
    code: "insufficient_quota"
  },
  unauthorized: {
    status: 401,
    message:
      "Incorrect API key provided: sk-***. You can find your API key at https://platform.openai.com/account/api-keys.",
    type: "invalid_request_error",
    param: null,
    code: "invalid_api_key"
  },
  internal: serverError,
  unavailable: {
    status: 503,
    message: "The engine is currently overloaded, please try again later.",
    type: "service_unavailable",
    param: null,
    code: null
  },
  overloaded: {
    status: 529,
    message: "Overloaded",
    type: "overloaded_error",
    param: null,
    code: null
  }
}
