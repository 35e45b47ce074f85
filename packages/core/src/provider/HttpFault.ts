/**
 * What a failed HTTP exchange means: from status, headers and the vendor's words (the fault) to a reason.
 *
 * Generic HTTP knowledge only. A vendor's codes are read by its own package, which hands over a `Fault`; where that already
 * names a reason, the status is not asked.
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"
import * as Duration from "effect/Duration"
import type * as HttpClientError from "effect/http/HttpClientError"

import type { Reason } from "../Reason.ts"
import { AttemptError } from "./Provider.ts"
import type { Headers } from "./ResponseHeaders.ts"
import * as ResponseHeaders from "./ResponseHeaders.ts"

/**
 * A vendor's wording of an error.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fault {
  readonly message: string | undefined
  /** The parameter the vendor complains about. */
  readonly parameter?: string | undefined
  /** When to come back, where the vendor says so in the body. */
  readonly retryAfter?: Duration.Duration | undefined
  /** The reason, where the vendor's code says more than the status. */
  readonly make?:
    | ((description: string, http: typeof AiError.HttpContext.Type) => Reason)
    | undefined
}

/** Longest piece of a response body kept in a reason, in characters. */
const maxBodyCharacters = 500

/** Headers worth keeping in a reason: they say what the provider counted, and none of them is a secret. */
const keptHeaders =
  /^(retry-after|x-request-id|request-id|x-ratelimit-|anthropic-ratelimit-|ratelimit)/

/**
 * The failure of an exchange that was answered with a bad status.
 *
 * @category constructors
 * @since 0.1.0
 */
export const statusError = (options: {
  readonly status: number
  readonly headers: Headers
  readonly body: string
  readonly fault: Fault
  readonly nowMillis: number
}): AttemptError => {
  const { status, headers, body, fault, nowMillis } = options
  const http = {
    response: {
      status,
      headers: Object.fromEntries(
        Object.entries(headers).filter((entry): entry is [string, string] =>
          keptHeaders.test(entry[0])
        )
      )
    },
    body: scrub(body).slice(0, maxBodyCharacters)
  }
  return new AttemptError({
    reason: statusReason(
      status,
      http,
      fault,
      fault.retryAfter ?? ResponseHeaders.retryAfter(headers, nowMillis)
    ),
    // A server that broke while working may have done the work; one that refused has not.
    outcome: status >= 500 && status !== 503 && status !== 529 ? "unknown" : "refused",
    requestId: ResponseHeaders.requestId(headers),
    rateLimits: ResponseHeaders.rateLimits(headers, nowMillis)
  })
}

const statusReason = (
  status: number,
  http: typeof AiError.HttpContext.Type,
  fault: Fault,
  retryAfter: Duration.Duration | undefined
): Reason => {
  const description = scrub(fault.message ?? `HTTP ${status}`)
  if (fault.make !== undefined) return fault.make(description, http)
  switch (status) {
    case 401:
      return new AiError.AuthenticationError({ kind: "InvalidKey", description, http })
    case 403:
      return new AiError.AuthenticationError({ kind: "InsufficientPermissions", description, http })
    case 402:
      return new AiError.QuotaExhaustedError({ http })
    case 429:
      return new AiError.RateLimitError({ retryAfter, http })
    // Time-out, conflict and too early: the same request may pass the next time.
    case 408:
    case 409:
    case 425:
      return transient(description, http, retryAfter)
    case 501:
      return new AiError.InvalidRequestError({ description, http })
    default:
      return status >= 500
        ? transient(description, http, retryAfter)
        : new AiError.InvalidRequestError({
            description:
              status === 404 ? `${description} (HTTP 404: check the base URL)` : description,
            ...(fault.parameter === undefined ? {} : { parameter: fault.parameter }),
            http
          })
  }
}

/** `InternalProviderError` has no field for Retry-After; `Reason.retryAfter` finds it in the metadata. */
const transient = (
  description: string,
  http: typeof AiError.HttpContext.Type,
  retryAfter: Duration.Duration | undefined
): Reason =>
  new AiError.InternalProviderError({
    description,
    http,
    metadata:
      retryAfter === undefined
        ? {}
        : { infermesh: { retryAfterMillis: Duration.toMillis(retryAfter) } }
  })

/** Failures that happen before a byte of the request has left: nothing can have been counted. */
const neverSent =
  /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|CERT_|SELF_SIGNED/

/**
 * The failure of an exchange that got no whole answer.
 *
 * @category constructors
 * @since 0.1.0
 */
export const networkError = (error: HttpClientError.HttpClientError): AttemptError => {
  const { request } = error.reason
  const kind =
    error.reason._tag === "EncodeError" || error.reason._tag === "InvalidUrlError"
      ? error.reason._tag
      : "TransportError"
  const detail = causeChain(error)
  return new AttemptError({
    reason: new AiError.NetworkError({
      reason: kind,
      method: request.method,
      url: publicUrl(request.url),
      // The error itself is not kept as a cause: it holds the request, and with it the key.
      description: scrub(detail)
    }),
    outcome: kind !== "TransportError" || neverSent.test(detail) ? "unsent" : "unknown"
  })
}

/** The messages and codes down the chain of causes, shortest first words last: `fetch failed: ECONNREFUSED 127.0.0.1:1`. */
const causeChain = (error: unknown): string => {
  const parts: Array<string> = []
  let current: unknown = error
  for (let depth = 0; depth < 5 && typeof current === "object" && current !== null; depth++) {
    const { cause, code, description, message, reason } = current as Record<string, unknown>
    if (typeof reason === "object" && reason !== null) {
      current = reason
      continue
    }
    for (const part of [code, description ?? message]) {
      if (typeof part === "string" && part !== "" && !parts.some((known) => known.includes(part)))
        parts.push(part)
    }
    current = cause
  }
  return parts.length === 0 ? "no details" : parts.join(": ")
}

/** A URL without user, password and query, any of which may hold a key. */
export const publicUrl = (url: string): string => {
  const parsed = URL.parse(url)
  // `localhost:8000` is a URL too, of a scheme that has no origin.
  return parsed === null || parsed.origin === "null"
    ? url.replace(/\?.*$/s, "").replace(/\/\/[^/]*@/, "//")
    : `${parsed.origin}${parsed.pathname}`
}

const secret = /(?:bearer\s+|\b(?:sk|pk|rk|gsk|xai|key|AIza)[-_]?)[A-Za-z0-9_*.-]{8,}/gi

/** Vendors echo keys in their messages; ours must not. */
const scrub = (text: string): string => text.replaceAll(secret, "[redacted]")
