/**
 * `InferenceError` and the `AiError` of `effect/ai`, each as the other.
 *
 * Where the reason is one of `effect/ai`'s own it goes over unchanged; ours go over to the reason there that asks the same of
 * the caller.
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"

import type { InferenceError } from "../InferenceError.ts"
import { AttemptError } from "../provider/Provider.ts"
import type { Reason } from "../Reason.ts"
import { explain } from "../Reason.ts"

/**
 * An inference error as programs on `effect/ai` know it.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toAiError = (error: InferenceError, method: string): AiError.AiError =>
  AiError.make({ module: "infermesh", method, reason: withUsage(toAiReason(error.reason), error) })

/** An answer that did not fit was paid for, and an `AiError` has no other place to say so. */
const withUsage = (
  reason: AiError.AiErrorReason,
  { result }: InferenceError
): AiError.AiErrorReason => {
  const usage = result?.tokenUsage
  if (reason._tag !== "StructuredOutputError" || usage === undefined) return reason
  const { completionTokens, promptTokens, totalTokens } = usage
  return new AiError.StructuredOutputError({
    description: reason.description,
    responseText: reason.responseText,
    usage: { promptTokens, completionTokens, totalTokens }
  })
}

const toAiReason = (reason: Reason): AiError.AiErrorReason => {
  if (AiError.isAiErrorReason(reason)) return reason
  const description = explain(reason)
  switch (reason._tag) {
    case "InvalidInput":
      return new AiError.InvalidUserInputError({ description })
    case "TimedOut":
      return new AiError.InternalProviderError({ description })
    case "NoDeployment":
      return reason.isRetryable
        ? new AiError.InternalProviderError({ description })
        : new AiError.UnknownError({ description })
    case "BudgetExceeded":
      // This class has no words of its own for a budget that is ours and not the account's.
      return new AiError.QuotaExhaustedError({ metadata: { infermesh: { description } } })
    case "Unsupported":
    case "ContextWindowExceeded":
    case "ModelNotFound":
    case "QuotaUnsatisfiable":
      return new AiError.InvalidRequestError({ description })
    default:
      // A stream that broke is here too: what had arrived was handed out, so it must not look as if it could be tried again.
      return new AiError.UnknownError({ description })
  }
}

/**
 * The failure of a foreign language model as the failure of an attempt.
 *
 * **Details**: what can be tried again there can be tried again here.
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromAiError = (error: AiError.AiError): AttemptError => {
  const { reason } = error
  switch (reason._tag) {
    case "RateLimitError":
    case "QuotaExhaustedError":
    case "AuthenticationError":
    case "ContentPolicyError":
    case "InvalidRequestError":
    case "UnsupportedSchemaError":
      return new AttemptError({ reason, outcome: "refused" })
    case "InvalidResponseError":
    case "InternalProviderError":
    case "NetworkError":
    case "StructuredOutputError":
    case "UnknownError":
      return new AttemptError({ reason, outcome: "unknown" })
    // Found by the model's own client, before it sent anything.
    case "InvalidUserInputError":
    case "ToolConfigurationError":
    case "ToolkitRequiredError":
      return new AttemptError({
        reason: new AiError.InvalidRequestError({ description: reason.message }),
        outcome: "unsent"
      })
    default:
      return new AttemptError({
        reason: reason.isRetryable
          ? new AiError.InternalProviderError({ description: reason.message })
          : new AiError.InvalidResponseError({ description: reason.message }),
        outcome: "unknown"
      })
  }
}
