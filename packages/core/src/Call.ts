/**
 * One request on its way through the pipeline: what it asks, and what has become of it so far.
 *
 * It is the pipeline's scratch pad, made per request and seen by the stages only; users meet results and errors.
 *
 * **Units**: times are epoch milliseconds of the `Clock`, spans are milliseconds.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"

import type { Caller } from "./admission/Caller.ts"
import type { Cost } from "./admission/Quota.ts"
import { oneRequest } from "./admission/Quota.ts"
import type { TokenEstimateRequest } from "./admission/TokenEstimate.ts"
import type { Deployment } from "./Deployment.ts"
import type { TokenUsage } from "./operation/Usage.ts"
import type { Answer, AttemptError, Connection } from "./provider/Provider.ts"

/**
 * The operations of the library.
 *
 * @category models
 * @since 0.1.0
 */
export type Operation = "generate" | "embed" | "transcribe"

/**
 * What an operation asks of the pipeline.
 *
 * @category models
 * @since 0.1.0
 */
export interface Plan<A> {
  readonly operation: Operation
  /** One attempt at a connected deployment. */
  readonly send: (
    connection: Connection,
    call: { committed: boolean }
  ) => Effect.Effect<Answer<A>, AttemptError>
  /** What the tokens of the request can be estimated from, apart from the model. */
  readonly size: Omit<TokenEstimateRequest, "model">
  /** Seconds of audio that are sent, as far as they can be told beforehand. Default: none. */
  readonly audioSecondsEstimate?: number | undefined
  /** Longest time for one attempt, in milliseconds; `Infinity` for none. */
  readonly timeoutMillis: number
  /** Longest time for the whole request, in milliseconds; `Infinity` for none. */
  readonly deadlineMillis: number
}

/**
 * One request on its way.
 *
 * @category models
 * @since 0.1.0
 */
export class Call<A> {
  readonly plan: Plan<A>
  readonly startedMillis: number
  /** Who asks. */
  readonly caller: Caller
  /** Attempts started. */
  attempts = 0
  /** Time spent in attempts so far. */
  serviceMillis = 0
  /** What to reserve per attempt; one request until the pipeline has estimated the rest, and where no limit needs it. */
  cost: Cost = oneRequest
  /** The price of a usage at the current deployment; absent where nobody needs to know it. */
  priceOf: ((usage: TokenUsage) => number | undefined) | undefined = undefined
  /** The model that is asked for, where the caller named one. */
  model: string | undefined = undefined
  /** The deployment of the current or last attempt. */
  deployment: Deployment | undefined = undefined
  /** The deployments whose attempts failed, oldest first. */
  readonly failedAt: Array<Deployment> = []
  lastError: AttemptError | undefined = undefined
  /** Part of an answer has been handed out: the request cannot be tried again. */
  committed = false

  constructor(plan: Plan<A>, startedMillis: number, caller: Caller) {
    this.plan = plan
    this.startedMillis = startedMillis
    this.caller = caller
  }
}

/**
 * What a stage wraps: the rest of the pipeline.
 *
 * @category models
 * @since 0.1.0
 */
export type Handler = <A>(call: Call<A>) => Effect.Effect<Answer<A>, AttemptError>
