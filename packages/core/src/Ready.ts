/**
 * A deployment made ready for requests: connected, with its accounts, its slots and its place in the fleet.
 *
 * It decides nothing; the `Scheduler` does, over these.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"

import type { Account } from "./admission/Account.ts"
import * as ConcurrencyLimit from "./admission/ConcurrencyLimit.ts"
import type { Cost, Quota } from "./admission/Quota.ts"
import { QuotaStore } from "./admission/QuotaStore.ts"
import { Slots } from "./admission/Slots.ts"
import type { Deployment } from "./Deployment.ts"
import type { Connection } from "./provider/Provider.ts"
import { Providers } from "./provider/Providers.ts"
import * as ProvidersModule from "./provider/Providers.ts"
import type { Member } from "./routing/Member.ts"
import { SettingsError } from "./SettingsError.ts"

/**
 * A deployment made ready for requests.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ready {
  readonly deployment: Deployment
  readonly member: Member
  readonly connection: Connection
  /** The account that the provider's limits are about: that of a shared key where there is one. */
  readonly account: Account
  /** All its accounts, the one above first. */
  readonly accounts: ReadonlyArray<Account>
  readonly slots: Slots
}

/**
 * The quotas that deployments share, by name.
 *
 * @category models
 * @since 0.1.0
 */
export type SharedQuotas = { readonly [name: string]: Quota }

/** What stands before the name of a shared quota in its key; no id of a deployment begins so. */
const sharedPrefix = "quota:"

/**
 * Everything of a deployment but its place in the fleet; fails when it cannot be used.
 *
 * @category constructors
 * @since 0.1.0
 */
export const prepare = Effect.fnUntraced(function* (deployment: Deployment, quotas: SharedQuotas) {
  const store = yield* QuotaStore
  const connection = yield* connect(deployment)
  const shared = yield* Effect.forEach(deployment.quotaKeys, (name) => {
    const quota = quotas[name]
    return quota === undefined
      ? Effect.fail(
          new SettingsError({
            setting: `deployments.${deployment.id}.quotaKeys`,
            problem: `there is no quota '${name}'`,
            hint: `Describe it in 'quotas'; known: ${Object.keys(quotas).join(", ") || "none"}`
          })
        )
      : store.account(`${sharedPrefix}${name}`, quota, deployment)
  })
  // Without limits, too: they are learned from what the provider says.
  const own = yield* store.account(deployment.id, deployment.limits, deployment)
  return {
    deployment,
    connection,
    account: shared[0] ?? own,
    accounts: [...shared, own],
    slots: new Slots(ConcurrencyLimit.make(deployment.maxParallelRequests))
  }
})

/** Finds the deployment's provider and lets it check the settings and prepare what requests share. */
const connect = Effect.fnUntraced(function* (deployment: Deployment) {
  const providers = yield* Providers
  const provider = providers.get(deployment.provider)
  if (provider !== undefined) return yield* provider.connect(deployment.target)
  return yield* new SettingsError({
    setting: deployment.label === undefined ? "model" : `deployments.${deployment.label}.model`,
    problem: `there is no provider '${deployment.provider}'`,
    hint: ProvidersModule.hint(providers, deployment.provider)
  })
})

/**
 * When a deployment could take a cost, its slots left out; `Infinity` while it is draining.
 *
 * @category getters
 * @since 0.1.0
 */
export const roomAt = (ready: Ready, cost: Cost, nowMillis: number): number => {
  let at = nowMillis + ready.member.waitMillis(nowMillis)
  for (const account of ready.accounts) at = Math.max(at, account.roomAt(nowMillis, cost))
  return at
}
