/**
 * Where the rows of a job come from: one prompt, a file or standard input.
 *
 * @since 0.1.0
 */
import * as Input from "@infermesh/job/Input"
import type { JobError } from "@infermesh/job/JobError"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
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
  readonly prompt: Option.Option<string>
  readonly inputJsonl: Option.Option<string>
}): Effect.fn.Return<
  Input.Input<CannotRun | JobError>,
  JobError,
  FileSystem.FileSystem | Stdio.Stdio
> {
  if (Option.isSome(given.prompt)) {
    return Input.rows([{ prompt: given.prompt.value }])
  }
  return Option.isSome(given.inputJsonl)
    ? yield* Input.file(given.inputJsonl.value)
    : yield* fromStdin
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
