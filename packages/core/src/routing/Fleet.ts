/**
 * The deployments that are in service now, and how they come and go while requests run.
 *
 * It chooses nothing: the scheduler reads `members` at every choice, and is told when they change. A draining deployment takes
 * no new attempts, finishes those in flight, and then leaves.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"

import type { Deployment } from "../Deployment.ts"
import { SettingsError } from "../SettingsError.ts"
import { Health } from "./Health.ts"
import { Member } from "./Member.ts"

/**
 * The deployments in service.
 *
 * @category services
 * @since 0.1.0
 */
export class Fleet extends Context.Service<
  Fleet,
  {
    /** Grows with every change of the members or of what they can take: what was derived from them is stale when it differs. */
    readonly version: () => number
    /** Those that may take attempts, in the order in which they were added; the same array until the version changes. */
    readonly members: () => ReadonlyArray<Member>
    /** Those that are draining and still have attempts in flight. */
    readonly draining: () => ReadonlyArray<Member>
    /** Puts a deployment into service. */
    readonly add: (deployment: Deployment) => Effect.Effect<Member, SettingsError>
    /**
     * Takes a deployment out of service and waits until its last attempt has ended. From its first step on it takes no new
     * attempts; interrupting it ends the waiting only.
     */
    readonly drain: (id: string) => Effect.Effect<void, SettingsError>
    /** Calls a function at once at every change, until the function it gives is called. */
    readonly onChange: (listener: () => void) => () => void
    /** Says that a member can take more or less than before: a health check has changed its mind. */
    readonly changed: () => void
  }
>()("@infermesh/core/routing/Fleet") {}

/**
 * Builds a fleet of the given deployments, of which there must be one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (deployments: ReadonlyArray<Deployment>) {
  const health = yield* Health
  const listeners = new Set<() => void>()
  let version = 0
  let nextOrder = 0
  let members: ReadonlyArray<Member> = []
  /** Those that are draining, each with what opens when it has left. */
  const leaving = new Map<Member, Latch.Latch>()

  const changed = () => {
    version++
    for (const listener of listeners) listener()
  }

  const find = (id: string): Member | undefined => {
    const has = ({ deployment }: Member) => deployment.id === id
    return members.find(has) ?? [...leaving.keys()].find(has)
  }

  const add = (deployment: Deployment) =>
    Effect.suspend(() => {
      const { id } = deployment
      const found = find(id)
      if (found !== undefined) {
        return Effect.fail(
          new SettingsError({
            setting: `deployments.${id}`,
            problem: found.draining ? "it is still draining" : "the label is used twice",
            hint: found.draining ? "Await its drain" : "Give each deployment its own label"
          })
        )
      }
      const member = new Member(deployment, nextOrder++, health.of(id))
      members = [...members, member]
      changed()
      return Effect.succeed(member)
    })

  const leave = (member: Member): Latch.Latch => {
    const left = Latch.makeUnsafe(false)
    members = members.filter((one) => one !== member)
    leaving.set(member, left)
    member.drain(() => {
      leaving.delete(member)
      health.forget(member.deployment.id)
      left.openUnsafe()
      changed()
    })
    if (leaving.has(member)) changed()
    return left
  }

  const drain = (id: string) =>
    Effect.suspend(() => {
      const member = find(id)
      if (member === undefined) {
        return Effect.fail(
          new SettingsError({
            setting: `deployments.${id}`,
            problem: "there is no such deployment",
            hint: `In service: ${members.map(({ deployment }) => deployment.id).join(", ")}`
          })
        )
      }
      const left = leaving.get(member) ?? leave(member)
      // A latch runs whom it wakes at once: what follows the drain must not run inside the last attempt's end.
      return Effect.andThen(left.await, Effect.yieldNow)
    })

  if (deployments.length === 0) {
    return yield* new SettingsError({
      setting: "deployments",
      problem: "there is none",
      hint: "Give a model, or at least one deployment"
    })
  }
  for (const deployment of deployments) yield* add(deployment)

  return Fleet.of({
    version: () => version,
    members: () => members,
    draining: () => [...leaving.keys()],
    add,
    drain,
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    changed
  })
})

/**
 * A fleet of the given deployments.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  deployments: ReadonlyArray<Deployment>
): Layer.Layer<Fleet, SettingsError, Health> => Layer.effect(Fleet, make(deployments))
