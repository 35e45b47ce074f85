/**
 * Whether one deployment is better left alone now, and for how long: the state machine under `Health`.
 *
 * Closed, it counts failures. When there are too many it opens: the deployment is left alone, at first briefly, then for a time
 * that doubles. Half-open, one attempt probes it while the others wait; its answer closes the breaker, its failure opens it
 * again. Independently of that, a Retry-After pauses the deployment for everybody, not only for the request it refused.
 *
 * Only attempts that started in the present state count. A hundred attempts that were in flight when it opened and fail
 * afterwards are one failure of the deployment, not twenty; and an answer to one of them does not close it.
 *
 * It never fails a request and never waits, it says how long to wait. It knows no clock; times are given to it.
 *
 * **Units**: epoch milliseconds and milliseconds.
 *
 * **Source**: Nygard, Release It!, the circuit breaker; the reset of the doubling as in `effect/persistence/CircuitBreaker`.
 *
 * @since 0.1.0
 */
import type { HealthSettings } from "./HealthSettings.ts"
import { toMillis } from "./HealthSettings.ts"

/**
 * What became of an attempt, as far as the deployment's health is concerned.
 *
 * **Details**: `answered` also covers refusals that say the deployment works (a bad request, a refused key). `failed` is a
 * fault of the provider or the network. `limited` is a rate limit: it pauses, it is not a fault. `abandoned` says nothing:
 * the attempt was interrupted.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome =
  | { readonly _tag: "answered" }
  | { readonly _tag: "failed"; readonly retryAfterMillis: number | undefined }
  | { readonly _tag: "limited"; readonly retryAfterMillis: number | undefined }
  | { readonly _tag: "abandoned" }

/**
 * The state of one deployment; `paused` is a closed breaker with a Retry-After that has not passed.
 *
 * @category models
 * @since 0.1.0
 */
export type HealthState = "healthy" | "paused" | "open" | "half-open"

/** Attempts among which the share of failures is taken; at most 31, because they are kept as the bits of a number. */
const shareOver = 20

/** How long others wait before asking again while one attempt probes. */
const probeMillis = 250

/** A ticket that no state has: of an attempt that was started although it should have waited. */
const outside = -1

/**
 * The breaker of one deployment.
 *
 * @category models
 * @since 0.1.0
 */
export class Breaker {
  readonly #failuresInARow: number
  readonly #failuresInShare: number
  readonly #openMillis: number
  readonly #longestOpenMillis: number
  readonly #longestPauseMillis: number
  #state: "closed" | "open" = "closed"
  /** Counts the states and the probes; an attempt's ticket is the value at its start. */
  #ticket = 0
  #row = 0
  /** The last attempts, a bit each, set for a failure; and how many there are. */
  #history = 0
  #historyLength = 0
  #pausedUntil = 0
  #openUntil = 0
  #openings = 0
  #lastOpenMillis = 0
  /** When the doubling is forgotten: after the breaker stayed closed for as long as it was last open. */
  #forgetAt = 0
  #probeSince: number | undefined = undefined

  constructor(settings: HealthSettings = {}) {
    this.#failuresInARow = settings.failuresInARow ?? 5
    this.#failuresInShare = Math.ceil((settings.failureShare ?? 0.5) * shareOver)
    this.#openMillis = toMillis(settings.openFor ?? "5 seconds")
    this.#longestOpenMillis = toMillis(settings.longestOpen ?? "60 seconds")
    this.#longestPauseMillis = toMillis(settings.longestPause ?? "60 seconds")
  }

  /** Milliseconds until the deployment may be asked; 0 when it may be asked now. */
  waitMillis(nowMillis: number): number {
    const wait = Math.max(0, this.#pausedUntil - nowMillis)
    if (this.#state === "closed") return wait
    if (this.#openUntil > nowMillis) return Math.max(wait, this.#openUntil - nowMillis)
    return this.#isProbed(nowMillis) ? Math.max(wait, probeMillis) : wait
  }

  /** Called when an attempt starts; gives the ticket with which to say how it ended. */
  started(nowMillis: number): number {
    if (this.#state === "closed") return this.#ticket
    if (this.#openUntil > nowMillis || this.#isProbed(nowMillis)) return outside
    this.#probeSince = nowMillis
    return ++this.#ticket
  }

  /** Called when an attempt has ended. */
  ended(nowMillis: number, outcome: Outcome, ticket: number): void {
    const asked = "retryAfterMillis" in outcome ? outcome.retryAfterMillis : undefined
    if (asked !== undefined) {
      const pause = Math.min(this.#longestPauseMillis, asked)
      this.#pausedUntil = Math.max(this.#pausedUntil, nowMillis + pause)
    }
    if (ticket !== this.#ticket) return
    this.#probeSince = undefined
    if (outcome._tag === "failed") this.#count(nowMillis, true)
    else if (outcome._tag === "answered") this.#count(nowMillis, false)
  }

  /**
   * Called with the result of an active check. A good one lets an open breaker probe at once, and says no more than that the
   * server is up; a bad one keeps an open breaker open, and counts as a failure of a closed one.
   */
  checked(nowMillis: number, ok: boolean): void {
    if (this.#state === "closed") {
      if (!ok) this.#count(nowMillis, true)
    } else if (ok) this.#openUntil = Math.min(this.#openUntil, nowMillis)
    else if (!this.#isProbed(nowMillis)) {
      const again = Math.min(this.#openMillis, this.#longestOpenMillis)
      this.#openUntil = Math.max(this.#openUntil, nowMillis + again)
    }
  }

  state(nowMillis: number): HealthState {
    if (this.#state === "open") return this.#openUntil > nowMillis ? "open" : "half-open"
    return this.#pausedUntil > nowMillis ? "paused" : "healthy"
  }

  /** A probe that hangs for longer than the breaker is ever open makes room for another. */
  #isProbed(nowMillis: number): boolean {
    return this.#probeSince !== undefined && nowMillis - this.#probeSince < this.#longestOpenMillis
  }

  #count(nowMillis: number, failed: boolean): void {
    if (this.#state === "open") {
      if (failed) this.#open(nowMillis)
      else this.#close(nowMillis)
      return
    }
    this.#row = failed ? this.#row + 1 : 0
    this.#history = ((this.#history << 1) | (failed ? 1 : 0)) & (2 ** shareOver - 1)
    this.#historyLength = Math.min(shareOver, this.#historyLength + 1)
    if (!failed) return
    const tooMany =
      this.#historyLength === shareOver && ones(this.#history) >= this.#failuresInShare
    if (this.#row < this.#failuresInARow && !tooMany) return
    if (nowMillis >= this.#forgetAt) this.#openings = 0
    this.#open(nowMillis)
  }

  #open(nowMillis: number): void {
    const own = this.#openMillis * 2 ** this.#openings
    this.#lastOpenMillis = Math.min(this.#longestOpenMillis, own)
    this.#openUntil = nowMillis + this.#lastOpenMillis
    this.#openings++
    this.#enter("open")
  }

  #close(nowMillis: number): void {
    this.#forgetAt = nowMillis + this.#lastOpenMillis
    this.#enter("closed")
  }

  #enter(state: "closed" | "open"): void {
    this.#state = state
    this.#ticket++
    this.#row = 0
    this.#history = 0
    this.#historyLength = 0
  }
}

const ones = (bits: number): number => {
  let count = 0
  for (let left = bits; left !== 0; left &= left - 1) count++
  return count
}
