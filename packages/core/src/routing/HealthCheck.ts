/**
 * Active health checks: asks deployments by themselves whether they answer, instead of finding out with a user's request.
 *
 * An open breaker whose deployment passes a check may be probed at once, one that fails stays open; so no request is spent on a
 * server that is known to be down. A check says no more than that the server is up: whether the model answers, the probe finds
 * out. It is optional, and one fiber for the whole fleet.
 *
 * **Gotchas**: a server that passes its checks and fails its requests is probed after every check, not at doubling distances.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"

import type { Deployment } from "../Deployment.ts"
import { Fleet } from "./Fleet.ts"
import type { Member } from "./Member.ts"

/**
 * How a fleet is checked.
 *
 * @category models
 * @since 0.1.0
 */
export interface HealthCheckOptions<R = never> {
  /** One check, good when it succeeds; `undefined` for a deployment that has none. A `Connection` may offer one. */
  readonly check: (deployment: Deployment) => Effect.Effect<unknown, unknown, R> | undefined
  /** When the fleet is checked again. Default: every 10 seconds, with jitter. */
  readonly schedule?: Schedule.Schedule<unknown> | undefined
  /** After what time a check has failed. Default 5 seconds. */
  readonly timeout?: Duration.Input | undefined
  /** Whether only deployments are checked whose breaker is open (the default), or all. */
  readonly when?: "open" | "always" | undefined
}

/**
 * Checks the fleet until the scope closes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const run = Effect.fnUntraced(function* <R>(
  options: HealthCheckOptions<R>
): Effect.fn.Return<void, never, Fleet | Scope.Scope | R> {
  const fleet = yield* Fleet
  const { check, timeout = "5 seconds", when = "open" } = options
  const schedule = options.schedule ?? Schedule.jittered(Schedule.spaced("10 seconds"))

  const checkOne = Effect.fnUntraced(function* (member: Member) {
    const checking = check(member.deployment)
    if (checking === undefined) return
    const exit = yield* Effect.exit(Effect.timeout(checking, timeout))
    const now = yield* Clock.currentTimeMillis
    const before = member.waitMillis(now)
    member.health.checked(now, Exit.isSuccess(exit))
    if (member.waitMillis(now) !== before) fleet.changed()
  })

  const checkAll = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const due = fleet
      .members()
      .filter(({ health }) => when === "always" || health.state(now) === "open")
    return Effect.forEach(due, checkOne, { concurrency: "unbounded", discard: true })
  })

  yield* Effect.forkScoped(Effect.repeat(checkAll, schedule))
})
