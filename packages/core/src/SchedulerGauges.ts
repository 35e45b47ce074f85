/**
 * What the scheduler knows, as gauges: the line, slots, quotas and health.
 *
 * They read the scheduler's own state when somebody asks; nothing is done while requests run, except that a limit which was
 * learned meanwhile is added.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"

import type { Account } from "./admission/Account.ts"
import type { Slots } from "./admission/Slots.ts"
import type { Ready } from "./Ready.ts"
import type { Health, HealthState } from "./routing/Health.ts"
import type { Add } from "./telemetry/Gauges.ts"
import * as Gauges from "./telemetry/Gauges.ts"
import { labels, metrics } from "./telemetry/Metrics.ts"
import type { Attributes } from "./telemetry/Series.ts"

/**
 * The state of a client as a whole.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClientState {
  readonly line: { readonly size: number }
  readonly slots: Slots
  /** Accounts of the client's own limits. */
  readonly own: ReadonlyArray<Account>
  readonly health: Health["Service"]
}

/**
 * The gauges of a scheduler.
 *
 * @category models
 * @since 0.1.0
 */
export interface SchedulerGauges {
  /** Adds those of a deployment that came into service; what it gives takes them away again. */
  readonly add: (ready: Ready) => () => void
  /** Adds what has been learned of a deployment's limits since the last time. */
  readonly learned: (ready: Ready) => void
}

const states: ReadonlyArray<HealthState> = ["healthy", "paused", "open", "half-open"]

/**
 * Registers the gauges of a client; they leave the registry when the scope ends.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* ({ health, line, own, slots }: ClientState) {
  const add = yield* Gauges.make
  /** How many limits of an account have gauges. */
  const known = new Map<Account, Array<() => void>>()

  const addLimits = (
    account: Account,
    attributes: Attributes,
    definitions: {
      readonly used: Parameters<Add>[0]
      readonly limit: Parameters<Add>[0]
    }
  ) => {
    let removers = known.get(account)
    if (removers === undefined) known.set(account, (removers = []))
    // Each limit has two gauges; limits are only ever added, at the end.
    for (const one of account.limits.slice(removers.length / 2)) {
      const labelled = { ...attributes, [labels.limit]: one.name }
      removers.push(
        add(definitions.used, labelled, (nowMillis) => one.used(nowMillis)),
        add(definitions.limit, labelled, () => one.limit)
      )
    }
  }

  const ofDeployment = {
    used: metrics.deploymentQuotaUsed,
    limit: metrics.deploymentQuotaLimit
  }
  const learned = ({ accounts }: Ready) => {
    // The key is the deployment's id, or the name that deployments share: then they share the gauge, too.
    for (const account of accounts)
      addLimits(account, { [labels.deployment]: account.key }, ofDeployment)
  }

  add(metrics.waiting, {}, () => line.size)
  add(metrics.inFlight, {}, () => slots.inFlight)
  if (Number.isFinite(slots.limit)) add(metrics.slots, {}, () => slots.limit)
  for (const account of own)
    addLimits(account, {}, { used: metrics.quotaUsed, limit: metrics.quotaLimit })

  const gauges: SchedulerGauges = {
    learned,
    add: (ready) => {
      const { id } = ready.deployment
      const attributes = { [labels.deployment]: id }
      const removers = [
        add(metrics.deploymentInFlight, attributes, () => ready.slots.inFlight),
        ...states.map((state) =>
          add(metrics.deploymentHealth, { ...attributes, [labels.health]: state }, (nowMillis) =>
            health.state(id, nowMillis) === state ? 1 : 0
          )
        )
      ]
      if (Number.isFinite(ready.slots.limit))
        removers.push(add(metrics.deploymentSlots, attributes, () => ready.slots.limit))
      learned(ready)
      return () => {
        for (const remove of [...removers, ...(known.get(ready.account) ?? [])]) remove()
        known.delete(ready.account)
      }
    }
  }
  return gauges
})
