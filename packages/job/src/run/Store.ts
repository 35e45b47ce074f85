/**
 * Where settled rows go: into a file with its ledger, or to something that takes text.
 *
 * **Details**: of a group of rows, first the file beside the output is written (vectors, subtitles), then the output, then the ledger; each
 * is on the disk before the next. So whatever the ledger has is in the output, and whatever the output has can be used. Rows
 * that wait for their turn are kept in the ledger meanwhile.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

import type { JobError } from "../JobError.ts"
import type { Book, Mark, Settlement } from "../Ledger.ts"
import type { SettledRow } from "../operation/SettledRow.ts"
import * as SettledRows from "../operation/SettledRow.ts"
import type { Written } from "../output/Beside.ts"
import type { Order } from "./Order.ts"
import type { OutputFile } from "./OutputFile.ts"
import { lastLineOf } from "./OutputFile.ts"

/**
 * A row that is to be stored, with its place among the rows of this run.
 *
 * @category models
 * @since 0.1.0
 */
export type Entry<Row> =
  | { readonly place: number; readonly row: Row | SettledRow; readonly index: number }
  /** A row that an earlier run settled and held back. */
  | { readonly place: number; readonly heldLine: string; readonly index: number }

/**
 * Stores rows.
 *
 * @category models
 * @since 0.1.0
 */
export interface Store<Row, E> {
  /** Returns when the rows are as safe as they can be made. */
  readonly write: (
    entries: ReadonlyArray<Entry<Row>>,
    isLast: () => boolean
  ) => Effect.Effect<void, E>
  /** Writes what is still held back, out of its order. */
  readonly finish: Effect.Effect<void, E>
}

/**
 * What every store needs.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoreOptions<Row> {
  readonly toLine: (row: Row | SettledRow) => string
  /** Called with each row once it is stored. */
  readonly onStored: (row: Row | SettledRow) => void
  /** Present when rows are written in the order of their places. */
  readonly order: Order<Prepared> | undefined
}

/**
 * A row on its way into the output.
 *
 * @category models
 * @since 0.1.0
 */
export interface Prepared {
  readonly place: number
  readonly index: number
  /** Set once what belongs beside the row has been written. */
  line: string
  /** Absent of a row that an earlier run settled. */
  settlement: Settlement | undefined
  /** The entries that the file beside the output must have for this row. */
  side: number
  /** Whether the ledger has it already, as held back. */
  isHeld: boolean
}

/**
 * A store over something that takes text.
 *
 * @category constructors
 * @since 0.1.0
 */
export const toText = <Row extends SettledRow, E>(
  append: (text: string) => Effect.Effect<void, E>,
  options: StoreOptions<Row>
): Store<Row, E> => {
  const put = (lines: ReadonlyArray<Prepared>) =>
    lines.length === 0 ? Effect.void : append(lines.map(({ line }) => line).join(""))
  return {
    write: (entries) =>
      Effect.suspend(() => {
        const prepared = entries.map(begin)
        for (const [at, one] of prepared.entries()) {
          const entry = entries[at]
          if (entry !== undefined && "row" in entry) fill(one, entry.row, options, 0)
        }
        return Effect.map(put(inOrder(prepared, options.order)), () => {
          for (const entry of entries) if ("row" in entry) options.onStored(entry.row)
        })
      }),
    finish: Effect.suspend(() => put(options.order?.clear() ?? []))
  }
}

/**
 * A store over a file and a ledger.
 *
 * @category constructors
 * @since 0.1.0
 */
