/**
 * From a request to the deployment that takes its next attempt.
 *
 * A deployment that need not wait is always preferred to one that must, and one that has not just failed this request to one
 * that has; among equals the strategy decides. Where all must wait, the one that waits least is taken. It sends nothing and
 * keeps no quota: how long a deployment would make a request wait is told to it.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"

import type { Deployment } from "../Deployment.ts"
import { SettingsError } from "../SettingsError.ts"
import { Breaker } from "./Breaker.ts"
import { Member } from "./Member.ts"
import { simpleShuffle } from "./Shuffle.ts"
import type { Strategy } from "./Strategy.ts"

/**
 * What the router is told about one request.
 *
 * @category models
 * @since 0.1.0
 */
export interface Signals {
  /** Milliseconds a deployment would make the request wait: for quota, or because it is paused. */
  readonly waitMillis: (deployment: Deployment) => number
  /** The deployments that already failed this request. */
  readonly failedAt: ReadonlyArray<Deployment>
}

/**
 * Chooses deployments.
 *
 * @category services
 * @since 0.1.0
 */
export class Router extends Context.Service<
  Router,
  {
    /** All deployments, at least one. */
    readonly deployments: ReadonlyArray<Deployment>
    readonly choose: (signals: Signals) => Effect.Effect<Deployment>
  }
>()("@infermesh/core/routing/Router") {}

/**
 * Builds the router.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (options: {
  readonly deployments: ReadonlyArray<Deployment>
  /** Makes the strategy: one of `strategies`, or a function that gives a user's own. */
  readonly strategy?: (() => Strategy) | undefined
}) {
  const { deployments } = options
  const strategy = options.strategy?.() ?? simpleShuffle
  const [first] = deployments
  if (first === undefined) {
    return yield* new SettingsError({
      setting: "deployments",
      problem: "there is none",
      hint: "Give a model, or at least one deployment"
    })
  }
  const ids = new Set<string>()
  for (const { id } of deployments) {
    if (ids.has(id)) {
      return yield* new SettingsError({
        setting: `deployments.${id}`,
        problem: "the label is used twice",
        hint: "Give each deployment its own label"
      })
    }
    ids.add(id)
  }
  if (deployments.length === 1) {
    // Nothing to choose: no measuring, no random number.
    const only = Effect.succeed(first)
    return Router.of({ deployments, choose: () => only })
  }
  const members = deployments.map(
    (deployment, order) => new Member(deployment, order, new Breaker())
  )
  return Router.of({
    deployments,
    choose: (signals) =>
      Clock.clockWith((clock) =>
        Random.Random.use((generator) =>
          Effect.sync(() => {
            const chosen = strategy(candidates(members, signals), {
              random: () => generator.nextDoubleUnsafe(),
              stickyKey: undefined,
              streamed: false,
              nowMillis: clock.currentTimeMillisUnsafe()
            })
            return chosen.deployment
          })
        )
      )
  })
})

/** The deployments the strategy may choose from: never empty. */
const candidates = (members: ReadonlyArray<Member>, signals: Signals): ReadonlyArray<Member> => {
  let least = Number.POSITIVE_INFINITY
  let chosen: Array<Member> = []
  for (const member of members) {
    const wait = signals.waitMillis(member.deployment)
    if (wait < least) {
      least = wait
      chosen = []
    }
    if (wait === least) chosen.push(member)
  }
  if (chosen.length === 1 || signals.failedAt.length === 0) return chosen
  const untried = chosen.filter(({ deployment }) => !signals.failedAt.includes(deployment))
  return untried.length === 0 ? chosen : untried
}

/**
 * The router over a fixed list of deployments.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Parameters<typeof make>[0]): Layer.Layer<Router, SettingsError> =>
  Layer.effect(Router, make(options))
