/**
 * A limit of attempts in flight that looks for the knee: the point behind which more attempts at once only wait for one another.
 *
 * **How.** The latency D of a server rises with the attempts W in flight. Where throughput is worth `throughputWeight` times
 * what latency is (power, W^a / D^(a+1)), the best W is where D rises by a/(a+1) of what W rises by, in logarithms. So the
 * limit is moved by that elasticity, and it is measured, not assumed: latency at a limit against latency at half of it. At the
 * start the limit doubles from round to round and each doubling is such a measurement. Later it grows by a little per round,
 * and when latency has risen or a while has passed, one round runs at half the limit (a probe). Where half the attempts take
 * nearly as long each, the limit was not to blame and comes back; where they take much less, it shrinks. Where halving halved
 * the latency, all of the difference was queue, and it is halved again.
 *
 * A refusal for overload shrinks it at once (additive increase, multiplicative decrease).
 *
 * **Why not a fixed reference.** Gradient and Vegas compare with the lowest latency ever seen. Answers of models differ a
 * hundredfold in length, and prompts change during a run: that minimum is an accident, and it is stale. Gradient2 compares
 * with a slow average, which follows a slowly rising latency up without end. A pair of measurements a round apart asks the
 * question itself: would less be faster?
 *
 * **Details**: a round is as many answers as the limit, all of attempts that started within the round; so a change is judged
 * by its own effect, and there is one shrink per round trip. Rounds in which the slots were not used change nothing.
 *
 * **Units**: attempts, milliseconds.
 *
 * **Source**: Jain, A delay-based approach for congestion avoidance in interconnected heterogeneous computer networks, ACM CCR
 * 1989 (the elasticity of the delay at the knee); Chiu and Jain, Analysis of the increase and decrease algorithms, 1989; the
 * probe at half the window as in BBR, draft-cardwell-iccrg-bbr-congestion-control-02 (its ProbeRTT); growth by the square root
 * and the least size of a round as in Netflix's concurrency-limits (Gradient2Limit).
 *
 * @since 0.1.0
 */
import type { AdaptiveSettings, ConcurrencyLimit, LimitReason } from "./ConcurrencyLimit.ts"

/** Large amounts of work want throughput first: it weighs twice as much as latency. */
const throughputWeight = 2

/** The elasticity of latency at the knee. */
const kneeElasticity = throughputWeight / (throughputWeight + 1)

/** Above this nearly all of a latency is waiting: the knee is far below. */
const queueElasticity = 0.9

/** What is left of the limit after it shrank: the factor of CUBIC (RFC 9438), gentler than TCP's half. */
const keptShare = 0.7

/** Rounds without a probe: it costs half a round's work in as many. */
const roundsBetweenProbes = 30

/** The fewest answers that are a measurement, as in Netflix's windows. */
const fewestAnswers = 10

/** The share of the limit that must be in flight at some time in a round for the limit to have been used. */
const usedShare = 0.8

/** How fast the reference follows when latency falls below it. */
const followShare = 0.25

const defaultMax = 512
const defaultInitial = 8

interface Measure {
  readonly limit: number
  readonly latencyMillis: number
}

type Phase =
  /** Doubling; `half` was measured at half of the present limit. */
  | { readonly _tag: "doubling"; readonly half: Measure | undefined }
  /** Growing slowly; `half` was measured at about half of it, at most so many rounds ago. */
  | { readonly _tag: "growing"; readonly half: Measure | undefined; readonly rounds: number }
  /** At half of a limit, to compare with what was measured at that limit. */
  | { readonly _tag: "probing"; readonly full: Measure }

/**
 * An adaptive limit.
 *
 * @category models
 * @since 0.1.0
 */
export class AdaptiveLimit implements ConcurrencyLimit {
  readonly #min: number
  readonly #max: number
  #limit: number
  #reason: LimitReason = "initial"
  #phase: Phase = { _tag: "doubling", half: undefined }
  /** Attempts that started before this time say nothing about the present limit. */
  #roundSince = Number.NEGATIVE_INFINITY
  #shrunkAt = Number.NEGATIVE_INFINITY
  #answers = 0
  #latencySum = 0
  #mostInFlight = 0

  constructor(settings: AdaptiveSettings = {}) {
    const { initial, max, min } = settings
    this.#min = min ?? 1
    this.#max = max ?? Math.max(defaultMax, this.#min, initial ?? 1)
    this.#limit = this.#within(initial ?? defaultInitial)
  }