export const toFile = <Row extends SettledRow>(
  options: StoreOptions<Row> & {
    readonly file: OutputFile
    readonly book: Book
    readonly mark: Mark
    readonly isOutOfOrder: boolean
    /** The highest position that the output has. */
    readonly lastWritten: number
    /** Makes safe what belongs beside the rows, and gives them as they go into the output. */
    readonly beside: {
      readonly write: (
        rows: ReadonlyArray<Row | SettledRow>
      ) => Effect.Effect<ReadonlyArray<Written>, JobError>
    }
    /** Takes the rows of the input that the ledger has not heard of yet. */
    readonly takeSeen: () => ReadonlyArray<{ readonly index: number; readonly fingerprint: string }>
  }
): Store<Row, JobError> => {
  const { beside, book, file, order } = options
  const encoder = new TextEncoder()
  let mark = options.mark
  let [isOutOfOrder, isKnownOutOfOrder] = [options.isOutOfOrder, options.isOutOfOrder]
  let lastIndex = options.lastWritten
  /** Rows that are in the output and not yet in the ledger. */
  let owed: ReadonlyArray<Prepared> = []

  /** What belongs beside rows, and their lines. */
  const complete = Effect.fnUntraced(function* (
    rows: ReadonlyArray<{ readonly one: Prepared; readonly row: Row | SettledRow }>
  ) {
    const now = yield* Clock.currentTimeMillis
    const written = yield* beside.write(rows.map(({ row }) => row))
    for (const [at, { one, row }] of rows.entries()) {
      one.side = written[at]?.side ?? 0
      fill(one, written[at]?.row ?? row, options, now)
    }
  })

  const commit = (held: ReadonlyArray<Prepared>) =>
    Effect.suspend(() => {
      const [seen, written] = [options.takeSeen(), owed]
      if (seen.length + written.length + held.length === 0) return Effect.void
      const isNews = isOutOfOrder !== isKnownOutOfOrder
      owed = []
      isKnownOutOfOrder = isOutOfOrder
      // Of rows that are not yet in the output nothing is counted: what is beside them is cut off if they never come.
      const side = [...written, ...held].reduce((most, one) => Math.max(most, one.side), mark.side)
      mark = { ...mark, side }
      const settled = written.flatMap(({ isHeld, settlement }) =>
        isHeld || settlement === undefined ? [] : [settlement]
      )
      for (const one of held) {
        if (one.settlement !== undefined) settled.push({ ...one.settlement, heldLine: one.line })
        one.isHeld = true
      }
      return book.commit({
        seen,
        settled,
        released: written.filter(({ isHeld }) => isHeld).map(({ index }) => index),
        mark,
        isOutOfOrder: isNews ? isOutOfOrder : undefined
      })
    })

  const append = (due: ReadonlyArray<Prepared>) =>
    Effect.suspend(() => {
      const bytes = encoder.encode(due.map(({ line }) => line).join(""))
      return Effect.map(file.append(bytes), () => {
        if (bytes.length > 0) mark = { ...mark, bytes: file.size, lastLine: lastLineOf(bytes) }
        for (const { index } of due) {
          if (index < lastIndex) isOutOfOrder = true
          lastIndex = Math.max(lastIndex, index)
        }
        owed = due
      })
    })

  return {
    write: Effect.fnUntraced(function* (entries, isLast) {
      const prepared = entries.map(begin)
      const due = inOrder(prepared, order)
      const isEarly = ({ place }: Prepared) => order?.has(place) === true
      const rows = prepared.flatMap((one, at) => {
        const entry = entries[at]
        return entry !== undefined && "row" in entry ? [{ one, row: entry.row }] : []
      })
      // Those that are held back first: the ledger speaks of them before the output speaks of the others.
      const early = rows.filter(({ one }) => isEarly(one))
      yield* complete([...early, ...rows.filter(({ one }) => !isEarly(one))])
      yield* commit(early.map(({ one }) => one))
      yield* append(due)
      for (const { row } of rows) options.onStored(row)
      // When more is waiting, the next group tells the ledger of this one too.
      if (isLast()) yield* commit([])
    }),
    finish: Effect.gen(function* () {
      yield* commit([])
      yield* append(order?.clear() ?? [])
      yield* commit([])
    })
  }
}

const inOrder = (
  prepared: ReadonlyArray<Prepared>,
  order: Order<Prepared> | undefined
): ReadonlyArray<Prepared> =>
  order === undefined ? prepared : prepared.flatMap((one) => order.put(one.place, one))

const begin = (entry: Entry<never>): Prepared => ({
  place: entry.place,
  index: entry.index,
  line: "heldLine" in entry ? entry.heldLine : "",
  settlement: undefined,
  side: 0,
  isHeld: "heldLine" in entry
})

const fill = <Row extends SettledRow>(
  one: Prepared,
  row: Row | SettledRow,
  { toLine }: StoreOptions<Row>,
  now: number
): void => {
  const write = (row: Row | SettledRow) => {
    one.line = toLine(row)
    one.settlement = SettledRows.settlement(row, now)
  }
  try {
    write(row)
  } catch (cause) {
    // An answer that JSON cannot hold is a failed row, and not the end of all others.
    write(SettledRows.defective(one.index, cause))
  }
}
