/**
 * Hedging: when an attempt takes longer than most, a second one is sent to another deployment; the first answer counts.
 *
 * It cuts the slowest answers short at the price of a few attempts more. It sends no second attempt where another deployment
 * is not free at that moment, where the request has no attempt left, nor when hedges would be more than a share of the
 * requests, and the loser is interrupted, which closes its socket. What the loser may have cost is in `metrics`: it was paid
 * for.
 *
 * **Source**: J. Dean, L. A. Barroso, "The Tail at Scale", Communications of the ACM 56 (2), 2013.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"

import type { Handler } from "../Call.ts"
import { Call } from "../Call.ts"
import type { Answer, AttemptError } from "../provider/Provider.ts"
import { isDeploymentsOwn } from "./Fallback.ts"

/**
 * The settings of hedging.
 *
 * @category schemas
 * @since 0.1.0
 */
export const HedgeSettings = Schema.Struct({
  /** The second attempt is sent when the first takes longer than this share of all. Default 0.95. */
  percentile: Schema.optional(
    Schema.Finite.check(Schema.isBetween({ minimum: 0.5, maximum: 0.999 }))
  ),
  /** The most second attempts, as a share of the requests. Default 0.05. */
  maxShare: Schema.optional(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 })))
})

/**
 * The settings of hedging.
 *
 * @category models
 * @since 0.1.0
 */
export type HedgeSettings = typeof HedgeSettings.Type

/** Latencies that a percentile is taken from: enough for the 95th to rest on a dozen, few enough to follow a change. */
const keptLatencies = 256
/** Before so many answers nobody knows what is slow. */
const fewestLatencies = 32
/** The percentile is taken anew after so many answers: sorting at each one would cost more than it tells. */
const renewedAfter = 16

/**
 * When to hedge: what was observed of one model.
 *
 * **Units**: milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export class Latencies {
  readonly #percentile: number
  readonly #kept: Array<number> = []
  #next = 0
  #seen = 0
  #threshold: number | undefined

  constructor(percentile: number) {
    this.#percentile = percentile
  }

  add(millis: number): void {
    this.#kept[this.#next] = millis
    this.#next = (this.#next + 1) % keptLatencies
    this.#seen++
    if (this.#seen < fewestLatencies || this.#seen % renewedAfter !== 0) return
    const sorted = this.#kept.toSorted((left, right) => left - right)
    this.#threshold =
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * this.#percentile))]
  }

  /** How long an attempt may take before a second one is sent; `undefined` while too little is known. */
  get threshold(): number | undefined {
    return this.#threshold
  }
}

/**
 * The allowance of second attempts.
 *
 * @category models
 * @since 0.1.0
 */
export class HedgeAllowance {
  readonly #share: number
  #balance = 1

  constructor(share: number) {
    this.#share = share
  }

  /** Called once per request: each earns a share of a second attempt. */
  earn(): void {
    this.#balance = Math.min(this.#balance + this.#share, 10)
  }

  /** Takes one; false when there is none. */
  spend(): boolean {
    if (this.#balance < 1) return false
    this.#balance--
    return true
  }
}

/**
 * Hedges the attempts of a client.
 *
 * @category models
 * @since 0.1.0
 */
export interface Hedge {
  /** Learns how long an attempt took that was answered. */
  readonly observe: (model: string, millis: number) => void
  /**
   * The pipeline stage. `rival` sends a second attempt if there is a place for it at this moment, and fails if there is none.
   */
  readonly stage: (rival: Handler) => (next: Handler) => Handler
}

/**
 * Builds the hedging of a client.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (settings: HedgeSettings): Hedge => {
  const { maxShare = 0.05, percentile = 0.95 } = settings
  const known = new Map<string, Latencies>()
  const allowance = new HedgeAllowance(maxShare)
  return {
    observe: (model, millis) => {
      let latencies = known.get(model)
      if (latencies === undefined) known.set(model, (latencies = new Latencies(percentile)))
      latencies.add(millis)
    },
    stage: (rival) => (next) => (call) => {
      allowance.earn()
      const threshold = known.get(call.model)?.threshold
      return threshold === undefined || call.plan.canHedge === false
        ? next(call)
        : race(call, next, rival, threshold, allowance)
    }
  }
}

const race = <A>(
  call: Call<A>,
  next: Handler,
  send: Handler,
  thresholdMillis: number,
  allowance: HedgeAllowance
): Effect.Effect<Answer<A>, AttemptError> =>
  Effect.suspend(() => {
    const sent = Deferred.makeUnsafe<void>()
    call.onSent = () => void Deferred.doneUnsafe(sent, Effect.void)
    let rival: Call<A> | undefined
    let rivalRuns = false
    let firstError: AttemptError | undefined

    const first = next(call).pipe(
      Effect.map((answer) => ({ answer, by: call })),
      // While the second attempt is under way, the first one's failure is not yet the request's.
      Effect.catch((error) => {
        firstError = error
        return rivalRuns ? Effect.never : Effect.fail(error)
      })
    )

    const second = Effect.gen(function* () {
      yield* Deferred.await(sent)
      yield* Effect.sleep(thresholdMillis)
      // It is an attempt of the request like any other.
      if (call.attempts >= call.mostAttempts || !allowance.spend()) return yield* Effect.never
      rival = rivalOf(call)
      rivalRuns = true
      const answer = yield* Effect.catch(send(rival), (error) => {
        if (rival !== undefined) blame(call, rival, error)
        return Effect.undefined
      })
      rivalRuns = false
      if (answer !== undefined) return { answer, by: rival }
      // It found no place or failed: the first one decides, if it has not failed already.
      return yield* firstError === undefined ? Effect.never : Effect.fail(firstError)
    })

    return Effect.raceFirst(first, second).pipe(
      Effect.onExit((exit) =>
        Effect.sync(() => {
          call.onSent = undefined
          if (rival !== undefined)
            merge(call, rival, Exit.isSuccess(exit) ? exit.value.by : undefined)
        })
      ),
      Effect.map(({ answer }) => answer)
    )
  })

/** A second call of the same request, for another deployment than the first one's. */
const rivalOf = <A>(call: Call<A>): Call<A> => {
  const rival = new Call(call.plan, call.startedMillis, call)
  rival.isHedge = true
  rival.cost = call.cost
  rival.priceOf = call.priceOf
  rival.models.splice(0, rival.models.length, ...call.models)
  rival.excluded.push(...call.excluded)
  if (call.deployment !== undefined) rival.excluded.push(call.deployment)
  return rival
}

/** Keeps what a second attempt that was sent failed with, so that the request does not try the same deployment next. */
const blame = <A>(call: Call<A>, { attempts, deployment }: Call<A>, { reason }: AttemptError) => {
  if (attempts === 0 || deployment === undefined) return
  call.failures.push({ deployment, reason })
  if (isDeploymentsOwn(reason)) call.excluded.push(deployment)
  else call.failedAt.push(deployment)
}

/** Makes the two calls one again: what the loser took was taken by the request. */
const merge = <A>(call: Call<A>, rival: Call<A>, winner: Call<A> | undefined) => {
  if (rival.attempts === 0) return
  call.attempts += rival.attempts
  call.hedges += rival.attempts
  call.hedgeUsd += call.cost.usd
  if (winner !== rival) return
  call.hedgesWon += rival.attempts
  call.deployment = rival.deployment
  call.serviceMillis += rival.serviceMillis
}
