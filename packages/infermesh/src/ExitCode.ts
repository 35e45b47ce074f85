/**
 * How the command ends: 0 every row answered, 1 it could not run, 2 wrong usage, 3 finished with failed rows, 130 interrupted.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Runtime from "effect/Runtime"

/**
 * The command could not run; its message has been worded for the user.
 *
 * @category errors
 * @since 0.1.0
 */
export class CannotRun extends Data.TaggedError("CannotRun")<{ readonly message: string }> {
  override readonly [Runtime.errorExitCode] = 1
}

/**
 * The flags contradict one another, or miss one.
 *
 * @category errors
 * @since 0.1.0
 */
export class WrongUsage extends Data.TaggedError("WrongUsage")<{ readonly message: string }> {
  override readonly [Runtime.errorExitCode] = 2
}

/**
 * The job finished, and some of its rows failed; the summary has said so.
 *
 * @category errors
 * @since 0.1.0
 */
export class FailedRows extends Data.TaggedError("FailedRows")<{ readonly failed: number }> {
  override readonly [Runtime.errorExitCode] = 3
}
