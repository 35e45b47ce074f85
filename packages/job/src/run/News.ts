/**
 * Tells those who wait that something has changed; what has changed they see for themselves.
 *
 * Nothing is queued: whoever is slow sees the newest and misses what was in between.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"

/**
 * News of something that changes until it is over.
 *
 * @category models
 * @since 0.1.0
 */
export class News {
  #version = 0
  #isOver = false
  #next = Deferred.makeUnsafe<void>()

  tell(): void {
    this.#version++
    const told = this.#next
    this.#next = Deferred.makeUnsafe()
    Deferred.doneUnsafe(told, Exit.void)
  }

  end(): void {
    this.#isOver = true
    this.tell()
  }

  /** Waits until a test holds; it is tried at once and whenever there is news. */
  until(test: () => boolean): Effect.Effect<void> {
    return Effect.suspend(() =>
      test() ? Effect.void : Effect.andThen(Deferred.await(this.#next), this.until(test))
    )
  }

  /** The newest of something at once, whenever it has changed and the reader is ready, and at the end. */
  stream<A>(newest: () => A): Stream.Stream<A> {
    return Stream.unfold(-1, (seen) =>
      Effect.map(
        this.until(() => this.#isOver || this.#version !== seen),
        () => (this.#version === seen ? undefined : ([newest(), this.#version] as const))
      )
    )
  }
}
