/**
 * The two time limits: one for the whole request, one for each attempt.
 *
 * They are separate settings because they protect different things: the attempt's limit frees a slot from a server that hangs,
 * the request's limit frees the caller from waits and retries. Running out of time is a typed reason, and interruption
 * reaches the socket.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

import type { Handler } from "../Call.ts"
import { AttemptError } from "../provider/Provider.ts"
import { DeadlineExceeded, explain, TimedOut } from "../Reason.ts"
import type { Timeouts } from "./Timeouts.ts"

/** The longest timer JavaScript has; a limit above it is no limit. */
const longestTimerMillis = 2 ** 31 - 1

/**
 * The pipeline stage that limits the whole request.
 *
 * @category stages
 * @since 0.1.0
 */
export const stage =
  (next: Handler): Handler =>
  (call) => {
    const { deadlineMillis } = call.plan
    if (deadlineMillis > longestTimerMillis) return next(call)
    return Effect.timeoutOrElse(next(call), {
      duration: deadlineMillis,
      orElse: () =>
        Effect.fail(
          new AttemptError({
            outcome: "unknown",
            reason: new DeadlineExceeded({
              deadline: Duration.millis(deadlineMillis),
              lastReason: call.lastError === undefined ? undefined : explain(call.lastError.reason)
            })
          })
        )
    })
  }

/**
 * Limits one attempt.
 *
 * @category combinators
 * @since 0.1.0
 */
export const limitAttempt = <A>(
  timeouts: Timeouts,
  attempt: Effect.Effect<A, AttemptError>,
  timeoutMillis: number
): Effect.Effect<A, AttemptError> =>
  timeoutMillis > longestTimerMillis
    ? attempt
    : timeouts.limit(attempt, timeoutMillis, () =>
        Effect.fail(
          // The provider may have done the work and will bill it: what it used is unknown, not nothing.
          new AttemptError({
            outcome: "unknown",
            reason: new TimedOut({ timeout: Duration.millis(timeoutMillis) })
          })
        )
      )
