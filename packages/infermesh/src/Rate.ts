/**
 * How fast something goes of late: by the minute, over the last half a minute.
 *
 * @since 0.1.0
 */

/** So far back the rate looks, in milliseconds. */
const windowMillis = 30_000

/**
 * The rate of a count that grows.
 *
 * @category models
 * @since 0.1.0
 */
export class Rate {
  #samples: Array<{ readonly millis: number; readonly count: number }> = [{ millis: 0, count: 0 }]

  /** Takes note of a count, and gives its growth by the minute. */
  perMinute(millis: number, count: number): number {
    this.#samples.push({ millis, count })
    const start = this.#samples.findLastIndex((sample) => sample.millis <= millis - windowMillis)
    if (start > 0) this.#samples = this.#samples.slice(start)
    const [first] = this.#samples
    const elapsed = millis - (first?.millis ?? 0)
    return elapsed < 1 ? 0 : ((count - (first?.count ?? 0)) * 60_000) / elapsed
  }
}
