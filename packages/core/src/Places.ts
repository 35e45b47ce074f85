/**
 * Where an attempt can go at this moment, and taking it: slot, deployment and quota in one step, or none of them.
 *
 * A part of the `Scheduler`, which knows who asks and who waits; it keeps no line. Who could take a call at all, `Candidates`
 * says; whom to prefer, the strategy.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

import type { Account } from "./admission/Account.ts"
import type { QuotaStore, Reservation } from "./admission/QuotaStore.ts"
import type { Slots } from "./admission/Slots.ts"
import type { Call } from "./Call.ts"
import * as Candidates from "./Candidates.ts"
import * as Drawn from "./Drawn.ts"
import type { Ready } from "./Ready.ts"
import * as ReadyModule from "./Ready.ts"
import type { Member } from "./routing/Member.ts"
import type { Strategy } from "./routing/Strategy.ts"
import { drawnBy } from "./routing/Strategy.ts"
import type { Blocked } from "./WaitingLine.ts"

/**
 * A place for an attempt.
 *
 * @category models
 * @since 0.1.0
 */
export interface Grant {
  readonly call: Call<unknown>
  readonly ready: Ready
  readonly reservation: Reservation
  readonly ticket: number
  readonly sentMillis: number
}

/**
 * A time that does not come by itself.
 *
 * @category constants
 * @since 0.1.0
 */
export const never = Number.POSITIVE_INFINITY

/**
 * No place until a time; `everybody` when nobody else has one until then either.
 *
 * @category constructors
 * @since 0.1.0
 */
export const blocked = (atMillis: number, everybody: boolean): Blocked => ({
  _tag: "Blocked",
  atMillis,
  everybody
})

/**
 * What places are found from.
 *
 * @category models
 * @since 0.1.0
 */
export interface PlacesOptions {
  readonly candidates: Candidates.Candidates
  /** The client's own accounts, which every call takes from. */
  readonly own: ReadonlyArray<Account>
  readonly readyFor: (member: Member) => Ready
  /** The client's own slots. */
  readonly slots: Slots
  readonly store: QuotaStore["Service"]
  readonly strategy: Strategy
}

