/**
 * What follows a failed attempt: another one here, another one elsewhere, another model, or the end.
 *
 * Retries, fallbacks and hedges spend the same attempts, so they never multiply: a request makes at most `maxRetries + 1` of
 * them, over all deployments and models; where a chain of fallbacks is longer than that, one for each of its models. How long
 * to wait is `Retry`'s matter, which models come after which `Fallback`'s.
 *
 * In this order:
 *
 * 1. A failure of the deployment's own (a refused key, a spent account, an option its provider has not) is tried at another
 *    deployment of the model at once.
 * 2. A failure that can pass is tried again after a wait, which does not heed Retry-After where another deployment is free; but
 *    where a fallback model is free and this one is not, or only as many attempts are left as models, the next model is asked.
 * 3. Any other failure that another model may not have goes to the next model of its chain.
 *
 * A request that comes while every deployment of its model is known to be broken begins at the first fallback that is free.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

import type { Call, Handler } from "../Call.ts"
import { AttemptError } from "../provider/Provider.ts"
import type { Reason } from "../Reason.ts"
import { explain, FallbacksExhausted } from "../Reason.ts"
import type { FallbackSettings } from "./Fallback.ts"
import * as Fallback from "./Fallback.ts"
import type { Retry } from "./Retry.ts"

/**
 * What recovery asks the scheduler.
 *
 * @category models
 * @since 0.1.0
 */
export interface Prospects {
  /** Whether a deployment that has not failed the call could take it now. */
  readonly hasRoomElsewhere: <A>(call: Call<A>) => Effect.Effect<boolean>
  /** Whether some deployment of a model could take the call now. */
  readonly hasRoomFor: <A>(call: Call<A>, model: string) => Effect.Effect<boolean>
  /** Whether the breaker of every deployment that could take the call is open. */
  readonly isBroken: <A>(call: Call<A>) => Effect.Effect<boolean>
  /** Whether there is a deployment of the call's model at all that is not excluded. */
  readonly hasCandidate: <A>(call: Call<A>) => boolean
}

/**
 * The pipeline stage.
 *
 * @category stages
 * @since 0.1.0
 */
export const stage = (
  retry: Retry["Service"],
  fallbacks: FallbackSettings,
  prospects: Prospects
): ((next: Handler) => Handler) => {
  return (next) => {
    const attempt: Handler = (call) =>
      Effect.catch(next(call), (error) => {
        call.lastError = error
        call.failures.push({ deployment: call.deployment, reason: error.reason })
        return call.committed ? Effect.fail(error) : recover(call, error)
      })

    const recover = <A>(call: Call<A>, error: AttemptError) => {
      const left = call.mostAttempts - call.attempts
      if (left <= 0) return end(call, error)
      const { deployment } = call
      const { reason } = error
      if (
        deployment !== undefined &&
        (Fallback.isDeploymentsOwn(reason) || isUnsupported(reason))
      ) {
        call.excluded.push(deployment)
        return prospects.hasCandidate(call) ? attempt(call) : fallBack(call, error)
      }
      if (!reason.isRetryable) return fallBack(call, error)
      if (deployment !== undefined) call.failedAt.push(deployment)
      const models = modelsLeft(call, error)
      const [nextModel] = models
      return Effect.flatMap(prospects.hasRoomElsewhere(call), (elsewhere) => {
        if (nextModel === undefined || elsewhere) return again(call, error, elsewhere)
        if (left <= models.length) return fallBack(call, error)
        return Effect.flatMap(prospects.hasRoomFor(call, nextModel), (room) =>
          room ? fallBack(call, error) : again(call, error, false)
        )
      })
    }

    const again = <A>(call: Call<A>, error: AttemptError, elsewhere: boolean) =>
      Effect.flatMap(retry.delayMillis(error, call.attempts, elsewhere), (delay) =>
        delay === undefined
          ? fallBack(call, error)
          : Effect.andThen(Effect.sleep(delay), attempt(call))
      )

    const fallBack = <A>(call: Call<A>, error: AttemptError) => {
      const [model] = modelsLeft(call, error)
      if (model === undefined) return end(call, error)
      call.chain = chainOf(call, error)
      call.models.push(model)
      return attempt(call)
    }

    /** The chain for a failure: one that says nothing of the prompt goes on with the chain that the call is on already. */
    const chainOf = <A>({ chain, models }: Call<A>, { reason }: AttemptError) =>
      chain.length > 0 && Fallback.isOfDeployments(reason)
        ? chain
        : Fallback.chain(fallbacks, models[0] ?? "", reason)

    const modelsLeft = <A>(call: Call<A>, error: AttemptError) =>
      chainOf(call, error).filter((model) => !call.models.includes(model))

    /** Goes past a model that is known to be broken; where no fallback is free either, it waits for the model it asked for. */
    const past = <A>(call: Call<A>, chain: ReadonlyArray<string>): Effect.Effect<void> =>
      Effect.flatMap(prospects.isBroken(call), (isBroken) => {
        if (!isBroken) return Effect.void
        return Effect.map(
          Effect.findFirst(chain, (model) => prospects.hasRoomFor(call, model)),
          Option.match({
            onNone: () => {},
            onSome: (model) => {
              call.chain = chain
              // Those before it have no room now; a failure there goes back to them.
              call.models.push(model)
            }
          })
        )
      })

    return (call) => {
      retry.begin()
      const most = Math.max(retry.maxRetries, Fallback.longest(fallbacks, call.model)) + 1
      call.mostAttempts = most - (call.plan.retriesSpent ?? 0)
      const chain = fallbacks.fallbacks?.[call.model]
      return chain === undefined ? attempt(call) : Effect.andThen(past(call, chain), attempt(call))
    }
  }
}

/** A deployment of another provider may do what this one's cannot; it is no worse for other requests. */
const isUnsupported = ({ _tag }: Reason): boolean => _tag === "Unsupported"

/** The last failure; after fallbacks one that says so, and each of them is kept. */
const end = <A>(call: Call<A>, error: AttemptError): Effect.Effect<never, AttemptError> => {
  if (call.models.length < 2) return Effect.fail(error)
  return Effect.fail(
    new AttemptError({
      reason: new FallbacksExhausted({ models: call.models, last: explain(error.reason) }),
      outcome: error.outcome,
      requestId: error.requestId,
      rateLimits: error.rateLimits,
      usage: error.usage
    })
  )
}
