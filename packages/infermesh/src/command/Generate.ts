/**
 * `infermesh generate`: rows in, rows out.
 *
 * @since 0.1.0
 */
import type { ClientSettings } from "@infermesh/core/Client"
import type { GenerateOptions } from "@infermesh/core/Inference"
import type { Input } from "@infermesh/job/Input"
import * as Job from "@infermesh/job/Job"
import type { JobError } from "@infermesh/job/JobError"
import * as LedgerSqlite from "@infermesh/job/LedgerSqlite"
import * as Progress from "@infermesh/job/Progress"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stdio from "effect/Stdio"

import * as AppLayer from "../AppLayer.ts"
import { CannotRun, FailedRows, traced, WrongUsage } from "../ExitCode.ts"
import { connection } from "../flag/Connection.ts"
import { limits } from "../flag/Limits.ts"
import * as Request from "../flag/Request.ts"
import { resume } from "../flag/Resume.ts"
import * as Infermesh from "../Infermesh.ts"
import * as Report from "../Report.ts"
import * as RowSink from "../RowSink.ts"
import * as RowSource from "../RowSource.ts"
import * as Terminal from "../Terminal.ts"

const text = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(description),
    Flag.withMetavar(metavar),
    Flag.optional
  )

const flags = {
  ...connection,
  prompt: text("prompt", "TEXT", "One prompt, instead of a file"),
  inputJsonl: text(
    "input-jsonl",
    "FILE",
    'File of rows {"prompt": …}, {"messages": […]} or {"responses_input": …}; standard input when absent'
  ),
  outputJsonl: text("output-jsonl", "FILE", "File for the results; standard output when absent"),
  ...resume,
  ordered: Flag.Boolean("ordered").pipe(
    Flag.withDescription("Write results in the order of the input instead of that of completion"),
    Flag.withDefault(false)
  ),
  ...limits,
  ...Request.request,
  quiet: Flag.Boolean("quiet").pipe(
    Flag.withDescription("No progress and no table"),
    Flag.withDefault(false)
  ),
  operands: Argument.String("operand").pipe(
    Argument.withDescription("Not taken: a prompt is given with --prompt"),
    Argument.variadic()
  )
}

/**
 * The command.
 *
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make(
  "generate",
  flags,
  Effect.fnUntraced(
    function* (given) {
      const [operand] = given.operands
      if (operand !== undefined) {
        return yield* new WrongUsage({
          message: `'${operand}' is not expected; a prompt is given with --prompt`
        })
      }
      if (Option.isSome(given.prompt) && Option.isSome(given.inputJsonl)) {
        return yield* new WrongUsage({ message: "give either --prompt or --input-jsonl, not both" })
      }
      const environment = yield* AppLayer.environment(given.envFile)
      const settings = yield* Effect.provideService(
        AppLayer.settings(given),
        ConfigProvider.ConfigProvider,
        environment
      )
      const options = yield* Request.options(given)
      const source = yield* RowSource.open(given)
      return yield* Effect.provide(runJob({ ...given, settings, options, source }), [
        Infermesh.layer(settings).pipe(Layer.provide(ConfigProvider.layer(environment))),
        ConfigProvider.layer(environment),
        LedgerSqlite.layer
      ])
    },
    traced,
    Effect.catchTag(["SettingsError", "ConfigError"], ({ message }) =>
      Effect.fail(new CannotRun({ message }))
    ),
    Effect.catchTag("JobError", (error) => Effect.fail(toFailure(error)))
  )
).pipe(
  Command.withDescription("Generate text for one prompt or for every row of a file"),
  Command.withExamples([
    { command: 'infermesh generate --model openai/gpt-4.1-mini --prompt "Say hello."' },
    {
      command:
        "infermesh generate --model openai/gpt-4.1-mini --input-jsonl in.jsonl --output-jsonl out.jsonl --rpm 500",
      description: "A file of rows, at most 500 requests a minute"
    },
    {
      command:
        "infermesh generate --model hosted_vllm/llama-3 --api-base http://gpu0:8000/v1 --api-base http://gpu1:8000/v1 < in.jsonl > out.jsonl",
      description: "Two replicas of one's own server"
    }
  ])
)

/** The job's own words, with flags where they say what to do. */
const toFailure = ({ message, reason }: JobError): CannotRun | WrongUsage => {
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
      return new WrongUsage({ message })
    default:
      return new CannotRun({ message })
  }
}

interface Given {
  readonly settings: ClientSettings
  readonly options: GenerateOptions<{ readonly [key: string]: unknown } | undefined>
  readonly source: Input<CannotRun | JobError>
  readonly outputJsonl: Option.Option<string>
  readonly checkpointDir: Option.Option<string>
  readonly overwrite: boolean
  readonly resume: boolean
  readonly retryFailed: boolean
  readonly extend: boolean
  readonly force: boolean
  readonly ordered: boolean
  readonly system: Option.Option<string>
  readonly quiet: boolean
}

const runJob = Effect.fnUntraced(function* (given: Given) {
  const { extend, force, options, ordered, overwrite, retryFailed, settings, source } = given
  const system = Option.getOrUndefined(given.system)
  const job = yield* Job.start({
    input: source,
    output: yield* RowSink.open(given),
    operation: Job.generate({ options, system }),
    identity: identityOf(settings),
    resume: given.resume,
    overwrite,
    retryFailed,
    extend,
    force,
    ordered
  })
  const started = yield* Clock.currentTimeMillis
  const report = (remark: string | undefined) =>
    Effect.zipWith(job.snapshot, Clock.currentTimeMillis, ({ summary }, now) =>
      Report.table({
        summary,
        elapsedMillis: now - started,
        settings,
        output: Option.getOrElse(given.outputJsonl, () => "standard output"),
        remark
      })
    )
  const line = (elapsedMillis: number) =>
    Effect.map(job.snapshot, ({ answeredBefore, failedBefore, rows, summary }) =>
      Progress.line(
        summary,
        elapsedMillis,
        rows === undefined ? undefined : rows - answeredBefore - failedBefore
      )
    )
  const { failedBefore, summary } = yield* (
    (yield* isWatched(given)) ? Terminal.withProgress(job.await, line) : job.await
  ).pipe(
    // However it ends, what was done until then is said.
    Effect.onExit((exit) =>
      given.quiet ? Effect.void : Effect.flatMap(report(remarkOn(exit)), Terminal.say)
    )
  )
  const failed = summary.failed + failedBefore
  if (failed > 0) return yield* new FailedRows({ failed })
}, Effect.scoped)

/** What the answers depend on besides the operation's own options. */
const identityOf = ({ apiBase, deployments, model }: ClientSettings) => ({
  model,
  apiBase,
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

const remarkOn = (exit: Exit.Exit<unknown, unknown>): string | undefined => {
  if (Exit.isSuccess(exit)) return undefined
  return Exit.hasInterrupts(exit) ? "interrupted" : "ended early"
}

/** Rows that are printed on a terminal show by themselves how far the job is, and a line among them would be in their way. */
const isWatched = (given: Given) =>
  Effect.map(
    Effect.flatMap(Stdio.Stdio, (stdio) => stdio.stdoutIsTerminal),
    (isTerminal) => !given.quiet && !(isTerminal && Option.isNone(given.outputJsonl))
  )
