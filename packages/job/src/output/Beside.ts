/**
 * What an output may have beside its rows: the vectors of a matrix, the files of subtitles.
 *
 * It is written before the rows that speak of it, so a row never speaks of something that is not there.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type * as Scope from "effect/Scope"

import type { JobError } from "../JobError.ts"
import type { SettledRow } from "../operation/SettledRow.ts"

/**
 * Something beside the rows.
 *
 * @category models
 * @since 0.1.0
 */
export interface Beside<in Row extends SettledRow> {
  /** The settings that belong to the job's identity. */
  readonly identity: { readonly [setting: string]: unknown }
  /** The files it may write over, each of which is no input. */
  readonly paths: ReadonlyArray<string>
  /** Opens it with so many entries as the rows speak of; what is behind them was never spoken of, and is cut off. */
  readonly open: (
    entries: number
  ) => Effect.Effect<OpenBeside<Row>, JobError, FileSystem.FileSystem | Path.Path | Scope.Scope>
}

/**
 * A row as it goes into the output, and how many entries the file beside it must have for it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Written {
  readonly row: SettledRow
  readonly side: number
}

/**
 * Something beside the rows, open.
 *
 * @category models
 * @since 0.1.0
 */
export interface OpenBeside<in Row extends SettledRow> {
  /** Makes safe what belongs to the rows, and gives them, in their order, as they go into the output. */
  readonly write: (
    rows: ReadonlyArray<Row | SettledRow>
  ) => Effect.Effect<ReadonlyArray<Written>, JobError>
}

/**
 * Nothing beside the rows.
 *
 * @category constants
 * @since 0.1.0
 */
export const nothing: OpenBeside<SettledRow> = {
  write: (rows) => Effect.succeed(rows.map((row) => ({ row, side: 0 })))
}
