import { assert, describe, it } from "@effect/vitest"
import { fromAiError, toAiError } from "@infermesh/core/ai/AiErrors"
import { InferenceError } from "@infermesh/core/InferenceError"
import type { AttemptError } from "@infermesh/core/provider/Provider"
import * as Reason from "@infermesh/core/Reason"
import { Duration } from "effect"
import { AiError } from "effect/ai"

const description = "why"
const network = { method: "POST", url: "http://e.com", description } as const

/** Reasons of `effect/ai` that are ours as well. */
const shared: ReadonlyArray<Reason.Reason & AiError.AiErrorReason> = [
  new AiError.RateLimitError({ retryAfter: Duration.seconds(3) }),
  new AiError.QuotaExhaustedError({}),
  new AiError.AuthenticationError({ kind: "InvalidKey" }),
  new AiError.ContentPolicyError({ description }),
  new AiError.InvalidRequestError({ description }),
  new AiError.InvalidResponseError({ description }),
  new AiError.InternalProviderError({ description }),
  new AiError.NetworkError({ reason: "TransportError", ...network }),
  new AiError.StructuredOutputError({ description, responseText: "x" }),
  new AiError.UnsupportedSchemaError({ description }),
  new AiError.UnknownError({ description })
]

describe("toAiError", () => {
  const error = (reason: Reason.Reason) =>
    toAiError(new InferenceError({ operation: "generate", attempts: 1, reason }), "generateText")

  it("gives reasons of effect/ai as they are", () => {
    for (const reason of shared) {
      const { method, module, reason: given } = error(reason)
      assert.strictEqual(given, reason)
      assert.deepStrictEqual([module, method], ["infermesh", "generateText"])
    }
  })

  const ours: ReadonlyArray<readonly [Reason.Reason, AiError.AiErrorReason["_tag"]]> = [
    [new Reason.InvalidInput({ input: "messages", problem: description }), "InvalidUserInputError"],
    [new Reason.Unsupported({ provider: "p", feature: "f" }), "InvalidRequestError"],
    [new Reason.ContextWindowExceeded({ description }), "InvalidRequestError"],
    [new Reason.ModelNotFound({ model: "m", description }), "InvalidRequestError"],
    [new Reason.QuotaUnsatisfiable({ limit: "tpm", allowed: 1, needed: 2 }), "InvalidRequestError"],
    [new Reason.TimedOut({ timeout: Duration.seconds(1) }), "InternalProviderError"],
    [new Reason.DeadlineExceeded({ deadline: Duration.seconds(1) }), "UnknownError"],
    [
      new Reason.NoDeployment({ problem: "paused", retryAfter: Duration.seconds(1) }),
      "InternalProviderError"
    ],
    [new Reason.NoDeployment({ problem: "none" }), "UnknownError"],
    [new Reason.BudgetExceeded({ budget: "b", limit: 1, spent: 2 }), "QuotaExhaustedError"],
    [new Reason.StreamInterrupted({ description, text: "so far" }), "UnknownError"]
  ]
  for (const [reason, expected] of ours) {
    const retryable = reason.isRetryable ? "can" : "cannot"
    it(`gives ${reason._tag}, which ${retryable} be tried again, as ${expected}`, () => {
      const { reason: given } = error(reason)
      assert.strictEqual(given._tag, expected)
      assert.strictEqual(given.isRetryable, reason.isRetryable)
      // Nothing of our words is lost.
      assert.include(JSON.stringify(given), JSON.stringify(Reason.explain(reason)).slice(1, -1))
    })
  }
})

describe("fromAiError", () => {
  const attempt = (reason: AiError.AiErrorReason): AttemptError =>
    fromAiError(AiError.make({ module: "m", method: "generateText", reason }))

  it("gives reasons of ours as they are", () => {
    for (const reason of shared) assert.strictEqual(attempt(reason).reason, reason)
  })

  const theirs: ReadonlyArray<
    readonly [AiError.AiErrorReason, Reason.Reason["_tag"], AttemptError["outcome"]]
  > = [
    [new AiError.RateLimitError({}), "RateLimitError", "refused"],
    [new AiError.AuthenticationError({ kind: "Unknown" }), "AuthenticationError", "refused"],
    [new AiError.InternalProviderError({ description }), "InternalProviderError", "unknown"],
    [new AiError.InvalidOutputError({ description }), "InternalProviderError", "unknown"],
    [
      new AiError.ToolNotFoundError({ toolName: "t", availableTools: [] }),
      "InternalProviderError",
      "unknown"
    ],
    [
      new AiError.ToolParameterValidationError({ toolName: "t", description }),
      "InternalProviderError",
      "unknown"
    ],
    [
      new AiError.InvalidToolResultError({ toolName: "t", description }),
      "InvalidResponseError",
      "unknown"
    ],
    [
      new AiError.ToolConfigurationError({ toolName: "t", description }),
      "InvalidRequestError",
      "unsent"
    ],
    [new AiError.ToolkitRequiredError({ pendingApprovals: [] }), "InvalidRequestError", "unsent"],
    [new AiError.InvalidUserInputError({ description }), "InvalidRequestError", "unsent"]
  ]
  for (const [reason, expected, outcome] of theirs) {
    it(`gives ${reason._tag} as ${expected}, ${outcome}, and as fit to be tried again`, () => {
      const error = attempt(reason)
      assert.deepStrictEqual([error.reason._tag, error.outcome], [expected, outcome])
      assert.strictEqual(error.reason.isRetryable, reason.isRetryable)
    })
  }
})
