/**
 * A deployment in service: its value with its load, its health and its place in the fleet.
 *
 * It is the candidate that strategies compare, one object for as long as the deployment is there, so that a choice among many
 * allocates nothing. The scheduler tells it of each attempt's start and end, and keeps `headroom` and `price` up to date.
 *
 * **Units**: epoch milliseconds and milliseconds.
 *
 * @since 0.1.0
 */
import type { Deployment } from "../Deployment.ts"
import type { Breaker, Outcome } from "./Breaker.ts"
import type { Candidate } from "./Candidate.ts"
import type { AttemptEnd } from "./Load.ts"
import { Load } from "./Load.ts"
import { hash } from "./Sticky.ts"

/**
 * How an attempt at a member ended.
 *
 * @category models
 * @since 0.1.0
 */
export interface MemberEnd extends Omit<AttemptEnd, "ok"> {
  readonly outcome: Outcome
  /** What `started` gave. */
  readonly ticket: number
}

/**
 * A deployment in service.
 *
 * @category models
 * @since 0.1.0
 */
export class Member implements Candidate {
  readonly deployment: Deployment
  readonly order: number
  readonly hash: number
  readonly health: Breaker
  readonly load = new Load()
  headroom = 1
  price: number | undefined = undefined
  #whenEmpty: (() => void) | undefined = undefined

  constructor(deployment: Deployment, order: number, health: Breaker) {
    this.deployment = deployment
    this.order = order
    this.health = health
    this.hash = hash(deployment.id)
  }

  /** Whether it takes no new attempts and leaves when those in flight have ended. */
  get draining(): boolean {
    return this.#whenEmpty !== undefined
  }

  /** Milliseconds until it may be asked, quota apart: `Infinity` for one that is draining, which takes no new attempts. */
  waitMillis(nowMillis: number): number {
    return this.draining ? Number.POSITIVE_INFINITY : this.health.waitMillis(nowMillis)
  }

  /** Called when an attempt starts; gives the ticket with which to say how it ended. */
  started(nowMillis: number): number {
    this.load.started(nowMillis)
    return this.health.started(nowMillis)
  }

  /** Called when an attempt has ended, however it did. */
  ended(nowMillis: number, end: MemberEnd): void {
    const { outcome, ticket, ...measured } = end
    this.health.ended(nowMillis, outcome, ticket)
    const ok = outcome._tag === "abandoned" ? undefined : outcome._tag === "answered"
    this.load.ended(nowMillis, { ...measured, ok })
    if (this.load.inFlight === 0) this.#whenEmpty?.()
  }

  /** Lets it take no further attempts, and calls a function when none is left. Only its fleet calls this, and once. */
  drain(whenEmpty: () => void): void {
    this.#whenEmpty = whenEmpty
    if (this.load.inFlight === 0) whenEmpty()
  }
}
