/**
 * A count of what happened lately: what was added fades away, and is all but gone after a few time constants.
 *
 * It is the arithmetic under `Load`. It limits nothing; quotas are kept exactly, elsewhere.
 *
 * **Units**: milliseconds and whatever is counted.
 *
 * @since 0.1.0
 */

/** The minute in which providers count requests and tokens. */
const fadeMillis = 60_000

/**
 * A count that fades with a time constant of a minute: the amount of the last minute, roughly.
 *
 * @category models
 * @since 0.1.0
 */
export class Fading {
  #amount = 0
  #atMillis = 0
  #rank = Number.NEGATIVE_INFINITY

  add(nowMillis: number, amount: number): void {
    this.#amount = this.read(nowMillis) + amount
    this.#atMillis = Math.max(this.#atMillis, nowMillis)
    this.#rank = Math.log(this.#amount) + this.#atMillis / fadeMillis
  }

  /**
   * The logarithm of the amount, but for a summand that grows with time alone. All amounts fade alike, so that they can be
   * compared by it at any time without computing what is left of each; times as many is a logarithm more.
   */
  get rank(): number {
    return this.#rank
  }

  read(nowMillis: number): number {
    const passed = nowMillis - this.#atMillis
    return this.#amount === 0 || passed <= 0
      ? this.#amount
      : this.#amount * Math.exp(-passed / fadeMillis)
  }
}
