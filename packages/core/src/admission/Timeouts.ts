/**
 * Time limits of many effects that run at once: one sleeping fiber for all that have the same limit.
 *
 * `Effect.timeout` races each effect against a timer of its own, which is two fibers and a timer for every attempt, nearly none
 * of which is ever late: a fifth of the CPU of a request. Here an attempt is one fiber, and its end is found in a queue: those
 * that have the same limit are late in the order in which they began.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"

interface Entry {
  readonly atMillis: number
  /** Absent once it has ended or was late. */
  onLate: (() => void) | undefined
}

/** Entries that are not worth looking through for those that have ended. */
const fewestKept = 1024

/** Those that have one limit under one clock, the oldest first. */
class Queue {
  #entries: Array<Entry> = []
  #first = 0
  #open = 0
  #watch: Fiber.Fiber<void> | undefined

  add(fiber: Fiber.Fiber<unknown, unknown>, atMillis: number, onLate: () => void): () => void {
    const entry: Entry = { atMillis, onLate }
    // Those that have ended are kept until the oldest ends, but no more of them than of those that run.
    if (this.#entries.length > 2 * this.#open + fewestKept) {
      this.#entries = this.#entries.filter((one) => one.onLate !== undefined)
      this.#first = 0
    }
    this.#entries.push(entry)
    this.#open++
    this.#watch ??= Effect.runForkWith(fiber.context)(this.#watching)
    return () => {
      if (entry.onLate === undefined) return
      entry.onLate = undefined
      this.#ended()
    }
  }

  /** A sleeper for nobody would keep the process alive. */
  #ended(): void {
    if (--this.#open > 0) return
    this.#entries = []
    this.#first = 0
    this.#watch?.interruptUnsafe()
    this.#watch = undefined
  }

  readonly #watching: Effect.Effect<void> = Effect.suspend(() => {
    const next = this.#next()
    if (next === undefined) return Effect.void
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (next.atMillis > now) {
        return Effect.andThen(Effect.sleep(next.atMillis - now), this.#watching)
      }
      const { onLate } = next
      next.onLate = undefined
      onLate?.()
      this.#ended()
      return this.#watching
    })
  })

  #next(): Entry | undefined {
    while (this.#first < this.#entries.length) {
      const entry = this.#entries[this.#first]
      if (entry?.onLate !== undefined) return entry
      this.#first++
    }
    return undefined
  }
}

/**
 * Limits effects.
 *
 * @category models
 * @since 0.1.0
 */
export interface Timeouts {
  /** Runs an effect in a fiber of its own; when it is not finished in time, it is interrupted, and `late` is what comes of it. */
  readonly limit: <A, E, R>(
    self: Effect.Effect<A, E, R>,
    millis: number,
    late: () => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, R>
}

/**
 * Builds the limits of one pipeline.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Timeouts => {
  const queues = new WeakMap<Clock.Clock, Map<number, Queue>>()
  const queueOf = (clock: Clock.Clock, millis: number): Queue => {
    let byMillis = queues.get(clock)
    if (byMillis === undefined) queues.set(clock, (byMillis = new Map()))
    let queue = byMillis.get(millis)
    if (queue === undefined) byMillis.set(millis, (queue = new Queue()))
    return queue
  }
  return {
    limit: <A, E, R>(
      self: Effect.Effect<A, E, R>,
      millis: number,
      late: () => Effect.Effect<A, E, R>
    ) =>
      Effect.withFiber<A, E, R>((fiber) =>
        Effect.callback<A, E, R>((resume) => {
          // The context of a fiber that runs such an effect has what it needs.
          const context = fiber.context as Context.Context<R>
          const child = Effect.runForkWith(context)(self)
          const done = child.pollUnsafe()
          if (done !== undefined) return resume(done)
          const clock = fiber.getRef(Clock.Clock)
          let isLate = false
          const end = queueOf(clock, millis).add(
            fiber,
            clock.currentTimeMillisUnsafe() + millis,
            () => {
              isLate = true
              child.interruptUnsafe()
            }
          )
          child.addObserver((exit) => {
            end()
            resume(isLate && Exit.hasInterrupts(exit) ? late() : exit)
          })
          return Effect.suspend(() => {
            end()
            return Fiber.interrupt(child)
          })
        })
      )
  }
}
