/**
 * Which of several deployments takes a request: the strategies by name.
 *
 * Measuring is elsewhere (`Load`, `Health`, quota); a strategy only compares. A strategy of a user's own is any function of
 * that type.
 *
 * @since 0.1.0
 */
import type { Strategy } from "./Candidate.ts"
import { costBased, usageBased } from "./Least.ts"
import { roundRobin } from "./RoundRobin.ts"
import { simpleShuffle } from "./Shuffle.ts"
import { sticky } from "./Sticky.ts"
import { latencyBased, leastBusy } from "./TwoChoices.ts"

export type { Candidate, Draw, Strategy } from "./Candidate.ts"

/**
 * Picks the first: the others are used only where those before them cannot take the request.
 *
 * @category strategies
 * @since 0.1.0
 */
export const ordered: Strategy = (candidates) => candidates[0] as (typeof candidates)[number]

/**
 * Makes a strategy, by the name settings use. Each client has one of its own, because `round-robin` remembers its turn.
 *
 * **Details**: LiteLLM's names, and `usage-based-routing-v2` is the same as the first version here: its fault was to compare
 * use without looking at the limits.
 *
 * @category strategies
 * @since 0.1.0
 */
export const strategies = {
  "simple-shuffle": () => simpleShuffle,
  "least-busy": () => leastBusy,
  "latency-based-routing": () => latencyBased,
  "usage-based-routing": () => usageBased,
  "usage-based-routing-v2": () => usageBased,
  "cost-based-routing": () => costBased,
  "round-robin": roundRobin,
  ordered: () => ordered,
  sticky: () => sticky
} as const satisfies { readonly [name: string]: () => Strategy }

/**
 * The name of a strategy.
 *
 * @category models
 * @since 0.1.0
 */
export type StrategyName = keyof typeof strategies

/**
 * How many candidates a strategy draws by weight, to compare only those; `undefined` for one that must see all of them.
 *
 * @category getters
 * @since 0.1.0
 */
export const drawnBy = (strategy: Strategy): number | undefined => drawn.get(strategy)

const drawn: ReadonlyMap<Strategy, number> = new Map([
  [simpleShuffle, 1],
  [leastBusy, 2],
  [latencyBased, 2]
])
