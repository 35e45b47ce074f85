/**
 * Where the rows of a job go: a file or standard output.
 *
 * A file that is there already is kept unless it may be replaced, and the input is never replaced by its own output.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"

import { CannotRun, cannot, WrongUsage } from "./ExitCode.ts"

/**
 * Opens the sink that the flags name; without any, standard output.
 *
 * **Details**: what it gives appends text. A reader that has seen enough (`| head`) closes standard output: the job is
 * interrupted then.
 *
 * @category constructors
 * @since 0.1.0
 */
export const open = Effect.fnUntraced(function* (given: {
  readonly inputJsonl: Option.Option<string>
  readonly outputJsonl: Option.Option<string>
  readonly overwrite: boolean
}) {
  if (Option.isNone(given.outputJsonl)) return yield* toStdout
  const path = given.outputJsonl.value
  if (Option.isSome(given.inputJsonl) && (yield* isSameFile(given.inputJsonl.value, path))) {
    return yield* new WrongUsage({
      message: `${path} is the input; give --output-jsonl another file`
    })
  }
  return yield* toFile(path, given.overwrite)
})

const toStdout = Effect.map(
  Stdio.Stdio,
  (stdio) => (text: string) =>
    Effect.catch(
      Stream.run(Stream.succeed(text), stdio.stdout({ endOnDone: false })),
      () => Effect.interrupt
    )
)

const toFile = Effect.fnUntraced(function* (path: string, overwrite: boolean) {
  const fileSystem = yield* FileSystem.FileSystem
  const file = yield* Effect.mapError(
    fileSystem.open(path, { flag: overwrite ? "w" : "wx" }),
    (error) =>
      error.reason._tag === "AlreadyExists"
        ? new CannotRun({
            message: `${path} exists already; choose another file, or give --overwrite`
          })
        : cannot("write", path)(error)
  )
  const encoder = new TextEncoder()
  return (text: string) =>
    Effect.mapError(file.writeAll(encoder.encode(text)), cannot("write", path))
})

/** By what is on the disk, not by name: through a link, a file is the same file. */
const isSameFile = Effect.fnUntraced(function* (left: string, right: string) {
  const fileSystem = yield* FileSystem.FileSystem
  const identity = (path: string) =>
    fileSystem.stat(path).pipe(
      Effect.map(({ dev, ino }) => Option.map(ino, (number) => `${dev}:${number}`)),
      Effect.orElseSucceed(Option.none<string>)
    )
  const [one, other] = yield* Effect.all([identity(left), identity(right)])
  return Option.isSome(one) && Option.isSome(other) && one.value === other.value
})
