/**
 * Waiting for a place: the line of the `Scheduler`, and who wakes when.
 *
 * Nothing runs in the background. Whoever ends an attempt, or changes what can be taken, calls `look`, which lets go whom there
 * is a place for, in the order of the line. One waiter, the keeper, sleeps until the next quota has room and then looks for
 * all; when it goes or gives up, another keeps.
 *
 * It knows no quota and no deployment: whether there is a place it is told by `grant`.
 *
 * **Units**: epoch milliseconds of the `Clock`.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"

import type { Waiter } from "./admission/Line.ts"
import { Line } from "./admission/Line.ts"

/**
 * Why there is no place now.
 *
 * @category models
 * @since 0.1.0
 */
export interface Blocked {
  readonly _tag: "Blocked"
  /** When there could be one, if nothing else happens; `Infinity` when something must end first. */
  readonly atMillis: number
  /** It is the client's own limits that have no room, so that nobody else has it either. */
  readonly everybody: boolean
}

/**
 * Looks for a place: gives it, or why there is none. `isFirst` for the one at the front, with whom looking begins again; those
 * behind it are looked at while those before them have none.
 *
 * @category models
 * @since 0.1.0
 */
export type Find<W, G> = (
  waiter: W,
  nowMillis: number,
  isFirst: boolean
) => Effect.Effect<G | Blocked>

/**
 * The line.
 *
 * @category models
 * @since 0.1.0
 */
export interface WaitingLine<W extends Waiter, G> {
  readonly line: Line<W>
  /** Whether whoever comes now must stand in line, because others do or are being served. */
  readonly isBusy: () => boolean
  /** Stands in line until there is a place; interruption leaves the line, and gives back (`giveBack`) a place already given. */
  readonly stand: (waiter: W) => Effect.Effect<G>
  /** Lets go whom there is a place for. */
  readonly look: Effect.Effect<void>
  /** When the first can go if nothing else happens; `Infinity` when something must end first. */
  readonly nextMillis: () => number
}

const never = Number.POSITIVE_INFINITY

interface Place<G> {
  readonly latch: Latch.Latch
  given: G | undefined
}

const isBlocked = (outcome: unknown): outcome is Blocked =>
  typeof outcome === "object" && outcome !== null && "_tag" in outcome && outcome._tag === "Blocked"

/**
 * Builds a line.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <W extends Waiter, G extends object>(
  find: Find<W, G>,
  giveBack: (given: G) => Effect.Effect<void>
): WaitingLine<W, G> => {
  const line = new Line<W>()
  const places = new Map<W, Place<G>>()
  /** The waiter that sleeps for the whole line, and until when; 0 while it is awake. */
  let keeper: W | undefined
  let keeperUntil = 0
  let nextMillis = never
  let looking = false
  let lookAgain = false

  const look: Effect.Effect<void> = Effect.suspend(() => {
    if (looking) {
      lookAgain = true
      return Effect.void
    }
    looking = true
    return Effect.ensuring(
      lookOnce,
      Effect.sync(() => {
        looking = false
        appoint()
      })
    )
  })

  const lookOnce: Effect.Effect<void> = Effect.suspend(() => {
    lookAgain = false
    nextMillis = never
    return Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.flatMap(serve(line.heads(), 0, now), (served) =>
        served || lookAgain ? lookOnce : Effect.void
      )
    )
  })

  /** Serves one of the heads: the first for whom there is a place. */
  const serve = (heads: ReadonlyArray<W>, index: number, now: number): Effect.Effect<boolean> => {
    const head = heads[index]
    if (head === undefined) return Effect.succeed(false)
    return Effect.flatMap(find(head, now, index === 0), (outcome) => {
      if (!isBlocked(outcome)) {
        line.remove(head, true)
        const place = places.get(head)
        if (place === undefined) return Effect.as(giveBack(outcome), true)
        place.given = outcome
        place.latch.openUnsafe()
        return Effect.succeed(true)
      }
      nextMillis = Math.min(nextMillis, outcome.atMillis)
      // Those behind it must not take what the whole client has too little of.
      return outcome.everybody ? Effect.succeed(false) : serve(heads, index + 1, now)
    })
  }

  /** Sees to it that somebody sleeps for the line, and not too long. */
  const appoint = () => {
    if (keeper !== undefined && line.has(keeper)) {
      if (keeperUntil > nextMillis) places.get(keeper)?.latch.openUnsafe()
      return
    }
    ;[keeper] = line.heads()
    keeperUntil = 0
    if (keeper !== undefined) places.get(keeper)?.latch.openUnsafe()
  }

  /** The waiter's own loop: it ends when the waiter may go. */
  const waitTurn = (waiter: W, place: Place<G>): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (place.given !== undefined) return Effect.void
      place.latch.closeUnsafe()
      if (keeper !== waiter || nextMillis === never) {
        if (keeper === waiter) keeperUntil = never
        // A latch runs whom it wakes at once: without the yield the whole line would be sent inside the first one's end.
        return place.latch.await.pipe(
          Effect.andThen(Effect.yieldNow),
          Effect.andThen(waitTurn(waiter, place))
        )
      }
      return Effect.flatMap(Clock.currentTimeMillis, (now) => {
        keeperUntil = nextMillis
        const rest =
          nextMillis > now
            ? Effect.raceFirst(Effect.sleep(Math.ceil(nextMillis - now)), place.latch.await)
            : Effect.yieldNow
        return rest.pipe(
          Effect.andThen(
            Effect.suspend(() => {
              keeperUntil = 0
              return place.given === undefined ? Effect.uninterruptible(look) : Effect.void
            })
          ),
          Effect.andThen(waitTurn(waiter, place))
        )
      })
    })

  const stand = (waiter: W): Effect.Effect<G> =>
    Effect.suspend(() => {
      const place: Place<G> = { latch: Latch.makeUnsafe(false), given: undefined }
      places.set(waiter, place)
      line.add(waiter)
      // Somebody who is not at the front changes nothing for those who are.
      const looked = line.isHead(waiter) ? look : Effect.void
      // Only the waiting can be interrupted: a place that was given is taken or given back.
      return Effect.andThen(looked, Effect.interruptible(waitTurn(waiter, place))).pipe(
        Effect.onInterrupt(() => {
          line.remove(waiter, false)
          return place.given === undefined ? look : giveBack(place.given)
        }),
        Effect.ensuring(Effect.sync(() => places.delete(waiter))),
        Effect.map(() => place.given as G)
      )
    })

  return {
    line,
    isBusy: () => looking || line.size > 0,
    stand,
    look,
    nextMillis: () => nextMillis
  }
}
