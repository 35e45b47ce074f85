/**
 * `infermesh generate`: rows in, rows out.
 *
 * @since 0.1.0
 */
import type { ClientSettings } from "@infermesh/core/Client"
import type { GenerateOptions } from "@infermesh/core/Inference"
import * as Job from "@infermesh/job/Job"
import * as Jsonl from "@infermesh/job/Jsonl"
import * as Progress from "@infermesh/job/Progress"
import { Tally } from "@infermesh/job/Tally"
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
  overwrite: Flag.Boolean("overwrite").pipe(
    Flag.withDescription("Replace an output file that exists"),
    Flag.withDefault(false)
  ),
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
      return yield* Effect.provide(
        runJob({ ...given, settings, options, source }),
        Infermesh.layer(settings).pipe(Layer.provide(ConfigProvider.layer(environment)))
      )
    },
    traced,
    Effect.catchTag("SettingsError", (error) =>
      Effect.fail(new CannotRun({ message: error.message }))
    )
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

interface Given {
  readonly settings: ClientSettings
  readonly options: GenerateOptions<{ readonly [key: string]: unknown } | undefined>
  readonly source: RowSource.RowSource
  readonly inputJsonl: Option.Option<string>
  readonly outputJsonl: Option.Option<string>
  readonly overwrite: boolean
  readonly ordered: boolean
  readonly system: Option.Option<string>
  readonly quiet: boolean
}

const runJob = Effect.fnUntraced(function* (given: Given) {
  const tally = new Tally()
  const started = yield* Clock.currentTimeMillis
  const report = (remark: string | undefined) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Terminal.say(
        Report.table({
          summary: tally.summary(),
          elapsedMillis: now - started,
          settings: given.settings,
          output: Option.getOrElse(given.outputJsonl, () => "standard output"),
          remark
        })
      )
    )
  const append = yield* RowSink.open(given)
  const work = Effect.flatMap(Jsonl.makeWriter({ append, ordered: given.ordered }), (output) =>
    Job.generate({
      input: given.source.lines,
      output,
      options: given.options,
      system: Option.getOrUndefined(given.system),
      tally
    })
  ).pipe(Effect.scoped)
  const line = (elapsedMillis: number) =>
    Progress.line(tally.summary(), elapsedMillis, given.source.total)
  const summary = yield* (
    (yield* isWatched(given)) ? Terminal.withProgress(work, line) : work
  ).pipe(
    // However it ends, what was done until then is said.
    Effect.onExit((exit) => (given.quiet ? Effect.void : report(remarkOn(exit))))
  )
  if (summary.failed > 0) return yield* new FailedRows({ failed: summary.failed })
}, Effect.scoped)

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
