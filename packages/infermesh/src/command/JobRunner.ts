/**
 * What `generate`, `embed` and `transcribe` have in common, which is all but the operation: from flags to a job that runs, is
 * watched and is summed up.
 *
 * @since 0.1.0
 */
import type { ClientSettings } from "@infermesh/core/ClientSettings"
import * as Scheduler from "@infermesh/core/Scheduler"
import type { Input } from "@infermesh/job/Input"
import * as Job from "@infermesh/job/Job"
import type { JobError } from "@infermesh/job/JobError"
import * as LedgerSqlite from "@infermesh/job/LedgerSqlite"
import type { Operation } from "@infermesh/job/operation/Operation"
import type { SettledRow } from "@infermesh/job/operation/SettledRow"
import type { Beside } from "@infermesh/job/output/Beside"
import * as Clock from "effect/Clock"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stdio from "effect/Stdio"

import * as AppLayer from "../AppLayer.ts"
import { CannotRun, FailedRows, toFailure, traced, WrongUsage } from "../ExitCode.ts"
import * as FailedAttempts from "../FailedAttempts.ts"
import { quiet } from "../flag/Global.ts"
import * as Infermesh from "../Infermesh.ts"
import * as LiveView from "../LiveView.ts"
import type { LoadedMapper } from "../Mapper.ts"
import * as Mapper from "../Mapper.ts"
import { Rate } from "../Rate.ts"
import * as Report from "../Report.ts"
import * as RowSink from "../RowSink.ts"
import * as RowSource from "../RowSource.ts"
import * as Screen from "../Screen.ts"
import * as Terminal from "../Terminal.ts"
import * as DryRun from "./DryRun.ts"
import type { JobFlags } from "./Given.ts"
import { retried } from "./RetryReasons.ts"
import * as SharedBudget from "./SharedBudget.ts"

/**
 * What a command adds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Work<I, O, Row extends SettledRow> {
  /** Rows that stand on the command line, and what they are given with. */
  readonly inline: ReadonlyArray<unknown>
  readonly inlineFlag: string
  readonly operation: Operation<I, O, Row>
  /** What is written beside the output's file. */
  readonly beside: Beside<Row> | undefined
}

/**
 * A job that can be run.
 *
 * @category models
 * @since 0.1.0
 */
export interface Prepared<I, O, Row extends SettledRow> extends Work<I, O, Row> {
  readonly given: JobFlags
  readonly settings: ClientSettings
  readonly input: Input<CannotRun | JobError>
  readonly mapper: LoadedMapper<I, O> | undefined
  readonly retryFailed: true | ReadonlyArray<string> | undefined
}

/**
 * Runs a command.
 *
 * **Errors**: `WrongUsage`, `CannotRun` and `FailedRows`, worded for the user.
 *
 * @category commands
 * @since 0.1.0
 */
export const run = <I, O, Row extends SettledRow, R>(
  given: JobFlags,
  work: Effect.Effect<Work<I, O, Row>, WrongUsage | CannotRun | JobError, R>
) =>
  Effect.gen(function* () {
    const environment = yield* AppLayer.environment(given.envFile)
    const program = Effect.gen(function* () {
      const { beside, inline, inlineFlag, operation } = yield* work
      if (inline.length > 0 && Option.isSome(given.inputJsonl)) {
        return yield* new WrongUsage({
          message: `give either ${inlineFlag} or --input-jsonl, not both`
        })
      }
      const retryFailed = yield* retried(given)
      const settings = yield* AppLayer.settings(given)
      const mapper = Option.isNone(given.mapper)
        ? undefined
        : yield* Mapper.load<I, O>(given.mapper.value)
      const input = yield* RowSource.open({ ...given, inline })
      const prepared: Prepared<I, O, Row> = {
        beside,
        inline,
        inlineFlag,
        operation,
        given,
        settings,
        input,
        mapper,
        retryFailed
      }
      if (given.dryRun) return yield* DryRun.run(prepared)
      return yield* Effect.provide(runJob(prepared), Infermesh.layer(settings))
    })
    return yield* Effect.provide(program, [ConfigProvider.layer(environment), LedgerSqlite.layer])
  }).pipe(
    traced,
    Effect.catchTag(["SettingsError", "ConfigError"], ({ message }) =>
      Effect.fail(new CannotRun({ message }))
    ),
    Effect.catchTag("JobError", (error) => Effect.fail(toFailure(error)))
  )

