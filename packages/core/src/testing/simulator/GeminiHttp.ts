/**
 * What all Gemini endpoints share over HTTP: the key, the error body, the path that names model and method.
 *
 * It tells of no limits in headers, and of the time to come back only in the body of an error, as the API does.
 *
 * **Source**: Gemini API documentation, "API reference" (read November 2026), recorded error bodies.
 *
 * @since 0.1.0
 */
import type { SimulatedRequest } from "./Exchange.ts"
import * as GeminiError from "./GeminiError.ts"
import type { Vendor, WireError } from "./Vendor.ts"

const address = /^\/v1(?:beta)?\/models\/([^/:]+):([a-zA-Z]+)$/

/**
 * Whether a request is a POST to one of these methods of a model.
 *
 * @category guards
 * @since 0.1.0
 */
export const isMethod =
  (...methods: ReadonlyArray<string>) =>
  (httpMethod: string, path: string): boolean =>
    httpMethod === "POST" && methods.includes(address.exec(path)?.[2] ?? "")

/**
 * The model and the method that a path names.
 *
 * @category getters
 * @since 0.1.0
 */
export const target = (
  request: SimulatedRequest
): { readonly model: string; readonly method: string } => {
  const [, model = "", method = ""] = address.exec(request.path.split("?", 1)[0] ?? "") ?? []
  return { model: decodeURIComponent(model), method }
}

/**
 * A parameter of the query.
 *
 * @category getters
 * @since 0.1.0
 */
export const parameter = (request: SimulatedRequest, name: string): string | undefined =>
  new URLSearchParams(request.path.split("?")[1] ?? "").get(name) ?? undefined

/**
 * What follows in a stream that had begun, when the server fails.
 *
 * @category encoding
 * @since 0.1.0
 */
export const errorEvents = (error: WireError): ReadonlyArray<string> => [
  `data: ${JSON.stringify(payloadOf(error))}\n\n`
]

const payloadOf = ({ details = [], message, retryAfterMillis, status, type }: WireError) => {
  const retry =
    retryAfterMillis === undefined
      ? []
      : [
          {
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            retryDelay: `${retryAfterMillis / 1000}s`
          }
        ]
  const all = [...details, ...retry]
  return {
    error: { code: status, message, status: type, ...(all.length > 0 && { details: all }) }
  }
}

/**
 * The vendor Google, as far as its Gemini API goes.
 *
 * @category vendors
 * @since 0.1.0
 */
export const vendor: Vendor = {
  apiKey: (request) => request.headers["x-goog-api-key"] ?? parameter(request, "key"),
  headers: ({ processingMillis }) => ({
    "server-timing": `gfet4t7; dur=${processingMillis}`,
    "x-content-type-options": "nosniff"
  }),
  errorBody: (error) => JSON.stringify(payloadOf(error), undefined, 2),
  unknownUrl: GeminiError.unknownUrl,
  wrongKey: GeminiError.wrongKey,
  modelNotFound: GeminiError.modelNotFound,
  overQuota: GeminiError.overQuota,
  faults: GeminiError.faults
}
