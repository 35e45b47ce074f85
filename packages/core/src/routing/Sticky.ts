/**
 * The strategy `sticky`: requests with the same key go to the same deployment, so that its prefix cache serves them.
 *
 * The key draws a score for every deployment and the highest score wins (rendezvous hashing): when a deployment leaves, only
 * its keys move, and when one comes, only those that it wins. Weights are respected: one of weight two wins twice as many keys.
 *
 * A popular key must not overload its deployment. So none may have more than 1.25 times its fair share of the attempts in
 * flight; where the first choice is full, the next best score takes the request, and the key returns when there is room again.
 * Requests without a key go to the less busy of two.
 *
 * **Details**: the fair share counts the candidates only, and is rounded up. With few attempts in flight it is one each, and
 * a second request at the same time with the same key goes elsewhere.
 *
 * **Source**: Thaler and Ravishankar, Using name-based mappings to increase hit rates, 1998; Mirrokni, Thorup and
 * Zadimoghaddam, Consistent Hashing with Bounded Loads, 2018, where 1.25 is recommended.
 *
 * @since 0.1.0
 */
import type { Candidate, Strategy } from "./Candidate.ts"
import { leastBusy } from "./TwoChoices.ts"

/**
 * How many times its fair share of the attempts in flight a deployment may have.
 *
 * @category constants
 * @since 0.1.0
 */
export const loadBound = 1.25

const twoTo32 = 2 ** 32

/**
 * 32 well mixed bits of a text (FNV-1a, finished as in MurmurHash3): the same in every process, unlike a seeded hash.
 *
 * @category hashing
 * @since 0.1.0
 */
export const hash = (text: string): number => {
  let bits = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    bits = Math.imul(bits ^ text.charCodeAt(index), 0x01000193)
  }
  return mix(bits)
}

const mix = (input: number): number => {
  let bits = input
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}

/**
 * Picks by the sticky key, within the load bound.
 *
 * @category strategies
 * @since 0.1.0
 */
export const sticky: Strategy = (candidates, draw) => {
  if (draw.stickyKey === undefined) return leastBusy(candidates, draw)
  let inFlight = 1
  let weights = 0
  let greatest = 0
  for (const { deployment, load } of candidates) {
    inFlight += load.inFlight
    weights += deployment.weight
    if (deployment.weight > greatest) greatest = deployment.weight
  }
  const perWeight = (loadBound * inFlight) / weights
  const key = Math.imul(hash(draw.stickyKey), 0x9e3779b1)
  let best = candidates[0] as Candidate
  let bestScore = 0
  // A draw below this cannot win, whatever the weight: it spares nearly all candidates the logarithm.
  let leastDraw = 0
  for (const candidate of candidates) {
    const drawn = (mix(key + candidate.hash) + 0.5) / twoTo32
    if (drawn < leastDraw) continue
    const { weight } = candidate.deployment
    // The bounds together are above all that is in flight, so that at least one has room.
    if (candidate.load.inFlight >= Math.ceil(perWeight * weight)) continue
    // Exponentially distributed for each unit of weight, so that each wins in proportion.
    const score = -weight / Math.log(drawn)
    if (score <= bestScore) continue
    best = candidate
    bestScore = score
    leastDraw = Math.exp(-greatest / score)
  }
  return best
}
