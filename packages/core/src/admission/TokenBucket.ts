/**
 * How much of a bucket is used that refills evenly, and when there is room again: the arithmetic of providers that count so.
 *
 * What was used comes back at the limit's rate from the moment it was used, not a window later. So a bucket that is full lets
 * up to twice the limit through in its first window, as the provider's own does; where the provider counts another way that is
 * refused, and `SlidingWindow` is right. It waits for nothing and knows no clock; times are given to it.
 *
 * **Units**: milliseconds and whatever is counted (requests or tokens). Capacity lost to the guard: 0.5 %.
 *
 * @since 0.1.0
 */

/** Kept back, because the provider sees requests a little later than we send them, and not always equally later. */
const guardShare = 0.005

/** Slices of a window in which the lowest use is remembered. */
const slices = 60

/**
 * Use of one limit that refills evenly.
 *
 * @category models
 * @since 0.1.0
 */
export class TokenBucket {
  /** What the bucket holds; a change counts from the next look on. */
  limit: number
  readonly windowMillis: number
  readonly #sliceMillis: number
  #used = 0
  #atMillis = Number.NEGATIVE_INFINITY
  /** The lowest use in each slice of the last window, and of which slice it is. */
  readonly #lowest = new Array<number>(slices).fill(0)
  readonly #sliceOf = new Array<number>(slices).fill(Number.NEGATIVE_INFINITY)

  constructor(limit: number, windowMillis: number) {
    this.limit = limit
    this.windowMillis = windowMillis
    this.#sliceMillis = windowMillis / slices
  }

  /** What is used at a time and has not come back; above the limit when answers used more than was estimated. */
  used(nowMillis: number): number {
    this.#refill(nowMillis)
    return this.#used
  }

  /** Counts an amount, and gives the stamp that a later refund needs. */
  add(nowMillis: number, amount: number): number {
    const slice = this.#refill(nowMillis)
    this.#used += amount
    return slice
  }

  /**
   * Gives back part of what was counted at a stamp: what has not come back by itself since then. Had less been used, the bucket
   * would have been full earlier and have lost what else would have come: no more is given back than was used all the time.
   */
  refund(stamp: number, amount: number): void {
    const slice = Math.floor(this.#atMillis / this.#sliceMillis)
    if (slice - stamp >= slices) return
    let returned = Math.min(amount, this.#used)
    for (let since = stamp; since <= slice; since++) {
      const place = since % slices
      if (this.#sliceOf[place] === since) returned = Math.min(returned, this.#lowest[place] ?? 0)
    }
    this.#used -= returned
    for (let since = stamp; since <= slice; since++) {
      const place = since % slices
      if (this.#sliceOf[place] === since)
        this.#lowest[place] = Math.max(0, (this.#lowest[place] ?? 0) - returned)
    }
  }

  /**
   * The earliest time at which an amount has room, if nothing else is counted until then. For an amount above the limit (the
   * needs of a whole line of waiters together) the time by which all of it will have come back.
   */
  roomAt(nowMillis: number, amount: number): number {
    this.#refill(nowMillis)
    const guarded = this.limit * (1 - guardShare)
    // What is as large as the limit itself goes when the bucket is full.
    const capacity = amount <= this.limit ? Math.max(guarded, amount) : guarded
    const missing = this.#used + amount - capacity
    // A hair is forgiven: without it, rounding would make a waiter wake a moment too early, over and over.
    return missing <= 1e-9 ? this.#atMillis : this.#atMillis + missing / this.#perMillis()
  }

  #perMillis(): number {
    return this.limit / this.windowMillis
  }

  /** Lets come back what has; a clock that steps back stands still here. Gives the slice of the time. */
  #refill(nowMillis: number): number {
    const now = Math.max(nowMillis, this.#atMillis)
    if (this.#atMillis !== Number.NEGATIVE_INFINITY)
      this.#used = Math.max(0, this.#used - (now - this.#atMillis) * this.#perMillis())
    this.#atMillis = now
    const slice = Math.floor(now / this.#sliceMillis)
    const place = slice % slices
    if (this.#sliceOf[place] === slice)
      this.#lowest[place] = Math.min(this.#lowest[place] ?? 0, this.#used)
    else {
      this.#sliceOf[place] = slice
      this.#lowest[place] = this.#used
    }
    return slice
  }
}
