/**
 * The strategy `round-robin`: each candidate in turn, as often as its weight says.
 *
 * Turns go round by the candidates' order. One of the greatest weight takes part in every round, one of a third of that in
 * every third. Only the round and the place in it are remembered, so candidates may come, go and be busy as they like: one
 * that was away has missed its turns and does not make up for them.
 *
 * **Source**: interleaved weighted round robin (Katevenis, Sidiropoulos and Courcoubetis, IEEE JSAC 1991), with weights that
 * need not be whole.
 *
 * @since 0.1.0
 */
import type { Candidate, Strategy } from "./Candidate.ts"

/** Forgives the rounding of weights such as a third, whose multiples just miss the whole numbers. */
const hair = 1e-9

/**
 * Makes a round robin of its own.
 *
 * @category strategies
 * @since 0.1.0
 */
export const roundRobin = (): Strategy => {
  let round = 0
  let place = Number.NEGATIVE_INFINITY
  return (candidates) => {
    let greatest = 0
    for (const { deployment } of candidates) greatest = Math.max(greatest, deployment.weight)
    let next = nextInRound(candidates, greatest, round, place)
    if (next === undefined) {
      round++
      // The heaviest takes part in every round, so that there is always one.
      next = nextInRound(candidates, greatest, round, Number.NEGATIVE_INFINITY) as Candidate
    }
    place = next.order
    return next
  }
}

/** The first candidate behind a place that takes part in a round. */
const nextInRound = (
  candidates: ReadonlyArray<Candidate>,
  greatest: number,
  round: number,
  place: number
): Candidate | undefined => {
  let next: Candidate | undefined
  for (const candidate of candidates) {
    if (candidate.order <= place || (next !== undefined && next.order < candidate.order)) continue
    const share = candidate.deployment.weight / greatest
    const takesPart = Math.floor((round + 1) * share + hair) > Math.floor(round * share + hair)
    if (takesPart) next = candidate
  }
  return next
}
