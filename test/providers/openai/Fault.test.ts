import { assert, describe, it } from "@effect/vitest"
import { statusError } from "@infermesh/core/provider/HttpFault"
import { explain, retryAfter } from "@infermesh/core/Reason"
import * as Fault from "@infermesh/providers/openai/Fault"
import { Duration } from "effect"

import { key } from "../FakeHttp.ts"

const fail = (status: number, body: string, headers: Record<string, string> = {}) =>
  statusError({
    status,
    headers,
    body,
    fault: Fault.classify("m")(status, body),
    nowMillis: 0
  })

const openai = (message: string, type: string, code: string | null, param: string | null = null) =>
  JSON.stringify({ error: { message, type, param, code } })

/** Bodies in the form in which the vendors' references and issue trackers show them. */
const table: ReadonlyArray<readonly [vendor: string, status: number, body: string, tag: string]> = [
  [
    "OpenAI, a wrong key",
    401,
    openai(`Incorrect API key provided: ${key}.`, "invalid_request_error", "invalid_api_key"),
    "AuthenticationError"
  ],
  [
    "OpenAI, another's project",
    403,
    openai("You are not allowed to do this.", "invalid_request_error", null),
    "AuthenticationError"
  ],
  [
    "OpenAI, an unknown model",
    404,
    openai(
      "The model `gpt-9` does not exist or you do not have access to it.",
      "invalid_request_error",
      "model_not_found"
    ),
    "ModelNotFound"
  ],
  [
    "OpenAI, a parameter",
    400,
    openai("Invalid value: 'x'.", "invalid_request_error", "invalid_value", "reasoning_effort"),
    "InvalidRequestError"
  ],
  [
    "OpenAI, too long a prompt",
    400,
    openai(
      "This model's maximum context length is 128000 tokens.",
      "invalid_request_error",
      "context_length_exceeded",
      "messages"
    ),
    "ContextWindowExceeded"
  ],
  [
    "OpenAI, a flagged prompt",
    400,
    openai(
      "Invalid prompt: your prompt was flagged as potentially violating our usage policy.",
      "invalid_request_error",
      "invalid_prompt"
    ),
    "ContentPolicyError"
  ],
  [
    "OpenAI, a rate limit that advertises a plan",
    429,
    openai(
      "Rate limit reached for gpt-4.1 on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s. You can increase your rate limit by adding a payment method to your account at https://platform.openai.com/account/billing.",
      "requests",
      "rate_limit_exceeded"
    ),
    "RateLimitError"
  ],
  [
    "OpenAI, a spent account",
    429,
    openai(
      "You exceeded your current quota, please check your plan and billing details.",
      "insufficient_quota",
      "insufficient_quota"
    ),
    "QuotaExhaustedError"
  ],
  [
    "OpenAI, trouble of its own",
    500,
    openai("The server had an error", "server_error", null),
    "InternalProviderError"
  ],
  [
    "OpenAI, overload",
    503,
    openai("The engine is currently overloaded", "service_unavailable", null),
    "InternalProviderError"
  ],
  [
    "Azure, filtered content",
    400,
    '{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI\'s content management policy.","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":true,"severity":"high"}}}}}',
    "ContentPolicyError"
  ],
  [
    "Azure, no such deployment",
    404,
    '{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}',
    "ModelNotFound"
  ],
  [
    "vLLM, an unknown model",
    404,
    '{"error":{"message":"The model `x` does not exist.","type":"NotFoundError","param":"model","code":404}}',
    "ModelNotFound"
  ],
  [
    "vLLM of old, without a field around it",
    400,
    '{"object":"error","message":"This model\'s maximum context length is 4096 tokens. However, you requested 5000 tokens.","type":"BadRequestError","param":null,"code":400}',
    "ContextWindowExceeded"
  ],
  [
    "SGLang, too long a prompt",
    400,
    '{"object":"error","message":"The input (5000 tokens) is longer than the model\'s context length (4096 tokens).","type":"BadRequestError","param":null,"code":400}',
    "ContextWindowExceeded"
  ],
  [
    "llama.cpp, too long a prompt",
    400,
    '{"error":{"code":400,"message":"the request exceeds the available context size, try increasing it","type":"exceed_context_size_error","n_prompt_tokens":5000,"n_ctx":4096}}',
    "ContextWindowExceeded"
  ],
  [
    "llama.cpp, still loading",
    503,
    '{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}',
    "InternalProviderError"
  ],
  [
    "Ollama, an unknown model",
    404,
    '{"error":{"message":"model \\"x\\" not found, try pulling it first","type":"not_found_error","param":null,"code":null}}',
    "ModelNotFound"
  ],
  [
    "LM Studio, too long a prompt",
    400,
    '{"error":"Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough."}',
    "ContextWindowExceeded"
  ],
  [
    "Groq, a request above the limit of a minute",
    413,
    openai(
      "Request too large for model `x` on tokens per minute (TPM): Limit 6000, Requested 7000",
      "tokens",
      "rate_limit_exceeded"
    ),
    "InvalidRequestError"
  ],
  [
    "Groq, a model without JSON",
    400,
    openai("Failed to generate JSON.", "invalid_request_error", "json_validate_failed"),
    "InvalidRequestError"
  ],
  [
    "DeepSeek, a spent account",
    402,
    openai("Insufficient Balance", "unknown_error", "invalid_request_error"),
    "QuotaExhaustedError"
  ],
  [
    "DeepSeek, refused content",
    400,
    openai("Content Exists Risk", "invalid_request_error", "invalid_request_error"),
    "ContentPolicyError"
  ],
  [
    "DeepSeek, an unknown model",
    400,
    openai("Model Not Exist", "invalid_request_error", "invalid_request_error"),
    "ModelNotFound"
  ],
  [
    "Mistral, an unknown model",
    400,
    '{"object":"error","message":"Invalid model: x","type":"invalid_model","param":null,"code":"1500"}',
    "ModelNotFound"
  ],
  ["Mistral, a wrong key", 401, '{"detail":"Unauthorized"}', "AuthenticationError"],
  [
    "Mistral, too long a prompt",
    400,
    '{"object":"error","message":"Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length","type":"invalid_request_prompt","param":null,"code":"3051"}',
    "ContextWindowExceeded"
  ],
  [
    "xAI, a wrong key with status 400",
    400,
    `{"code":"Client specified an invalid argument","error":"Incorrect API key provided: ${key}. You can obtain an API key from https://console.x.ai."}`,
    "AuthenticationError"
  ],
  [
    "xAI, a spent account",
    429,
    '{"code":"Some resource has been exhausted","error":"Your team has either used all available credits or reached its monthly spending limit."}',
    "QuotaExhaustedError"
  ],
  [
    "xAI, too long a prompt",
    400,
    '{"code":"Client specified an invalid argument","error":"This model\'s maximum prompt length is 131072 but the request contains 200000 tokens."}',
    "ContextWindowExceeded"
  ],
  [
    "xAI, refused content",
    403,
    '{"code":"The caller does not have permission to execute the specified operation","error":"Content violates usage guidelines. Team: t, API key ID: k, Model: x, Failed check: SAFETY_CHECK_TYPE"}',
    "ContentPolicyError"
  ],
  [
    "OpenRouter, a spent account",
    402,
    '{"error":{"message":"Insufficient credits. Add more using https://openrouter.ai/settings/credits","code":402}}',
    "QuotaExhaustedError"
  ],
  [
    "OpenRouter, the limit of free models",
    429,
    '{"error":{"message":"Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day","code":429}}',
    "RateLimitError"
  ],
  [
    "OpenRouter, refused content",
    403,
    '{"error":{"code":403,"message":"Your chosen model requires moderation and your input was flagged","metadata":{"reasons":["violence"],"flagged_input":"…"}}}',
    "ContentPolicyError"
  ],
  [
    "OpenRouter, what a provider said",
    400,
    '{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\\"error\\":{\\"message\\":\\"maximum context length is 8192 tokens\\"}}","provider_name":"X"}}}',
    "ContextWindowExceeded"
  ],
  [
    "OpenRouter, an unknown model",
    400,
    '{"error":{"message":"x/y is not a valid model ID","code":400}}',
    "ModelNotFound"
  ],
  [
    "Together, an unknown model",
    404,
    '{"id":"o","error":{"message":"Unable to access model x. Please visit https://api.together.ai/models","type":"invalid_request_error","param":null,"code":"model_not_available"}}',
    "ModelNotFound"
  ],
  [
    "Together, too long a prompt",
    422,
    '{"error":{"message":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000 `inputs` tokens and 10 `max_new_tokens`","type":"invalid_request_error"}}',
    "ContextWindowExceeded"
  ],
  [
    "Fireworks, an unknown model",
    404,
    '{"error":{"object":"error","type":"NOT_FOUND","code":"NOT_FOUND","message":"Model not found, inaccessible, and/or not deployed"}}',
    "ModelNotFound"
  ],
  [
    "Fireworks, a suspended account",
    412,
    '{"error":"Account x is suspended, possibly due to reaching the monthly spending limit or failure to pay past invoices."}',
    "QuotaExhaustedError"
  ],
  [
    "Cerebras, too many requests",
    429,
    '{"message":"Requests per minute limit exceeded - too many requests sent.","type":"too_many_requests_error","param":"quota","code":"request_quota_exceeded"}',
    "RateLimitError"
  ],
  [
    "Hugging Face, a spent month",
    402,
    '{"error":"You have exceeded your monthly included credits for Inference Providers. Subscribe to PRO to get more."}',
    "QuotaExhaustedError"
  ],
  [
    "Hugging Face, an unknown model",
    400,
    '{"error":{"message":"The requested model \'x/y\' does not exist","type":"invalid_request_error","param":"model","code":"model_not_found"}}',
    "ModelNotFound"
  ],
  ["a gateway's page", 502, "<html>\n<h1>502 Bad Gateway</h1>\n</html>", "InternalProviderError"],
  ["nothing", 404, "", "InvalidRequestError"],
  ["a list", 400, '[{"error":{"message":"bad","code":400}}]', "InvalidRequestError"]
]

