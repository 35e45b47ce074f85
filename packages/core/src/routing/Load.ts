/**
 * What was measured of one deployment: attempts in flight, latencies, use and failures of late.
 *
 * Strategies compare it; it decides nothing. The scheduler tells it of every attempt's start and end, in the same step in
 * which it takes and frees the slot, so that an interrupted attempt leaves nothing behind. Plain numbers and no Effect: it is
 * read for every candidate of every choice.
 *
 * **Units**: milliseconds, tokens, attempts; times are epoch milliseconds.
 *
 * @since 0.1.0
 */
import { Fading } from "./Fading.ts"
import { PeakEwma } from "./PeakEwma.ts"

/**
 * How an attempt ended.
 *
 * @category models
 * @since 0.1.0
 */
export interface AttemptEnd {
  /** From sending to the end of the answer, or to giving up. */
  readonly latencyMillis: number
  /** Whether the deployment answered; `undefined` for an attempt that was interrupted, which says nothing about it. */
  readonly ok: boolean | undefined
  /** From sending to the first part of a streamed answer, where one arrived. */
  readonly firstPartMillis?: number | undefined
  /** Tokens of prompt and answer, where they are known. */
  readonly tokens?: number | undefined
}

/**
 * A moment of a deployment's load, for whoever shows it.
 *
 * @category models
 * @since 0.1.0
 */
export interface LoadSnapshot {
  readonly inFlight: number
  /** Peak moving averages of whole answers and of first parts; 0 when not measured. */
  readonly latencyMillis: number
  readonly firstPartMillis: number
  /** About the last minute's. */
  readonly requestsLately: number
  readonly tokensLately: number
  /** The share of attempts that were answered lately, 1 when none has ended. */
  readonly successShare: number
  /** Attempts ever started, and those that the deployment failed. */
  readonly started: number
  readonly failed: number
  /** When an attempt was last started; `undefined` for never. */
  readonly lastUsedMillis: number | undefined
}

/**
 * The load of one deployment.
 *
 * @category models
 * @since 0.1.0
 */
export class Load {
  #inFlight = 0
  #started = 0
  #failed = 0
  #lastUsedMillis: number | undefined = undefined
  readonly #latency = new PeakEwma()
  readonly #firstPart = new PeakEwma()
  readonly #requests = new Fading()
  readonly #tokens = new Fading()
  readonly #answers = new Fading()
  readonly #failures = new Fading()

  /** Attempts that have started and not ended. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** Called when an attempt starts; `ended` must follow exactly once. */
  started(nowMillis: number): void {
    if (this.#inFlight === 0) {
      this.#latency.forgetOld(nowMillis)
      this.#firstPart.forgetOld(nowMillis)
    }
    this.#inFlight++
    this.#started++
    this.#lastUsedMillis = nowMillis
    this.#requests.add(nowMillis, 1)
  }

  /** Called when an attempt has ended, however it did. */
  ended(nowMillis: number, end: AttemptEnd): void {
    if (this.#inFlight > 0) this.#inFlight--
    const { firstPartMillis, latencyMillis, ok, tokens } = end
    if (ok === true) {
      this.#latency.observe(nowMillis, latencyMillis)
      this.#answers.add(nowMillis, 1)
    } else {
      this.#latency.observeAtLeast(nowMillis, latencyMillis)
      if (ok === false) {
        this.#failed++
        this.#failures.add(nowMillis, 1)
      }
    }
    if (firstPartMillis !== undefined) this.#firstPart.observe(nowMillis, firstPartMillis)
    if (tokens !== undefined) this.#tokens.add(nowMillis, tokens)
  }

  /** The peak moving average of whole answers' latencies; 0 when it is not known. */
  latencyMillis(nowMillis: number): number {
    // While answers are awaited there is no silence in which the measure could grow old.
    return this.#inFlight === 0 ? this.#latency.read(nowMillis) : this.#latency.millis
  }

  /** The peak moving average of the times to the first part of streamed answers; 0 when it is not known. */
  firstPartMillis(nowMillis: number): number {
    return this.#inFlight === 0 ? this.#firstPart.read(nowMillis) : this.#firstPart.millis
  }

  requestsLately(nowMillis: number): number {
    return this.#requests.read(nowMillis)
  }

  tokensLately(nowMillis: number): number {
    return this.#tokens.read(nowMillis)
  }

  /** What tokens of late are compared by where there are many to compare: see `Fading`. */
  get tokensRank(): number {
    return this.#tokens.rank
  }

  /**
   * The share of attempts that were answered lately, above 0. One answer is taken as given, so that a first failure halves
   * the share and does not end it.
   */
  successShare(nowMillis: number): number {
    const answers = this.#answers.read(nowMillis) + 1
    return answers / (answers + this.#failures.read(nowMillis))
  }

  snapshot(nowMillis: number): LoadSnapshot {
    return {
      inFlight: this.#inFlight,
      latencyMillis: this.latencyMillis(nowMillis),
      firstPartMillis: this.firstPartMillis(nowMillis),
      requestsLately: this.requestsLately(nowMillis),
      tokensLately: this.tokensLately(nowMillis),
      successShare: this.successShare(nowMillis),
      started: this.#started,
      failed: this.#failed,
      lastUsedMillis: this.#lastUsedMillis
    }
  }
}