  get limit(): number {
    return Math.floor(this.#limit)
  }

  get reason(): LimitReason {
    return this.#reason
  }

  onSuccess(latencyMillis: number, inFlight: number, nowMillis: number): void {
    if (nowMillis - latencyMillis < this.#roundSince) return
    this.#answers++
    this.#latencySum += latencyMillis
    this.#mostInFlight = Math.max(this.#mostInFlight, inFlight)
    if (this.#answers < Math.max(fewestAnswers, this.limit)) return
    const measure = { limit: this.#limit, latencyMillis: this.#latencySum / this.#answers }
    const used = this.#mostInFlight >= usedShare * this.limit
    this.#startRound(nowMillis)
    this.#judge(measure, used, nowMillis)
  }

  onOverload(latencyMillis: number, nowMillis: number): void {
    if (nowMillis - latencyMillis < this.#shrunkAt) return
    const from = this.#phase._tag === "probing" ? this.#phase.full.limit : this.#limit
    const half = this.#phase._tag === "probing" ? undefined : this.#phase.half
    this.#shrink(from * keptShare, "overload", nowMillis)
    this.#phase = { _tag: "growing", half, rounds: 0 }
    this.#startRound(nowMillis)
  }

  #judge(measure: Measure, used: boolean, nowMillis: number): void {
    const phase = this.#phase
    if (!used) {
      // What was asked for did not fill the slots: nothing is known of what more slots would do.
      if (phase._tag === "probing") this.#restore(phase.full, undefined)
      return
    }
    if (phase._tag === "probing") {
      if (elasticity(measure, phase.full) > kneeElasticity) {
        this.#passedKnee(measure, phase.full, nowMillis)
      } else this.#restore(phase.full, measure)
      return
    }
    const { half } = phase
    if (phase._tag === "doubling") {
      if (half !== undefined && elasticity(half, measure) > kneeElasticity) {
        this.#passedKnee(half, measure, nowMillis)
      } else if (this.#limit === this.#max) {
        this.#phase = { _tag: "growing", half, rounds: 0 }
      } else {
        this.#grow(2 * this.#limit)
        this.#phase = { _tag: "doubling", half: measure }
      }
      return
    }
    if (this.#limit / 2 < this.#min) {
      // Half of it is not allowed, so that nothing can be compared: upwards is the only way to find out.
      this.#grow(this.#limit + step(this.#limit))
      this.#phase = { _tag: "growing", half: measure, rounds: 0 }
      return
    }
    const risen =
      half === undefined || measure.latencyMillis > half.latencyMillis * 2 ** kneeElasticity
    if (risen || phase.rounds >= roundsBetweenProbes) {
      this.#probe(measure)
      return
    }
    this.#grow(this.#limit + step(this.#limit))
    this.#phase = { _tag: "growing", half: lowered(half, measure), rounds: phase.rounds + 1 }
  }

  /** Latency rises with the limit as it should not: `full` was measured at twice the limit of `half`, or nearly. */
  #passedKnee(half: Measure, full: Measure, nowMillis: number): void {
    const queued = elasticity(half, full) > queueElasticity
    if (queued && half.limit / 2 >= this.#min) {
      this.#shrunkAt = nowMillis
      this.#probe(half)
      this.#reason = "latency"
      return
    }
    this.#shrink(queued ? half.limit : full.limit * keptShare, "latency", nowMillis)
    this.#phase = { _tag: "growing", half, rounds: 0 }
  }

  #probe(full: Measure): void {
    this.#limit = this.#within(full.limit / 2)
    this.#reason = "probe"
    this.#phase = { _tag: "probing", full }
  }

  #restore(full: Measure, half: Measure | undefined): void {
    this.#limit = full.limit
    this.#reason = "restored"
    this.#phase = { _tag: "growing", half, rounds: 0 }
  }

  #grow(limit: number): void {
    const grown = this.#within(limit)
    if (grown === this.#limit) return
    this.#limit = grown
    this.#reason = "used"
  }

  #shrink(limit: number, reason: LimitReason, nowMillis: number): void {
    this.#limit = this.#within(limit)
    this.#reason = reason
    this.#shrunkAt = nowMillis
  }

  #startRound(nowMillis: number): void {
    this.#roundSince = nowMillis
    this.#answers = 0
    this.#latencySum = 0
    this.#mostInFlight = 0
  }

  #within(limit: number): number {
    return Math.min(this.#max, Math.max(this.#min, limit))
  }
}

/** By how much latency rises, of what the limit rises by, in logarithms; 1 where all of it is queue. */
const elasticity = (low: Measure, high: Measure): number =>
  Math.log(high.latencyMillis / low.latencyMillis) / Math.log(high.limit / low.limit)

const step = (limit: number): number => Math.max(1, Math.sqrt(limit) / 2)

/** A reference that latency has fallen below follows it: the server has become faster, or answers shorter. */
const lowered = (half: Measure, { latencyMillis }: Measure): Measure =>
  latencyMillis >= half.latencyMillis
    ? half
    : {
        ...half,
        latencyMillis: half.latencyMillis + followShare * (latencyMillis - half.latencyMillis)
      }
