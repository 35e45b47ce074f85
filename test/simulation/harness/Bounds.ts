/** What is asked of ours in a scenario, and what it misses. */
import type { Measures } from "./Measures.ts"
import type { Scenario } from "./Scenario.ts"

/** What the clients came to in one scenario. */
export interface Outcome {
  readonly scenario: Scenario
  readonly ours: Measures
  readonly backoff: Measures
  readonly bucket: Measures
}

/** At most one attempt in a thousand refused where the limits are known. */
const mostRefused = 0.001
const leastQuotaUse = 0.99
/** No worse than a baseline means: within one per cent, and the seconds in which ours finds out how large bursts may be. */
const waitShare = 1.01
const waitSeconds = 3
/** Callers of equal weight get equal shares, as nearly as Jain's index tells. */
const leastFairness = 0.99
/** Requests of one caller that may be sent before one that came earlier: retries and replicas shuffle a few. */
const mostOvertaken = 64

/** The wait that the scenario is about: that of the caller with priority, where one has it. */
export const waitOf = (
  { callers = [] }: Scenario,
  { callerWaitP99, waitP99 }: Measures
): number => {
  const first = callers.find(({ priority = 0 }) => priority > 0)
  return first === undefined ? waitP99 : (callerWaitP99[first.name] ?? waitP99)
}

export type Bound = "lost" | "refused" | "quota" | "wait" | "fairness" | "starvation"

export const missed = ({ backoff, bucket, ours, scenario }: Outcome): ReadonlyArray<Bound> => {
  const found: Array<Bound> = []
  if (ours.failed > 0) found.push("lost")
  if (ours.refusedShare > mostRefused) found.push("refused")
  if (ours.quotaUse !== undefined && ours.quotaUse < leastQuotaUse) found.push("quota")
  const better = Math.min(waitOf(scenario, backoff), waitOf(scenario, bucket))
  if (waitOf(scenario, ours) > better * waitShare + waitSeconds) found.push("wait")
  if (ours.fairness !== undefined && ours.fairness < leastFairness) found.push("fairness")
  if (ours.overtaken > mostOvertaken) found.push("starvation")
  return found
}

/** Misses that are known, each with its reason; the page tells them. */
export const known: ReadonlyMap<string, Partial<Record<Bound, string>>> = new Map([
  [
    "fixed window",
    {
      wait: "A server that counts by the clock's minutes takes all of a minute's requests at its end, and as many at the beginning of the next. infermesh never sends more than the limit within any sixty seconds, so it waits where the others are lucky; what they are refused for it stands in the table."
    }
  ],
  [
    "tokens",
    {
      wait: "The quota is used to its end, and the last request is answered half a minute before the semaphore's. That one lets short requests pass by the long ones, which its p99 does not see."
    }
  ],
  [
    "nothing is known",
    { refused: "The first answers bring the limit; what is sent before them is sent blindly." }
  ],
  [
    "ten thousand",
    {
      wait: "A replica that has been dead for minutes is probed once a minute, so its return is noticed up to a minute late; the others send it requests all the time, and lose them."
    }
  ]
])
