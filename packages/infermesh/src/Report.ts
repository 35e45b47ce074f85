/**
 * The table at the end of a job.
 *
 * Pure text; each line stands for itself, so that it reads in a log as on a terminal.
 *
 * @since 0.1.0
 */
import type { ClientSettings } from "@infermesh/core/ClientSettings"
import { cost, count, span } from "@infermesh/job/Progress"
import type { Summary } from "@infermesh/job/Tally"

import type { Saying } from "./Terminal.ts"

/**
 * What a report is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReportOptions {
  readonly summary: Summary
  readonly elapsedMillis: number
  readonly settings: ClientSettings
  readonly output: string
  /** Why the job is not whole, if it is not. */
  readonly remark: string | undefined
}

/**
 * The summary of a job: a table for people, an object for programs.
 *
 * @category rendering
 * @since 0.1.0
 */
export const summary = (options: ReportOptions): Saying => {
  const { elapsedMillis, output, remark, summary } = options
  return {
    text: table(options),
    type: "summary",
    data: {
      answered: summary.answered,
      failed: summary.failed,
      failures: summary.failures,
      retries: summary.retries,
      deployments: summary.deployments,
      elapsed_s: elapsedMillis / 1000,
      prompt_tokens: summary.promptTokens,
      completion_tokens: summary.completionTokens,
      cost_usd: summary.costUsd,
      service_ms: summary.serviceMillis,
      end_to_end_ms: summary.endToEndMillis,
      output,
      remark
    }
  }
}

/**
 * The summary of a job as lines of a table.
 *
 * @category rendering
 * @since 0.1.0
 */
export const table = (options: ReportOptions): string => {
  const { elapsedMillis, output, remark, settings, summary } = options
  const done = summary.answered + summary.failed
  const perMinute = elapsedMillis < 1 ? 0 : (done * 60_000) / elapsedMillis
  const quota = requestsPerMinute(settings)
  const rows: Array<readonly [string, string]> = [
    ["rows", `${done}${remark === undefined ? "" : ` (${remark})`}`],
    ["answered", String(summary.answered)],
    ...Object.entries(summary.deployments)
      .toSorted(([left], [right]) => left.localeCompare(right, "en", { numeric: true }))
      .map(
        ([label, times]) => [`  ${label}`, `${times} (${share(times, summary.answered)})`] as const
      ),
    ["failed", String(summary.failed)],
    ...Object.entries(summary.failures).map(
      ([reason, times]) => [`  ${reason}`, String(times)] as const
    ),
    ["retries", String(summary.retries)],
    [
      "throughput",
      `${perMinute.toFixed(0)} rows/min in ${span(elapsedMillis)}${quota === undefined ? "" : `, quota ${quota} requests/min`}`
    ],
    [
      "service time",
      `p50 ${time(summary.serviceMillis.p50)}, p95 ${time(summary.serviceMillis.p95)}`
    ],
    [
      "end to end",
      `p50 ${time(summary.endToEndMillis.p50)}, p95 ${time(summary.endToEndMillis.p95)}`
    ],
    ["tokens", `${count(summary.promptTokens)} in, ${count(summary.completionTokens)} out`],
    ["cost", summary.costUsd === undefined ? "unknown" : cost(summary.costUsd)],
    ["output", output]
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n")
}

const share = (part: number, whole: number): string =>
  `${whole === 0 ? 0 : Math.round((100 * part) / whole)} %`

const time = (millis: number | undefined): string => (millis === undefined ? "–" : span(millis))

/** The client's own limit, else the sum of the deployments' where each has one. */
const requestsPerMinute = (settings: ClientSettings): number | undefined => {
  if (settings.limits?.rpm !== undefined) return settings.limits.rpm
  const each = Object.values(settings.deployments ?? {}).map(({ limits }) => limits?.rpm)
  return each.length === 0
    ? undefined
    : each.reduce((sum, rpm) => (sum === undefined || rpm === undefined ? undefined : sum + rpm), 0)
}
