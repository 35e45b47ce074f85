/**
 * Pacing: how much may be used at one instant, where a limit per minute is enforced by the second.
 *
 * A token bucket that holds the burst and refills at the limit's rate (GCRA). It does not keep the limit by itself:
 * `SlidingWindow` does. Something larger than the burst passes when the bucket is full, and leaves it in debt.
 *
 * **Units**: milliseconds and whatever is counted.
 *
 * @since 0.1.0
 */

/**
 * The pace of one limit.
 *
 * @category models
 * @since 0.1.0
 */
export class Pace {
  readonly #burst: number
  readonly #perMillis: number
  #level: number
  #atMillis = Number.NEGATIVE_INFINITY

  constructor(burst: number, limit: number, windowMillis: number) {
    this.#burst = burst
    this.#perMillis = limit / windowMillis
    this.#level = burst
  }

  add(nowMillis: number, amount: number): void {
    this.#refill(nowMillis)
    this.#level -= amount
  }

  refund(amount: number): void {
    this.#level = Math.min(this.#burst, this.#level + amount)
  }

  roomAt(nowMillis: number, amount: number): number {
    const now = this.#refill(nowMillis)
    const missing = Math.min(amount, this.#burst) - this.#level
    // A hair is forgiven: without it, rounding would make a waiter wake a moment too early, over and over.
    return missing <= 1e-9 ? now : now + missing / this.#perMillis
  }

  #refill(nowMillis: number): number {
    const now = Math.max(nowMillis, this.#atMillis)
    if (this.#atMillis !== Number.NEGATIVE_INFINITY) {
      this.#level = Math.min(this.#burst, this.#level + (now - this.#atMillis) * this.#perMillis)
    }
    this.#atMillis = now
    return now
  }
}
