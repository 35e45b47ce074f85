/**
 * Slots: how many attempts may be in flight at once, at one deployment or in a whole client.
 *
 * A slot is held for one attempt, never while a request waits for quota or to be tried again. It is a counter and waits for
 * nothing; who waits for a slot stands in the `Scheduler`'s line.
 *
 * @since 0.1.0
 */

/**
 * The slots of one deployment or client.
 *
 * @category models
 * @since 0.1.0
 */
export class Slots {
  #limit: number
  #inFlight = 0

  constructor(limit = Number.POSITIVE_INFINITY) {
    this.#limit = limit
  }

  /** The most attempts at once; `Infinity` without a limit. */
  get limit(): number {
    return this.#limit
  }

  get inFlight(): number {
    return this.#inFlight
  }

  get hasRoom(): boolean {
    return this.#inFlight < this.#limit
  }

  take(): void {
    this.#inFlight++
  }

  free(): void {
    this.#inFlight--
  }
}
