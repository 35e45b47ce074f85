/**
 * What the scheduler knows at one moment, for whoever shows it.
 *
 * It only reads; `Scheduler.snapshot` and `Scheduler.snapshots` give it.
 *
 * **Units**: attempts, milliseconds, and whatever a limit counts.
 *
 * @since 0.1.0
 */
import type { Account, LimitSnapshot } from "./admission/Account.ts"
import type { LimitReason } from "./admission/ConcurrencyLimit.ts"
import type { Line, Waiter } from "./admission/Line.ts"
import type { Call } from "./Call.ts"
import type { Ready } from "./Ready.ts"
import type { HealthState } from "./routing/Health.ts"
import type { ClientState } from "./SchedulerGauges.ts"

/**
 * One deployment at one moment.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeploymentSnapshot {
  readonly id: string
  readonly label: string | undefined
  readonly provider: string
  /** The model's name at the provider. */
  readonly model: string
  readonly health: HealthState
  /** How long an attempt takes there, by peak EWMA; 0 while nothing is known. */
  readonly latencyMillis: number
  /** Attempts that may be in flight at once; `Infinity` without a limit. */
  readonly slots: number
  /** Why that is so many, where it adapts. */
  readonly slotReason: LimitReason
  readonly inFlight: number
  /** Its limits, and those of the keys it shares. */
  readonly limits: ReadonlyArray<LimitSnapshot>
}

/**
 * What the scheduler knows at one moment.
 *
 * @category models
 * @since 0.1.0
 */
export interface SchedulerSnapshot {
  /** When it was taken, in epoch milliseconds. */
  readonly atMillis: number
  /** Attempts in the line. */
  readonly waiting: number
  /** The same by caller, the longest first; requests that name none are those of `""`. */
  readonly callers: ReadonlyArray<{ readonly name: string; readonly waiting: number }>
  /** What the attempt at the front waits for: `slots`, `health`, or the limit that has no room; absent when nobody waits. */
  readonly waitingFor: string | undefined
  /** How long it will wait if no attempt ends meanwhile; absent when nobody waits, or when an attempt must end first. */
  readonly waitMillis: number | undefined
  /** Slots of the client; `Infinity` without a limit. */
  readonly slots: number
  /** Why that is so many, where it adapts. */
  readonly slotReason: LimitReason
  readonly inFlight: number
  /** The client's own limits. */
  readonly limits: ReadonlyArray<LimitSnapshot>
  readonly deployments: ReadonlyArray<DeploymentSnapshot>
}

/**
 * One in the line, as far as a snapshot tells of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Queued extends Waiter {
  readonly call: Call<unknown>
  readonly candidates: ReadonlyArray<Ready>
}

/**
 * The state that a snapshot is taken of.
 *
 * @category models
 * @since 0.1.0
 */
export interface SchedulerState extends ClientState {
  readonly line: Line<Queued>
  readonly deployments: () => ReadonlyArray<Ready>
}

/**
 * Takes a snapshot; `nextMillis` is when the first of the line can be sent if nothing else happens, `Infinity` for never.
 *
 * @category constructors
 * @since 0.1.0
 */
export const take = (
  state: SchedulerState,
  nowMillis: number,
  nextMillis: number
): SchedulerSnapshot => {
  const { deployments, line, own, slots } = state
  return {
    atMillis: nowMillis,
    waiting: line.size,
    callers: line.callers().toSorted((left, right) => right.waiting - left.waiting),
    waitingFor: waitingFor(state, nowMillis),
    waitMillis:
      line.size === 0 || nextMillis === Number.POSITIVE_INFINITY
        ? undefined
        : Math.max(0, nextMillis - nowMillis),
    slots: slots.limit,
    slotReason: slots.reason,
    inFlight: slots.inFlight,
    limits: own.flatMap((account) => account.snapshot(nowMillis)),
    deployments: deployments().map(({ accounts, deployment, member, slots: ownSlots }) => ({
      id: deployment.id,
      label: deployment.label,
      provider: deployment.provider,
      model: deployment.target.model,
      health: member.health.state(nowMillis),
      latencyMillis: member.load.latencyMillis(nowMillis),
      slotReason: ownSlots.reason,
      slots: ownSlots.limit,
      inFlight: ownSlots.inFlight,
      limits: accounts.flatMap((account) => account.snapshot(nowMillis))
    }))
  }
}

const waitingFor = (
  { line, own, slots }: SchedulerState,
  nowMillis: number
): string | undefined => {
  const [head] = line.heads()
  if (head === undefined) return undefined
  if (!slots.hasRoom) return "slots"
  const { call, candidates } = head
  const full = (accounts: ReadonlyArray<Account>) =>
    accounts.flatMap((account) => account.fullFor(nowMillis, call.cost) ?? [])[0]
  const limit = full(own) ?? full(candidates.flatMap(({ accounts }) => accounts))
  if (limit !== undefined) return limit.name
  return candidates.some((ready) => ready.slots.hasRoom) ? "health" : "slots"
}
