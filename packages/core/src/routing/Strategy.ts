/**
 * Which of several deployments takes a request: pure functions over what was measured.
 *
 * Measuring is elsewhere (`Load`, `Health`, quota); a strategy only compares. The router has already left out the
 * deployments that should not be asked.
 *
 * @since 0.1.0
 */
import type { Deployment } from "../Deployment.ts"

/**
 * Chooses among candidates, of which there is at least one; `random` is uniform in [0, 1).
 *
 * @category models
 * @since 0.1.0
 */
export type Strategy = (candidates: ReadonlyArray<Deployment>, random: number) => Deployment

/**
 * Picks at random, in proportion to the weights.
 *
 * @category strategies
 * @since 0.1.0
 */
export const simpleShuffle: Strategy = (candidates, random) => {
  let total = 0
  for (const candidate of candidates) total += candidate.weight
  let left = random * total
  for (const candidate of candidates) {
    left -= candidate.weight
    if (left < 0) return candidate
  }
  return candidates.at(-1) as Deployment
}

/**
 * The strategies by the names settings use.
 *
 * @category strategies
 * @since 0.1.0
 */
export const strategies = { "simple-shuffle": simpleShuffle } as const

/**
 * The name of a strategy.
 *
 * @category models
 * @since 0.1.0
 */
export type StrategyName = keyof typeof strategies
