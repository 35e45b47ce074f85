import { assert, describe, it } from "@effect/vitest"
import { statusError } from "@infermesh/core/provider/HttpFault"
import { explain, retryAfter } from "@infermesh/core/Reason"
import * as Fault from "@infermesh/providers/gemini/Fault"
import { Duration } from "effect"

const fail = (status: number, body: unknown) => {
  const text = typeof body === "string" ? body : JSON.stringify(body)
  return statusError({
    status,
    headers: {},
    body: text,
    fault: Fault.classify("gemini-x")(status, text),
    nowMillis: 0
  })
}

const error = (
  code: number,
  status: string,
  message: string,
  details: ReadonlyArray<object> = []
) => ({ error: { code, status, message, details } })

const type = (kind: string) => `type.googleapis.com/google.rpc.${kind}`
const info = (reason: string) => ({ "@type": type("ErrorInfo"), reason })
const quota = (...ids: ReadonlyArray<string>) => ({
  "@type": type("QuotaFailure"),
  violations: ids.map((quotaId) => ({ quotaId }))
})
const retry = { "@type": type("RetryInfo"), retryDelay: "34.4s" }
const exceeded = "You exceeded your current quota, please check your plan and billing details."

const table: ReadonlyArray<
  readonly [name: string, status: number, body: unknown, tag: string, retryable: boolean]
> = [
  [
    "a bad key, although with 400",
    400,
    error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", [
      info("API_KEY_INVALID")
    ]),
    "AuthenticationError",
    false
  ],
  [
    "a bad key told in another language",
    400,
    error(400, "INVALID_ARGUMENT", "Der Schlüssel ist ungültig.", [info("API_KEY_INVALID")]),
    "AuthenticationError",
    false
  ],
  [
    "a key without permission",
    403,
    error(403, "PERMISSION_DENIED", "Your API key was reported as leaked."),
    "AuthenticationError",
    false
  ],
  [
    "a bad field",
    400,
    error(400, "INVALID_ARGUMENT", "Invalid JSON payload received. Unknown name"),
    "InvalidRequestError",
    false
  ],
  [
    "a region without the service",
    400,
    error(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
    "InvalidRequestError",
    false
  ],
  [
    "a prompt that is too long",
    400,
    error(
      400,
      "INVALID_ARGUMENT",
      "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
    ),
    "ContextWindowExceeded",
    false
  ],
  [
    "an unknown model",
    404,
    error(404, "NOT_FOUND", "models/gemini-x is not found for API version v1beta"),
    "ModelNotFound",
    false
  ],
  [
    "a minute's quota",
    429,
    error(429, "RESOURCE_EXHAUSTED", exceeded, [
      quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier"),
      retry
    ]),
    "RateLimitError",
    true
  ],
  [
    "a day's quota, although a minute's is named beside it",
    429,
    error(429, "RESOURCE_EXHAUSTED", exceeded, [
      quota(
        "GenerateContentInputTokensPerModelPerMinute-FreeTier",
        "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
      ),
      retry
    ]),
    "QuotaExhaustedError",
    false
  ],
  [
    "a model outside the plan",
    429,
    error(429, "RESOURCE_EXHAUSTED", `${exceeded} * Quota exceeded for metric: x, limit: 0`),
    "QuotaExhaustedError",
    false
  ],
  [
    "an account without billing",
    403,
    error(403, "PERMISSION_DENIED", "denied", [info("BILLING_DISABLED")]),
    "QuotaExhaustedError",
    false
  ],
  [
    "spent credit",
    429,
    error(429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."),
    "QuotaExhaustedError",
    false
  ],
  [
    "a limit without details",
    429,
    error(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
    "RateLimitError",
    true
  ],
  [
    "a failure",
    500,
    error(500, "INTERNAL", "An internal error has occurred."),
    "InternalProviderError",
    true
  ],
  [
    "an overload",
    503,
    error(503, "UNAVAILABLE", "The model is overloaded."),
    "InternalProviderError",
    true
  ],
  [
    "a list, as streams send it",
    503,
    [error(503, "UNAVAILABLE", "The model is overloaded.")],
    "InternalProviderError",
    true
  ]
]

describe("classify", () => {
  for (const [name, status, body, tag, retryable] of table) {
    it(`reads ${name} as ${tag}`, () => {
      const { reason } = fail(status, body)
      assert.strictEqual(reason._tag, tag)
      assert.strictEqual(reason.isRetryable, retryable)
    })
  }

  it("finds when to come back in the details, else in the words", () => {
    const told = (body: unknown) =>
      Duration.toMillis(retryAfter(fail(429, body).reason) ?? Duration.zero)
    assert.strictEqual(told(error(429, "RESOURCE_EXHAUSTED", exceeded, [retry])), 34_400)
    assert.strictEqual(
      told(error(429, "RESOURCE_EXHAUSTED", `${exceeded} Please retry in 11.5s.`)),
      11_500
    )
    assert.strictEqual(told(error(429, "RESOURCE_EXHAUSTED", exceeded)), 0)
  })

  it("names the field that the API complains about", () => {
    const violation = { "@type": type("BadRequest"), fieldViolations: [{ field: "contents" }] }
    const { reason } = fail(400, error(400, "INVALID_ARGUMENT", "bad", [violation]))
    assert(reason._tag === "InvalidRequestError")
    assert.strictEqual(reason.parameter, "contents")
  })

  it("reads what stands before the API too, and never repeats a key", () => {
    const secret = ["AIza", "Sy0123456789abcdefghijk"].join("")
    const { reason } = fail(502, `<html><b>Bad gateway</b> ${secret}</html>`)
    assert.include(explain(reason), "Bad gateway")
    assert.notInclude(explain(reason), secret)
    for (const body of ["", "null", "[]", '"text"', '{"error":null}', '{"error":{"details":7}}']) {
      assert.strictEqual(fail(400, body).reason._tag, "InvalidRequestError")
    }
  })
})

describe("statusOf", () => {
  it("takes the number, else the name, else the provider's failure", () => {
    assert.strictEqual(Fault.statusOf({ code: 429, status: "UNAVAILABLE" }), 429)
    assert.strictEqual(Fault.statusOf({ status: "RESOURCE_EXHAUSTED" }), 429)
    for (const given of [undefined, null, "x", {}, { code: 200 }, { status: "NEW" }]) {
      assert.strictEqual(Fault.statusOf(given), 500)
    }
  })
})
