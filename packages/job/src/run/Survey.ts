/**
 * What is in an output: which rows it has, and what does not belong there.
 *
 * It reads; what is done about it is `Repair`'s matter.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

import type { JobError } from "../JobError.ts"
import type { FoundRow } from "../operation/SettledRow.ts"
import * as SettledRow from "../operation/SettledRow.ts"
import { BitSet } from "./BitSet.ts"
import type { OutputFile } from "./OutputFile.ts"
import * as OutputFiles from "./OutputFile.ts"

/**
 * The rows of an output.
 *
 * @category models
 * @since 0.1.0
 */
export interface Survey {
  /** The positions it has rows of. */
  readonly present: BitSet
  /** Those of which one is an answer. */
  readonly answered: BitSet
  /** Whether there are lines that are no rows, or rows of a position that has one already. */
  readonly isClean: boolean
  /** Whether its rows are in the order of their positions, behind those before. */
  readonly isAscending: boolean
  /** The entries that the file beside the output must have for its rows. */
  readonly side: number
}

/**
 * Looks through an output from a byte to its end; `lastIndex` is the highest position before it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const survey = (
  file: OutputFile,
  from: number,
  lastIndex = -1
): Effect.Effect<Survey, JobError> =>
  Effect.suspend(() => {
    const present = new BitSet()
    const answered = new BitSet()
    let isClean = true
    let [isAscending, last, side] = [true, lastIndex, 0]
    return Stream.runForEach(rows(file, from), (found) =>
      Effect.sync(() => {
        for (const row of found) {
          if (row === undefined) isClean = false
          else {
            if (!present.add(row.index)) isClean = false
            if (row.reason === undefined) answered.add(row.index)
            if (row.index < last) isAscending = false
            last = row.index
            side = Math.max(side, row.side)
          }
        }
      })
    ).pipe(Effect.map(() => ({ present, answered, isClean, isAscending, side })))
  })

/**
 * The rows of an output, each once: of several with the same position the first answer, else the first.
 *
 * @category constructors
 * @since 0.1.0
 */
export const distinct = (
  file: OutputFile,
  from: number,
  { answered }: Pick<Survey, "answered">
): Stream.Stream<ReadonlyArray<FoundRow>, JobError> =>
  Stream.suspend(() => {
    const given = new BitSet()
    return Stream.map(rows(file, from), (found) =>
      found.filter(
        (row): row is FoundRow =>
          row !== undefined &&
          (row.reason === undefined || !answered.has(row.index)) &&
          given.add(row.index)
      )
    )
  })

/** The rows of each piece of a file; `undefined` for a line that is none, blank ones left out. */
const rows = (
  file: OutputFile,
  from: number
): Stream.Stream<ReadonlyArray<FoundRow | undefined>, JobError> =>
  Stream.mapEffect(OutputFiles.lines(file, from), (lines) =>
    Effect.clockWith((clock) =>
      Effect.sync(() => {
        const now = clock.currentTimeMillisUnsafe()
        return lines
          .filter(({ text }) => text.trim() !== "")
          .map(({ text }) => SettledRow.fromLine(text, now))
      })
    )
  )
