/**
 * The exact log of what happened within the last so many milliseconds.
 *
 * It counts and does not judge: the quota's sliding window and the statistics are built on it.
 *
 * **Details**: the window is half open. What happened at `t` is in the window until, not including, `t + windowMillis`.
 *
 * @since 0.1.0
 */

/** Dead entries are dropped from the arrays in blocks of this many, so that expiry costs O(1) on average. */
const compactAt = 4096

/**
 * A log of amounts with their times.
 *
 * **Units**: milliseconds; amounts are whatever is logged (requests, tokens).
 *
 * @category models
 * @since 0.1.0
 */
export class SlidingLog {
  private times: Array<number> = []
  private amounts: Array<number> = []
  private head = 0
  private sum = 0
  private readonly windowMillis: number

  constructor(windowMillis: number) {
    this.windowMillis = windowMillis
  }

  add(now: number, amount: number): void {
    this.times.push(now)
    this.amounts.push(amount)
    this.sum += amount
  }

  /** The amount within the window that ends now. */
  total(now: number): number {
    const oldest = now - this.windowMillis
    while (this.head < this.times.length && this.times[this.head]! <= oldest) {
      this.sum -= this.amounts[this.head++]!
    }
    if (this.head >= compactAt && this.head * 2 >= this.times.length) {
      this.times = this.times.slice(this.head)
      this.amounts = this.amounts.slice(this.head)
      this.head = 0
    }
    return this.sum
  }

  /** How many entries the window that ends now holds. */
  count(now: number): number {
    this.total(now)
    return this.times.length - this.head
  }

  /** Milliseconds until at least this amount has left the window. */
  waitMillis(now: number, amount: number): number {
    this.total(now)
    let left = amount
    for (let index = this.head; index < this.times.length; index++) {
      left -= this.amounts[index]!
      if (left <= 0) return this.times[index]! + this.windowMillis - now
    }
    return this.emptyMillis(now)
  }

  /** Milliseconds until the window is empty. */
  emptyMillis(now: number): number {
    const newest = this.times.at(-1)
    return newest === undefined ? 0 : Math.max(0, newest + this.windowMillis - now)
  }
}
