/**
 * The rows of an input held against a ledger: which are settled, which are to be asked, which are new.
 *
 * A row is found by its content wherever it stands; equal rows are told apart by their order. It takes one bit of memory a row, and
 * no row is looked for as long as the input has its old order.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

import * as Fingerprint from "../Fingerprint.ts"
import type { Input } from "../Input.ts"
import type { JobError } from "../JobError.ts"
import { because, InputChanged } from "../JobError.ts"
import type { Line } from "../Jsonl.ts"
import type { Book, Item, State } from "../Ledger.ts"
import { BitSet } from "./BitSet.ts"

/**
 * Something to do for a row: ask it, or write what was held back.
 *
 * @category models
 * @since 0.1.0
 */
export interface Work {
  readonly kind: "ask" | "held"
  readonly index: number
  readonly line: Line
}

/**
 * What is to be done for an input.
 *
 * @category models
 * @since 0.1.0
 */
export interface Plan {
  /** Rows of the input, where it can be read twice. */
  readonly rows: number | undefined
  /** Rows that were settled before and are not asked again. */
  readonly answered: number
  readonly failed: number
  /** Rows that failed before and are asked again. */
  readonly retried: number
  /** Rows of the output that the ledger had not heard of and has taken over. */
  readonly adopted: number
  /** So many rows at the beginning of the input need not be looked at. */
  readonly settledAtStart: number
}

interface MatcherOptions {
  readonly book: Book
  readonly state: State
  readonly digest: (text: string) => string
  /** Whether rows that the ledger does not have may be added to a job whose input was complete. */
  readonly extend: boolean
  readonly settledAtStart: number
  /** Whether new rows get the position of their line, although lines come in another order. */
  readonly isShuffled: boolean
}

const pageItems = 1024

/**
 * Holds lines against a ledger, in the order in which they come.
 *
 * @category models
 * @since 0.1.0
 */
export class Matcher {
  readonly #options: MatcherOptions
  readonly #taken = new BitSet()
  #page: ReadonlyArray<Item> = []
  #at = 0
  #isLastPage = false
  #after: number
  #matched: number
  #nextIndex: number
  #seen: Array<{ readonly index: number; readonly fingerprint: string }> = []

  constructor(options: MatcherOptions) {
    this.#options = options
    this.#after = options.settledAtStart - 1
    this.#matched = options.settledAtStart
    this.#nextIndex = options.state.end
  }

  /** Items of the ledger that no line was found for. */
  get missing(): number {
    return this.#options.state.items - this.#matched
  }

  /** The rows that the ledger has not heard of yet; they are given once. */
  readonly takeSeen = (): ReadonlyArray<{
    readonly index: number
    readonly fingerprint: string
  }> => {
    const seen = this.#seen
    if (seen.length > 0) this.#seen = []
    return seen
  }

  /** The item of a line; `undefined` of a line that is new. An effect where the ledger has to be asked. */
  match(line: Line): Item | undefined | Effect.Effect<Item | undefined, JobError> {
    if (this.missing === 0) return undefined
    const page = this.#turnTo(line.index)
    return page === undefined
      ? this.#matchHere(line)
      : Effect.flatMap(page, () => {
          const matched = this.match(line)
          return Effect.isEffect(matched) ? matched : Effect.succeed(matched)
        })
  }

  #matchHere(line: Line): Item | undefined | Effect.Effect<Item | undefined, JobError> {
    const fingerprint = this.#fingerprint(line)
    const expected = this.#page[this.#at]
    if (
      expected?.index === line.index &&
      (expected.fingerprint ?? fingerprint) === fingerprint &&
      !this.#taken.has(expected.index)
    ) {
      return this.#take(expected, fingerprint)
    }
    const { book, state } = this.#options
    if (state.unnamed === state.items) return undefined
    return Effect.map(book.find(fingerprint), (items) => {
      const found = items.find(({ index }) => !this.#isTaken(index))
      return found === undefined ? undefined : this.#take(found, fingerprint)
    })
  }

