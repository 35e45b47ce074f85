/**
 * Strategies that take the candidate with the least of something: `usage-based-routing` and `cost-based-routing`.
 *
 * Among equals one is drawn in proportion to the weights, so that they share the work.
 *
 * @since 0.1.0
 */
import type { Candidate, Strategy } from "./Candidate.ts"
import * as Shuffle from "./Shuffle.ts"

type Score = (candidate: Candidate) => number

/** Takes the candidate of the lowest first score, and among those of the lowest second one, which is computed for them only. */
const least =
  (first: Score, second: Score): Strategy =>
  (candidates, { random }) => {
    let leastFirst = Number.POSITIVE_INFINITY
    let leastSecond = Number.POSITIVE_INFINITY
    let tied: Array<Candidate> = []
    for (const candidate of candidates) {
      const own = first(candidate)
      if (own > leastFirst) continue
      const ownSecond = second(candidate)
      if (own < leastFirst || ownSecond < leastSecond) tied = [candidate]
      else if (ownSecond === leastSecond) tied.push(candidate)
      else continue
      leastFirst = own
      leastSecond = ownSecond
    }
    return tied.length === 1
      ? (tied[0] as Candidate)
      : Shuffle.at(tied, random() * Shuffle.totalWeight(tied))
  }

/**
 * Picks the one with the most quota left; where that is equal, as it is without limits, the one that used the fewest tokens
 * lately for its weight.
 *
 * @category strategies
 * @since 0.1.0
 */
export const usageBased: Strategy = least(
  ({ headroom }) => -headroom,
  ({ deployment: { weight }, load }) =>
    weight === 1 ? load.tokensRank : load.tokensRank - Math.log(weight)
)

/**
 * Picks the cheapest; one without a known price only where none has one.
 *
 * @category strategies
 * @since 0.1.0
 */
export const costBased: Strategy = least(
  ({ price }) => price ?? Number.POSITIVE_INFINITY,
  () => 0
)
