/**
 * What all Anthropic endpoints share over HTTP: the key, the error body, the rate-limit headers.
 *
 * **Details**: the API rounds remaining tokens to thousands; here they are exact, so that small quotas can be tested.
 *
 * **Source**: Claude documentation, "API overview", "Errors" and "Rate limits" (read November 2026).
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"

import * as AnthropicError from "./AnthropicError.ts"
import type { LimitReport, QuotaReport } from "./ServerQuota.ts"
import type { ResponseFacts, Vendor, WireError } from "./Vendor.ts"

/**
 * An event of a stream: its name is the type of its payload.
 *
 * @category encoding
 * @since 0.1.0
 */
export const event = (payload: { readonly type: string }): string =>
  `event: ${payload.type}\ndata: ${JSON.stringify(payload)}\n\n`

/**
 * What follows in a stream that had begun, when the server fails.
 *
 * @category encoding
 * @since 0.1.0
 */
export const errorEvents = (error: WireError): ReadonlyArray<string> => [event(payloadOf(error))]

const payloadOf = ({ message, type }: WireError) => ({ type: "error", error: { type, message } })

const headers = (facts: ResponseFacts): { readonly [name: string]: string } => {
  const fields: Record<string, string> = {
    "request-id": facts.requestId,
    "anthropic-organization-id": "org-simulator"
  }
  const { limits, nowMillis, retryAfterMillis } = facts
  addLimit(fields, "requests", limits.requests, nowMillis)
  addLimit(fields, "input-tokens", limits.inputTokens, nowMillis)
  addLimit(fields, "output-tokens", limits.outputTokens, nowMillis)
  addLimit(fields, "tokens", tightest(limits), nowMillis)
  if (retryAfterMillis !== undefined) {
    fields["retry-after"] = String(Math.ceil(retryAfterMillis / 1000))
  }
  return fields
}

/** Without a limit of tokens in all, the headers about tokens tell of the one with fewest left. */
const tightest = ({ inputTokens, outputTokens, tokens }: QuotaReport): LimitReport | undefined =>
  [tokens, inputTokens, outputTokens]
    .filter((report) => report !== undefined)
    .reduce<LimitReport | undefined>(
      (least, report) =>
        least === undefined || (tokens === undefined && report.remaining < least.remaining)
          ? report
          : least,
      undefined
    )

const addLimit = (
  fields: Record<string, string>,
  kind: string,
  report: LimitReport | undefined,
  nowMillis: number
): void => {
  if (report === undefined) return
  fields[`anthropic-ratelimit-${kind}-limit`] = String(report.limit)
  fields[`anthropic-ratelimit-${kind}-remaining`] = String(report.remaining)
  fields[`anthropic-ratelimit-${kind}-reset`] = instant(nowMillis + report.resetMillis)
}

/** A time as RFC 3339 in whole seconds; a little late rather than early. */
const instant = (millis: number): string =>
  DateTime.formatIso(DateTime.makeUnsafe(Math.ceil(millis / 1000) * 1000)).replace(".000Z", "Z")

/**
 * The vendor Anthropic.
 *
 * @category vendors
 * @since 0.1.0
 */
export const vendor: Vendor = {
  apiKey: (request) => request.headers["x-api-key"],
  headers,
  errorBody: (error, requestId) => JSON.stringify({ ...payloadOf(error), request_id: requestId }),
  unknownUrl: AnthropicError.unknownUrl,
  wrongKey: AnthropicError.wrongKey,
  modelNotFound: AnthropicError.modelNotFound,
  overQuota: AnthropicError.overQuota,
  faults: AnthropicError.faults
}
