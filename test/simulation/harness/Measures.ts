/** What a run comes to, in the figures that the page shows and the bounds are about. */
import type { Record, Settled } from "./Run.ts"
import type { Scenario } from "./Scenario.ts"

export interface Measures {
  readonly answered: number
  readonly failed: number
  /** Attempts that were refused because the client went over the quota. */
  readonly refused: number
  /** Of all attempts. */
  readonly refusedShare: number
  /** Used of the quota, from the second minute to the last whole one; absent where it is not saturated so long. */
  readonly quotaUse: number | undefined
  /** Seconds from the arrival of a request to the sending of the attempt that answered it. */
  readonly waitP50: number
  readonly waitP99: number
  /** The same of each caller, where there are several. */
  readonly callerWaitP99: { readonly [caller: string]: number }
  /** Seconds from the arrival of a request to its answer. */
  readonly answerP99: number
  /** The most requests of the same caller that came later and were sent first. */
  readonly overtaken: number
  /** Jain's index of what callers got while all of them waited; absent of one caller. */
  readonly fairness: number | undefined
  /** Attempts beyond one an answer, per answer. */
  readonly wasted: number
  readonly seconds: number
}

export const percentile = (sorted: ReadonlyArray<number>, share: number): number =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN

const sorted = (values: ReadonlyArray<number>) => values.toSorted((left, right) => left - right)

const minuteMillis = 60_000

export const measure = (scenario: Scenario, { attempts, settled }: Record): Measures => {
  const answered = settled.filter(({ isAnswered }) => isAnswered)
  const refused = attempts.filter(({ outcome }) => outcome === "refused").length
  const first = new Map<number, number>()
  const last = new Map<number, number>()
  for (const { atMillis, id, outcome } of attempts) {
    if (!first.has(id)) first.set(id, atMillis)
    if (outcome === "answered") last.set(id, atMillis)
  }
  const waitOf = ({ request }: Settled) =>
    ((last.get(request.id) ?? Number.NaN) - request.atMillis) / 1000
  const waits = sorted(answered.map(waitOf))
  return {
    answered: answered.length,
    failed: scenario.requests.length - answered.length,
    refused,
    refusedShare: refused / Math.max(1, attempts.length),
    quotaUse: quotaUse(scenario, attempts, first),
    waitP50: percentile(waits, 0.5),
    waitP99: percentile(waits, 0.99),
    callerWaitP99: Object.fromEntries(
      (scenario.callers ?? []).map(({ name }) => {
        const own = answered.filter(({ request }) => request.caller === name)
        return [name, percentile(sorted(own.map(waitOf)), 0.99)]
      })
    ),
    answerP99: percentile(
      sorted(answered.map(({ atMillis, request }) => (atMillis - request.atMillis) / 1000)),
      0.99
    ),
    overtaken: overtaken(scenario, first),
    fairness: fairness(scenario, first),
    wasted: (attempts.length - answered.length) / Math.max(1, answered.length),
    seconds: Math.max(...settled.map(({ atMillis }) => atMillis)) / 1000
  }
}

/** The limit that binds, of all replicas together; what each admitted, and in whole minutes, whatever its window is. */
const quotaUse = (
  { limits = {}, replicas, saturates }: Scenario,
  attempts: Record["attempts"],
  first: ReadonlyMap<number, number>
): number | undefined => {
  const limit = saturates === "requests" ? limits.rpm : (limits.tpm ?? limits.itpm)
  if (saturates === undefined || limit === undefined) return undefined
  // As long as not every request has been sent once, there is one more that could be.
  const until = Math.floor(Math.max(...first.values()) / minuteMillis)
  if (until < 2) return undefined
  let used = 0
  for (const { atMillis, outcome, tokens } of attempts) {
    if (atMillis < minuteMillis || atMillis >= until * minuteMillis || outcome === "refused")
      continue
    used += saturates === "requests" ? 1 : tokens
  }
  return used / (limit * Object.keys(replicas).length * (until - 1))
}

const overtaken = ({ requests }: Scenario, first: ReadonlyMap<number, number>): number => {
  let most = 0
  for (const caller of new Set(requests.map((request) => request.caller))) {
    const sent = requests
      .filter((request) => request.caller === caller)
      .map(({ atMillis, id }) => ({ atMillis, sentMillis: first.get(id) ?? Infinity }))
    most = Math.max(most, mostOvertaken(sent))
  }
  return most
}

/** By a tree of counts over the times of sending: requests go through it in the order of arrival, the last first. */
const mostOvertaken = (
  requests: ReadonlyArray<{ readonly atMillis: number; readonly sentMillis: number }>
): number => {
  const times = [...new Set(requests.map(({ sentMillis }) => sentMillis))].toSorted((a, b) => a - b)
  const rank = new Map(times.map((time, index) => [time, index + 1]))
  const tree = new Array<number>(times.length + 1).fill(0)
  const before = (position: number): number => {
    let sum = 0
    for (let at = position; at > 0; at -= at & -at) sum += tree[at] ?? 0
    return sum
  }
  let most = 0
  const latest = requests.toSorted((left, right) => right.atMillis - left.atMillis)
  for (let index = 0; index < latest.length;) {
    const { atMillis } = latest[index] ?? { atMillis: 0 }
    let end = index
    // Those that came at the same instant have no order.
    while (latest[end]?.atMillis === atMillis) {
      most = Math.max(most, before((rank.get(latest[end]?.sentMillis ?? 0) ?? 1) - 1))
      end++
    }
    for (; index < end; index++) {
      for (let at = rank.get(latest[index]?.sentMillis ?? 0) ?? 1; at < tree.length; at += at & -at)
        tree[at] = (tree[at] ?? 0) + 1
    }
  }
  return most
}

const fairness = (
  { callers, requests }: Scenario,
  first: ReadonlyMap<number, number>
): number | undefined => {
  if (callers === undefined || callers.some(({ priority }) => priority !== undefined))
    return undefined
  const sent = callers.map(({ name }) =>
    requests.filter(({ caller }) => caller === name).map(({ id }) => first.get(id) ?? Infinity)
  )
  // Until the first caller has nothing left that waits.
  const until = Math.min(...sent.map((times) => Math.max(...times)))
  const got = sent.map((times) => times.filter((time) => time <= until).length)
  const sum = got.reduce((total, count) => total + count, 0)
  return sum ** 2 / (got.length * got.reduce((total, count) => total + count ** 2, 0))
}
