/**
 * Percentiles of times in fixed memory: counts in buckets that grow by 5 %, so a percentile is at most 5 % too high.
 *
 * **Units**: milliseconds, from 1 to about an hour and a half.
 *
 * @since 0.1.0
 */

const growth = 1.05
const buckets = 320

/**
 * Counts of times.
 *
 * @category models
 * @since 0.1.0
 */
export class Histogram {
  readonly #counts = new Uint32Array(buckets)
  #total = 0

  add(millis: number): void {
    const bucket = millis <= 1 ? 0 : Math.ceil(Math.log(millis) / Math.log(growth))
    const at = Math.min(buckets - 1, bucket)
    this.#counts[at] = (this.#counts[at] ?? 0) + 1
    this.#total++
  }

  /** The time that a share of all times does not exceed; `undefined` when there are none. */
  percentile(share: number): number | undefined {
    if (this.#total === 0) return undefined
    let left = Math.ceil(share * this.#total)
    for (let bucket = 0; bucket < buckets; bucket++) {
      left -= this.#counts[bucket] ?? 0
      if (left <= 0) return growth ** bucket
    }
    return growth ** (buckets - 1)
  }
}
