/**
 * The order in which a request passes the stages, and why it is that order.
 *
 * This is the only file where the stages meet: each knows its own matter and none of its neighbours. They are composed once,
 * when the layer is built. What an operation puts into a `Plan` and makes of the answer is not here but in `Inference`.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"

import type { Settlement } from "./admission/Account.ts"
import type * as Budget from "./admission/Budget.ts"
import * as Deadline from "./admission/Deadline.ts"
import * as Timeouts from "./admission/Timeouts.ts"
import { TokenEstimate } from "./admission/TokenEstimate.ts"
import type { FallbackSettings } from "./attempt/Fallback.ts"
import * as Hedge from "./attempt/Hedge.ts"
import * as Recovery from "./attempt/Recovery.ts"
import * as Retry from "./attempt/Retry.ts"
import { ResponseCache } from "./cache/ResponseCache.ts"
import * as Reuse from "./cache/Reuse.ts"
import type { Call, Handler } from "./Call.ts"
import * as Usage from "./operation/Usage.ts"
import type { Answer, Connection } from "./provider/Provider.ts"
import { AttemptError } from "./provider/Provider.ts"
import { BudgetExceeded } from "./Reason.ts"
import { Scheduler } from "./Scheduler.ts"
import { settlementOf } from "./Settle.ts"
import { costAt, Pricing } from "./telemetry/Pricing.ts"
import type { Recorder } from "./telemetry/Recorder.ts"

/**
 * The stages in the order a request passes them, each with the reason for its place.
 *
 * @category descriptions
 * @since 0.1.0
 */
export const describe = [
  { name: "validate", because: "bad input must fail before anything is waited for or spent" },
  { name: "deadline", because: "the caller's time includes every wait and retry below" },
  {
    name: "reuse",
    because: "an answer that is there already, or on its way, needs no attempt"
  },
  {
    name: "recover",
    because:
      "a further attempt must choose a deployment again, pay quota again, and wait outside its slot; retries and fallbacks spend the same attempts"
  },
  {
    name: "hedge",
    because: "a second attempt needs a place and a budget of its own, at another deployment"
  },
  {
    name: "budget",
    because: "every attempt costs, so each is set aside before it waits for anything"
  },
  {
    name: "admit",
    because:
      "slot, deployment, health and quota are one decision, made at the moment of sending: nothing is held while another is waited for"
  },
  { name: "send", because: "the one HTTP attempt; its time limit counts the attempt alone" },
  {
    name: "decode",
    because: "an answer that cannot be read is a failed attempt, which retry must see"
  },
  {
    name: "settle",
    because: "what was really used is known now, whatever the outcome, and frees the rest at once"
  },
  {
    name: "parse",
    because:
      "output is checked after settling: a misfit was answered and paid for, and is not retried here"
  },
  { name: "price", because: "cost needs the usage, and is known for misfits too" },
  { name: "result", because: "times are complete only at the very end" }
] as const

/**
 * The name of a stage.
 *
 * @category models
 * @since 0.1.0
 */
export type StageName = (typeof describe)[number]["name"]

/**
 * Settings of the pipeline as a whole.
 *
 * @category models
 * @since 0.1.0
 */
export interface PipelineOptions {
  /** Which models are asked when one has failed. */
  readonly fallbacks?: FallbackSettings | undefined
  /** Sends second attempts when the first takes long. Default: it does not. */
  readonly hedge?: Hedge.HedgeSettings | undefined
  /** Whether identical requests that are in flight at the same time share one answer. Default: each is asked for. */
  readonly coalesce?: boolean | undefined
  /** What the client may spend in all. */
  readonly budget?: Budget.Budget | undefined
}

