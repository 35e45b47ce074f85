/**
 * Where the use of quotas is kept: the port, and the store in this process's memory.
 *
 * A reservation takes a cost out of all limits of several accounts (a deployment's, its shared keys', the client's) or out of
 * none, in one step; that is what a store shared by many processes must do in one transaction. It does not wait: a reservation
 * that has no room says when to ask again. Who asks when, and in which order, is the `Scheduler`'s matter.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

import type { AccountOptions, Receipt, Reports, Settlement } from "./Account.ts"
import { Account } from "./Account.ts"
import type { Cost, Quota } from "./Quota.ts"

/**
 * A granted reservation.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reservation {
  readonly _tag: "Granted"
  /** Makes what was reserved what was really used; a second time does nothing. */
  readonly settle: (nowMillis: number, settlement: Settlement) => Effect.Effect<void>
  /** Takes note of what the response says about the first account, the deployment's own. */
  readonly learn: (nowMillis: number, reports: Reports) => void
}

/**
 * A reservation that has no room now.
 *
 * @category models
 * @since 0.1.0
 */
export interface Refusal {
  readonly _tag: "Refused"
  /** When there may be room, in epoch milliseconds. */
  readonly retryAtMillis: number
}

/**
 * Keeps the use of quotas, by key.
 *
 * **Details**: `account` gives what this process knows of a key. In a shared store that may be behind the truth, so its
 * `roomAt` is a hint and only `reserve` decides; in memory it is the truth.
 *
 * @category services
 * @since 0.1.0
 */
export class QuotaStore extends Context.Service<
  QuotaStore,
  {
    /** The account of a key; the same key gives the same account, with the quota it was first given. */
    readonly account: (
      key: string,
      quota: Quota,
      options?: AccountOptions
    ) => Effect.Effect<Account>
    /** Takes a cost out of all accounts, or out of none. */
    readonly reserve: (
      accounts: ReadonlyArray<Account>,
      cost: Cost,
      nowMillis: number
    ) => Effect.Effect<Reservation | Refusal>
  }
>()("@infermesh/core/admission/QuotaStore") {}

const noReceipt: Receipt = { stamps: [], used: [] }
const nothing: Reservation = { _tag: "Granted", settle: () => Effect.void, learn: () => {} }
const granted = Effect.succeed(nothing)

const reserve: QuotaStore["Service"]["reserve"] = (accounts, cost, nowMillis) =>
  accounts.length === 0 ? granted : Effect.sync(() => takeAll(accounts, cost, nowMillis))

const takeAll = (
  accounts: ReadonlyArray<Account>,
  cost: Cost,
  nowMillis: number
): Reservation | Refusal => {
  let retryAtMillis = nowMillis
  for (const account of accounts)
    retryAtMillis = Math.max(retryAtMillis, account.roomAt(nowMillis, cost))
  if (retryAtMillis > nowMillis) return { _tag: "Refused", retryAtMillis }
  const receipts = accounts.map((account) => account.take(nowMillis, cost))
  let settled = false
  return {
    _tag: "Granted",
    learn: (atMillis, reports) => accounts[0]?.learn(atMillis, receipts[0] ?? noReceipt, reports),
    settle: (atMillis, settlement) =>
      Effect.sync(() => {
        if (settled) return
        settled = true
        for (const [index, account] of accounts.entries())
          account.settle(atMillis, receipts[index] ?? noReceipt, cost, settlement)
      })
  }
}

const make = (limited: boolean): QuotaStore["Service"] => {
  const accounts = new Map<string, Account>()
  return {
    account: (key, quota, options) =>
      Effect.sync(() => {
        let account = accounts.get(key)
        if (account === undefined) {
          account = limited
            ? new Account(key, quota, options)
            : new Account(key, {}, { learns: false })
          accounts.set(key, account)
        }
        return account
      }),
    reserve
  }
}

/**
 * Quotas kept in this process.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<QuotaStore> = Layer.sync(QuotaStore, () => make(true))

/**
 * No quota at all: every attempt is admitted at once.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerUnlimited: Layer.Layer<QuotaStore> = Layer.sync(QuotaStore, () => make(false))