const runJob = Effect.fnUntraced(function* <I, O, Row extends SettledRow>(
  prepared: Prepared<I, O, Row>
) {
  const isQuiet = yield* quiet
  const isWatched = !isQuiet && !(yield* isInTheWay(prepared.given))
  const job = watchJob(prepared, isQuiet, isWatched)
  return yield* isWatched && Option.isSome(prepared.given.outputJsonl)
    ? Screen.keepingLogs(job)
    : job
})

const watchJob = <I, O, Row extends SettledRow>(
  prepared: Prepared<I, O, Row>,
  isQuiet: boolean,
  isWatched: boolean
) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { given, operation, settings } = prepared
      const job = yield* start(prepared)
      const started = yield* Clock.currentTimeMillis
      const rate = new Rate()
      const hasColour = yield* Screen.hasColour
      const view = (elapsedMillis: number) =>
        Effect.gen(function* () {
          const progress = yield* job.snapshot
          const { answered, failed } = progress.summary
          const rowsPerMinute = rate.perMinute(elapsedMillis, answered + failed)
          return LiveView.render({
            scheduler: yield* Scheduler.snapshot,
            failedAttempts: yield* FailedAttempts.snapshot,
            operation: operation.name,
            elapsedMillis,
            hasColour,
            progress,
            rowsPerMinute
          })
        })
      const report = (exit: Exit.Exit<unknown, unknown>) =>
        Effect.flatMap(Effect.zip(job.snapshot, Clock.currentTimeMillis), ([{ summary }, now]) =>
          Terminal.say(
            Report.summary({
              summary,
              elapsedMillis: now - started,
              settings,
              output: Option.getOrElse(given.outputJsonl, () => "standard output"),
              remark: remarkOn(exit, summary.failures, Option.isSome(given.outputJsonl))
            })
          )
        )
      const { failedBefore, summary } = yield* (
        isWatched ? Screen.withView(job.await, view, Option.isSome(given.outputJsonl)) : job.await
      ).pipe(
        // However it ends, what was done until then is said.
        Effect.onExit((exit) => (isQuiet ? Effect.void : report(exit)))
      )
      const failed = summary.failed + failedBefore
      if (failed > 0) return yield* new FailedRows({ failed })
    })
  )

const start = Effect.fnUntraced(function* <I, O, Row extends SettledRow>({
  beside,
  given,
  input,
  mapper,
  operation,
  retryFailed,
  settings
}: Prepared<I, O, Row>) {
  const { extend, force, ordered, overwrite, resume } = given
  return yield* Job.start({
    input,
    output: yield* RowSink.open({ ...given, beside }),
    operation: settings.budget === undefined ? operation : SharedBudget.waiting(operation),
    mapper: mapper?.mapper,
    identity: {
      ...identityOf(settings),
      mapper: mapper?.identity,
      shuffle: Option.getOrUndefined(given.shuffle)
    },
    resume,
    overwrite,
    retryFailed,
    extend,
    force,
    ordered,
    limit: Option.getOrUndefined(given.limit),
    // What there is no money for is not made rows of, one after the other.
    stopWhen: ({ summary }) => (summary.failures["BudgetExceeded"] ?? 0) > 0
  })
})

/** What the answers depend on besides the operation's own options. */
const identityOf = ({ apiBase, deployments, fallbacks, model }: ClientSettings) => ({
  model,
  apiBase,
  fallbacks,
  deployments:
    deployments === undefined
      ? undefined
      : Object.fromEntries(
          Object.entries(deployments).map(([label, { apiBase, model }]) => [
            label,
            { model, apiBase }
          ])
        )
})

const remarkOn = (
  exit: Exit.Exit<unknown, unknown>,
  failures: { readonly [reason: string]: number },
  isFile: boolean
): string | undefined => {
  if (Exit.isSuccess(exit)) {
    return failures["BudgetExceeded"] === undefined
      ? undefined
      : "the budget is used up; --resume with another goes on"
  }
  const what = Exit.hasInterrupts(exit) ? "interrupted" : "ended early"
  return isFile ? `${what}; --resume goes on` : what
}

/** Rows that are printed on a terminal show by themselves how far the job is, and a line among them would be in their way. */
const isInTheWay = ({ outputJsonl }: JobFlags) =>
  Effect.map(
    Effect.flatMap(Stdio.Stdio, (stdio) => stdio.stdoutIsTerminal),
    (isTerminal) => isTerminal && Option.isNone(outputJsonl)
  )
