/**
 * Strategies that draw two candidates and take the better: `least-busy` and `latency-based-routing`.
 *
 * **Why two.** The best of all is chosen by everybody at the same time, so that several clients with the same view overload it
 * together; one at random is loaded unevenly. The better of two at random is nearly as even as the best of all and nearly as
 * hard to herd as chance: the most loaded of n has about log log n attempts above the mean, instead of log n / log log n.
 *
 * Both draw in proportion to the weights, and count a deployment's load per answer it gives: one that fails half of its
 * attempts counts as twice as loaded. Otherwise the one that fails fastest would always be the least busy.
 *
 * **Source**: Mitzenmacher, The Power of Two Choices in Randomized Load Balancing, IEEE TPDS 2001; Finagle's P2C balancers.
 *
 * @since 0.1.0
 */
import type { Candidate, Draw, Strategy } from "./Candidate.ts"
import * as Shuffle from "./Shuffle.ts"

/** Of two drawn candidates the one whose load is lower; the first drawn one where they are equal. */
const betterOfTwo =
  (loadOf: (candidate: Candidate, draw: Draw) => number): Strategy =>
  (candidates, draw) => {
    if (candidates.length === 1) return candidates[0] as Candidate
    const total = Shuffle.totalWeight(candidates)
    const first = Shuffle.at(candidates, draw.random() * total)
    const rest = total - first.deployment.weight
    const second = Shuffle.at(candidates, draw.random() * rest, first)
    return loadOf(second, draw) < loadOf(first, draw) ? second : first
  }

/** What an attempt more would make of the deployment: attempts in flight for each unit of weight and each answer. */
const busyness = (candidate: Candidate, { nowMillis }: Draw): number => {
  const { deployment, load } = candidate
  return (load.inFlight + 1) / (deployment.weight * load.successShare(nowMillis))
}

/**
 * Picks the less busy of two: fewest attempts in flight for its weight.
 *
 * @category strategies
 * @since 0.1.0
 */
export const leastBusy: Strategy = betterOfTwo(busyness)

/**
 * The latency taken of a deployment that has none and is being tried: above any real one (eleven days), as in Finagle, so that
 * one request finds out and the others do not follow it blindly.
 */
const unknownMillis = 1e9

/**
 * Picks the faster of two: the lower product of latency and attempts in flight, the wait that an attempt more may expect. One
 * that is idle and was not measured is tried at once, with one request.
 *
 * **Details**: the latency is the peak moving average of whole answers, for streams that of their first parts.
 *
 * @category strategies
 * @since 0.1.0
 */
export const latencyBased: Strategy = betterOfTwo((candidate, draw) => {
  const { load } = candidate
  const measured = draw.streamed
    ? load.firstPartMillis(draw.nowMillis)
    : load.latencyMillis(draw.nowMillis)
  if (measured > 0) return measured * busyness(candidate, draw)
  return load.inFlight === 0 ? 0 : unknownMillis * busyness(candidate, draw)
})
