/**
 * The one error of jobs: a job as a whole that cannot start, go on or end. A row that fails is a row, never this.
 *
 * Whatever had been settled before is kept: a job that ends with a `JobError` is resumed once its reason is gone.
 *
 * @since 0.1.0
 */
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"

/**
 * There is an output or a ledger already, and nothing was said about what shall become of it.
 *
 * @category errors
 * @since 0.1.0
 */
export class OutputExists extends Schema.TaggedError<OutputExists>("@infermesh/job/OutputExists")(
  "OutputExists",
  { path: Schema.String }
) {
  override get message(): string {
    return `${this.path} exists already; resume its job, overwrite it, or choose another output`
  }
}

/**
 * The output, or a file that belongs to it, is the input.
 *
 * @category errors
 * @since 0.1.0
 */
export class OutputIsInput extends Schema.TaggedError<OutputIsInput>(
  "@infermesh/job/OutputIsInput"
)("OutputIsInput", { path: Schema.String }) {
  override get message(): string {
    return `${this.path} is the input; choose another output`
  }
}

/**
 * There is an output, but no ledger that says which job it is of.
 *
 * @category errors
 * @since 0.1.0
 */
export class LedgerMissing extends Schema.TaggedError<LedgerMissing>(
  "@infermesh/job/LedgerMissing"
)("LedgerMissing", { path: Schema.String, ledger: Schema.String }) {
  override get message(): string {
    return `${this.path} cannot be resumed: its ledger ${this.ledger} is missing; put it back, overwrite the output, or force the resume, which takes the rows over by their _index`
  }
}

/**
 * Another process runs the job.
 *
 * @category errors
 * @since 0.1.0
 */
export class JobLocked extends Schema.TaggedError<JobLocked>("@infermesh/job/JobLocked")(
  "JobLocked",
  { ledger: Schema.String }
) {
  override get message(): string {
    return `another process is running the job of ${this.ledger}; wait until it has ended, or stop it`
  }
}

/**
 * One setting that is not what the job was started with.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Difference = Schema.Struct({
  setting: Schema.String,
  /** As JSON; absent when the setting was not set. */
  was: Schema.optional(Schema.String),
  now: Schema.optional(Schema.String)
})

/** Longest part of a setting's value that goes into a message, in characters. */
const shownCharacters = 60

const shown = (json: string | undefined): string =>
  json === undefined
    ? "not set"
    : json.length > shownCharacters
      ? `${json.slice(0, shownCharacters)}…`
      : json

/**
 * The job was started with other settings: its rows would be answered by two models or in two ways.
 *
 * @category errors
 * @since 0.1.0
 */
export class IdentityChanged extends Schema.TaggedError<IdentityChanged>(
  "@infermesh/job/IdentityChanged"
)("IdentityChanged", { differences: Schema.Array(Difference) }) {
  override get message(): string {
    const list = this.differences.map(
      ({ now, setting, was }) => `${setting} was ${shown(was)} and is ${shown(now)}`
    )
    return `the job was started with other settings: ${list.join("; ")}. Use those, force the resume, or choose another output`
  }
}

/**
 * The input is not the one the job was started with.
 *
 * @category errors
 * @since 0.1.0
 */
export class InputChanged extends Schema.TaggedError<InputChanged>("@infermesh/job/InputChanged")(
  "InputChanged",
  {
    /** Rows of the input that the job does not have; of an input that is read once, those found so far. */
    added: Schema.Int,
    /** Rows of the job that the input does not have. */
    missing: Schema.Int,
    /** The line of the first row that was added. */
    line: Schema.optional(Schema.Int)
  }
) {
  override get message(): string {
    const parts: Array<string> = []
    if (this.added > 0) {
      const where = this.line === undefined ? "" : ` (the first in line ${this.line})`
      parts.push(`${rows(this.added)} of the input were not there before${where}`)
    }
    if (this.missing > 0) parts.push(`${rows(this.missing)} of the job are not in the input`)
    const advice = [
      ...(this.added > 0 ? ["extend the job by the new rows"] : []),
      ...(this.missing > 0 ? ["force the resume to leave missing rows as they are"] : [])
    ]
    return `the input has changed: ${parts.join(", ")}. Give the job its input, or ${advice.join(" and ")}`
  }
}

const rows = (count: number): string => `${count} ${count === 1 ? "row" : "rows"}`

/**
 * Rows that were in the output are not there any more.
 *
 * @category errors
 * @since 0.1.0
 */
