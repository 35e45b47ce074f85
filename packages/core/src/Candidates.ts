/**
 * Which deployments may take a call at all: those of its model and tags, less those that cannot answer it.
 *
 * Whether they can take it now is the `Scheduler`'s matter.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"

import type { Account } from "./admission/Account.ts"
import type { Limit } from "./admission/Limit.ts"
import type { Cost } from "./admission/Quota.ts"
import { amountOf } from "./admission/Quota.ts"
import type { Call } from "./Call.ts"
import type { Ready } from "./Ready.ts"
import type { Reason } from "./Reason.ts"
import { NoDeployment, QuotaUnsatisfiable } from "./Reason.ts"
import type { Wanted } from "./routing/ModelTable.ts"
import * as ModelTable from "./routing/ModelTable.ts"

/**
 * Where the candidates come from.
 *
 * @category models
 * @since 0.1.0
 */
export interface CandidatesOptions {
  /** The deployments in service; the same array until `version` changes. */
  readonly ready: () => ReadonlyArray<Ready>
  readonly version: () => number
  /** The client's own accounts, which every call takes from. */
  readonly own: ReadonlyArray<Account>
  /** Further names for models. */
  readonly aliases?: { readonly [alias: string]: string } | undefined
  /** The model of calls that name none. Default: any. */
  readonly defaultModel?: string | undefined
}

/**
 * Finds candidates.
 *
 * @category models
 * @since 0.1.0
 */
export interface Candidates {
  /** Those that may take a call, at least one; or why there is none. */
  readonly of: (
    call: Pick<Call<unknown>, "cost" | "excluded" | "model" | "plan">,
    nowMillis: number
  ) => ReadonlyArray<Ready> | Reason
  /** Those of a model, whatever the call. */
  readonly serving: (wanted: Wanted) => ReadonlyArray<Ready> | Reason
  /** Rules a deployment out for a while, where others could answer: what it failed with is its own, and not the call's. */
  readonly shun: (ready: Ready, nowMillis: number) => void
  readonly isShunned: (ready: Ready, nowMillis: number) => boolean
}

/** How long a deployment is left out that refused its key, has no credit or no such model. */
const shunnedMillis = 60_000

/**
 * Builds the search.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: CandidatesOptions): Candidates => {
  const { aliases, defaultModel, own, ready, version } = options
  const groups = new Map<string, ReadonlyArray<Ready>>()
  /** What was served at some time: that nobody serves it now is not the caller's mistake. */
  const served = new Set<string>()
  const shunned = new Map<Ready, number>()

  const readTable = () => {
    const table = ModelTable.make(ready(), aliases)
    for (const name of table.names) served.add(JSON.stringify([name]))
    return table
  }
  let tableVersion = version()
  let table = readTable()

  const serving = ({ model = defaultModel, tags }: Wanted): ReadonlyArray<Ready> | Reason => {
    if (tableVersion !== version()) {
      tableVersion = version()
      table = readTable()
      groups.clear()
    }
    if (model === undefined && tags === undefined) return ready()
    const key = JSON.stringify(tags === undefined ? [model] : [model, tags])
    let group: ReadonlyArray<Ready> | Reason | undefined = groups.get(key)
    if (group === undefined) {
      group = Result.merge(table.serving({ model, tags }))
      if (isReason(group))
        return served.has(key) ? new NoDeployment({ problem: "none is in service" }) : group
      served.add(key)
      groups.set(key, group)
    }
    return group
  }

  /** Less those that are shunned, unless that leaves none. */
  const trusted = (group: ReadonlyArray<Ready>, now: number): ReadonlyArray<Ready> => {
    if (shunned.size === 0) return group
    for (const [one, until] of shunned) if (until <= now) shunned.delete(one)
    const others = group.filter((one) => !shunned.has(one))
    return others.length === 0 ? group : others
  }

  return {
    serving,
    shun: (one, now) => shunned.set(one, now + shunnedMillis),
    isShunned: (one, now) => (shunned.get(one) ?? 0) > now,
    of: ({ cost, excluded, model, plan }, now) => {
      const tooSmall = firstTooSmall(own, cost)
      if (tooSmall !== undefined) return unsatisfiable(tooSmall, cost)
      const all = serving({ model: model === "" ? undefined : model, tags: plan.tags })
      if (isReason(all)) return all
      const group = trusted(
        excluded.length === 0
          ? all
          : all.filter(({ deployment }) => !excluded.includes(deployment)),
        now
      )
      const [first] = group
      if (first === undefined) {
        return new NoDeployment({
          problem: all.length === 0 ? "none is in service" : "each of them has refused it"
        })
      }
      if (!group.some(({ accounts }) => firstTooSmall(accounts, cost) !== undefined)) return group
      const possible = group.filter(({ accounts }) => firstTooSmall(accounts, cost) === undefined)
      const limit = firstTooSmall(first.accounts, cost)
      return possible.length > 0 || limit === undefined ? possible : unsatisfiable(limit, cost)
    }
  }
}

/**
 * Whether there are no candidates, but a reason.
 *
 * @category guards
 * @since 0.1.0
 */
export const isReason = (found: ReadonlyArray<Ready> | Reason): found is Reason => "_tag" in found

const firstTooSmall = (accounts: ReadonlyArray<Account>, cost: Cost): Limit | undefined => {
  for (const account of accounts) {
    const limit = account.tooSmallFor(cost)
    if (limit !== undefined) return limit
  }
  return undefined
}

const unsatisfiable = ({ dimension, limit, name }: Limit, cost: Cost) =>
  new QuotaUnsatisfiable({ limit: name, allowed: limit, needed: amountOf(cost, dimension) })
