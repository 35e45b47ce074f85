/**
 * When a deployment is left alone, and for how long: a value, checked when it is made.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

import { firstIssue } from "../operation/Issue.ts"
import { SettingsError } from "../SettingsError.ts"

const Time = Schema.Union([Schema.Duration, Schema.DurationFromString]).check(
  Schema.makeFilter((value: Duration.Duration) =>
    Duration.isFinite(value) && Duration.toMillis(value) > 0
      ? undefined
      : 'it is not a time above zero; write "30 seconds"'
  )
)

/**
 * The settings of the circuit breaker and of pauses, as files and code write them; times as `"30 seconds"` or a `Duration`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const HealthSettings = Schema.Struct({
  /** Failures in a row that open the breaker. Default 5: with 5 % random faults, once in three million attempts. */
  failuresInARow: Schema.optional(Schema.Int.check(Schema.isGreaterThan(0))),
  /** The share of failures among the last twenty attempts that opens it, above 0, at most 1. Default 0.5. */
  failureShare: Schema.optional(
    Schema.Finite.check(Schema.isGreaterThan(0), Schema.isLessThanOrEqualTo(1))
  ),
  /** How long it stays open at first; doubled each time the probe fails. Default 5 seconds. */
  openFor: Schema.optional(Time),
  /** The longest it stays open. Default 60 seconds. */
  longestOpen: Schema.optional(Time),
  /** The longest pause that a Retry-After is granted. Default 60 seconds. */
  longestPause: Schema.optional(Time)
})

/**
 * The settings of the circuit breaker and of pauses.
 *
 * @category models
 * @since 0.1.0
 */
export type HealthSettings = typeof HealthSettings.Type

/**
 * The settings as files and code write them.
 *
 * @category models
 * @since 0.1.0
 */
export type HealthSettingsInput = typeof HealthSettings.Encoded

const decodeUnknown = Schema.decodeUnknownEffect(HealthSettings, { onExcessProperty: "error" })

/**
 * Reads settings; `setting` is what they are called in the error.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (
  input: HealthSettingsInput,
  setting = "health"
): Effect.Effect<HealthSettings, SettingsError> =>
  Effect.mapError(decodeUnknown(input), ({ issue }) => {
    const { path, problem } = firstIssue(issue)
    return new SettingsError({ setting: `${setting}${path}`, problem })
  })
