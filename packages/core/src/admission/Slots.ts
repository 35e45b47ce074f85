/**
 * Slots: how many attempts may be in flight at once, at one deployment or in a whole client.
 *
 * A slot is held for one attempt, never while a request waits for quota or to be tried again. How many there are, a
 * `ConcurrencyLimit` says, fixed or adaptive; this only counts. Who waits for a slot stands in the `Scheduler`'s line.
 *
 * @since 0.1.0
 */
import type { ConcurrencyLimit, LimitReason } from "./ConcurrencyLimit.ts"
import * as Limit from "./ConcurrencyLimit.ts"

/**
 * How an attempt in a slot ended, as far as their number is concerned: answered, refused because there were too many, or
 * neither.
 *
 * @category models
 * @since 0.1.0
 */
export type SlotEnd = "answered" | "overload" | "neither"

/**
 * The slots of one deployment or client.
 *
 * @category models
 * @since 0.1.0
 */
export class Slots {
  readonly #control: ConcurrencyLimit
  #inFlight = 0

  constructor(control: ConcurrencyLimit = Limit.fixed(Number.POSITIVE_INFINITY)) {
    this.#control = control
  }

  /** The most attempts at once; `Infinity` without a limit. */
  get limit(): number {
    return this.#control.limit
  }

  /** Why the limit is what it is. */
  get reason(): LimitReason {
    return this.#control.reason
  }

  get inFlight(): number {
    return this.#inFlight
  }

  get hasRoom(): boolean {
    return this.#inFlight < this.#control.limit
  }

  take(): void {
    this.#inFlight++
  }

  /** Gives a slot back, and lets the limit learn from how the attempt in it ended. */
  free(nowMillis: number, end: SlotEnd, latencyMillis: number): void {
    if (end === "answered") this.#control.onSuccess(latencyMillis, this.#inFlight, nowMillis)
    else if (end === "overload") this.#control.onOverload(latencyMillis, nowMillis)
    this.#inFlight--
  }
}
