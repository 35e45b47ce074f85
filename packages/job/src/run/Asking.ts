/**
 * From a line of the input to its settled row: read, mapped, asked. Nothing a row does wrong is more than its own error.
 *
 * @since 0.1.0
 */
import type { Inference } from "@infermesh/core/Inference"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"

import type { JobError } from "../JobError.ts"
import type { Line } from "../Jsonl.ts"
import type { Book } from "../Ledger.ts"
import type { Mapped, Mapper } from "../Mapper.ts"
import * as Mappers from "../Mapper.ts"
import type { Operation, Task } from "../operation/Operation.ts"
import { isObject } from "../operation/Operation.ts"
import type { SettledRow } from "../operation/SettledRow.ts"
import * as SettledRows from "../operation/SettledRow.ts"
import type { Work } from "./Plan.ts"
import type { Entry } from "./Store.ts"

/**
 * Something to do, with its place among all that is done in this run.
 *
 * @category models
 * @since 0.1.0
 */
export interface Placed extends Work {
  readonly place: number
}

/**
 * A row whose input is known.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ready<I, O> extends Task<I, O> {
  readonly place: number
  readonly metadata: unknown
}

/**
 * The steps of a row.
 *
 * @category models
 * @since 0.1.0
 */
export interface Asking<I, O, Row extends SettledRow, R> {
  /** A row that can be asked, or one that is settled already: held back by an earlier run, or unusable. */
  readonly prepare: (work: Placed) => Effect.Effect<Ready<I, O> | Entry<Row>, JobError, R>
  /** One settled row for each. */
  readonly ask: (tasks: ReadonlyArray<Ready<I, O>>) => Effect.Effect<ReadonlyArray<Entry<Row>>>
}

/**
 * The steps of the rows of a job.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <I, O, Row extends SettledRow, R>(options: {
  readonly operation: Operation<I, O, Row>
  readonly mapper: Mapper<I, O, R> | undefined
  readonly inference: Inference["Service"]
  readonly book: Book | undefined
}): Asking<I, O, Row, R> => {
  const { book, inference, mapper, operation } = options

  const map = ({ row }: Line): Effect.Effect<Result.Result<Mapped<I, O>, string>, never, R> => {
    if (Result.isFailure(row)) return Effect.succeed(Result.fail(row.failure))
    return mapper === undefined
      ? Effect.succeed(Result.map(operation.read(row.success), (input) => ({ input })))
      : Mappers.apply(mapper, row.success)
  }

  return {
    prepare: ({ index, kind, line, place }) => {
      if (kind === "held" && book !== undefined) {
        return Effect.map(book.heldLine(index), (heldLine = "") => ({ place, heldLine, index }))
      }
      return Effect.map(map(line), (mapped): Ready<I, O> | Entry<Row> => {
        const metadata = metadataOf(line)
        if (Result.isFailure(mapped)) {
          const row = SettledRows.unusable(index, line.line, mapped.failure)
          return { place, index, row: withMetadata(row, metadata) }
        }
        const { input, metadata: own = metadata, options } = mapped.success
        return { place, index, input, options: options ?? undefined, metadata: own }
      })
    },
    ask: (tasks) =>
      Effect.suspend(() => operation.ask(inference, tasks)).pipe(
        Effect.catchDefect((defect) =>
          Effect.succeed(tasks.map(({ index }) => SettledRows.defective(index, defect)))
        ),
        Effect.map((rows: ReadonlyArray<Row | SettledRow>) =>
          tasks.map(({ index, metadata, place }) => {
            const row = rows.find((row) => row.index === index)
            const settled = row ?? SettledRows.defective(index, "the operation gave no row")
            return { place, index, row: withMetadata(settled, metadata) }
          })
        )
      )
  }
}

/**
 * Whether a row can be asked.
 *
 * @category guards
 * @since 0.1.0
 */
export const isReady = <I, O, Row extends SettledRow>(
  one: Ready<I, O> | Entry<Row>
): one is Ready<I, O> => "input" in one

const metadataOf = ({ row }: Line): unknown =>
  Result.isSuccess(row) && isObject(row.success)
    ? (row.success["metadata"] ?? undefined)
    : undefined

const withMetadata = <Row extends SettledRow>(row: Row, metadata: unknown): Row =>
  metadata === undefined ? row : { ...row, metadata }
