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
import { identity } from "effect/Function"
import type { Span } from "effect/Tracer"

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
import { costAt } from "../telemetry/Pricing.ts"
import type { Recorder } from "../telemetry/Recorder.ts"
import type { Completed } from "../telemetry/Spans.ts"
import * as Spans from "../telemetry/Spans.ts"

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
 * What running needs.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunEnvironment {
  readonly pipeline: Handler
  readonly recorder: Recorder
}

/**
 * Runs a plan, and makes the result of its answer: what is recorded of the request includes both.
 *
 * **Details**: `failedAs` words the failure of a plan that was not answered.
 *
 * @category constructors
 * @since 0.1.0
 */
export const run =
  ({ pipeline, recorder }: RunEnvironment) =>
  <A, B extends Completed>(
    plan: Plan<A>,
    complete: (outcome: Outcome<A>) => Effect.Effect<B, InferenceError>,
    failedAs: (error: InferenceError) => InferenceError = identity
  ): Effect.Effect<B, InferenceError> =>
    Effect.withFiber((fiber) => {
      const start = (span: Span | undefined) => {
        const clock = fiber.getRef(Clock.Clock)
        const call = new Call(plan, clock.currentTimeMillisUnsafe(), {
          caller: fiber.getRef(CurrentCaller),
          budgets: fiber.getRef(CurrentBudgets),
          context: fiber.context,
          span
        })
        const result = Effect.matchEffect(pipeline(call), {
          onFailure: (error) =>
            Effect.fail(failedAs(failed(call, error, clock.currentTimeMillisUnsafe()))),
          onSuccess: (answer) =>
            complete({ answer, call, metrics: metrics(call, clock.currentTimeMillisUnsafe()) })
        })
        return Effect.onExit(result, (exit) => {
          recorder.finished(call, exit, clock.currentTimeMillisUnsafe())
          return Effect.void
        })
      }
      return Spans.isTraced(fiber)
        ? Spans.request(plan, recorder.usual(plan.model ?? ""), start)
        : start(undefined)
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
    failures: failuresOf(call)
  })

const failuresOf = ({ failures }: Call<unknown>): InferenceError["failures"] =>
  failures.map(({ deployment, reason }) => ({
    deployment: deployment?.label,
    model: deployment?.target.model,
    reason
  }))

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
    failures: failuresOf(outcome.call),
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
  return answer.usage === undefined || deployment === undefined
    ? undefined
    : costAt(pricing, deployment, answer.usage, modelId)
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
