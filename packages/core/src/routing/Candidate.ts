/**
 * What a strategy chooses among and what it is told: the words of `Strategy`.
 *
 * The scheduler has already left out the deployments that must not or cannot take the request now.
 *
 * @since 0.1.0
 */
import type { Deployment } from "../Deployment.ts"
import type { Load } from "./Load.ts"

/**
 * A deployment that could take the request now, as a strategy sees it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Candidate {
  readonly deployment: Deployment
  readonly load: Load
  /** The share of its quota that is still free, 0 to 1: the least of its limits' shares, 1 without limits. */
  readonly headroom: number
  /** What this request would cost there in USD; `undefined` when the price is not known. */
  readonly price: number | undefined
  /** Its place among all deployments, unique and the same for as long as it is there. Candidates come in this order. */
  readonly order: number
  /** 32 bits made of the deployment's id once, because hashing every id for every choice is slow. */
  readonly hash: number
}

/**
 * What a strategy is told about one choice.
 *
 * @category models
 * @since 0.1.0
 */
export interface Draw {
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Requests with the same key should go to the same deployment. */
  readonly stickyKey: string | undefined
  /** Whether the answer is streamed: then the time to its first part counts, not the time to its end. */
  readonly streamed: boolean
  readonly nowMillis: number
}

/**
 * Chooses one of the candidates, of which there is at least one.
 *
 * **Details**: it starts nothing and measures nothing; that an attempt was started there, the scheduler tells the candidate's
 * load. The same candidates and the same draw give the same choice, except where a strategy remembers its last one
 * (round-robin).
 *
 * @category models
 * @since 0.1.0
 */
export type Strategy = (candidates: ReadonlyArray<Candidate>, draw: Draw) => Candidate
