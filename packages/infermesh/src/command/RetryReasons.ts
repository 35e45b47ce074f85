/**
 * What `--resume` and `--retry-failed` ask again.
 *
 * @since 0.1.0
 */
import type { Reason } from "@infermesh/core/Reason"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

import { WrongUsage } from "../ExitCode.ts"
import { everyReason } from "../flag/Resume.ts"

/** Every reason there is, so that a misspelt one is found; the type keeps the list whole. */
const known: { readonly [R in Reason["_tag"]]: true } = {
  AuthenticationError: true,
  BudgetExceeded: true,
  ContentPolicyError: true,
  ContextWindowExceeded: true,
  DeadlineExceeded: true,
  FallbacksExhausted: true,
  InternalProviderError: true,
  InvalidInput: true,
  InvalidRequestError: true,
  InvalidResponseError: true,
  ModelNotFound: true,
  NetworkError: true,
  NoDeployment: true,
  QuotaExhaustedError: true,
  QuotaUnsatisfiable: true,
  RateLimitError: true,
  StreamInterrupted: true,
  StructuredOutputError: true,
  TimedOut: true,
  UnknownError: true,
  Unsupported: true,
  UnsupportedSchemaError: true
}

/** Of rows that met a bug of the library, and of rows of the Python library, which gives no reasons. */
const others = ["Defect", "unknown"]

/** Rows that were never sent: no resume buys them a second time. */
const neverSent: ReadonlyArray<string> = ["BudgetExceeded"]

/**
 * The failed rows that a run asks again: none of a job that is new, those that were never sent of a plain resume, and those that
 * `--retry-failed` names.
 *
 * **Errors**: `WrongUsage` for a reason that does not exist.
 *
 * @category constructors
 * @since 0.1.0
 */
export const retried = Effect.fnUntraced(function* (given: {
  readonly resume: boolean
  readonly extend: boolean
  readonly retryFailed: Option.Option<string>
}) {
  if (Option.isNone(given.retryFailed)) return given.resume || given.extend ? neverSent : undefined
  if (given.retryFailed.value === everyReason) return true
  const reasons = given.retryFailed.value.split(",").map((reason) => reason.trim())
  const names = [...Object.keys(known), ...others]
  const wrong = reasons.find((reason) => !names.includes(reason))
  if (wrong === undefined) return [...neverSent, ...reasons]
  return yield* new WrongUsage({
    message: `--retry-failed: there is no reason '${wrong}'; the reasons are ${names.join(", ")}`
  })
})