describe("classify", () => {
  for (const [vendor, status, body, tag] of table) {
    it(`gives ${vendor} (${status}) as ${tag}, on one line and without the key`, () => {
      const { outcome, reason } = fail(status, body)
      assert.strictEqual(reason._tag, tag)
      assert.strictEqual(outcome, status === 500 || status === 502 ? "unknown" : "refused")
      assert.notMatch(explain(reason), /\n/)
      assert.notInclude(explain(reason) + JSON.stringify(reason), key)
    })
  }

  it("names the parameter that a vendor complains about, also where a validator lists places", () => {
    const bodies: ReadonlyArray<readonly [body: string, parameter: string, said: string]> = [
      [openai("no", "invalid_request_error", null, "n"), "n", "no"],
      [
        '{"detail":[{"type":"extra_forbidden","loc":["body","seed"],"msg":"Extra inputs are not permitted"}]}',
        "seed",
        "seed: Extra inputs are not permitted"
      ],
      [
        '{"object":"error","message":{"detail":[{"type":"missing","loc":["body","messages",0,"content"],"msg":"Field required"},{"loc":["body"],"msg":"bad"}]},"type":"invalid_request_error","param":null,"code":null}',
        "messages.0.content",
        "messages.0.content: Field required; bad"
      ]
    ]
    for (const [body, parameter, said] of bodies) {
      const { reason } = fail(422, body)
      assert(reason._tag === "InvalidRequestError")
      assert.deepStrictEqual([reason.parameter, reason.description], [parameter, said])
    }
  })

  it("says what a router's provider said", () => {
    const { reason } = fail(
      400,
      '{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"no tools here"}}}'
    )
    assert.include(explain(reason), "Provider returned error: no tools here")
  })

  it("comes back when the vendor says, be it in a header or as a date", () => {
    const after = (headers: Record<string, string>) => {
      const { reason } = fail(429, openai("slow", "requests", "rate_limit_exceeded"), headers)
      const wait = retryAfter(reason)
      return wait === undefined ? undefined : Duration.toSeconds(wait)
    }
    assert.strictEqual(after({ "retry-after": "7" }), 7)
    assert.strictEqual(after({ "retry-after": "7", "retry-after-ms": "1500" }), 1.5)
    assert.strictEqual(after({ "retry-after": "Thu, 01 Jan 1970 00:00:30 GMT" }), 30)
    assert.isUndefined(after({}))
  })
})

describe("statusOf", () => {
  it("knows the status of errors that come inside a good response", () => {
    const statuses: ReadonlyArray<readonly [error: unknown, status: number]> = [
      [{ code: 429, message: "slow down" }, 429],
      [{ code: "502" }, 502],
      [{ message: "x", status: 503 }, 503],
      [{ code: "rate_limit_exceeded" }, 429],
      [{ type: "insufficient_quota" }, 429],
      [{ type: "authentication_error" }, 401],
      [{ code: "invalid_api_key", type: "invalid_request_error" }, 401],
      [{ type: "overloaded_error" }, 503],
      [{ type: "BadRequestError" }, 400],
      [{ type: "NotFoundError" }, 400],
      [{ code: "content_filter" }, 400],
      [{ code: "context_length_exceeded" }, 400],
      [{ type: "server_error" }, 500],
      [{ type: "InternalServerError" }, 500],
      ["out of memory", 500],
      [null, 500]
    ]
    for (const [error, status] of statuses) {
      assert.strictEqual(Fault.statusOf(error), status, JSON.stringify(error))
    }
  })
})