  /** The work of lines; those that are settled need none. Fails for a line that is new and may not be. */
  readonly work = Effect.fnUntraced(
    { self: this },
    function* (
      this: Matcher,
      lines: ReadonlyArray<Line>
    ): Effect.fn.Return<ReadonlyArray<Work>, JobError> {
      const { settledAtStart, state } = this.#options
      const works: Array<Work> = []
      for (const line of lines) {
        if (line.index < settledAtStart) continue
        const matched = this.match(line)
        const item = Effect.isEffect(matched) ? yield* matched : matched
        if (item === undefined) {
          if (state.isInputComplete && !this.#options.extend) {
            const added = { added: 1, line: line.line, missing: 0 }
            return yield* because(new InputChanged(added))
          }
          const page = state.unnamed === 0 ? undefined : this.#turnTo(line.index)
          if (page !== undefined) yield* page
          const isFree = this.#options.isShuffled && (yield* this.#isFree(line.index))
          works.push({ kind: "ask", index: this.#add(line, isFree), line })
        } else if (item.status === "pending") works.push({ kind: "ask", index: item.index, line })
        else if (!item.isWritten) works.push({ kind: "held", index: item.index, line })
      }
      return works
    }
  )

  #fingerprint(line: Line): string {
    return this.#options.digest(Fingerprint.content(line)).slice(0, fingerprintCharacters)
  }

  /**
   * Turns to the item at a position, or the next behind it: that of a line of an input in its old order. Gives the effect that
   * has to be run first where it is on a page that is not there yet.
   */
  #turnTo(position: number): Effect.Effect<void, JobError> | undefined {
    for (;;) {
      const item = this.#page[this.#at]
      if (item !== undefined && item.index >= position) return undefined
      if (item !== undefined) this.#at++
      else if (this.#isLastPage) return undefined
      else {
        return Effect.map(this.#options.book.items(this.#after, pageItems), (page) => {
          this.#page = page
          this.#at = 0
          this.#after = page.at(-1)?.index ?? this.#after
          this.#isLastPage = page.length < pageItems
        })
      }
    }
  }

  #isTaken(index: number): boolean {
    return index < this.#options.settledAtStart || this.#taken.has(index)
  }

  #take(item: Item, fingerprint: string): Item {
    this.#taken.add(item.index)
    this.#matched++
    if (item.fingerprint === undefined) this.#seen.push({ index: item.index, fingerprint })
    return item
  }

  /** Whether no item has a position, wherever the ledger's page is. */
  #isFree(index: number): Effect.Effect<boolean, JobError> {
    if (this.#isTaken(index)) return Effect.succeed(false)
    if (this.#options.state.items === 0) return Effect.succeed(true)
    return Effect.map(
      this.#options.book.items(index - 1, 1),
      ([item]) => item === undefined || item.index !== index
    )
  }

  /** Gives a new line its position: its own where the output's rows are known by nothing else, else the next. */
  #add(line: Line, isFree: boolean): number {
    const isOwn =
      isFree ||
      (this.#options.state.unnamed > 0 &&
        !this.#isTaken(line.index) &&
        this.#page[this.#at]?.index !== line.index)
    const index = isOwn ? line.index : this.#nextIndex
    this.#nextIndex = Math.max(this.#nextIndex, index + 1)
    this.#taken.add(index)
    this.#seen.push({ index, fingerprint: this.#fingerprint(line) })
    return index
  }
}

/** 128 bits: no two rows of any job have the same by accident. */
const fingerprintCharacters = 32

/**
 * Reads an input to its end and holds it against the ledger; changes nothing.
 *
 * **Errors**: `InputChanged` when the input has rows that may not be added, or lacks rows of the job.
 *
 * @category constructors
 * @since 0.1.0
 */
export const survey = Effect.fnUntraced(function* <E, R>(
  input: Input<E, R>,
  options: Omit<MatcherOptions, "settledAtStart" | "isShuffled"> & {
    readonly force: boolean
    /** Whether failed rows may be asked again. */
    readonly isRetried: boolean
  }
): Effect.fn.Return<{ readonly rows: number; readonly settledAtStart: number }, E | JobError, R> {
  const { extend, force, isRetried, state } = options
  const matcher = new Matcher({ ...options, settledAtStart: 0, isShuffled: false })
  let [rows, settledAtStart, added] = [0, 0, 0]
  let firstAdded: number | undefined
  yield* Stream.runForEachArray(input.lines, (lines) =>
    Effect.gen(function* () {
      for (const line of lines) {
        const matched = matcher.match(line)
        const item = Effect.isEffect(matched) ? yield* matched : matched
        if (item === undefined) {
          added++
          firstAdded ??= line.line
        } else if (
          item.index === settledAtStart &&
          line.index === settledAtStart &&
          (item.status === "answered" || (item.status === "failed" && !isRetried)) &&
          item.isWritten &&
          item.fingerprint !== undefined
        ) {
          settledAtStart++
        }
        rows++
      }
      // Nothing is changed here: who runs the input tells the ledger.
      matcher.takeSeen()
    })
  )
  const tooMany = state.isInputComplete && !extend ? added : 0
  const missing = force ? 0 : matcher.missing
  if (tooMany + missing > 0) {
    const line = tooMany > 0 ? firstAdded : undefined
    return yield* because(new InputChanged({ added: tooMany, missing, line }))
  }
  return { rows, settledAtStart }
})
