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

import { charge } from "./admission/Charge.ts"
import * as Deadline from "./admission/Deadline.ts"
import * as Quota from "./admission/Quota.ts"
import * as RateLimit from "./admission/RateLimit.ts"
import { Slot } from "./admission/Slot.ts"
import { TokenEstimate } from "./admission/TokenEstimate.ts"
import * as Retry from "./attempt/Retry.ts"
import { smallest } from "./batch/Packing.ts"
import type { Call, Handler } from "./Call.ts"
import type { Deployment } from "./Deployment.ts"
import type { Answer, Connection } from "./provider/Provider.ts"
import { Providers } from "./provider/Providers.ts"
import * as ProvidersModule from "./provider/Providers.ts"
import * as Health from "./routing/Health.ts"
import { Router } from "./routing/Router.ts"
import { SettingsError } from "./SettingsError.ts"

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
    name: "slot",
    because: "it counts attempts in flight, so it is taken per attempt and free during backoff"
  },
  {
    name: "route",
    because: "quota belongs to a deployment, so one must be chosen before it is charged"
  },
  {
    name: "health",
    because: "a paused deployment must hold its requests before they take quota they could not use"
  },
  {
    name: "quota",
    because: "it is stamped at the moment of sending, so nothing may wait between it and the send"
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
 * A deployment made ready for requests.
 *
 * @category models
 * @since 0.1.0
 */
interface Ready {
  readonly connection: Connection
  readonly gate: RateLimit.Gate
}

/**
 * Settings of the pipeline as a whole.
 *
 * @category models
 * @since 0.1.0
 */
export interface PipelineOptions {
  /** Limits of the client over all its deployments; each deployment may have its own besides. */
  readonly limits?: Quota.Quota | undefined
}

/**
 * Builds the pipeline: from a call to the answer of its last attempt; and what one embedding request may hold at every
 * deployment, for those who pack.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (options: PipelineOptions) {
  const retry = yield* Retry.Retry
  const slot = yield* Slot
  const router = yield* Router
  const health = yield* Health.Health
  const rateLimit = yield* RateLimit.RateLimit
  const estimate = yield* TokenEstimate

  const ready = new Map<Deployment, Ready>()
  for (const deployment of router.deployments) {
    ready.set(deployment, {
      connection: yield* connect(deployment),
      gate: yield* rateLimit.gate(deployment.id, deployment.limits)
    })
  }
  const readyAt = (deployment: Deployment): Ready => ready.get(deployment) as Ready
  const clientLimits = options.limits ?? {}
  const clientGate = Quota.isUnlimited(clientLimits)
    ? undefined
    : // No deployment id is empty, so this key is the client's own.
      yield* rateLimit.gate("", clientLimits)
  const needsTokens =
    clientGate?.needsTokens === true || [...ready.values()].some(({ gate }) => gate.needsTokens)

  const waitMillis = (call: Call<unknown>, now: number) => (deployment: Deployment) => {
    const { gate } = readyAt(deployment)
    const cost = { requests: 1, tokens: gate.needsTokens ? call.tokens : 0 }
    return Math.max(health.waitMillis(deployment.id, now), gate.waitMillis(cost, now))
  }

  const elsewhere = (call: Call<unknown>): Effect.Effect<boolean> =>
    router.deployments.length === 1
      ? Effect.succeed(false)
      : Effect.map(Clock.currentTimeMillis, (now) =>
          router.deployments.some(
            (deployment) =>
              !call.failedAt.includes(deployment) && waitMillis(call, now)(deployment) === 0
          )
        )

  const stages = {
    deadline: Deadline.stage,
    retry: Retry.stage(retry, elsewhere),
    slot:
      (next: Handler): Handler =>
      (call) =>
        slot.withSlot(next(call)),
    route:
      (next: Handler): Handler =>
      (call) =>
        Clock.clockWith((clock) =>
          Effect.flatMap(
            router.choose({
              waitMillis: waitMillis(call, clock.currentTimeMillisUnsafe()),
              failedAt: call.failedAt
            }),
            (deployment) => {
              call.deployment = deployment
              return next(call)
            }
          )
        ),
    health: Health.stage(health),
    quota: (next: Handler): Handler => {
      const paid: Handler = (call) => {
        const { gate } = readyAt(call.deployment as Deployment)
        return charge(gate, call, next(call))
      }
      return clientGate === undefined ? paid : (call) => charge(clientGate, call, paid(call))
    }
  } satisfies Partial<Record<StageName, (next: Handler) => Handler>>

  const send: Handler = <A>(call: Call<A>) =>
    Clock.clockWith((clock) => {
      const { connection } = readyAt(call.deployment as Deployment)
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

  const learn = <A>(call: Call<A>, answer: Answer<A>) => {
    if (!needsTokens || answer.usage === undefined || call.deployment === undefined) return
    estimate.learn({ ...call.plan.size, model: call.deployment.target.model }, answer.usage)
  }

  const composed = describe.reduceRight<Handler>((next, { name }) => {
    const stage = (stages as Partial<Record<StageName, (next: Handler) => Handler>>)[name]
    return stage === undefined ? next : stage(next)
  }, send)

  const embedLimits = smallest([...ready.values()].map(({ connection }) => connection.embedLimits))
  if (!needsTokens) return Object.assign(composed, { embedLimits })
  const model = router.deployments[0]?.target.model ?? ""
  const estimated: Handler = (call) =>
    Effect.flatMap(estimate.estimate({ ...call.plan.size, model }), (tokens) => {
      call.tokens = tokens
      return composed(call)
    })
  return Object.assign(estimated, { embedLimits })
})

/** Finds the deployment's provider and lets it check the settings and prepare what requests share. */
const connect = Effect.fnUntraced(function* (deployment: Deployment) {
  const providers = yield* Providers
  const provider = providers.get(deployment.provider)
  if (provider !== undefined) return yield* provider.connect(deployment.target)
  return yield* new SettingsError({
    setting: deployment.label === undefined ? "model" : `deployments.${deployment.label}.model`,
    problem: `there is no provider '${deployment.provider}'`,
    hint: ProvidersModule.hint(providers, deployment.provider)
  })
})