/**
 * Builds the pipeline: from a call to the answer of its last attempt; and what one embedding request may hold at every
 * deployment, for those who pack.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (options: PipelineOptions, recorder: Recorder) {
  const retry = yield* Retry.Retry
  const scheduler = yield* Scheduler
  const estimate = yield* TokenEstimate
  const pricing = yield* Pricing
  const timeouts = Timeouts.make()
  const hedge = options.hedge === undefined ? undefined : Hedge.make(options.hedge)
  const own = options.budget === undefined ? [] : [options.budget]

  const send =
    <A>(call: Call<A>) =>
    (connection: Connection): Effect.Effect<Answer<A>, AttemptError> =>
      Clock.clockWith((clock) => {
        const startedMillis = clock.currentTimeMillisUnsafe()
        recorder.sent(call, startedMillis)
        call.attempts++
        call.onSent?.()
        return Effect.onExit(
          Deadline.limitAttempt(
            timeouts,
            call.plan.send(connection, call),
            call.plan.timeoutMillis
          ),
          (exit) => {
            const millis = clock.currentTimeMillisUnsafe() - startedMillis
            call.serviceMillis += millis
            recorder.ended(call, exit, millis)
            if (Exit.isSuccess(exit)) {
              learn(call, exit.value)
              hedge?.observe(call.model, millis)
            }
            return Effect.void
          }
        )
      })

  const learn = <A>(call: Call<A>, { usage }: Answer<A>) => {
    if (call.priceOf === undefined || usage === undefined || call.deployment === undefined) return
    estimate.learn({ ...call.plan.size, model: call.deployment.target.model }, usage)
  }

  const stages = {
    deadline: Deadline.stage,
    reuse: Reuse.stage({
      cache: Option.getOrUndefined(yield* Effect.serviceOption(ResponseCache)),
      coalesce: options.coalesce === true,
      client: scheduler
        .deployments()
        .map(({ provider, target: { apiBase, extraBody, model } }) => ({
          provider,
          model,
          apiBase,
          extraBody
        }))
    }),
    recover: Recovery.stage(retry, options.fallbacks ?? {}, scheduler),
    hedge:
      hedge === undefined
        ? (next: Handler): Handler => next
        : hedge.stage(spend(own, recorder)((call) => scheduler.admitNow(call, send(call)))),
    budget: spend(own, recorder),
    admit: (): Handler => (call) => scheduler.admit(call, send(call))
  } satisfies Partial<Record<StageName, (next: Handler) => Handler>>

  const last: Handler = () => Effect.die("the stages end with admit")
  const composed = describe.reduceRight<Handler>((next, { name }) => {
    const stage = (stages as Partial<Record<StageName, (next: Handler) => Handler>>)[name]
    return stage === undefined ? next : stage(next)
  }, last)

  const measured: Handler = (call) =>
    Effect.flatMap(
      estimate.estimate({
        ...call.plan.size,
        model: scheduler.usualDeployment(call.model)?.target.model ?? ""
      }),
      ({ input, output }) => {
        const estimated = Usage.make({ promptTokens: input, completionTokens: output })
        call.priceAt = (deployment) => costAt(pricing, deployment, estimated)
        call.priceOf = (usage) => {
          const deployment = call.deployment ?? scheduler.usualDeployment(call.model)
          return deployment === undefined ? undefined : costAt(pricing, deployment, usage)
        }
        call.cost = {
          requests: 1,
          inputTokens: input,
          outputTokens: output,
          audioSeconds: call.plan.audioSecondsEstimate ?? 0,
          usd: call.priceOf(estimated) ?? 0
        }
        return composed(call)
      }
    )
  if (own.length > 0) return measured
  const handler: Handler = (call) =>
    scheduler.needsCost() || call.budgets.length > 0 ? measured(call) : composed(call)
  return handler
})

const unsent: Settlement = { _tag: "Unsent" }

/** The stage that sets aside what an attempt may cost, in every budget it may spend from. */
const spend =
  (own: ReadonlyArray<Budget.Budget>, recorder: Recorder) =>
  (next: Handler): Handler =>
  (call) => {
    const budgets = own.length === 0 ? call.budgets : [...own, ...call.budgets]
    if (budgets.length === 0) return next(call)
    return Effect.uninterruptibleMask((restore) => {
      const before = call.attempts
      const settles: Array<Budget.Settle> = []
      const settle = (settlement: Settlement) =>
        Effect.forEach(settles, (one) => one(settlement), { discard: true })
      for (const budget of budgets) {
        const reserved = budget.reserve(call.cost)
        if (reserved instanceof BudgetExceeded) {
          recorder.budgetRefused(call, reserved)
          return Effect.andThen(
            settle(unsent),
            Effect.fail(new AttemptError({ reason: reserved, outcome: "unsent" }))
          )
        }
        settles.push(reserved)
      }
      return Effect.onExit(restore(next(call)), (exit) =>
        // What was never sent has cost nothing, however it ended.
        settle(call.attempts === before ? unsent : settlementOf(call, exit))
      )
    })
  }