export class OutputChanged extends Schema.TaggedError<OutputChanged>(
  "@infermesh/job/OutputChanged"
)("OutputChanged", {
  path: Schema.String,
  missing: Schema.Int,
  /** The first positions that are missing, at most ten. */
  first: Schema.Array(Schema.Int)
}) {
  override get message(): string {
    const more = this.missing > this.first.length ? ", …" : ""
    const list = this.first.length === 0 ? "" : ` (_index ${this.first.join(", ")}${more})`
    return `${this.path} has changed: ${rows(this.missing)} that were settled are not in it any more${list}. Put the file back, or force the resume to ask them again`
  }
}

/**
 * The ledger is none, or none that this version can use.
 *
 * @category errors
 * @since 0.1.0
 */
export class LedgerUnusable extends Schema.TaggedError<LedgerUnusable>(
  "@infermesh/job/LedgerUnusable"
)("LedgerUnusable", { path: Schema.String, problem: Schema.String, hint: Schema.String }) {
  override get message(): string {
    return `${this.path} cannot be used as a ledger: ${this.problem}. ${this.hint}`
  }
}

/**
 * A file of the job cannot be read or written.
 *
 * @category errors
 * @since 0.1.0
 */
export class FileUnusable extends Schema.TaggedError<FileUnusable>("@infermesh/job/FileUnusable")(
  "FileUnusable",
  {
    path: Schema.String,
    access: Schema.Literals(["read", "write"]),
    kind: Schema.Literals(["missing", "forbidden", "no file", "disk full", "other"]),
    problem: Schema.String
  }
) {
  override get message(): string {
    return `cannot ${this.access} ${this.path}: ${this.problem}`
  }
}

/**
 * A setting of the job cannot be used.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidSetting extends Schema.TaggedError<InvalidSetting>(
  "@infermesh/job/InvalidSetting"
)("InvalidSetting", { setting: Schema.String, problem: Schema.String }) {
  override get message(): string {
    return `${this.setting}: ${this.problem}`
  }
}

/**
 * Every reason a job can fail with.
 *
 * @category schemas
 * @since 0.1.0
 */
export const JobReason = Schema.Union([
  OutputExists,
  OutputIsInput,
  LedgerMissing,
  JobLocked,
  IdentityChanged,
  InputChanged,
  OutputChanged,
  LedgerUnusable,
  FileUnusable,
  InvalidSetting
])

/**
 * Every reason a job can fail with.
 *
 * @category models
 * @since 0.1.0
 */
export type JobReason = typeof JobReason.Type

/**
 * A job that failed.
 *
 * @category errors
 * @since 0.1.0
 */
export class JobError extends Schema.TaggedError<JobError>("@infermesh/job/JobError")("JobError", {
  reason: JobReason
}) {
  override get message(): string {
    return this.reason.message
  }
}

/**
 * The error of a reason.
 *
 * @category constructors
 * @since 0.1.0
 */
export const because = (reason: JobReason): JobError => new JobError({ reason })

/**
 * What a file that cannot be used ends a job with.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fileError =
  (access: "read" | "write", path: string) =>
  ({ reason }: PlatformError): JobError =>
    because(new FileUnusable({ path, access, ...faultOf(reason) }))

const faultOf = (reason: PlatformError["reason"]): Pick<FileUnusable, "kind" | "problem"> => {
  switch (reason._tag) {
    case "NotFound":
      return { kind: "missing", problem: "there is no such file or folder" }
    case "PermissionDenied":
      return { kind: "forbidden", problem: "permission denied" }
    case "BadResource":
      return { kind: "no file", problem: "it is no regular file" }
    default:
      return fromSystem(reason.cause, reason.description ?? reason._tag)
  }
}

/** What the system said, in our words where it is common and in its own where it is not. */
const fromSystem = (cause: unknown, otherwise: string): Pick<FileUnusable, "kind" | "problem"> => {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : ""
  switch (code) {
    case "ENOSPC":
      return { kind: "disk full", problem: "the disk is full; free some space and resume" }
    case "EDQUOT":
      return { kind: "disk full", problem: "the disk quota is used up; free some space and resume" }
    case "EROFS":
      return { kind: "forbidden", problem: "the file system is read-only" }
    default:
      return {
        kind: "other",
        problem: (cause instanceof Error ? cause.message : otherwise).replaceAll(/\s+/g, " ")
      }
  }
}
