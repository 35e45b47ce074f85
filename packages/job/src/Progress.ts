/**
 * How far a job has come, as one line for people.
 *
 * Pure: when and where the line is shown is the caller's matter.
 *
 * @since 0.1.0
 */
import type { Summary } from "./Tally.ts"

/**
 * The progress of a job in one line: done of how many, failed, rows a minute, tokens, cost, time left.
 *
 * @category rendering
 * @since 0.1.0
 */
export const line = (
  summary: Summary,
  elapsedMillis: number,
  totalRows: number | undefined
): string => {
  const done = summary.answered + summary.failed
  const perMinute = elapsedMillis < 1 ? 0 : (done * 60_000) / elapsedMillis
  const parts = [
    totalRows === undefined ? `${done} done` : `${done}/${totalRows} done`,
    `${summary.failed} failed`,
    `${Math.round(perMinute)} rows/min`,
    `${count(summary.promptTokens + summary.completionTokens)} tokens`
  ]
  if (summary.costUsd !== undefined) parts.push(cost(summary.costUsd))
  if (totalRows !== undefined && done > 0 && done < totalRows) {
    parts.push(`${span((elapsedMillis / done) * (totalRows - done))} left`)
  }
  return parts.join(" · ")
}

/** A number with a unit of thousands: `12.3k`. */
export const count = (value: number): string =>
  value < 10_000
    ? String(value)
    : value < 1_000_000
      ? `${(value / 1000).toFixed(1)}k`
      : `${(value / 1e6).toFixed(2)}M`

/** An amount of money, to the hundredth of a cent. */
export const cost = (usd: number): string => `$${usd.toFixed(4)}`

/** A span of time: `850 ms`, `12.3 s`, `4m05s`, `2h03m`. */
export const span = (millis: number): string => {
  if (millis < 1000) return `${Math.round(millis)} ms`
  const seconds = millis / 1000
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0")
  return seconds < 3600
    ? `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`
    : `${Math.floor(seconds / 3600)}h${two((seconds % 3600) / 60)}m`
}
