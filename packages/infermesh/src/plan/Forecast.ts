/**
 * What a rehearsal says of the whole job, for people and for programs.
 *
 * Pure. Of a large job some rows are played through, and the rest is taken to go on as they did.
 *
 * @since 0.1.0
 */
import { cost, count, span } from "@infermesh/job/Progress"

import type { Saying } from "../Terminal.ts"
import type { Rehearsed } from "./Rehearsal.ts"

/**
 * What a forecast is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface ForecastOptions {
  readonly rehearsed: Rehearsed
  /** Rows of the file, and those of them that cannot be asked. */
  readonly rows: number
  readonly unusable: number
  readonly answerTokens: number
  readonly answerMillis: number
}

/** Behind this share of the rows, the beginning (a full quota) is over. */
const steadyFrom = 0.25

/** Quotas are refilled by the minute, and what is sent in one is sent unevenly: only whole minutes tell a pace. */
const minuteMillis = 60_000

/**
 * Milliseconds to the last row, of which those that were not played through are taken to come at the pace of the last ones that
 * were.
 *
 * @category getters
 * @since 0.1.0
 */
export const finishMillis = ({ settledMillis }: Rehearsed, rows: number): number => {
  const played = settledMillis.length
  const last = settledMillis.at(-1) ?? 0
  if (rows <= played || played < 2) return last
  const steady = last - (settledMillis[Math.floor(played * steadyFrom)] ?? 0)
  const minutes = Math.floor(steady / minuteMillis)
  const span = minutes > 0 ? minutes * minuteMillis : last
  const settled = settledMillis.filter((millis) => millis > last - span).length
  return last + (span / settled) * (rows - played)
}

/**
 * The forecast.
 *
 * @category rendering
 * @since 0.1.0
 */
export const say = (options: ForecastOptions): Saying => {
  const { answerMillis, answerTokens, rehearsed, rows, unusable } = options
  const usable = rows - unusable
  const played = rehearsed.settledMillis.length
  const scale = played === 0 ? 0 : usable / played
  const finish = finishMillis(rehearsed, usable)
  const prompts = rehearsed.promptTokens.toSorted((left, right) => left - right)
  const promptTokens = scale * prompts.reduce((sum, tokens) => sum + tokens, 0)
  const completionTokens = scale * rehearsed.completionTokens
  const costUsd = rehearsed.costUsd === undefined ? undefined : scale * rehearsed.costUsd
  const binding = bindingOf(rehearsed)
  const histogram = histogramOf(prompts)
  const lines: ReadonlyArray<readonly [string, string]> = [
    ["rows", unusable === 0 ? String(rows) : `${rows}, ${unusable} of which cannot be asked`],
    [
      "prompts",
      prompts.length === 0
        ? "none"
        : `p50 ${at(prompts, 0.5)}, p95 ${at(prompts, 0.95)}, longest ${prompts.at(-1)} tokens`
    ],
    ...histogram.map(
      ({ from, rows: many, upTo }) =>
        [
          `  ${from} to ${upTo}`,
          `${many} ${"█".repeat(Math.ceil((30 * many) / prompts.length))}`
        ] as const
    ),
    ["answers", `taken to have ${answerTokens} tokens and to take ${span(answerMillis)}`],
    ["tokens", `${count(promptTokens)} in, ${count(completionTokens)} out`],
    ["cost", costUsd === undefined ? "unknown: the price of the model is" : cost(costUsd)],
    ["what binds", binding],
    ["finished after", span(finish)],
    ...Object.entries(rehearsed.failures).map(
      ([reason, many]) => [`would fail: ${reason}`, `${Math.round(scale * many)} rows`] as const
    )
  ]
  const width = Math.max(...lines.map(([name]) => name.length)) + 2
  const remark =
    played < usable
      ? `\nOf ${usable} rows ${played} were played through; the rest is taken to go on alike.`
      : ""
  return {
    text: lines.map(([name, value]) => name.padEnd(width) + value).join("\n") + remark,
    type: "plan",
    data: {
      rows,
      unusable,
      played,
      prompt_tokens: Math.round(promptTokens),
      completion_tokens: Math.round(completionTokens),
      prompt_histogram: histogram,
      cost_usd: costUsd,
      binding,
      finish_s: finish / 1000,
      failures: rehearsed.failures
    }
  }
}

/** What the first in line waited for most of the time; nothing where hardly anything waited. */
const bindingOf = ({ settledMillis, waited }: Rehearsed): string => {
  const seconds = Math.max(1, Math.ceil((settledMillis.at(-1) ?? 0) / 1000))
  const [most] = Object.entries(waited).toSorted(([, left], [, right]) => right - left)
  if (most === undefined || most[1] < seconds / 20) return "nothing but the time of the answers"
  const share = Math.min(100, Math.round((100 * most[1]) / seconds))
  return `${most[0]}, for which rows wait ${share} % of the time`
}

const at = (sorted: ReadonlyArray<number>, share: number): number =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0

/** By powers of two, from the first to the last that has a row. */
const histogramOf = (sorted: ReadonlyArray<number>) => {
  const [first = 1] = sorted
  const bins: Array<{ from: number; upTo: number; rows: number }> = []
  for (
    let upTo = 2 ** Math.max(0, Math.ceil(Math.log2(Math.max(1, first))));
    upTo / 2 < (sorted.at(-1) ?? 0);
    upTo *= 2
  ) {
    const from = Math.floor(upTo / 2) + 1
    bins.push({
      from,
      upTo,
      rows: sorted.filter((tokens) => tokens >= from && tokens <= upTo).length
    })
  }
  return bins
}
