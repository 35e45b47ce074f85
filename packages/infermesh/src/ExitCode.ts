/**
 * How the command ends: 0 every row answered, 1 it could not run, 2 wrong usage, 3 finished with failed rows, 130 interrupted.
 *
 * @since 0.1.0
 */
import type { JobError } from "@infermesh/job/JobError"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { PlatformError } from "effect/PlatformError"
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
 * What a file that cannot be used ends the command with.
 *
 * @category constructors
 * @since 0.1.0
 */
export const cannot =
  (what: "read" | "write", path: string) =>
  ({ reason }: PlatformError): CannotRun =>
    new CannotRun({ message: `cannot ${what} ${path}: ${problem(reason)}` })

const problem = (reason: PlatformError["reason"]): string => {
  switch (reason._tag) {
    case "NotFound":
      return "there is no such file or folder"
    case "PermissionDenied":
      return "permission denied"
    case "BadResource":
      return "it is no regular file"
    default:
      // What the system said (no space left on device, …), in its own words.
      return reason.cause instanceof Error
        ? reason.cause.message.replaceAll(/\s+/g, " ")
        : reason._tag
  }
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

/**
 * Keeps the whole story of a failure for those who ask with `--log-level debug`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const traced = <A, E, R>(command: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.tapCause(command, (cause) =>
    Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.logDebug(cause)
  )

/**
 * The words of a job that cannot run, with flags where they say what to do.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toFailure = ({ message, reason }: JobError): CannotRun | WrongUsage => {
  switch (reason._tag) {
    case "OutputExists":
      return new CannotRun({
        message: `${reason.path} exists already; choose another file, or give --overwrite or --resume`
      })
    case "OutputIsInput":
      return new WrongUsage({
        message: `${reason.path} is the input; give --output-jsonl another file`
      })
    case "InvalidSetting":
      return new WrongUsage({ message: `${flagOf(reason.setting)}: ${reason.problem}` })
    case "LedgerMissing":
    case "IdentityChanged":
    case "OutputChanged":
      return new CannotRun({ message: withFlag(message, "force the resume", "--force") })
    case "InputChanged":
      return new CannotRun({
        message: withFlag(
          withFlag(message, "extend the job", "--extend"),
          "force the resume",
          "--force"
        )
      })
    case "FileUnusable":
      return new CannotRun({
        message: reason.kind === "missing" ? `${message}; check the path` : message
      })
    default:
      return new CannotRun({ message })
  }
}

const withFlag = (message: string, advice: string, flag: string): string =>
  message.replace(advice, `${advice} (${flag})`)

const flagOf = (setting: string): string =>
  `--${setting.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
