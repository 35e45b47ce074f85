/**
 * Which deployments are better left alone for a while, and until when: a `Breaker` for each.
 *
 * Two things make one so. A provider that answers 429 with Retry-After pauses its deployment for everybody, not only for the
 * request it refused. A deployment that fails too often is left alone for a time that doubles; then one request probes it, and
 * its answer decides.
 *
 * It never fails a request: it says how long to wait, and the router prefers those that need not. It is asked for every
 * candidate of every choice, so nothing in it is an effect.
 *
 * **Units**: epoch milliseconds and milliseconds.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"

import type { AttemptError } from "../provider/Provider.ts"
import { retryAfter } from "../Reason.ts"
import type { SettingsError } from "../SettingsError.ts"
import type { HealthState, Outcome } from "./Breaker.ts"
import { Breaker } from "./Breaker.ts"
import * as HealthSettings from "./HealthSettings.ts"

export type { HealthState, Outcome } from "./Breaker.ts"

/**
 * Watches deployments, by id.
 *
 * @category services
 * @since 0.1.0
 */
export class Health extends Context.Service<
  Health,
  {
    /** The breaker of a deployment, made when it is first asked for. Hot paths keep it. */
    readonly of: (id: string) => Breaker
    /** Milliseconds until the deployment may be asked; 0 when it may be asked now. */
    readonly waitMillis: (id: string, nowMillis: number) => number
    /** Called when an attempt starts; gives the ticket with which to say how it ended. */
    readonly started: (id: string, nowMillis: number) => number
    readonly ended: (id: string, nowMillis: number, outcome: Outcome, ticket: number) => void
    readonly state: (id: string, nowMillis: number) => HealthState
    /** Forgets a deployment that is gone. */
    readonly forget: (id: string) => void
  }
>()("@infermesh/core/routing/Health") {}

/**
 * Builds the watch, all deployments healthy.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (settings?: HealthSettings.HealthSettings): Health["Service"] => {
  const breakers = new Map<string, Breaker>()
  const of = (id: string): Breaker => {
    let found = breakers.get(id)
    if (found === undefined) {
      found = new Breaker(settings)
      breakers.set(id, found)
    }
    return found
  }
  return {
    of,
    waitMillis: (id, nowMillis) => of(id).waitMillis(nowMillis),
    started: (id, nowMillis) => of(id).started(nowMillis),
    ended: (id, nowMillis, outcome, ticket) => of(id).ended(nowMillis, outcome, ticket),
    state: (id, nowMillis) => of(id).state(nowMillis),
    forget: (id) => {
      breakers.delete(id)
    }
  }
}

const answered: Outcome = { _tag: "answered" }
const abandoned: Outcome = { _tag: "abandoned" }

/**
 * What an attempt's end says about its deployment's health.
 *
 * @category conversions
 * @since 0.1.0
 */
export const outcomeOf = (exit: Exit.Exit<unknown, AttemptError>): Outcome => {
  if (Exit.isSuccess(exit)) return answered
  const error = Option.getOrUndefined(Exit.findErrorOption(exit))
  if (error === undefined) return abandoned
  const asked = retryAfter(error.reason)
  const retryAfterMillis = asked === undefined ? undefined : Duration.toMillis(asked)
  switch (error.reason._tag) {
    case "RateLimitError":
      return { _tag: "limited", retryAfterMillis }
    case "InternalProviderError":
    case "NetworkError":
    case "TimedOut":
    case "InvalidResponseError":
      return { _tag: "failed", retryAfterMillis }
    case "InvalidInput":
    case "Unsupported":
    case "QuotaUnsatisfiable":
      return abandoned
    default:
      return answered
  }
}

/**
 * The watch, in this process, with settings of one's own.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerWith = (
  settings: HealthSettings.HealthSettings
): Layer.Layer<Health, SettingsError> =>
  Layer.effect(Health, Effect.map(HealthSettings.decode(settings), make))

/**
 * The watch with its usual settings.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Health> = Layer.sync(Health, () => make())
