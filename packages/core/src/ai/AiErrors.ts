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
  AiError.make({ module: "infermesh", method, reason: toAiReason(error.reason) })

const toAiReason = (reason: Reason): AiError.AiErrorReason => {
  if (AiError.isAiErrorReason(reason)) return reason
  const description = explain(reason)
  switch (reason._tag) {
    case "InvalidInput":
      return new AiError.InvalidUserInputError({ description })
    case "TimedOut":
    case "NoDeployment":
      return new AiError.InternalProviderError({ description })
    case "StreamInterrupted":
      return new AiError.NetworkError({
        reason: "TransportError",
        method: "POST",
        url: "",
        description
      })
    case "BudgetExceeded":
      return new AiError.QuotaExhaustedError({})
    case "Unsupported":
    case "ContextWindowExceeded":
    case "ModelNotFound":
    case "QuotaUnsatisfiable":
      return new AiError.InvalidRequestError({ description })
    default:
      return new AiError.UnknownError({ description })
  }
}

/**
 * The failure of a foreign language model as the failure of an attempt.
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
    default:
      return new AttemptError({
        reason: new AiError.InvalidResponseError({ description: reason.message }),
        outcome: "unknown"
      })
  }
}
