import { assert, describe, it } from "@effect/vitest"
import { statusError } from "@infermesh/core/provider/HttpFault"
import { explain, retryAfter } from "@infermesh/core/Reason"
import * as Fault from "@infermesh/providers/anthropic/Fault"
import { Duration } from "effect"

import { key } from "../FakeHttp.ts"

const fail = (status: number, body: string, headers: Record<string, string> = {}) =>
  statusError({
    status,
    headers,
    body,
    fault: Fault.classify("claude-x")(status, body),
    nowMillis: 0
  })

const error = (type: string, message: string): string =>
  JSON.stringify({ type: "error", error: { type, message }, request_id: "req_1" })

const table: ReadonlyArray<
  readonly [
    status: number,
    type: string,
    message: string,
    tag: string,
    retryable: boolean,
    outcome: string
  ]
> = [
  [
    400,
    "invalid_request_error",
    "max_tokens: must be at least 1",
    "InvalidRequestError",
    false,
    "refused"
  ],
  [
    400,
    "invalid_request_error",
    "prompt is too long: 208310 tokens > 200000 maximum",
    "ContextWindowExceeded",
    false,
    "refused"
  ],
  [
    400,
    "invalid_request_error",
    "input length and `max_tokens` exceed context limit: 199000 + 8000 > 200000",
    "ContextWindowExceeded",
    false,
    "refused"
  ],
  [
    400,
    "invalid_request_error",
    "Output blocked by content filtering policy",
    "ContentPolicyError",
    false,
    "refused"
  ],
  [
    400,
    "invalid_request_error",
    "Your credit balance is too low to access the Anthropic API.",
    "QuotaExhaustedError",
    false,
    "refused"
  ],
  [
    400,
    "invalid_request_error",
    "You have reached your specified API usage limits.",
    "QuotaExhaustedError",
    false,
    "refused"
  ],
  [401, "authentication_error", "invalid x-api-key", "AuthenticationError", false, "refused"],
  [
    402,
    "billing_error",
    "There is an issue with your billing.",
    "QuotaExhaustedError",
    false,
    "refused"
  ],
  [
    403,
    "permission_error",
    "Your API key may not use this.",
    "AuthenticationError",
    false,
    "refused"
  ],
  [404, "not_found_error", "model: claude-x", "ModelNotFound", false, "refused"],
  [404, "not_found_error", "Not Found", "InvalidRequestError", false, "refused"],
  [
    413,
    "request_too_large",
    "Request exceeds the maximum size",
    "InvalidRequestError",
    false,
    "refused"
  ],
  [
    429,
    "rate_limit_error",
    "This request would exceed your rate limit",
    "RateLimitError",
    true,
    "refused"
  ],
  [500, "api_error", "Internal server error", "InternalProviderError", true, "unknown"],
  [504, "timeout_error", "Request timed out", "InternalProviderError", true, "unknown"],
  [529, "overloaded_error", "Overloaded", "InternalProviderError", true, "refused"]
]

describe("classify", () => {
  for (const [status, type, message, tag, retryable, outcome] of table) {
    it(`reads ${status} ${type}, "${message}", as ${tag}`, () => {
      const { outcome: counted, reason } = fail(status, error(type, message))
      assert.strictEqual(reason._tag, tag)
      assert.strictEqual(reason.isRetryable, retryable)
      assert.strictEqual(counted, outcome)
      assert.notInclude(explain(reason), "\n")
    })
  }

  it("names the field that the API complains about", () => {
    const { reason } = fail(400, error("invalid_request_error", "messages.0.content: too short"))
    assert(reason._tag === "InvalidRequestError")
    assert.strictEqual(reason.parameter, "messages.0.content")
  })

  it("honours Retry-After of a limit and of an overload", () => {
    for (const [status, type] of [
      [429, "rate_limit_error"],
      [529, "overloaded_error"]
    ] as const) {
      const { reason } = fail(status, error(type, "later"), { "retry-after": "7" })
      assert.strictEqual(Duration.toMillis(retryAfter(reason) ?? Duration.zero), 7000)
    }
  })

  it("reads what stands before the API too, and never repeats a key", () => {
    const { reason } = fail(502, `<html><b>Bad gateway</b> ${key}</html>`)
    assert.strictEqual(reason._tag, "InternalProviderError")
    assert.include(explain(reason), "Bad gateway")
    assert.notInclude(explain(reason), key)
    for (const body of ["", "null", "[]", '"text"', '{"error":null}', '{"error":{"type":7}}']) {
      assert.strictEqual(fail(400, body).reason._tag, "InvalidRequestError")
    }
  })
})

describe("statusOf", () => {
  it("knows the status of every type, and takes the unknown for the provider's failure", () => {
    for (const [status, type] of table) assert.strictEqual(Fault.statusOf({ type }), status)
    for (const given of [undefined, null, "x", {}, { type: 7 }, { type: "new_error" }]) {
      assert.strictEqual(Fault.statusOf(given), 500)
    }
  })
})
