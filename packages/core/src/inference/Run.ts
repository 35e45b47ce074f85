/**
 * One request through the pipeline, with its times measured and its failure worded for users.
 *
 * It is the frame that the operations share; what they put in and make of the answer is in their own files.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

import { CurrentBudgets } from "../admission/Budget.ts"
import { CurrentCaller } from "../admission/Caller.ts"
import type { Handler, Operation, Plan } from "../Call.ts"
import { Call } from "../Call.ts"
import { InferenceError } from "../InferenceError.ts"
import type { GenerationResult } from "../operation/Generate.ts"
import type { TimeOptions } from "../operation/GenerateOptions.ts"
import type { RequestMetrics } from "../operation/Timing.ts"
import type { Answer, AttemptError } from "../provider/Provider.ts"
import type { Reason } from "../Reason.ts"
import { InvalidInput } from "../Reason.ts"
import type { Pricing } from "../telemetry/Pricing.ts"

/**
 * An answer with what is known about how it came.
 *
 * @category models
 * @since 0.1.0
 */
export interface Outcome<A> {
  readonly answer: Answer<A>
  readonly call: Call<A>
  readonly metrics: RequestMetrics
}

/**
 * Runs a plan.
 *
 * @category constructors
 * @since 0.1.0
 */
export const run =
  (pipeline: Handler) =>
  <A>(plan: Plan<A>): Effect.Effect<Outcome<A>, InferenceError> =>
    Effect.withFiber((fiber) => {
      const clock = fiber.getRef(Clock.Clock)
      const call = new Call(plan, clock.currentTimeMillisUnsafe(), {
        caller: fiber.getRef(CurrentCaller),
        budgets: fiber.getRef(CurrentBudgets)
      })
      return Effect.mapBoth(pipeline(call), {
        onFailure: (error) => failed(call, error, clock.currentTimeMillisUnsafe()),
        onSuccess: (answer) => ({
          answer,
          call,
          metrics: metrics(call, clock.currentTimeMillisUnsafe())
        })
      })
    })

const metrics = (call: Call<unknown>, nowMillis: number): RequestMetrics => {
  const endToEnd = Math.max(0, nowMillis - call.startedMillis)
  const service = Math.min(endToEnd, call.serviceMillis)
  return {
    queueWait: Duration.millis(endToEnd - service),
    serviceTime: Duration.millis(service),
    endToEnd: Duration.millis(endToEnd),
    deployment: (call.deployment ?? call.failures.at(-1)?.deployment)?.label,
    retries: Math.max(0, call.attempts - call.hedges - 1),
    repairs: 0,
    ...(call.reused === undefined ? {} : { reused: call.reused }),
    ...(call.hedges === 0 ? {} : { hedges: call.hedges, hedgeCost: call.hedgeUsd })
  }
}

const failed = (call: Call<unknown>, error: AttemptError, nowMillis: number): InferenceError =>
  new InferenceError({
    operation: call.plan.operation,
    deployment: (call.deployment ?? call.failures.at(-1)?.deployment)?.label,
    attempts: call.attempts,
    reason: error.reason,
    requestId: error.requestId,
    metrics: metrics(call, nowMillis),
    failures: call.failures.map(({ deployment, reason }) => ({
      deployment: deployment?.label,
      model: deployment?.target.model,
      reason
    }))
  })

/**
 * The failure of a request that was never sent.
 *
 * @category constructors
 * @since 0.1.0
 */
export const refused = (operation: Operation, reason: Reason): InferenceError =>
  new InferenceError({ operation, attempts: 0, reason })

/**
 * The failure of a request that was answered, and paid for, but not as it should be; the answer is kept.
 *
 * @category constructors
 * @since 0.1.0
 */
export const misfit = <A>(
  outcome: Outcome<A>,
  reason: Reason,
  result: GenerationResult<unknown>
): InferenceError =>
  new InferenceError({
    operation: outcome.call.plan.operation,
    deployment: outcome.call.deployment?.label,
    attempts: outcome.call.attempts,
    reason,
    requestId: outcome.answer.requestId,
    metrics: outcome.metrics,
    result
  })

/**
 * What an answer cost; absent when its usage or the model's price is unknown.
 *
 * **Units**: USD.
 *
 * @category getters
 * @since 0.1.0
 */
export const price = <A>(
  pricing: Pricing["Service"],
  { answer, call }: Outcome<A>,
  modelId: string
): number | undefined => {
  // What was not asked for was not paid for.
  if (call.reused !== undefined) return 0
  const { deployment } = call
  if (answer.usage === undefined || deployment === undefined) return undefined
  return pricing.cost({
    provider: deployment.provider,
    models: [modelId, deployment.target.model],
    usage: answer.usage
  })
}

/** Default of the per-attempt time-out: long enough for a reasoning model's whole answer. */
const defaultTimeoutMillis = 600_000

/**
 * The time limits of a request in milliseconds: its own, else the client's, else the defaults.
 *
 * @category getters
 * @since 0.1.0
 */
export const timeLimits = (
  own: TimeOptions,
  client: TimeOptions
): { readonly timeoutMillis: number; readonly deadlineMillis: number } | InvalidInput => {
  const timeoutMillis = millis(own.timeout ?? client.timeout, defaultTimeoutMillis)
  const deadlineMillis = millis(own.deadline ?? client.deadline, Number.POSITIVE_INFINITY)
  if (timeoutMillis > 0 && deadlineMillis > 0) return { timeoutMillis, deadlineMillis }
  return new InvalidInput({
    input: timeoutMillis > 0 ? "deadline" : "timeout",
    problem: "it must be a time above zero",
    hint: 'Write a duration, such as "30 seconds"'
  })
}

const millis = (input: Duration.Input | undefined, otherwise: number): number => {
  if (input === undefined) return otherwise
  const duration = Duration.fromInput(input)
  return duration._tag === "Some" ? Duration.toMillis(duration.value) : 0
}
