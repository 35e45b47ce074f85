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
import type { ContentFault } from "./WireFormat.ts"

/**
 * Every kind of fault, in the order in which a draw goes through them.
 *
 * **Details**: answers with an error status, here as OpenAI gives it: `rateLimited` (429 with Retry-After),
 * `insufficientQuota` (429, the account is out of credit), `unauthorized` (401), `internal` (500), `unavailable` (503),
 * `overloaded` (529); other vendors have their own statuses and words for the same.
 * Broken connections: `hang` (no answer ever), `reset` (before the first byte), `truncated` (cut within the body),
 * `stalled` (silent within the body), `streamError` (an error event within a stream; other requests are answered).
 * Broken content, all with status 200: `malformed` (not JSON), `noChoices`, `refusal`, `contentFilter`,
 * `schemaMismatch` (prose where JSON was asked for); endpoints whose answers cannot have one of these answer as if it had not
 * befallen them.
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
 * The faults that are an error status; the vendor words them.
 *
 * @category models
 * @since 0.1.0
 */
export type StatusFault = (typeof statusFaults)[number]

const statusFaults = [
  "rateLimited",
  "insufficientQuota",
  "unauthorized",
  "internal",
  "unavailable",
  "overloaded"
] as const satisfies ReadonlyArray<FaultKind>

/**
 * Whether a fault is an error status.
 *
 * @category guards
 * @since 0.1.0
 */
export const isStatusFault = (kind: FaultKind): kind is StatusFault =>
  statusFaults.some((fault) => fault === kind)
