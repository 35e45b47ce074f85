/**
 * What there is to say of a job from its ledger, for people and for programs.
 *
 * Pure; the ledger is read by whoever asks. A page of it with plots is `JobPage`.
 *
 * @since 0.1.0
 */
import type { Overview } from "@infermesh/job/Ledger"
import { cost, count, span } from "@infermesh/job/Progress"

import type { Saying } from "./Terminal.ts"

/** Minutes that are shown one by one: the last ones. */
const shownMinutes = 10

/**
 * Rows settled in a minute between the first and the last one that were settled; `undefined` of fewer than two.
 *
 * @category getters
 * @since 0.1.0
 */
export const rowsPerMinute = ({
  firstSettledMillis: first,
  lastSettledMillis: last,
  state
}: Overview): number | undefined =>
  first === undefined || last === undefined || last === first
    ? undefined
    : ((state.answered + state.failed) * 60_000) / (last - first)

/**
 * How a job is, in one word.
 *
 * @category getters
 * @since 0.1.0
 */
export const word = ({ isRunning, state }: Overview): "running" | "finished" | "stopped" => {
  if (isRunning) return "running"
  return state.isInputComplete && state.pending === 0 ? "finished" : "stopped"
}

/**
 * The status of a job.
 *
 * @category rendering
 * @since 0.1.0
 */
export const status = (overview: Overview, output: string): Saying => {
  const { costUsd, endToEndMillis, perMinute, state } = overview
  const known = state.isInputComplete ? ` of ${state.items}` : ""
  const rate = rowsPerMinute(overview)
  const advice = word(overview) === "stopped" ? "; the same command with --resume goes on" : ""
  const lines: Array<readonly [string, string]> = [
    ["job", `${word(overview)}${advice}`],
    ["output", output],
    ["settled", `${state.answered + state.failed}${known}`],
    ["answered", String(state.answered)],
    ["failed", String(state.failed)],
    ...Object.entries(state.failures).map(
      ([reason, failures]) => [`  ${reason}`, String(failures)] as const
    )
  ]
  if (state.held > 0) lines.push(["held for order", String(state.held)])
  if (rate !== undefined) lines.push(["throughput", `${Math.round(rate)} rows/min`])
  if (endToEndMillis.p50 !== undefined) {
    const { p50, p95 = p50, p99 = p95 } = endToEndMillis
    lines.push(["end to end", `p50 ${span(p50)}, p95 ${span(p95)}, p99 ${span(p99)}`])
  }
  lines.push([
    "tokens",
    `${count(overview.promptTokens)} in, ${count(overview.completionTokens)} out`
  ])
  if (costUsd !== undefined) lines.push(["cost", cost(costUsd)])
  const last = perMinute.slice(-shownMinutes)
  const first = last[0]?.minute ?? 0
  for (const { answered, failed, minute } of last) {
    lines.push([`  minute ${minute - first + 1}`, `${answered} answered, ${failed} failed`])
  }
  const width = Math.max(...lines.map(([name]) => name.length)) + 2
  return {
    text: lines.map(([name, value]) => name.padEnd(width) + value).join("\n"),
    type: "status",
    data: {
      state: word(overview),
      output,
      rows: state.isInputComplete ? state.items : undefined,
      answered: state.answered,
      failed: state.failed,
      failures: state.failures,
      held: state.held,
      rows_per_minute: rate,
      end_to_end_ms: endToEndMillis,
      prompt_tokens: overview.promptTokens,
      completion_tokens: overview.completionTokens,
      cost_usd: costUsd,
      per_minute: perMinute
    }
  }
}
