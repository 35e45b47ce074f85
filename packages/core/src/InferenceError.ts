/**
 * The one error of the library: which operation failed, where, after how many attempts, and why.
 *
 * The why is a `Reason`, so `Effect.catchReason("InferenceError", "RateLimitError", …)` handles one cause and leaves the rest.
 * What a failed request has cost is not lost: an answer that was paid for is in `result`.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

import { GenerationResult } from "./operation/Generate.ts"
import { RequestMetrics } from "./operation/Timing.ts"
import { explain, Reason, retryAfter } from "./Reason.ts"

/**
 * A request that failed.
 *
 * @category errors
 * @since 0.1.0
 */
export class InferenceError extends Schema.TaggedError<InferenceError>(
  "@infermesh/core/InferenceError"
)("InferenceError", {
  operation: Schema.Literals(["generate", "embed", "transcribe"]),
  /** The label of the deployment of the last attempt; absent when none was reached or it has no label. */
  deployment: Schema.optional(Schema.String),
  /** Attempts that were started; 0 when the request failed before any. */
  attempts: Schema.Int,
  reason: Reason,
  requestId: Schema.optional(Schema.String),
  metrics: Schema.optional(RequestMetrics),
  /** Every attempt that failed, oldest first; empty when none was started. */
  failures: Schema.optional(
    Schema.Array(
      Schema.Struct({
        deployment: Schema.optional(Schema.String),
        model: Schema.optional(Schema.String),
        reason: Reason
      })
    )
  ),
  /** The answer, where there was one: a structured output that did not fit its schema, for example. */
  result: Schema.optional(Schema.instanceOf(GenerationResult<unknown>))
}) {
  /** Whether the same request may succeed when tried again. */
  get isRetryable(): boolean {
    return this.reason.isRetryable
  }

  /** When to try again, where the provider said so. */
  get retryAfter() {
    return retryAfter(this.reason)
  }

  override get message(): string {
    const where = this.deployment === undefined ? "" : ` at ${this.deployment}`
    const tries = this.attempts > 1 ? ` after ${this.attempts} attempts` : ""
    return `${this.operation} failed${where}${tries}: ${explain(this.reason)}`
  }
}
