/**
 * One request on its way through the pipeline: what it asks, and what has become of it so far.
 *
 * It is the pipeline's scratch pad, made per request and seen by the stages only; users meet results and errors.
 *
 * **Units**: times are epoch milliseconds of the `Clock`, spans are milliseconds.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"

import type { Budget } from "./admission/Budget.ts"
import type { Caller } from "./admission/Caller.ts"
import type { Cost } from "./admission/Quota.ts"
import { oneRequest } from "./admission/Quota.ts"
import type { TokenEstimateRequest } from "./admission/TokenEstimate.ts"
import type { Deployment } from "./Deployment.ts"
import type { GenerateRequest } from "./operation/Generate.ts"
import type { TokenUsage } from "./operation/Usage.ts"
import type { Answer, AttemptError, Connection } from "./provider/Provider.ts"
import type { Reason } from "./Reason.ts"

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
  /** What is generated from, for whoever records it. */
  readonly request?: GenerateRequest | undefined
  /** One attempt at a connected deployment. */
  readonly send: (
    connection: Connection,
    call: { committed: boolean; firstPartMillis: number | undefined }
  ) => Effect.Effect<Answer<A>, AttemptError>
  /** Attempts that earlier requests for the same answer have spent of what this one may. Default: none. */
  readonly retriesSpent?: number | undefined
  /** Whether parts of the answer are handed out as they arrive. Default: no. */
  readonly streamed?: boolean | undefined
  /** How an answer may be given again; absent where it may not. */
  readonly reuse?: Reusable<A> | undefined
  /** Whether two attempts may be under way at once: not where parts of the answer are handed out. Default: yes. */
  readonly canHedge?: boolean | undefined
  /** The model that is asked for, by its name in the client; the client's default when absent. */
  readonly model?: string | undefined
  /** Only deployments with all of these tags are asked. */
  readonly tags?: ReadonlyArray<string> | undefined
  /** Requests with the same key go to the same deployment, where the strategy is `sticky`. */
  readonly stickyKey?: string | undefined
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
 * How an answer can be kept, and what must be the same for it to be given again.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reusable<A> {
  /** Everything that can change the answer, apart from the client's own settings. */
  readonly identity: unknown
  // As methods, so that stages that only pass answers on need not know their type.
  encode(answer: Answer<A>): Option.Option<string>
  decode(text: string): Option.Option<Answer<A>>
}

/**
 * On whose behalf a request is made.
 *
 * @category models
 * @since 0.1.0
 */
export interface CallContext {
  readonly caller: Caller
  readonly budgets: ReadonlyArray<Budget>
  /** Where its metrics are counted; absent where nobody counts. */
  readonly context?: Context.Context<never> | undefined
  /** Its span; absent where nobody traces. */
  readonly span?: Tracer.Span | undefined
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
  /** What it may spend from. */
  readonly budgets: ReadonlyArray<Budget>
  readonly context: Context.Context<never> | undefined
  readonly span: Tracer.Span | undefined
  /** Attempts started. */
  attempts = 0
  /** Time spent in attempts so far. */
  serviceMillis = 0
  /** What to reserve per attempt; one request until the pipeline has estimated the rest, and where no limit needs it. */
  cost: Cost = oneRequest
  /** What the call would cost at a deployment, in USD; absent where nobody needs to know it. */
  priceAt: ((deployment: Deployment) => number | undefined) | undefined = undefined
  /** The price of a usage at the current deployment; absent where nobody needs to know it. */
  priceOf: ((usage: TokenUsage) => number | undefined) | undefined = undefined
  /** The most attempts it may come to, over all deployments and models, hedges included; set by recovery. */
  mostAttempts = Number.POSITIVE_INFINITY
  /** The models that were asked, the current one last. */
  readonly models: Array<string>
  /** The chain of fallbacks that it follows; empty while its first model is asked. */
  chain: ReadonlyArray<string> = []
  /** The deployment of the current or last attempt. */
  deployment: Deployment | undefined = undefined
  /** The deployments whose attempts failed in a way that can pass, oldest first: others are preferred. */
  readonly failedAt: Array<Deployment> = []
  /** The deployments that can not answer this call whatever happens. */
  readonly excluded: Array<Deployment> = []
  /** What went wrong so far, oldest first. */
  readonly failures: Array<{
    readonly deployment: Deployment | undefined
    readonly reason: Reason
  }> = []
  /** Second attempts that were sent because the first took long. */
  hedges = 0
  /** Those of them that were answered first. */
  hedgesWon = 0
  /** It is such a second attempt itself. */
  isHedge = false
  /** What the attempts that lost against another one may have cost, in USD, as it was estimated. */
  hedgeUsd = 0
  /** Where the answer came from, when it was not asked for. */
  reused: "cache" | "coalesced" | undefined = undefined
  /** Called when an attempt is sent. */
  onSent: (() => void) | undefined = undefined
  lastError: AttemptError | undefined = undefined
  /** Part of an answer has been handed out: the request cannot be tried again. */
  committed = false
  /** From sending the attempt to the first part of its streamed answer. */
  firstPartMillis: number | undefined = undefined
  /** Models of which an attempt has been sent. */
  modelsSent = 0
  /** How long the current or last attempt waited to be sent, since the one before it or the request's start. */
  waitMillis = 0
  /** How long the request has waited altogether when its last attempt was sent. */
  waitedMillis = 0

  /** The model that is asked now. */
  get model(): string {
    return this.models.at(-1) ?? ""
  }

  constructor(plan: Plan<A>, startedMillis: number, from: CallContext) {
    this.plan = plan
    this.models = [plan.model ?? ""]
    this.startedMillis = startedMillis
    this.caller = from.caller
    this.budgets = from.budgets
    this.context = from.context
    this.span = from.span
  }
}

/**
 * What a stage wraps: the rest of the pipeline.
 *
 * @category models
 * @since 0.1.0
 */
export type Handler = <A>(call: Call<A>) => Effect.Effect<Answer<A>, AttemptError>
