/**
 * Where the rows of a job come from: one prompt, a file or standard input.
 *
 * @since 0.1.0
 */
import * as Jsonl from "@infermesh/job/Jsonl"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"

import { CannotRun, cannot } from "./ExitCode.ts"
import * as Terminal from "./Terminal.ts"

/**
 * The rows of a job.
 *
 * @category models
 * @since 0.1.0
 */
export interface RowSource {
  readonly lines: Stream.Stream<Jsonl.Line, CannotRun>
  /** The number of rows, where it can be known beforehand. */
  readonly total: number | undefined
}

/**
 * Opens the source that the flags name; without any, standard input.
 *
 * @category constructors
 * @since 0.1.0
 */
export const open = Effect.fnUntraced(function* (given: {
  readonly prompt: Option.Option<string>
  readonly inputJsonl: Option.Option<string>
}) {
  if (Option.isSome(given.prompt)) return fromPrompt(given.prompt.value)
  return Option.isSome(given.inputJsonl)
    ? yield* fromFile(given.inputJsonl.value)
    : yield* fromStdin
})

const fromPrompt = (prompt: string): RowSource => ({
  lines: Stream.succeed({ index: 0, line: 1, row: Result.succeed({ prompt }) }),
  total: 1
})

const fromFile = Effect.fnUntraced(function* (path: string) {
  const fileSystem = yield* FileSystem.FileSystem
  const { type } = yield* Effect.mapError(fileSystem.stat(path), cannot("read", path))
  if (type !== "File") {
    return yield* new CannotRun({
      message: `cannot read ${path}: it is no regular file; send its rows to standard input`
    })
  }
  const bytes = Stream.mapError(fileSystem.stream(path), cannot("read", path))
  // Read once before the run: a file that cannot be read is found before anything is spent, and the progress has an end.
  const total = yield* Jsonl.count(bytes)
  return { lines: Jsonl.lines(bytes), total } satisfies RowSource
})

const fromStdin = Effect.gen(function* () {
  const stdio = yield* Stdio.Stdio
  if (yield* stdio.stdinIsTerminal) {
    yield* Terminal.say("Reading rows from the keyboard, one JSON object a line; end with Ctrl-D.")
  }
  const bytes = Stream.mapError(
    stdio.stdin,
    () => new CannotRun({ message: "standard input cannot be read" })
  )
  return { lines: Jsonl.lines(bytes), total: undefined } satisfies RowSource
})
