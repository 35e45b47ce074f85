/**
 * What a running job looks like: a screen of a few lines for terminals, a line for logs.
 *
 * Pure text of the job's progress and the scheduler's snapshot; `Screen` draws it.
 *
 * @since 0.1.0
 */
import type { LimitSnapshot } from "@infermesh/core/admission/Account"
import type { DeploymentSnapshot, SchedulerSnapshot } from "@infermesh/core/SchedulerSnapshot"
import type { Progress } from "@infermesh/job/Job"
import { cost, count, line, span } from "@infermesh/job/Progress"

import type { FailedAttempts } from "./FailedAttempts.ts"
import type { View } from "./Screen.ts"

/**
 * What is shown of a job.
 *
 * @category models
 * @since 0.1.0
 */
export interface Moment {
  readonly operation: string
  readonly progress: Progress
  readonly scheduler: SchedulerSnapshot
  readonly failedAttempts: FailedAttempts
  readonly elapsedMillis: number
  /** Rows settled per minute of late. */
  readonly rowsPerMinute: number
  readonly hasColour: boolean
}

/** Deployments that are shown; a screen has only so many lines. */
const mostDeployments = 8

/**
 * The view of a moment.
 *
 * @category rendering
 * @since 0.1.0
 */
export const render = (moment: Moment): View => {
  const { elapsedMillis, progress } = moment
  const { summary } = progress
  const toDo = rowsToDo(progress)
  const waiting = waitingOf(moment.scheduler)
  const failing = reasonsOf(moment.failedAttempts.byReason)
  const text = [
    line(summary, elapsedMillis, toDo),
    ...(waiting === undefined ? [] : [waiting]),
    ...(failing === undefined ? [] : [`attempts failed: ${failing}`])
  ].join(" · ")
  return {
    lines: labelled(moment, [
      [moment.operation, progressOf(moment, toDo)],
      ["rate", rateOf(moment)],
      [
        "requests",
        `${inFlightOf(moment.scheduler)}${waiting === undefined ? "" : ` · ${waiting}`}`
      ],
      ["cost", costOf(moment, toDo)],
      ...failedOf(moment),
      ...failedAttemptsOf(moment),
      ...deploymentsOf(moment)
    ]),
    line: {
      text,
      type: "progress",
      data: {
        rows: progress.rows,
        answered: summary.answered,
        failed: summary.failed,
        failures: summary.failures,
        failed_attempts: moment.failedAttempts.byReason,
        answered_before: progress.answeredBefore,
        failed_before: progress.failedBefore,
        rows_per_minute: Math.round(moment.rowsPerMinute),
        in_flight: moment.scheduler.inFlight,
        waiting: moment.scheduler.waiting,
        waiting_for: moment.scheduler.waitingFor,
        cost_usd: summary.costUsd,
        deployments: summary.deployments
      }
    }
  }
}

/** The rows of this run, where they are known. */
const rowsToDo = ({ answeredBefore, failedBefore, rows }: Progress): number | undefined =>
  rows === undefined ? undefined : rows - answeredBefore - failedBefore

const doneOf = ({ summary }: Progress): number => summary.answered + summary.failed