/**
 * Builds the search.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = ({ candidates, own, readyFor, slots, store, strategy }: PlacesOptions) => {
  const clientRoomAt = ({ cost }: Call<unknown>, now: number): number => {
    let at = slots.hasRoom ? now : never
    for (const account of own) at = Math.max(at, account.roomAt(now, cost))
    return at
  }

  /** Those that can take a call now, or when the first of them can. */
  const survey = (
    possible: ReadonlyArray<Ready>,
    call: Call<unknown>,
    now: number
  ): ReadonlyArray<Member> | number => {
    let soonest = never
    let free: Array<Member> | undefined
    for (const ready of possible) {
      if (!ready.slots.hasRoom) continue
      const at = ReadyModule.roomAt(ready, call.cost, now)
      if (at <= now) (free ??= []).push(ready.member)
      else soonest = Math.min(soonest, at)
    }
    return free ?? soonest
  }

  /** Gives an attempt a place, if there is one now. */
  const grant = (
    call: Call<unknown>,
    possible: ReadonlyArray<Ready>,
    now: number
  ): Effect.Effect<Grant | Blocked> => {
    const clientAt = clientRoomAt(call, now)
    if (clientAt > now) return Effect.succeed(blocked(clientAt, true))
    const found = survey(possible, call, now)
    if (typeof found === "number") return Effect.succeed(blocked(found, false))
    return reserve(call, untried(found, call), now, () => possible)
  }

  /** Takes a place at one of those that are free, or at another of the possible where the store refuses it. */
  const reserve = (
    call: Call<unknown>,
    free: ReadonlyArray<Member>,
    now: number,
    possible: () => ReadonlyArray<Ready>
  ): Effect.Effect<Grant | Blocked> =>
    Effect.flatMap(choose(free, call, now), (ready) => {
      // Taken before the quota is: a shared store takes a while, and nobody else must take the same slot meanwhile.
      const ticket = take(ready, now)
      return Effect.flatMap(
        Effect.onError(store.reserve([...ready.accounts, ...own], call.cost, now), () =>
          Effect.sync(() => untake(ready, ticket, now))
        ),
        (outcome): Effect.Effect<Grant | Blocked> => {
          if (outcome._tag === "Granted")
            return Effect.succeed({ call, ready, reservation: outcome, ticket, sentMillis: now })
          untake(ready, ticket, now)
          // A store whose clock is behind ours must not be asked without a pause.
          const retryAtMillis = Math.max(outcome.retryAtMillis, now + 1)
          // A shared store knew better: the others are asked before anybody waits.
          const others = possible().filter((one) => one !== ready)
          if (others.length === 0) return Effect.succeed(blocked(retryAtMillis, false))
          return Effect.map(grant(call, others, now), (other) =>
            "ready" in other
              ? other
              : blocked(Math.min(other.atMillis, retryAtMillis), other.everybody)
          )
        }
      )
    })

  const drawnCount = drawnBy(strategy)

  /** Those out of many among whom the strategy would choose; `undefined` where all must be looked at. */
  const draw = (
    call: Call<unknown>,
    now: number
  ): Effect.Effect<ReadonlyArray<Member> | undefined> =>
    Effect.withFiber((fiber) => {
      const { model, plan } = call
      if (drawnCount === undefined || clientRoomAt(call, now) > now) return nothingDrawn
      const group = candidates.serving({ model: model === "" ? undefined : model, tags: plan.tags })
      if (Candidates.isReason(group)) return nothingDrawn
      const random = fiber.getRef(Random.Random)
      const drawn = Drawn.draw(group, drawnCount, call, {
        nowMillis: now,
        random: () => random.nextDoubleUnsafe(),
        isShunned: (ready) => candidates.isShunned(ready, now)
      })
      return Effect.succeed(drawn?.map(({ member }) => member))
    })

  /** Counts an attempt that is about to be sent. */
  const take = (ready: Ready, now: number): number => {
    slots.take()
    ready.slots.take()
    return ready.member.started(now)
  }

  /** Gives back what was taken for an attempt that is not sent. */
  const untake = (ready: Ready, ticket: number, now: number) => {
    slots.free(now, "neither", 0)
    ready.slots.free(now, "neither", 0)
    ready.member.ended(now, { outcome: { _tag: "abandoned" }, ticket, latencyMillis: 0 })
  }

  const choose = (
    free: ReadonlyArray<Member>,
    call: Call<unknown>,
    now: number
  ): Effect.Effect<Ready> =>
    Effect.withFiber((fiber) => {
      const [only] = free
      if (free.length === 1 && only !== undefined) return Effect.succeed(readyFor(only))
      const random = fiber.getRef(Random.Random)
      for (const member of free) measure(member, call, now)
      const { order } = strategy(free, {
        random: () => random.nextDoubleUnsafe(),
        stickyKey: call.plan.stickyKey,
        streamed: call.plan.streamed === true,
        nowMillis: now
      })
      const chosen = free.find((member) => member.order === order)
      return chosen === undefined
        ? Effect.die(new Error("the strategy chose what is no candidate"))
        : Effect.succeed(readyFor(chosen))
    })

  /** Tells a candidate what a strategy may compare. */
  const measure = (member: Member, call: Call<unknown>, now: number) => {
    const { account } = readyFor(member)
    member.headroom = account.headroom(now)
    member.price = call.priceAt?.(member.deployment)
  }

  return { clientRoomAt, draw, grant, reserve }
}

const nothingDrawn = Effect.undefined

/** Those that have not just failed the call, if there are any. */
const untried = (
  free: ReadonlyArray<Member>,
  { failedAt }: Call<unknown>
): ReadonlyArray<Member> => {
  if (failedAt.length === 0 || free.length === 1) return free
  const others = free.filter(({ deployment }) => !failedAt.includes(deployment))
  return others.length === 0 ? free : others
}
