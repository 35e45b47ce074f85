/**
 * Pacing: how much may be used at one instant, where a limit per minute is enforced by the second.
 *
 * A token bucket that holds the burst and refills at the limit's rate (GCRA). It does not keep the limit by itself:
 * `SlidingWindow` does. Something larger than the burst passes when the bucket is full, and leaves it in debt.
 *
 * A burst that the user did not set is found out: it starts small, doubles with every burst that the provider took, and shrinks
 * for a while when the provider refuses what the quota allows (`Ramp`). So a provider that enforces a minute's limit by the second is not
 * overrun, and one that does not is soon given whole bursts.
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
  #burst: number
  readonly #perMillis: number
  #level: number
  #atMillis = Number.NEGATIVE_INFINITY

  constructor(burst: number, limit: number, windowMillis: number) {
    this.#burst = burst
    this.#perMillis = limit / windowMillis
    this.#level = burst
  }

  /** The most at one instant. */
  get burst(): number {
    return this.#burst
  }

  /** One of a burst was taken: it may be made again, and with it one more. */
  grow(): void {
    this.#burst++
    this.#level = Math.min(this.#burst, this.#level + 2)
  }

  /** Allows a smaller burst. */
  shrink(burst: number): void {
    this.#burst = burst
    this.#level = Math.min(this.#level, burst)
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

/** Requests that any provider takes at once. */
const firstBurst = 16

/** How long a refusal is taken for the provider's word; twice as long after each one that followed a new try. */
const firstPatienceMillis = 60_000
const longestPatienceMillis = 960_000

/** A burst that is too large has many refused: one alone, or a few among many, were refused for another reason. */
const fewestRefusals = 2
const refusedShare = 0.1

/**
 * Finds out which burst a provider takes, as TCP finds out its window: doubling from a small one up to the first refusal, and
 * then not above half of what was refused. A refusal may have had another reason, so after a while larger ones are tried again.
 *
 * **Source**: V. Jacobson, "Congestion Avoidance and Control", SIGCOMM 1988 (slow start).
 *
 * @category models
 * @since 0.1.0
 */
export class Ramp {
  readonly pace: Pace
  readonly #limit: number
  readonly #least: number
  #most: number
  #patienceMillis = firstPatienceMillis
  #triesAgainAt = Number.NEGATIVE_INFINITY
  #second = { since: Number.NEGATIVE_INFINITY, taken: 0, refused: 0 }

  constructor(limit: number, windowMillis: number) {
    this.#limit = limit
    // What comes in one second is no burst.
    this.#least = Math.max(1, Math.ceil((limit * 1000) / windowMillis))
    this.#most = limit
    this.pace = new Pace(Math.min(limit, Math.max(firstBurst, this.#least)), limit, windowMillis)
  }

  /** The provider took a request. */
  taken(nowMillis: number): void {
    this.#count(nowMillis).taken++
    if (this.#most < this.#limit && nowMillis >= this.#triesAgainAt) {
      this.#most = this.#limit
      this.#patienceMillis = Math.min(longestPatienceMillis, 2 * this.#patienceMillis)
    }
    if (this.pace.burst < this.#most) this.pace.grow()
  }

  /** The provider refused a request that the quota allows. */
  refused(nowMillis: number): void {
    const { refused, taken } = this.#count(nowMillis)
    this.#second.refused = refused + 1
    if (refused + 1 < fewestRefusals || refused + 1 < refusedShare * (refused + 1 + taken)) return
    this.#most = Math.max(this.#least, Math.floor(this.pace.burst / 2))
    this.pace.shrink(Math.min(this.pace.burst, this.#most))
    this.#triesAgainAt = nowMillis + this.#patienceMillis
  }

  /** What came of the requests that ended in this second. */
  #count(nowMillis: number): { taken: number; refused: number } {
    const since = Math.floor(nowMillis / 1000)
    if (since !== this.#second.since) this.#second = { since, taken: 0, refused: 0 }
    return this.#second
  }
}
