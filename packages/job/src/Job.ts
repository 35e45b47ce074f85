/**
 * A durable run over many rows: rows in, rows out, each settled on its own, in memory that does not grow with the input.
 *
 * Whatever ends it, a job that writes into a file can be resumed, and ends with exactly one settled row for each row of its input;
 * what is on the disk is never paid for again. `docs/jobs.md` says how, and what resuming means.
 *
 * **Example** (A file of prompts, resumable)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Input from "@infermesh/job/Input"
 * import * as Job from "@infermesh/job/Job"
 * import * as Output from "@infermesh/job/Output"
 *
 * const program = Effect.gen(function* () {
 *   const { summary } = yield* Job.run({
 *     input: yield* Input.file("prompts.jsonl"),
 *     output: Output.file("answers.jsonl"),
 *     operation: Job.generate({ options: { maxTokens: 200 } }),
 *     identity: { model: "openai/gpt-4.1-mini" },
 *     resume: true
 *   })
 *   return summary.failed
 * })
 * ```
 *
 * @since 0.1.0
 */
import type * as Inference from "@infermesh/core/Inference"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"

import type { Input } from "./Input.ts"
import type { JobError } from "./JobError.ts"
import { because, InvalidSetting } from "./JobError.ts"
import type { Overview } from "./Ledger.ts"
import { Ledger } from "./Ledger.ts"
import type { Mapper } from "./Mapper.ts"
import type { Operation } from "./operation/Operation.ts"
import type { SettledRow } from "./operation/SettledRow.ts"
import type { Output } from "./Output.ts"
import * as Outputs from "./Output.ts"
import * as Opening from "./run/Opening.ts"
import type { Plan } from "./run/Plan.ts"
import * as Running from "./run/Running.ts"
import type { Summary } from "./Tally.ts"

export { embed } from "./operation/Embed.ts"
export { generate } from "./operation/Generate.ts"
export { transcribe } from "./operation/Transcribe.ts"

/**
 * A job.
 *
 * @category models
 * @since 0.1.0
 */
export interface JobSettings<I, O, Row extends SettledRow, EIn, RIn, EOut, RMap> {
  readonly input: Input<EIn, RIn>
  readonly output: Output<Row, EOut>
  /** `Job.generate`, `Job.embed` or `Job.transcribe`. */
  readonly operation: Operation<I, O, Row>
  /** Makes of a row what is asked, instead of the operation's own reading. */
  readonly mapper?: Mapper<I, O, RMap> | undefined
  /** What else the job's answers depend on, by name: model, servers, the mapper's version. A resume with others is refused. */
  readonly identity?: { readonly [setting: string]: unknown } | undefined
  /** Goes on with a job that is there, and starts one that is not. */
  readonly resume?: boolean | undefined
  /** Throws away a job that is there, with its output. */
  readonly overwrite?: boolean | undefined
  /** Asks failed rows again: all, or those with these reasons. A resume. */
  readonly retryFailed?: boolean | ReadonlyArray<string> | undefined
  /** Takes rows that the input did not have when the job was started. A resume. */
  readonly extend?: boolean | undefined
  /** Resumes although settings, input or output are not what they were. */
  readonly force?: boolean | undefined
  /** Writes rows in the order of the input instead of that of completion. */
  readonly ordered?: boolean | undefined
  /** Rows asked at most in this run; the rest is for another. */
  readonly limit?: number | undefined
  /** Requests under way at once. Default: `Batch.Concurrency`. */
  readonly concurrency?: number | undefined
  /** Asked after each group of rows: whether no more rows shall be begun. */
  readonly stopWhen?: ((progress: Progress) => boolean) | undefined
}

/**
 * How far a job has come.
 *
 * @category models
 * @since 0.1.0
 */
export interface Progress {
  /** The rows that this run has settled. */
  readonly summary: Summary
  /** Rows of the input; `undefined` while an input that is read once has not ended. */
  readonly rows: number | undefined
  /** Rows that earlier runs settled and this one leaves as they are. */
  readonly answeredBefore: number
  readonly failedBefore: number
  /** Rows that have been begun and are not settled. */
  readonly underWay: number
}

/**
 * A job that has ended.
 *
 * @category models
 * @since 0.1.0
 */
