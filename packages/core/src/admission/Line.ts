/**
 * The line of attempts that wait: first come, first served for each caller, by shares between callers.
 *
 * Start-time fair queueing: every waiter gets the virtual time at which its caller would have been served if all callers were
 * served at once, each at its share; the lowest goes first. A caller that was away takes its place at the present, so a
 * request of a quiet caller goes ahead of the thousands of a busy one, and nobody is overtaken without end.
 *
 * Waiters for different models stand in different queues: what one model has no room for must not hold the others.
 *
 * **Source**: P. Goyal, H. M. Vin, H. Cheng, "Start-time Fair Queuing", SIGCOMM 1996.
 *
 * @since 0.1.0
 */

/**
 * One that waits.
 *
 * @category models
 * @since 0.1.0
 */
export interface Waiter {
  /** The model it waits for. */
  readonly group: string
  readonly caller: string
  /** The caller's share, above 0. */
  readonly share: number
  /** What being served costs its caller's share: one, or the tokens it takes. */
  readonly size: number
}

/**
 * The line.
 *
 * @category models
 * @since 0.1.0
 */
export class Line<W extends Waiter> {
  /** Waiters of one caller for one model, in the order of arrival. */
  readonly #queues = new Map<string, Set<W>>()
  /** The virtual time at which the next request of a caller would start. */
  readonly #next = new Map<string, number>()
  readonly #places = new Map<W, { readonly start: number; readonly key: string }>()
  #now = 0

  get size(): number {
    return this.#places.size
  }

  add(waiter: W): void {
    const { caller, group, share, size } = waiter
    const start = Math.max(this.#now, this.#next.get(caller) ?? 0)
    this.#next.set(caller, start + size / share)
    // The group's name may hold anything: its length keeps "a" + "bc" apart from "ab" + "c".
    const key = `${group.length} ${group}${caller}`
    this.#places.set(waiter, { start, key })
    let waiters = this.#queues.get(key)
    if (waiters === undefined) {
      waiters = new Set()
      this.#queues.set(key, waiters)
    }
    waiters.add(waiter)
  }

  /** Takes a waiter out, because it was served or because it gave up. */
  remove(waiter: W, served: boolean): void {
    const place = this.#places.get(waiter)
    if (place === undefined) return
    this.#places.delete(waiter)
    const waiters = this.#queues.get(place.key)
    waiters?.delete(waiter)
    if (waiters?.size === 0) this.#queues.delete(place.key)
    if (served) this.#now = Math.max(this.#now, place.start)
    // Nobody waits: whoever comes next starts even with all others.
    if (this.#places.size === 0) this.#next.clear()
  }

  /** How many of each caller wait. */
  callers(): ReadonlyArray<{ readonly name: string; readonly waiting: number }> {
    const sizes = new Map<string, number>()
    for (const waiters of this.#queues.values()) {
      for (const { caller } of waiters) {
        sizes.set(caller, (sizes.get(caller) ?? 0) + waiters.size)
        break
      }
    }
    return Array.from(sizes, ([name, waiting]) => ({ name, waiting }))
  }

  has(waiter: W): boolean {
    return this.#places.has(waiter)
  }

  /** Whether a waiter is the first of its queue. */
  isHead(waiter: W): boolean {
    const waiters = this.#queues.get(this.#places.get(waiter)?.key ?? "")
    if (waiters !== undefined) for (const head of waiters) return head === waiter
    return false
  }

  /** The first of every queue, the one whose turn it is at the front. */
  heads(): ReadonlyArray<W> {
    const heads: Array<W> = []
    for (const waiters of this.#queues.values()) {
      for (const head of waiters) {
        heads.push(head)
        break
      }
    }
    return heads.length < 2
      ? heads
      : heads.sort((left, right) => this.#startOf(left) - this.#startOf(right))
  }

  #startOf(waiter: W): number {
    return this.#places.get(waiter)?.start ?? 0
  }
}
