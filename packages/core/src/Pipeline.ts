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

import * as Deadline from "./admission/Deadline.ts"
import { TokenEstimate } from "./admission/TokenEstimate.ts"
import * as Retry from "./attempt/Retry.ts"
import type { Call, Handler } from "./Call.ts"
import type { TokenUsage } from "./operation/Usage.ts"
import * as Usage from "./operation/Usage.ts"
import type { Answer, AttemptError, Connection } from "./provider/Provider.ts"
import { Scheduler } from "./Scheduler.ts"
import { Pricing } from "./telemetry/Pricing.ts"

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
    name: "retry",
    because:
      "a retried attempt must choose a deployment again, pay quota again, and wait outside its slot"
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
 * Builds the pipeline: from a call to the answer of its last attempt.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.gen(function* () {
  const retry = yield* Retry.Retry
  const scheduler = yield* Scheduler
  const estimate = yield* TokenEstimate
  const pricing = yield* Pricing

  const send =
    <A>(call: Call<A>) =>
    (connection: Connection): Effect.Effect<Answer<A>, AttemptError> =>
      Clock.clockWith((clock) => {
        const startedMillis = clock.currentTimeMillisUnsafe()
        call.attempts++
        return Effect.onExit(
          Deadline.limitAttempt(call.plan.send(connection, call), call.plan.timeoutMillis),
          (exit) => {
            call.serviceMillis += clock.currentTimeMillisUnsafe() - startedMillis
            if (Exit.isSuccess(exit)) learn(call, exit.value)
            return Effect.void
          }
        )
      })

  const learn = <A>(call: Call<A>, { usage }: Answer<A>) => {
    if (!scheduler.needsCost || usage === undefined || call.deployment === undefined) return
    estimate.learn({ ...call.plan.size, model: call.deployment.target.model }, usage)
  }

  const stages = {
    deadline: Deadline.stage,
    retry: Retry.stage(retry, scheduler.hasRoomElsewhere),
    admit: (): Handler => (call) => scheduler.admit(call, send(call))
  } satisfies Partial<Record<StageName, (next: Handler) => Handler>>

  const last: Handler = () => Effect.die("the stages end with admit")
  const composed = describe.reduceRight<Handler>((next, { name }) => {
    const stage = (stages as Partial<Record<StageName, (next: Handler) => Handler>>)[name]
    return stage === undefined ? next : stage(next)
  }, last)
  if (!scheduler.needsCost) return composed

  const model = scheduler.deployments[0]?.target.model ?? ""
  const estimated: Handler = (call) =>
    Effect.flatMap(estimate.estimate({ ...call.plan.size, model }), ({ input, output }) => {
      call.priceOf = priceOf(pricing, call)
      call.cost = {
        requests: 1,
        inputTokens: input,
        outputTokens: output,
        audioSeconds: call.plan.audioSecondsEstimate ?? 0,
        usd: call.priceOf(Usage.make({ promptTokens: input, completionTokens: output })) ?? 0
      }
      return composed(call)
    })
  return estimated
})

/** What a usage costs at the deployment that has the call, or would have it if none has yet. */
const priceOf =
  (pricing: Pricing["Service"], call: Call<unknown>) =>
  (usage: TokenUsage): number | undefined => {
    const { deployment } = call
    if (deployment === undefined) return undefined
    const { model } = deployment.target
    return pricing.cost({ provider: deployment.provider, models: [model, model], usage })
  }
