/**
 * How much was used in the last minute or day, and when there is room again: the arithmetic under `RateLimit`.
 *
 * A log of what was used, kept in at most a thousand slices of time, so that its memory does not grow with the limit. What a
 * slice holds expires when its newest possible entry is a whole window old, so the count is never below the true one: in no
 * sliding window is more used than the limit. It waits for nothing and knows no clock; times are given to it.
 *
 * **Why not a bucket.** A bucket that starts full and refills at the limit lets twice the limit through in its first window;
 * one small enough not to cannot hold a large request. The log allows exactly the limit, whatever the sizes.
 *
 * **Units**: milliseconds and whatever is counted (requests or tokens). Capacity lost to slices and guard: at most 0.6 %.
 *
 * @since 0.1.0
 */

/** Slices of a window: each costs a thousandth of the capacity, and two numbers. */
const slices = 1000

/**
 * What is added to every window, because the provider stamps a request later than we do, and not always equally later. Half a
 * per cent, and no more than half a second; measured in `performance.md`'s comparison of limiters as jitter of sends.
 */
const guardShare = 0.005
const longestGuardMillis = 500

/**
 * Use of one limit over a sliding window.
 *
 * @category models
 * @since 0.1.0
 */
export class SlidingWindow {
  /** What may be used in a window; a change counts from the next look on. */
  limit: number
  readonly windowMillis: number
  readonly #sliceMillis: number
  readonly #lifeMillis: number
  /** Slice numbers in ascending order, and what each holds. Entries before `#first` have expired. */
  #numbers: Array<number> = []
  #amounts: Array<number> = []
  #first = 0
  #used = 0
  #lastMillis = Number.NEGATIVE_INFINITY

  constructor(limit: number, windowMillis: number) {
    this.limit = limit
    this.windowMillis = windowMillis
    this.#sliceMillis = windowMillis / slices
    this.#lifeMillis = windowMillis + Math.min(windowMillis * guardShare, longestGuardMillis)
  }

  /** What is used at a time; above the limit when answers used more than was estimated. */
  used(nowMillis: number): number {
    this.#expire(nowMillis)
    return this.#used
  }

  /** Counts an amount, and gives the stamp that a later refund needs. */
  add(nowMillis: number, amount: number): number {
    const now = this.#expire(nowMillis)
    const number = Math.floor(now / this.#sliceMillis)
    const last = this.#numbers.length - 1
    if (last >= this.#first && this.#numbers[last] === number) {
      this.#amounts[last] = (this.#amounts[last] ?? 0) + amount
    } else {
      this.#numbers.push(number)
      this.#amounts.push(amount)
    }
    this.#used += amount
    return number
  }

  /** Gives back part of what was counted at a stamp; nothing, when that has expired anyway. */
  refund(stamp: number, amount: number): void {
    let low = this.#first
    let high = this.#numbers.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#numbers[middle] ?? 0) < stamp) low = middle + 1
      else high = middle
    }
    if (this.#numbers[low] !== stamp || low < this.#first) return
    this.#amounts[low] = (this.#amounts[low] ?? 0) - amount
    this.#used -= amount
  }

  /**
   * The earliest time at which an amount has room, if nothing else is counted until then. For an amount above the limit (the
   * needs of a whole line of waiters together) the time by which as many windows will have passed.
   */
  roomAt(nowMillis: number, amount: number): number {
    const now = this.#expire(nowMillis)
    let missing = this.#used + amount - this.limit
    if (missing <= 0) return now
    let at = now
    for (let index = this.#first; index < this.#numbers.length && missing > 0; index++) {
      missing -= this.#amounts[index] ?? 0
      at = this.#expiry(this.#numbers[index] ?? 0)
    }
    return missing <= 0 ? at : at + (missing / this.limit) * this.windowMillis
  }

  #expiry(number: number): number {
    return (number + 1) * this.#sliceMillis + this.#lifeMillis
  }

  /** Drops what has expired. A clock that steps back stands still here, so that nothing expires twice or early. */
  #expire(nowMillis: number): number {
    const now = Math.max(nowMillis, this.#lastMillis)
    this.#lastMillis = now
    while (
      this.#first < this.#numbers.length &&
      this.#expiry(this.#numbers[this.#first] ?? 0) <= now
    ) {
      this.#used -= this.#amounts[this.#first] ?? 0
      this.#first++
    }
    if (this.#first > slices) {
      this.#numbers = this.#numbers.slice(this.#first)
      this.#amounts = this.#amounts.slice(this.#first)
      this.#first = 0
    }
    return now
  }
}
