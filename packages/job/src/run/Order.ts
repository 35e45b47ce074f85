/**
 * Things that come in any order, given on in their own.
 *
 * @since 0.1.0
 */

/**
 * Holds back what comes before its turn.
 *
 * @category models
 * @since 0.1.0
 */
export class Order<A> {
  readonly #early = new Map<number, A>()
  #next = 0

  /** The place whose turn it is; places count from 0. */
  get next(): number {
    return this.#next
  }

  /** Takes a thing with its place, and gives those whose turn has come. */
  put(place: number, thing: A): ReadonlyArray<A> {
    if (place !== this.#next) {
      this.#early.set(place, thing)
      return none
    }
    const due = [thing]
    for (this.#next++; this.#early.has(this.#next); this.#next++) {
      due.push(this.#early.get(this.#next) as A)
      this.#early.delete(this.#next)
    }
    return due
  }

  /** Gives up what is held back, in order. */
  clear(): ReadonlyArray<A> {
    const rest = [...this.#early].toSorted(([left], [right]) => left - right).map(([, one]) => one)
    this.#early.clear()
    return rest
  }

  has(place: number): boolean {
    return this.#early.has(place)
  }
}

const none: ReadonlyArray<never> = []
