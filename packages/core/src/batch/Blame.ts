/**
 * Whether a failed embedding request can be the fault of one of its texts, or would meet every text alike.
 *
 * The first is worth trying the texts apart; the second is not, and while nothing has succeeded it is not worth sending the
 * rest. Whatever is neither (a time-out, an overloaded provider) has been retried as far as retrying goes.
 *
 * @since 0.1.0
 */
import type { InferenceError } from "../InferenceError.ts"
import { isUnusable } from "../operation/EmbedFault.ts"

/** Statuses of requests that are refused for what is in them (RFC 9110, sections 15.5.1, 15.5.14 and 15.5.21). */
const forContent = new Set<number | undefined>([undefined, 400, 413, 422])

/** Names that providers give to the field of the texts, in whole or in part: `input`, `$.input`, `requests[3].content`. */
const textField = /input|text|content|request/i

/**
 * Whether a failure can be the fault of one text among several.
 *
 * @category guards
 * @since 0.1.0
 */
export const isOneTexts = ({ reason }: InferenceError): boolean => {
  switch (reason._tag) {
    case "InvalidRequestError":
      // An address that is no endpoint's and an option that the model has not are refused with every text.
      return (
        forContent.has(reason.http?.response?.status) &&
        (reason.parameter === undefined || textField.test(reason.parameter))
      )
    case "ContextWindowExceeded":
    case "ContentPolicyError":
    case "QuotaUnsatisfiable":
      return true
    default:
      return isUnusable(reason)
  }
}

/**
 * Whether every further request of the batch would fail in the same way. Where there are several deployments, the next one
 * may do better.
 *
 * @category guards
 * @since 0.1.0
 */
export const isEverybodys = ({ deployment, reason }: InferenceError): boolean => {
  if (deployment !== undefined) return false
  switch (reason._tag) {
    case "AuthenticationError":
    case "ModelNotFound":
    case "QuotaExhaustedError":
      return true
    default:
      return reason._tag === "InvalidRequestError" && reason.http?.response?.status === 404
  }
}