const labelled = (
  { hasColour }: Moment,
  rows: ReadonlyArray<readonly [label: string, text: string]>
): ReadonlyArray<string> => {
  const width = Math.max(...rows.map(([label]) => label.length))
  return rows.map(([label, text]) => {
    const padded = label.padEnd(width)
    return `${hasColour ? `\u001B[2m${padded}\u001B[22m` : padded}  ${text}`
  })
}

const barCells = 20

const bar = (share: number): string => {
  const full = Math.round(barCells * Math.min(1, Math.max(0, share)))
  return "█".repeat(full) + "░".repeat(barCells - full)
}

const percent = (share: number): string => `${Math.floor(100 * share)} %`

const whole = (value: number): string => value.toLocaleString("en-US")

const progressOf = ({ progress, rowsPerMinute }: Moment, toDo: number | undefined): string => {
  const done = doneOf(progress)
  const before = progress.answeredBefore + progress.failedBefore
  if (progress.rows === undefined || toDo === undefined) {
    return `${whole(done + before)} rows, the input goes on${before === 0 ? "" : ` (${whole(before)} before)`}`
  }
  const share = progress.rows === 0 ? 1 : (done + before) / progress.rows
  const left =
    rowsPerMinute > 0 && toDo > done
      ? `, ${span(((toDo - done) * 60_000) / rowsPerMinute)} left`
      : ""
  const resumed = before === 0 ? "" : ` (${whole(before)} before)`
  return `${bar(share)} ${percent(share)} · ${whole(done + before)} of ${whole(progress.rows)} rows${resumed}${left}`
}

const rateOf = ({ elapsedMillis, rowsPerMinute, scheduler }: Moment): string => {
  const limits = limitsOf(scheduler)
  return [
    `${whole(Math.round(rowsPerMinute))} rows/min`,
    `${span(elapsedMillis)} so far`,
    ...(limits.length === 0 ? [] : [`quota ${limits.map(quota).join(", ")}`])
  ].join(" · ")
}

/** The client's own limits; else the sums of the deployments', where all have them. */
const limitsOf = ({
  deployments,
  limits
}: SchedulerSnapshot): ReadonlyArray<Pick<LimitSnapshot, "name" | "limit" | "used">> => {
  if (limits.length > 0) return limits
  const [first] = deployments
  return (first?.limits ?? []).flatMap(({ name }) => {
    const same = deployments.map(({ limits }) => limits.find((limit) => limit.name === name))
    return same.every((limit) => limit !== undefined)
      ? [
          {
            name,
            limit: same.reduce((sum, { limit }) => sum + limit, 0),
            used: same.reduce((sum, { used }) => sum + used, 0)
          }
        ]
      : []
  })
}

const quota = ({ limit, name, used }: Pick<LimitSnapshot, "name" | "limit" | "used">): string =>
  `${name} ${count(Math.round(used))} of ${count(limit)}`

const slots = (limit: number): string =>
  limit === Number.POSITIVE_INFINITY ? "" : ` of ${whole(limit)}`

const inFlightOf = ({ inFlight, slots: limit }: SchedulerSnapshot): string =>
  `${whole(inFlight)}${slots(limit)} in flight`

/** What waiting is for, in words. */
const waitingOf = ({ waiting, waitingFor, waitMillis }: SchedulerSnapshot): string | undefined => {
  if (waiting === 0) return undefined
  const reason =
    waitingFor === "slots"
      ? "a free slot"
      : waitingFor === "health"
        ? "a healthy deployment"
        : `room in ${waitingFor ?? "a quota"}`
  const when = waitMillis === undefined ? "" : `, next in ${span(waitMillis)}`
  return `${whole(waiting)} waiting for ${reason}${when}`
}

const costOf = ({ progress }: Moment, toDo: number | undefined): string => {
  const { summary } = progress
  const tokens = `${count(summary.promptTokens)} tokens in, ${count(summary.completionTokens)} out`
  if (summary.costUsd === undefined) return `unknown · ${tokens}`
  const done = doneOf(progress)
  const projected =
    toDo === undefined || done === 0 || toDo <= done
      ? ""
      : ` · ${cost((summary.costUsd / done) * toDo)} projected`
  return `${cost(summary.costUsd)} so far${projected} · ${tokens}`
}

const failedOf = ({ hasColour, progress }: Moment): ReadonlyArray<readonly [string, string]> => {
  const { failed, failures } = progress.summary
  const reasons = reasonsOf(failures)
  if (reasons === undefined) return []
  const text = `${whole(failed)}: ${reasons}`
  return [["failed", hasColour ? `\u001B[31m${text}\u001B[39m` : text]]
}

/** Attempts that failed and were, or may be, tried again: why it takes so long. */
const failedAttemptsOf = ({
  failedAttempts: { byReason }
}: Moment): ReadonlyArray<readonly [string, string]> => {
  const reasons = reasonsOf(byReason)
  if (reasons === undefined) return []
  const sum = Object.values(byReason).reduce((sum, times) => sum + times, 0)
  return [["attempts", `${whole(sum)} failed: ${reasons}`]]
}

/** Reasons with their numbers, the most frequent first; `undefined` when there are none. */
const reasonsOf = (times: { readonly [reason: string]: number }): string | undefined => {
  const reasons = Object.entries(times)
    .toSorted(([, left], [, right]) => right - left)
    .map(([reason, count]) => `${reason} ${whole(count)}`)
  return reasons.length === 0 ? undefined : reasons.join(", ")
}

const deploymentsOf = (moment: Moment): ReadonlyArray<readonly [string, string]> => {
  const { deployments } = moment.scheduler
  if (deployments.length < 2) return []
  const { answered, deployments: shares } = moment.progress.summary
  const shown = deployments
    .slice(0, mostDeployments)
    .map((deployment): readonly [string, string] => {
      const times = shares[deployment.label ?? ""] ?? 0
      const failing = reasonsOf(moment.failedAttempts.byDeployment[deployment.id] ?? {})
      return [deployment.id, deploymentOf(deployment, times, answered, failing)]
    })
  const more = deployments.length - shown.length
  return more === 0 ? shown : [...shown, ["", `and ${more} more deployments`]]
}

const deploymentOf = (
  { health, inFlight, latencyMillis, slots: limit }: DeploymentSnapshot,
  times: number,
  answered: number,
  failing: string | undefined
): string => {
  const share = answered === 0 ? 0 : times / answered
  return [
    `${bar(share)} ${percent(share).padStart(5)}`,
    `${whole(inFlight)}${slots(limit)} in flight`,
    ...(latencyMillis > 0 ? [span(latencyMillis)] : []),
    ...(health === "healthy" ? [] : [failing === undefined ? health : `${health}: ${failing}`])
  ].join(" · ")
}
