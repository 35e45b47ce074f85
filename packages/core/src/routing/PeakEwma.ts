/**
 * A moving average of latencies that believes a rise at once and a fall only slowly.
 *
 * A deployment that has become slow is known as such after one answer; it is trusted again only as its answers show it. It is
 * the arithmetic under `Load` and knows neither deployments nor a clock; times are given to it.
 *
 * **Details**: an answer that was given up (failed, timed out, interrupted) says that it would have taken at least so long: it
 * can raise the average, never lower it. Without that, a deployment that fails fast would look like a fast one.
 *
 * **Units**: milliseconds.
 *
 * **Source**: `PeakEwma` of Finagle's load balancers (Twitter). Two things differ. There the average fades while nothing is
 * observed, so that one that hangs looks faster by the second; here it stands, and is forgotten as a whole after a long
 * silence. And the time constant grows with the latency: Finagle's ten seconds are shorter than many answers of a model.
 *
 * @since 0.1.0
 */

/** Finagle's default decay time. */
const decayMillis = 10_000

/** A measure must outlast the answer that gave it, or the next one would count alone. */
const decayLatencies = 2

/** Silences, in time constants, after which a measure says nothing any more: its weight would be under 5 %. */
const forgottenAfter = 3

/**
 * A moving average of latencies, most sensitive to rises.
 *
 * @category models
 * @since 0.1.0
 */
export class PeakEwma {
  #millis = 0
  #decayMillis = decayMillis
  #observedMillis = 0
  #heardMillis = 0

  /** The average, however old; 0 when nothing was measured. */
  get millis(): number {
    return this.#millis
  }

  /** Counts the latency of an answer. */
  observe(nowMillis: number, latencyMillis: number): void {
    if (latencyMillis >= this.#millis) this.#millis = latencyMillis
    else {
      const kept = Math.exp(-Math.max(0, nowMillis - this.#observedMillis) / this.#decayMillis)
      this.#millis = this.#millis * kept + latencyMillis * (1 - kept)
    }
    this.#decayMillis = Math.max(decayMillis, decayLatencies * this.#millis)
    this.#observedMillis = nowMillis
    this.#heardMillis = nowMillis
  }

  /** Counts the time after which an answer was given up. */
  observeAtLeast(nowMillis: number, latencyMillis: number): void {
    if (this.#millis > 0 && latencyMillis > this.#millis) this.observe(nowMillis, latencyMillis)
    // An answer was awaited until now, so that this was no silence.
    this.#heardMillis = nowMillis
  }

  /** The average as it is worth now: 0 when nothing was heard for so long that it says nothing any more. */
  read(nowMillis: number): number {
    const silence = nowMillis - this.#heardMillis
    return silence >= forgottenAfter * this.#decayMillis ? 0 : this.#millis
  }

  /** Starts anew where the measure is too old to be averaged with the next one. */
  forgetOld(nowMillis: number): void {
    this.#millis = this.read(nowMillis)
  }
}
