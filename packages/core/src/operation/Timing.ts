/**
 * Where the time of one request went.
 *
 * It is about one request; aggregates over many are metrics (telemetry/).
 *
 * **Units**: durations. `queueWait + serviceTime = endToEnd`, always: whatever was not spent in an attempt was spent
 * waiting (for a slot, for quota, or between attempts).
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

import { nullable } from "./Nullable.ts"

/**
 * Timings and routing of one request.
 *
 * @category models
 * @since 0.1.0
 */
export interface RequestMetrics {
  /** Time not spent in an attempt: waiting for a slot, for quota and between attempts. */
  readonly queueWait: Duration.Duration
  /** Time spent in attempts, failed ones included. */
  readonly serviceTime: Duration.Duration
  /** From the call to its result. */
  readonly endToEnd: Duration.Duration
  /** The label of the deployment that answered; absent when the deployment was given no label. */
  readonly deployment?: string | undefined
  /** Attempts after the first, hedges not counted. */
  readonly retries: number
  /** Requests that gave an answer back to the model because it did not fit its form; their times and retries are counted in. */
  readonly repairs: number
  /** Where the answer came from, when it was not asked for; absent when it was. */
  readonly reused?: "cache" | "coalesced" | undefined
  /** Second attempts sent because the first took long; absent when there was none. */
  readonly hedges?: number | undefined
  /** What attempts that lost against another may have cost, in USD, estimated; it is not in the result's `cost`. */
  readonly hedgeCost?: number | undefined
}

/**
 * The metrics of a request that was followed by another, to repair its answer.
 *
 * @category combinators
 * @since 0.1.0
 */
export const repaired = (before: RequestMetrics, repair: RequestMetrics): RequestMetrics => ({
  queueWait: Duration.sum(before.queueWait, repair.queueWait),
  serviceTime: Duration.sum(before.serviceTime, repair.serviceTime),
  endToEnd: Duration.sum(before.endToEnd, repair.endToEnd),
  deployment: repair.deployment,
  retries: before.retries + repair.retries,
  repairs: before.repairs + repair.repairs + 1,
  ...(before.hedges === undefined && repair.hedges === undefined
    ? {}
    : {
        hedges: (before.hedges ?? 0) + (repair.hedges ?? 0),
        hedgeCost: (before.hedgeCost ?? 0) + (repair.hedgeCost ?? 0)
      })
})

const Seconds = Schema.Finite.pipe(
  Schema.decodeTo(
    Schema.Duration,
    SchemaTransformation.transform({
      decode: (seconds: number) => Duration.seconds(seconds),
      encode: (duration: Duration.Duration) => Duration.toMillis(duration) / 1000
    })
  )
)

/**
 * `RequestMetrics` as result files hold it: `queue_wait_s`, `service_time_s` and `end_to_end_s` in seconds.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RequestMetricsRow = Schema.Struct({
  queueWait: Seconds,
  serviceTime: Seconds,
  endToEnd: Seconds,
  deployment: nullable(Schema.String),
  retries: Schema.Int,
  // The Python library's rows have none.
  repairs: Schema.Int.pipe(Schema.withDecodingDefaultKey(Effect.succeed(0))),
  reused: Schema.optional(Schema.Literals(["cache", "coalesced"])),
  hedges: Schema.optional(Schema.Int),
  hedgeCost: Schema.optional(Schema.Finite)
}).pipe(
  Schema.encodeKeys({
    queueWait: "queue_wait_s",
    serviceTime: "service_time_s",
    endToEnd: "end_to_end_s",
    hedgeCost: "hedge_cost"
  })
)

/**
 * `RequestMetrics` in memory, for schemas that contain it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RequestMetrics = Schema.Struct({
  queueWait: Schema.Duration,
  serviceTime: Schema.Duration,
  endToEnd: Schema.Duration,
  deployment: Schema.optional(Schema.String),
  retries: Schema.Int,
  repairs: Schema.Int,
  reused: Schema.optional(Schema.Literals(["cache", "coalesced"])),
  hedges: Schema.optional(Schema.Int),
  hedgeCost: Schema.optional(Schema.Finite)
})
