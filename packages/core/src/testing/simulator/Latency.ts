/**
 * How long the simulated model takes: a distribution of the time to the first byte, and a pace per output token.
 *
 * It draws and does not wait; the simulator waits on the Clock.
 *
 * **Units**: milliseconds.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

import type { Draw } from "./Draw.ts"

const Millis = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))
const perOutputTokenMillis = Millis.pipe(Schema.withDecodingDefault(Effect.succeed(0)))

/**
 * The latency setting: constant, uniform, or lognormal (median and sigma of the logarithm), plus a pace per output token.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Latency = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("constant"), millis: Millis, perOutputTokenMillis }),
  Schema.Struct({
    kind: Schema.Literal("uniform"),
    minMillis: Millis,
    maxMillis: Millis,
    perOutputTokenMillis
  }).check(
    Schema.makeFilter(({ maxMillis, minMillis }) =>
      minMillis <= maxMillis ? undefined : "minMillis is above maxMillis"
    )
  ),
  Schema.Struct({
    kind: Schema.Literal("lognormal"),
    medianMillis: Millis,
    sigma: Millis,
    /** Longer draws are cut to this; no cut when absent. */
    maxMillis: Schema.optional(Millis),
    perOutputTokenMillis
  })
])

/**
 * The latency setting.
 *
 * @category models
 * @since 0.1.0
 */
export type Latency = typeof Latency.Type

/**
 * The time to the first byte of one response.
 *
 * **Units**: whole milliseconds.
 *
 * @category combinators
 * @since 0.1.0
 */
export const firstByteMillis = (latency: Latency, draw: Draw): number => {
  switch (latency.kind) {
    case "constant":
      return Math.round(latency.millis)
    case "uniform":
      return Math.round(latency.minMillis + draw.next() * (latency.maxMillis - latency.minMillis))
    case "lognormal": {
      const millis = latency.medianMillis * Math.exp(latency.sigma * draw.normal())
      return Math.round(Math.min(millis, latency.maxMillis ?? Number.MAX_SAFE_INTEGER))
    }
  }
}
