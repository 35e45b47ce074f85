/**
 * A job as one page of HTML that needs nothing else: no script, no font, no picture of others.
 *
 * Pure. Each plot has its numbers in a table beside it, for those who do not see it.
 *
 * @since 0.1.0
 */
import type { Overview } from "@infermesh/job/Ledger"
import { cost, count, span } from "@infermesh/job/Progress"

import * as Html from "./Html.ts"
import * as JobStatus from "./JobStatus.ts"
import type { RowFigures } from "./RowFigures.ts"

/**
 * The page.
 *
 * @category rendering
 * @since 0.1.0
 */
export const render = (overview: Overview, figures: RowFigures, output: string): string =>
  Html.page(`Job ${output}`, [
    Html.cards(cards(overview, figures)),
    Html.section(
      "Throughput",
      "Rows settled in each minute since the first.",
      Html.bars({
        label: "Rows settled in each minute",
        unit: "rows",
        series: ["answered", "failed"],
        bars: minutes(overview)
      })
    ),
    Html.section(
      "Latency",
      "Answered rows by the time from asking to the answer, waits and retries included.",
      Html.bars({
        label: "Answered rows by latency",
        unit: "rows",
        series: ["answered"],
        bars: latencies(figures)
      })
    ),
    Html.section(
      "Failures",
      "Failed rows by reason; --retry-failed=REASON asks them again.",
      Html.shares("reason", overview.state.failures)
    ),
    Html.section(
      "Deployments",
      "Answered rows by the deployment that answered.",
      Html.shares("deployment", figures.deployments)
    )
  ])

const cards = (
  overview: Overview,
  { retries }: RowFigures
): ReadonlyArray<readonly [string, string]> => {
  const { costUsd, endToEndMillis, state } = overview
  const settled = state.answered + state.failed
  const rate = JobStatus.rowsPerMinute(overview)
  const { p50, p95, p99 } = endToEndMillis
  return [
    ["State", JobStatus.word(overview)],
    ["Settled", state.isInputComplete ? `${settled} of ${state.items}` : String(settled)],
    ["Answered", String(state.answered)],
    ["Failed", String(state.failed)],
    ["Retries", String(retries)],
    ["Cost", costUsd === undefined ? "unknown" : cost(costUsd)],
    ["Tokens", `${count(overview.promptTokens)} in, ${count(overview.completionTokens)} out`],
    ["Throughput", rate === undefined ? "unknown" : `${Math.round(rate)} rows/min`],
    [
      "Latency",
      p50 === undefined
        ? "unknown"
        : `p50 ${span(p50)}, p95 ${span(p95 ?? p50)}, p99 ${span(p99 ?? p50)}`
    ]
  ]
}

/** More bars than this are no longer told apart. */
const mostBars = 120

/** By minutes, or by as many together as leave no more bars than can be told apart; minutes without a row are there, too. */
const minutes = ({ perMinute }: Overview): ReadonlyArray<Html.Bar> => {
  const first = perMinute[0]?.minute ?? 0
  const length = (perMinute.at(-1)?.minute ?? first) - first + 1
  const together = Math.ceil(length / mostBars)
  const bars = Array.from({ length: Math.ceil(length / together) }, (_, index) => ({
    name: `minute ${index * together + 1}`,
    values: [0, 0] as [number, number]
  }))
  for (const { answered, failed, minute } of perMinute) {
    const bar = bars[Math.floor((minute - first) / together)]
    if (bar === undefined) continue
    bar.values[0] += answered
    bar.values[1] += failed
  }
  return perMinute.length === 0 ? [] : bars
}

const latencies = ({ latencies: bins }: RowFigures): ReadonlyArray<Html.Bar> => {
  const first = bins.findIndex(({ rows }) => rows > 0)
  const last = bins.findLastIndex(({ rows }) => rows > 0)
  return first < 0
    ? []
    : bins.slice(first, last + 1).map(({ rows, upToMillis }) => ({
        name: upToMillis === Infinity ? "longer" : `up to ${span(upToMillis)}`,
        values: [rows]
      }))
}
