/**
 * Where the rows of a job come from: a file, bytes such as standard input, or rows that a program makes.
 *
 * All are read as they are needed and never held as a whole.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"

import type { JobError } from "./JobError.ts"
import { because, fileError, FileUnusable } from "./JobError.ts"
import type { Line } from "./Jsonl.ts"
import * as Jsonl from "./Jsonl.ts"

/**
 * The input of a job.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input<E = never, R = never> {
  readonly lines: Stream.Stream<Line, E, R>
  /** The number of rows; only of an input that can be read twice, which it is then: once to count and once to run. */
  readonly count: Effect.Effect<number, E, R> | undefined
  /** The file it is, which no output may be written over. */
  readonly path: string | undefined
  /** The lines come in an order of chance: each row keeps the position that its line has, and not that in which it comes. */
  readonly isShuffled?: boolean | undefined
}

/**
 * The lines of a JSON Lines file.
 *
 * **Errors**: `FileUnusable` when it is no regular file that can be read, now or while it is read.
 *
 * @category constructors
 * @since 0.1.0
 */
export const file = Effect.fnUntraced(function* (
  path: string
): Effect.fn.Return<Input<JobError>, JobError, FileSystem.FileSystem> {
  const fileSystem = yield* FileSystem.FileSystem
  const { type } = yield* Effect.mapError(fileSystem.stat(path), fileError("read", path))
  if (type !== "File") {
    return yield* because(
      new FileUnusable({
        path,
        access: "read",
        kind: "no file",
        problem: "it is no regular file; send its rows to standard input"
      })
    )
  }
  const bytes = Stream.mapError(fileSystem.stream(path), fileError("read", path))
  return { lines: Jsonl.lines(bytes), count: Jsonl.count(bytes), path }
})

/**
 * The lines of bytes that can be read only once, such as standard input.
 *
 * @category constructors
 * @since 0.1.0
 */
export const bytes = <E, R>(bytes: Stream.Stream<Uint8Array, E, R>): Input<E, R> => ({
  lines: Jsonl.lines(bytes),
  count: undefined,
  path: undefined
})

/**
 * Rows that a program makes: the objects that a file's lines would be. An array can be resumed like a file; a stream is read
 * once.
 *
 * @category constructors
 * @since 0.1.0
 */
export const rows: {
  (rows: ReadonlyArray<unknown>): Input
  <A, E, R>(rows: Stream.Stream<A, E, R>): Input<E, R>
} = ((rows: ReadonlyArray<unknown> | Stream.Stream<unknown>): Input => {
  const source = Stream.isStream(rows) ? rows : Stream.fromIterable(rows)
  return {
    lines: Stream.suspend(() => {
      let next = 0
      return Stream.map(source, (row): Line => {
        const index = next++
        return { index, line: index + 1, row: Result.succeed(row) }
      })
    }),
    count: Stream.isStream(rows) ? undefined : Effect.succeed(rows.length),
    path: undefined
  }
}) as never
