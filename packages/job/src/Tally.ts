/**
 * What a job has done so far: counts, sums and times, in memory that does not grow with the job.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"

import { Histogram } from "./Histogram.ts"
import type { SettledRow } from "./operation/SettledRow.ts"

/**
 * The state of a job.
 *
 * **Units**: tokens, USD, milliseconds. `costUsd` counts the rows whose cost is known.
 *
 * @category models
 * @since 0.1.0
 */
export interface Summary {
  readonly answered: number
  readonly failed: number
  /** Failed rows by the tag of their reason. */
  readonly failures: { readonly [reason: string]: number }
  /** Attempts after the first, of all rows. */
  readonly retries: number
  readonly promptTokens: number
  readonly completionTokens: number
  readonly costUsd: number | undefined
  /** Answered rows by the label of their deployment. */
  readonly deployments: { readonly [label: string]: number }
  readonly serviceMillis: { readonly p50: number | undefined; readonly p95: number | undefined }
  readonly endToEndMillis: { readonly p50: number | undefined; readonly p95: number | undefined }
}

/**
 * Counts settled rows.
 *
 * @category models
 * @since 0.1.0
 */
export class Tally {
  #answered = 0
  #failed = 0
  #retries = 0
  #promptTokens = 0
  #completionTokens = 0
  #costUsd: number | undefined = undefined
  readonly #failures: Record<string, number> = {}
  readonly #deployments: Record<string, number> = {}
  readonly #service = new Histogram()
  readonly #endToEnd = new Histogram()

  add(row: SettledRow): void {
    if (row.error === undefined) {
      this.#answered++
      const label = row.metrics?.deployment
      if (label !== undefined) this.#deployments[label] = (this.#deployments[label] ?? 0) + 1
    } else {
      this.#failed++
      const reason = row.errorReason ?? "unknown"
      this.#failures[reason] = (this.#failures[reason] ?? 0) + 1
    }
    this.#promptTokens += row.tokenUsage?.promptTokens ?? 0
    this.#completionTokens += row.tokenUsage?.completionTokens ?? 0
    if (row.cost !== undefined) this.#costUsd = (this.#costUsd ?? 0) + row.cost
    if (row.metrics === undefined) return
    this.#retries += row.metrics.retries
    if (row.error !== undefined) return
    this.#service.add(Duration.toMillis(row.metrics.serviceTime))
    this.#endToEnd.add(Duration.toMillis(row.metrics.endToEnd))
  }

  summary(): Summary {
    const times = (histogram: Histogram) => ({
      p50: histogram.percentile(0.5),
      p95: histogram.percentile(0.95)
    })
    return {
      answered: this.#answered,
      failed: this.#failed,
      failures: { ...this.#failures },
      retries: this.#retries,
      promptTokens: this.#promptTokens,
      completionTokens: this.#completionTokens,
      costUsd: this.#costUsd,
      deployments: { ...this.#deployments },
      serviceMillis: times(this.#service),
      endToEndMillis: times(this.#endToEnd)
    }
  }
}
