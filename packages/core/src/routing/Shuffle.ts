/**
 * Choosing at random in proportion to weights: the strategy `simple-shuffle`, and what other strategies draw with.
 *
 * @since 0.1.0
 */
import type { Candidate, Strategy } from "./Candidate.ts"

/**
 * The sum of the candidates' weights.
 *
 * @category getters
 * @since 0.1.0
 */
export const totalWeight = (candidates: ReadonlyArray<Candidate>): number => {
  let total = 0
  for (const { deployment } of candidates) total += deployment.weight
  return total
}

/**
 * The candidate at a place on the line on which each lies as long as its weight, leaving one out.
 *
 * @category choices
 * @since 0.1.0
 */
export const at = (
  candidates: ReadonlyArray<Candidate>,
  place: number,
  leftOut?: Candidate
): Candidate => {
  let left = place
  let last = candidates[0] as Candidate
  for (const candidate of candidates) {
    if (candidate === leftOut) continue
    last = candidate
    left -= candidate.deployment.weight
    if (left < 0) break
  }
  // Where rounding has left a hair of the line over, it is the last one's.
  return last
}

/**
 * Picks at random, in proportion to the weights.
 *
 * @category strategies
 * @since 0.1.0
 */
export const simpleShuffle: Strategy = (candidates, { random }) =>
  at(candidates, random() * totalWeight(candidates))
