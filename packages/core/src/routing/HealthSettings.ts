/**
 * When a deployment is left alone, and for how long: a value, checked when it is made.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

import { firstIssue } from "../operation/Issue.ts"
import { SettingsError } from "../SettingsError.ts"

const Time = Schema.Union([Schema.Duration, Schema.String]).check(
  Schema.makeFilter((value: Duration.Duration | string) => {
    const duration = Duration.fromInput(value as Duration.Input)
    const usable =
      Option.isSome(duration) &&
      Duration.isFinite(duration.value) &&
      Duration.toMillis(duration.value) > 0
    return usable ? undefined : 'it is not a time above zero; write "30 seconds"'
  })
)

/**
 * The settings of the circuit breaker and of pauses. Times are written as `"30 seconds"`, in code also as a `Duration`.
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

const decodeUnknown = Schema.decodeUnknownEffect(Schema.toType(HealthSettings), {
  onExcessProperty: "error"
})

/**
 * Checks settings; `setting` is what they are called in the error.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (
  input: unknown,
  setting = "health"
): Effect.Effect<HealthSettings, SettingsError> =>
  Effect.mapError(decodeUnknown(input), ({ issue }) => {
    const { path, problem } = firstIssue(issue)
    return new SettingsError({ setting: `${setting}${path}`, problem })
  })

/**
 * The milliseconds of a time in settings.
 *
 * @category getters
 * @since 0.1.0
 */
export const toMillis = (time: Duration.Duration | string): number =>
  Duration.toMillis(Duration.fromInputUnsafe(time as Duration.Input))
