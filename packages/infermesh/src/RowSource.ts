/**
 * Where the rows of a job come from: the command line itself, a file or standard input.
 *
 * @since 0.1.0
 */
import * as Input from "@infermesh/job/Input"
import type { JobError } from "@infermesh/job/JobError"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"

import { CannotRun } from "./ExitCode.ts"
import * as Terminal from "./Terminal.ts"

/**
 * Opens the source that the flags name; without any, standard input.
 *
 * @category constructors
 * @since 0.1.0
 */
export const open = Effect.fnUntraced(function* (given: {
  /** Rows that stand on the command line. */
  readonly inline: ReadonlyArray<unknown>
  readonly inputJsonl: Option.Option<string>
  readonly shuffle: Option.Option<number>
}): Effect.fn.Return<
  Input.Input<CannotRun | JobError>,
  JobError,
  FileSystem.FileSystem | Stdio.Stdio
> {
  const input: Input.Input<CannotRun | JobError> = yield* choose(given)
  return Option.isNone(given.shuffle) ? input : shuffled(input, given.shuffle.value)
})

const choose = Effect.fnUntraced(function* (given: {
  readonly inline: ReadonlyArray<unknown>
  readonly inputJsonl: Option.Option<string>
}) {
  if (given.inline.length > 0) return Input.rows(given.inline)
  return Option.isSome(given.inputJsonl)
    ? yield* Input.file(given.inputJsonl.value)
    : yield* fromStdin
})

/** Each row keeps the position it has in the input. */
const shuffled = <E>(input: Input.Input<E>, seed: number): Input.Input<E> => ({
  ...input,
  isShuffled: true,
  lines: Stream.unwrap(
    Effect.map(
      Effect.flatMap(Stream.runCollect(input.lines), (lines) =>
        Random.withSeed(Random.shuffle(lines), seed)
      ),
      Stream.fromIterable
    )
  )
})

const fromStdin = Effect.gen(function* () {
  const stdio = yield* Stdio.Stdio
  if (yield* stdio.stdinIsTerminal) {
    yield* Terminal.say("Reading rows from the keyboard, one JSON object a line; end with Ctrl-D.")
  }
  return Input.bytes(
    Stream.mapError(stdio.stdin, () => new CannotRun({ message: "standard input cannot be read" }))
  )
})
