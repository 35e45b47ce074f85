/**
 * Many small writes made few: what arrives while a write is under way, and a moment longer, is written together.
 *
 * It decides when; what writing means is told to it.
 *
 * **Details**: a group is written at once when it is full or when nothing else can arrive, because nothing is under way. Else it
 * waits `linger` for company.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Queue from "effect/Queue"

/** Most rows of a group: 256 cost one sync of the disk, and are lost together when the power is. */
const groupRows = 256
/** Groups that may wait: rows are not taken any more when the disk is slower than the answers. */
const waitingGroups = 4
/** In milliseconds: at most fifty syncs of the disk a second, and no person sees the delay. */
const lingerMillis = 20

/**
 * A queue of rows that are to be written.
 *
 * @category models
 * @since 0.1.0
 */
export interface GroupCommit<A, E> {
  /** Takes a row; waits while too many are waiting. After a failed write rows are dropped, for the job has failed. */
  readonly put: (row: A) => Effect.Effect<void>
  /** Fails as soon as a write has failed; never succeeds. */
  readonly failure: Effect.Effect<never, E>
  /** Writes what has been put, and ends. */
  readonly end: Effect.Effect<void, E>
}

/**
 * Starts a queue; whoever makes it ends it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* <A, E>(options: {
  /** Writes a group; `isLast` tells whether another is waiting. */
  readonly write: (rows: ReadonlyArray<A>, isLast: () => boolean) => Effect.Effect<void, E>
  /** How many rows may still arrive without anything new being begun. */
  readonly underWay: () => number
}): Effect.fn.Return<GroupCommit<A, E>> {
  const queue = yield* Queue.bounded<A, Cause.Done>(groupRows * waitingGroups)
  const failed = yield* Deferred.make<never, E>()
  const complete = yield* Latch.make()
  const isComplete = () =>
    options.underWay() === 0 || Queue.sizeUnsafe(queue) >= groupRows || queue.state._tag !== "Open"
  const isLast = () => Queue.sizeUnsafe(queue) === 0
  const wait = Effect.suspend(() => {
    if (isComplete()) return Effect.void
    complete.closeUnsafe()
    return Effect.raceFirst(Effect.sleep(lingerMillis), complete.await)
  })
  const loop = Effect.gen(function* () {
    for (;;) {
      yield* Queue.peek(queue)
      yield* wait
      yield* options.write(yield* Queue.takeBetween(queue, 1, groupRows), isLast)
    }
  }).pipe(
    Effect.catchIf(Cause.isDone, () => Effect.void),
    Effect.onExit((exit) =>
      Exit.isSuccess(exit)
        ? Effect.void
        : Effect.andThen(
            Queue.shutdown(queue),
            Deferred.failCause(failed, exit.cause as Cause.Cause<E>)
          )
    )
  )
  // Nobody interrupts it: what was put is written, whatever happens to those who put it.
  const fiber = yield* Effect.forkDetach(loop, { startImmediately: true })
  return {
    put: (row) =>
      Effect.map(Queue.offer(queue, row), () => {
        if (isComplete()) complete.openUnsafe()
      }),
    failure: Deferred.await(failed),
    end: Effect.suspend(() => {
      Queue.endUnsafe(queue)
      complete.openUnsafe()
      return Fiber.join(fiber) as Effect.Effect<void, E>
    })
  }
})
