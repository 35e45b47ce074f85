/**
 * What all OpenAI endpoints share over HTTP: the bearer key, the error body, the rate-limit headers.
 *
 * **Source**: OpenAI API reference, "Debugging requests", "Rate limits" and "Error codes" (read November 2026).
 *
 * @since 0.1.0
 */
import { duration } from "./OpenAiDuration.ts"
import * as OpenAiRefusal from "./OpenAiRefusal.ts"
import type { LimitReport } from "./ServerQuota.ts"
import type { ResponseFacts, Vendor, WireError } from "./Vendor.ts"

/**
 * Whether a request is a POST to an endpoint, such as `/embeddings`, with `/v1` before it or not.
 *
 * @category guards
 * @since 0.1.0
 */
export const isPost = (endpoint: string) => {
  const versioned = `/v1${endpoint}`
  return (method: string, path: string): boolean =>
    method === "POST" && (path === versioned || path === endpoint)
}

/**
 * What follows in a stream that had begun, when the server fails.
 *
 * @category encoding
 * @since 0.1.0
 */
export const errorEvents = ({ code, message, param, type }: WireError): ReadonlyArray<string> => [
  `data: ${JSON.stringify({ error: { message, type, param, code } })}\n\n`
]

const headers = (facts: ResponseFacts): { readonly [name: string]: string } => {
  const fields: Record<string, string> = {
    "x-request-id": facts.requestId,
    "openai-processing-ms": String(facts.processingMillis),
    "openai-version": "2020-10-01"
  }
  // Limits that are not enforced are not mentioned.
  addLimit(fields, "requests", facts.limits.requests)
  addLimit(fields, "tokens", facts.limits.tokens)
  if (facts.retryAfterMillis !== undefined) {
    fields["retry-after"] = String(Math.ceil(facts.retryAfterMillis / 1000))
    fields["retry-after-ms"] = String(Math.ceil(facts.retryAfterMillis))
  }
  return fields
}

const addLimit = (
  fields: Record<string, string>,
  kind: "requests" | "tokens",
  report: LimitReport | undefined
): void => {
  if (report === undefined) return
  fields[`x-ratelimit-limit-${kind}`] = String(report.limit)
  fields[`x-ratelimit-remaining-${kind}`] = String(report.remaining)
  fields[`x-ratelimit-reset-${kind}`] = duration(report.resetMillis)
}

/**
 * The vendor OpenAI.
 *
 * @category vendors
 * @since 0.1.0
 */
export const vendor: Vendor = {
  apiKey: (request) => /^bearer\s+(\S+)\s*$/i.exec(request.headers["authorization"] ?? "")?.[1],
  headers,
  errorBody: ({ code, message, param, type }) =>
    JSON.stringify({ error: { message, type, param, code } }, undefined, 2),
  unknownUrl: OpenAiRefusal.unknownUrl,
  wrongKey: OpenAiRefusal.wrongKey,
  modelNotFound: OpenAiRefusal.modelNotFound,
  overQuota: OpenAiRefusal.overQuota,
  faults: OpenAiRefusal.faults
}
