/**
 * The attempts of this process that failed, by deployment and reason, as the metrics count them: what retries hide from the rows.
 *
 * @since 0.1.0
 */
import { labels, metrics } from "@infermesh/core/telemetry/Metrics"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"

/**
 * Attempts that failed, by the tag of their reason.
 *
 * @category models
 * @since 0.1.0
 */
export interface FailedAttempts {
  readonly byReason: { readonly [reason: string]: number }
  readonly byDeployment: { readonly [deployment: string]: { readonly [reason: string]: number } }
}

/**
 * Those until now.
 *
 * @category getters
 * @since 0.1.0
 */
export const snapshot: Effect.Effect<FailedAttempts> = Effect.map(Metric.snapshot, (series) => {
  const byReason: Record<string, number> = {}
  const byDeployment: Record<string, Record<string, number>> = {}
  for (const one of series) {
    if (one.id !== metrics.attempts.name || one.type !== "Counter") continue
    const { [labels.deployment]: deployment = "", [labels.error]: reason } = one.attributes ?? {}
    if (reason === undefined || reason === "interrupted") continue
    const times = Number(one.state.count)
    byReason[reason] = (byReason[reason] ?? 0) + times
    const at = (byDeployment[deployment] ??= {})
    at[reason] = (at[reason] ?? 0) + times
  }
  return { byReason, byDeployment }
})
