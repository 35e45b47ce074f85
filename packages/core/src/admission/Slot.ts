/**
 * Slots: how many attempts may be in flight at once.
 *
 * A slot is held for one attempt, never while a request waits to try again, so a failing request does not keep others out.
 * It limits nothing per minute; that is the quota's matter.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"

import { SettingsError } from "../SettingsError.ts"

/**
 * Permission to have attempts in flight.
 *
 * @category services
 * @since 0.1.0
 */
export class Slot extends Context.Service<
  Slot,
  {
    /** Runs an attempt in a slot, waiting for a free one; first come, first served. */
    readonly withSlot: <A, E, R>(attempt: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
    /** How many slots there are; `Infinity` without a limit. */
    readonly total: number
  }
>()("@infermesh/core/admission/Slot") {}

/**
 * Builds a set of slots.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (total: number) {
  if (!Number.isInteger(total) || total < 1) {
    return yield* new SettingsError({
      setting: "maxParallelRequests",
      problem: `${total} is not a whole number of at least 1`,
      hint: "Leave it out for no limit"
    })
  }
  const semaphore = yield* Semaphore.make(total)
  return Slot.of({ withSlot: (attempt) => semaphore.withPermit(attempt), total })
})

/**
 * A set of slots shared by all requests of a client.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (total: number): Layer.Layer<Slot, SettingsError> =>
  Layer.effect(Slot, make(total))

/**
 * Any number of attempts at once.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerUnlimited: Layer.Layer<Slot> = Layer.succeed(Slot, {
  withSlot: (attempt) => attempt,
  total: Number.POSITIVE_INFINITY
})
