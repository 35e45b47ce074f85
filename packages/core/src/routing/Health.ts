/**
 * Which deployments are better left alone for a while, and until when.
 *
 * Two things make one so. A provider that answers 429 with Retry-After pauses its deployment for everybody, not only for the
 * request it refused. A deployment that fails several times running is left alone for a time that doubles; then one request
 * probes it, and its answer decides (closed → open → half-open, the circuit breaker of Nygard, "Release It!").
 *
 * It never fails a request: it says how long to wait, and the router prefers those that need not.
 *
 * **Units**: epoch milliseconds and milliseconds.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"

import type { AttemptError } from "../provider/Provider.ts"
import { retryAfter } from "../Reason.ts"

/**
 * What became of an attempt, as far as the deployment's health is concerned.
 *
 * **Details**: `answered` also covers refusals that say the deployment works (a bad request, a refused key). `failed` is a
 * fault of the provider or the network. `limited` is a rate limit: it pauses, it is not a fault. `abandoned` says nothing:
 * the attempt was interrupted.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome =
  | { readonly _tag: "answered" }
  | { readonly _tag: "failed"; readonly retryAfterMillis: number | undefined }
  | { readonly _tag: "limited"; readonly retryAfterMillis: number | undefined }
  | { readonly _tag: "abandoned" }

/**
 * The state of one deployment.
 *
 * @category models
 * @since 0.1.0
 */
export type HealthState = "healthy" | "paused" | "open" | "half-open"

/**
 * Watches deployments, by id.
 *
 * @category services
 * @since 0.1.0
 */
export class Health extends Context.Service<
  Health,
  {
    /** Milliseconds until the deployment may be asked; 0 when it may be asked now. */
    readonly waitMillis: (id: string, nowMillis: number) => number
    /** Called when an attempt starts: the first one after a pause for failures is the probe. */
    readonly started: (id: string, nowMillis: number) => void
    readonly ended: (id: string, nowMillis: number, outcome: Outcome) => void
    readonly state: (id: string, nowMillis: number) => HealthState
  }
>()("@infermesh/core/routing/Health") {}

/** Failures in a row that open the breaker. With 5 % random faults, five in a row happen once in three million attempts. */
const failuresToOpen = 5
/** How long the breaker stays open at first; doubles each time a probe fails. */
const openMillis = 5000
/** The longest a deployment is left alone, for failures and for Retry-After alike. */
const longestMillis = 60_000
/** How long others wait before asking again while one request probes. */
const probeMillis = 250

interface Entry {
  pausedUntil: number
  openUntil: number
  failures: number
  openings: number
  probing: boolean
}

/**
 * Builds the watch, all deployments healthy.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Health["Service"] => {
  const entries = new Map<string, Entry>()
  const entry = (id: string): Entry => {
    let found = entries.get(id)
    if (found === undefined) {
      found = { pausedUntil: 0, openUntil: 0, failures: 0, openings: 0, probing: false }
      entries.set(id, found)
    }
    return found
  }
  const open = (state: Entry, nowMillis: number, retryAfterMillis: number | undefined) => {
    const own = openMillis * 2 ** state.openings
    state.openings++
    state.failures = 0
    state.openUntil = nowMillis + Math.min(longestMillis, Math.max(own, retryAfterMillis ?? 0))
  }
  return {
    waitMillis: (id, nowMillis) => {
      const state = entries.get(id)
      if (state === undefined) return 0
      const wait = Math.max(0, state.pausedUntil - nowMillis, state.openUntil - nowMillis)
      return wait === 0 && state.probing ? probeMillis : wait
    },
    started: (id, nowMillis) => {
      const state = entries.get(id)
      if (state !== undefined && state.openings > 0 && state.openUntil <= nowMillis)
        state.probing = true
    },
    ended: (id, nowMillis, outcome) => {
      if (outcome._tag === "answered" && !entries.has(id)) return
      const state = entry(id)
      const wasProbe = state.probing
      state.probing = false
      switch (outcome._tag) {
        case "answered":
          state.failures = 0
          state.openings = 0
          state.openUntil = 0
          return
        case "limited":
          if (outcome.retryAfterMillis !== undefined) {
            const pause = Math.min(longestMillis, outcome.retryAfterMillis)
            state.pausedUntil = Math.max(state.pausedUntil, nowMillis + pause)
          }
          return
        case "failed":
          state.failures++
          if (wasProbe || state.failures >= failuresToOpen)
            open(state, nowMillis, outcome.retryAfterMillis)
          return
        case "abandoned":
          return
      }
    },
    state: (id, nowMillis) => {
      const state = entries.get(id)
      if (state === undefined) return "healthy"
      if (state.openUntil > nowMillis) return "open"
      if (state.openings > 0) return "half-open"
      return state.pausedUntil > nowMillis ? "paused" : "healthy"
    }
  }
}

const answered: Outcome = { _tag: "answered" }
const abandoned: Outcome = { _tag: "abandoned" }

/**
 * What an attempt's end says about the deployment's health.
 *
 * @category getters
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
 * The watch, in this process.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Health> = Layer.sync(Health, make)