export interface Outcome extends Progress {
  readonly plan: Plan
  /** Whether it ended before its input did, because of `limit` or `stopWhen`. */
  readonly isPartial: boolean
}

/**
 * A job that runs.
 *
 * @category models
 * @since 0.1.0
 */
export interface Handle<E> {
  /** What the job found when it was opened. */
  readonly plan: Plan
  /** How far it has come, again and again: the newest whenever the reader is ready for it, until the job ends. */
  readonly progress: Stream.Stream<Progress>
  readonly snapshot: Effect.Effect<Progress>
  /** Waits for the end; interrupting it stops the job. */
  readonly await: Effect.Effect<Outcome, E>
  /** Begins no more rows, gives up those under way, and returns when all that was answered is written. */
  readonly stop: Effect.Effect<void>
}

/**
 * Opens a job and starts it; it is stopped when the scope closes.
 *
 * **Errors**: here whatever keeps the job from starting (`OutputExists`, `JobLocked`, `IdentityChanged`, `InputChanged`, …), before
 * anything is spent; in `await` whatever ends it early (a full disk, an input that breaks off). Failed rows are rows.
 *
 * @category constructors
 * @since 0.1.0
 */
export const start = Effect.fnUntraced(function* <
  I,
  O,
  Row extends SettledRow,
  EIn = never,
  RIn = never,
  EOut = never,
  RMap = never
>(
  settings: JobSettings<I, O, Row, EIn, RIn, EOut, RMap>
): Effect.fn.Return<
  Handle<EIn | EOut | JobError>,
  EIn | JobError,
  Inference.Inference | Ledger | FileSystem.FileSystem | Path.Path | Scope.Scope | RIn | RMap
> {
  yield* check(settings)
  const opened = yield* Opening.open(settings)
  return yield* Running.start(settings, opened)
})

/**
 * Runs a job to its end.
 *
 * **Errors**: only those of the job as a whole; a row that fails is a row.
 *
 * @category constructors
 * @since 0.1.0
 */
export const run = <
  I,
  O,
  Row extends SettledRow,
  EIn = never,
  RIn = never,
  EOut = never,
  RMap = never
>(
  settings: JobSettings<I, O, Row, EIn, RIn, EOut, RMap>
): Effect.Effect<
  Outcome,
  EIn | EOut | JobError,
  Inference.Inference | Ledger | FileSystem.FileSystem | Path.Path | RIn | RMap
> => Effect.scoped(Effect.flatMap(start(settings), (handle) => handle.await))

/**
 * Looks at the job of an output, also while it runs: how much is settled, what failed and why, cost, times.
 *
 * **Errors**: `FileUnusable` when the output has no job, `LedgerUnusable` when its ledger cannot be read.
 *
 * @category getters
 * @since 0.1.0
 */
export const look = Effect.fnUntraced(function* (output: {
  readonly path: string
  readonly checkpointDirectory?: string | undefined
}): Effect.fn.Return<Overview, JobError, Ledger | FileSystem.FileSystem | Path.Path> {
  const { ledger } = yield* Outputs.paths(output)
  return yield* (yield* Ledger).look(ledger)
})

const check = (
  settings: Pick<
    JobSettings<never, never, never, never, never, never, never>,
    "resume" | "overwrite" | "retryFailed" | "extend" | "limit" | "concurrency"
  > & { readonly output: { readonly _tag: string } }
): Effect.Effect<void, JobError> => {
  const fault = (setting: string, problem: string) =>
    Effect.fail(because(new InvalidSetting({ setting, problem })))
  for (const setting of ["limit", "concurrency"] as const) {
    const value = settings[setting]
    if (value !== undefined && (!Number.isInteger(value) || value < 1)) {
      return fault(setting, `${value} is not a whole number of at least 1`)
    }
  }
  const isResumed = Opening.isResumed(settings)
  if (isResumed && settings.overwrite === true) {
    return fault("overwrite", "a job is either resumed or overwritten; drop one of the two")
  }
  if (isResumed && settings.output._tag === "TextOutput") {
    return fault("resume", "only a job that writes into a file can be resumed; give it one")
  }
  return Effect.void
}
