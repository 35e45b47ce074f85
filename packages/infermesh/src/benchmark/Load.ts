/**
 * A load on an operation, and what became of it: a number of workers that ask one after the other, or requests that come on
 * time whatever became of those before them.
 *
 * **Details**: of requests that come on time the latency counts from the time at which they should have come. A slow server
 * delays the workers of a closed loop, which then ask less and measure only what it took; so its stalls are hidden
 * ("coordinated omission").
 *
 * **Source**: Gil Tene, "How NOT to Measure Latency" (2013), on coordinated omission.
 *
 * @since 0.1.0
 */
import type { InferenceError } from "@infermesh/core/InferenceError"
import type { RequestMetrics } from "@infermesh/core/operation/Timing"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"

/**
 * What is asked, how often and how.
 *
 * @category models
 * @since 0.1.0
 */
export interface LoadOptions {
  /** The most requests. */
  readonly requests: number
  /** Nothing is begun after so many milliseconds. */
  readonly durationMillis: number
  readonly arrivals:
    | { readonly _tag: "Closed"; readonly workers: number }
    /** So many a second, evenly. */
    | { readonly _tag: "Open"; readonly perSecond: number }
}

/**
 * Percentiles, in milliseconds; of no request they are not numbers.
 *
 * @category models
 * @since 0.1.0
 */
export interface Percentiles {
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

/**
 * What became of a load.
 *
 * @category models
 * @since 0.1.0
 */
export interface Measured {
  readonly answered: number
  readonly failures: { readonly [reason: string]: number }
  /** From the first request to the end of the last. */
  readonly seconds: number
  /** Answered in a second. */
  readonly perSecond: number
  readonly endToEndMillis: Percentiles
  readonly serviceMillis: Percentiles
  readonly queueMillis: Percentiles
}

/** One operation, which says how long its parts took. */
export type Ask<R> = Effect.Effect<{ readonly metrics: RequestMetrics }, InferenceError, R>

/**
 * Puts the load on.
 *
 * @category running
 * @since 0.1.0
 */
export const run = Effect.fnUntraced(function* <R>(
  ask: Ask<R>,
  { arrivals, durationMillis, requests }: LoadOptions
): Effect.fn.Return<Measured, never, R> {
  const started = yield* Clock.currentTimeMillis
  const endToEnd: Array<number> = []
  const service: Array<number> = []
  const queue: Array<number> = []
  const failures: Record<string, number> = {}
  const one = (dueMillis: number) =>
    Effect.flatMap(Effect.result(ask), (result) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        if (Result.isFailure(result)) {
          const { _tag } = result.failure.reason
          failures[_tag] = (failures[_tag] ?? 0) + 1
          return
        }
        const { queueWait, serviceTime } = result.success.metrics
        endToEnd.push(now - dueMillis)
        service.push(Duration.toMillis(serviceTime))
        queue.push(Duration.toMillis(queueWait))
      })
    )
  if (arrivals._tag === "Closed") {
    let begun = 0
    const worker = Effect.gen(function* () {
      for (;;) {
        const now = yield* Clock.currentTimeMillis
        if (begun >= requests || now - started >= durationMillis) return
        begun++
        yield* one(now)
      }
    })
    const workers = Array.from({ length: arrivals.workers }, () => worker)
    yield* Effect.all(workers, { concurrency: "unbounded", discard: true })
  } else {
    const count = Math.min(requests, Math.ceil((durationMillis / 1000) * arrivals.perSecond))
    const due = Array.from(
      { length: count },
      (_, index) => started + (index * 1000) / arrivals.perSecond
    )
    yield* Effect.forEach(
      due,
      (dueMillis) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          Effect.andThen(Effect.sleep(Math.max(0, dueMillis - now)), one(dueMillis))
        ),
      { concurrency: "unbounded", discard: true }
    )
  }
  const seconds = ((yield* Clock.currentTimeMillis) - started) / 1000
  return {
    answered: endToEnd.length,
    failures,
    seconds,
    perSecond: seconds === 0 ? 0 : endToEnd.length / seconds,
    endToEndMillis: percentiles(endToEnd),
    serviceMillis: percentiles(service),
    queueMillis: percentiles(queue)
  }
})

const percentiles = (values: ReadonlyArray<number>): Percentiles => {
  const sorted = values.toSorted((left, right) => left - right)
  const at = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}
