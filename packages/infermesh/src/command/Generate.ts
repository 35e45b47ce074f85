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
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"

import * as AppLayer from "../AppLayer.ts"
import { CannotRun, FailedRows, WrongUsage } from "../ExitCode.ts"
import { connection } from "../flag/Connection.ts"
import { limits } from "../flag/Limits.ts"
import * as Infermesh from "../Infermesh.ts"
import * as Report from "../Report.ts"
import * as Terminal from "../Terminal.ts"

const text = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.optional)

const flags = {
  ...connection,
  prompt: text("prompt", "One prompt, instead of a file"),
  inputJsonl: Flag.File("input-jsonl").pipe(
    Flag.withDescription(
      'File of rows {"prompt": …} or {"messages": […]}; standard input when absent'
    ),
    Flag.optional
  ),
  outputJsonl: Flag.File("output-jsonl").pipe(
    Flag.withDescription("File for the results; standard output when absent"),
    Flag.optional
  ),
  overwrite: Flag.Boolean("overwrite").pipe(
    Flag.withDescription("Replace an output file that exists"),
    Flag.withDefault(false)
  ),
  ordered: Flag.Boolean("ordered").pipe(
    Flag.withDescription("Write results in the order of the input instead of that of completion"),
    Flag.withDefault(false)
  ),
  endpoint: Flag.Literals("endpoint", ["chat_completion", "text_completion", "responses"]).pipe(
    Flag.withDescription("The provider's endpoint"),
    Flag.withDefault("chat_completion" as const)
  ),
  ...limits,
  temperature: Flag.Finite("temperature").pipe(
    Flag.withDescription("Sampling temperature"),
    Flag.optional
  ),
  topP: Flag.Finite("top-p").pipe(Flag.withDescription("Nucleus sampling"), Flag.optional),
  maxTokens: Flag.Int("max-tokens").pipe(
    Flag.withDescription("Most tokens of an answer"),
    Flag.optional
  ),
  seed: Flag.Int("seed").pipe(Flag.withDescription("Sampling seed"), Flag.optional),
  system: text("system", "System message before every row that has none"),
  schema: Flag.File("schema").pipe(
    Flag.withDescription("JSON Schema file that answers must fit; they are parsed by it"),
    Flag.optional
  ),
  extraBody: text("extra-body", "JSON object of further fields for the request body"),
  quiet: Flag.Boolean("quiet").pipe(
    Flag.withDescription("No progress and no table"),
    Flag.withDefault(false)
  ),
  operands: Argument.String("operand").pipe(Argument.variadic())
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
      const options = yield* requestOptions(given)
      const input = yield* rows(given)
      return yield* Effect.provide(
        runJob({ ...given, settings, options, input }),
        Infermesh.layer(settings).pipe(Layer.provide(ConfigProvider.layer(environment)))
      )
    },
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

const requestOptions = Effect.fnUntraced(function* (given: {
  readonly endpoint: "chat_completion" | "text_completion" | "responses"
  readonly temperature: Option.Option<number>
  readonly topP: Option.Option<number>
  readonly maxTokens: Option.Option<number>
  readonly seed: Option.Option<number>
  readonly schema: Option.Option<string>
  readonly extraBody: Option.Option<string>
}) {
  const options: GenerateOptions<{ readonly [key: string]: unknown } | undefined> = {
    endpoint: given.endpoint,
    temperature: Option.getOrUndefined(given.temperature),
    topP: Option.getOrUndefined(given.topP),
    maxTokens: Option.getOrUndefined(given.maxTokens),
    seed: Option.getOrUndefined(given.seed),
    extraBody: Option.isNone(given.extraBody)
      ? undefined
      : ((yield* jsonObject(
          "--extra-body",
          given.extraBody.value
        )) as GenerateOptions["extraBody"]),
    output: Option.isNone(given.schema)
      ? undefined
      : yield* jsonObject(given.schema.value, yield* AppLayer.readFile(given.schema.value))
  }
  return options
})

const jsonObject = Effect.fnUntraced(function* (source: string, json: string) {
  const parsed = yield* Effect.try({
    try: (): unknown => JSON.parse(json),
    catch: () => new CannotRun({ message: `${source}: it is no JSON` })
  })
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    return yield* new CannotRun({ message: `${source}: it is no JSON object` })
  }
  return parsed as { readonly [key: string]: unknown }
})

interface Rows {
  readonly lines: Stream.Stream<Jsonl.Line, CannotRun>
  /** The number of rows, where it can be known beforehand. */
  readonly total: number | undefined
}

const rows = Effect.fnUntraced(function* (given: {
  readonly prompt: Option.Option<string>
  readonly inputJsonl: Option.Option<string>
}) {
  if (Option.isSome(given.prompt)) {
    const line: Jsonl.Line = {
      index: 0,
      line: 1,
      row: Result.succeed({ prompt: given.prompt.value })
    }
    return { lines: Stream.succeed(line), total: 1 } satisfies Rows
  }
  const stdio = yield* Stdio.Stdio
  if (Option.isSome(given.inputJsonl)) {
    const path = given.inputJsonl.value
    const fileSystem = yield* FileSystem.FileSystem
    const lines = Jsonl.lines(
      Stream.mapError(
        fileSystem.stream(path),
        ({ reason }) =>
          new CannotRun({ message: `cannot read ${path}: ${AppLayer.fileProblem(reason._tag)}` })
      )
    )
    // Read once before the run: a file that cannot be read is found before anything is spent, and the progress has an end.
    const total = yield* Stream.runCount(lines)
    return { lines, total } satisfies Rows
  }
  if (yield* stdio.stdinIsTerminal) {
    yield* Terminal.say("Reading rows from the keyboard, one JSON object a line; end with Ctrl-D.")
  }
  const unreadable = () => new CannotRun({ message: "standard input cannot be read" })
  return {
    lines: Jsonl.lines(Stream.mapError(stdio.stdin, unreadable)),
    total: undefined
  } satisfies Rows
})

const runJob = Effect.fnUntraced(function* (job: {
  readonly settings: ClientSettings
  readonly options: GenerateOptions<{ readonly [key: string]: unknown } | undefined>
  readonly input: Rows
  readonly outputJsonl: Option.Option<string>
  readonly overwrite: boolean
  readonly ordered: boolean
  readonly system: Option.Option<string>
  readonly quiet: boolean
}) {
  const tally = new Tally()
  const started = yield* Clock.currentTimeMillis
  const report = (interrupted: boolean) =>
    job.quiet
      ? Effect.void
      : Effect.flatMap(Clock.currentTimeMillis, (now) =>
          Terminal.say(
            Report.table({
              summary: tally.summary(),
              elapsedMillis: now - started,
              settings: job.settings,
              output: Option.getOrElse(job.outputJsonl, () => "standard output"),
              interrupted
            })
          )
        )
  const work = Effect.scoped(
    Effect.gen(function* () {
      const append = yield* Option.isSome(job.outputJsonl)
        ? appendToFile(job.outputJsonl.value, job.overwrite)
        : appendToStdout
      return yield* Job.generate({
        input: job.input.lines,
        output: yield* Jsonl.makeWriter({ append, ordered: job.ordered }),
        options: job.options,
        system: Option.getOrUndefined(job.system),
        tally
      })
    })
  )
  const line = (elapsed: number) => Progress.line(tally.summary(), elapsed, job.input.total)
  const summary = yield* (job.quiet ? work : Terminal.withProgress(work, line)).pipe(
    Effect.onInterrupt(() => report(true))
  )
  yield* report(false)
  if (summary.failed > 0) return yield* new FailedRows({ failed: summary.failed })
})

const appendToFile = Effect.fnUntraced(function* (path: string, overwrite: boolean) {
  const fileSystem = yield* FileSystem.FileSystem
  const file = yield* Effect.mapError(
    fileSystem.open(path, { flag: overwrite ? "w" : "wx" }),
    ({ reason }) =>
      reason._tag === "AlreadyExists"
        ? new CannotRun({
            message: `${path} exists already; choose another file, or give --overwrite`
          })
        : new CannotRun({ message: `cannot write ${path}: ${AppLayer.fileProblem(reason._tag)}` })
  )
  const encoder = new TextEncoder()
  return (text: string) =>
    Effect.mapError(
      file.writeAll(encoder.encode(text)),
      ({ reason }) =>
        new CannotRun({ message: `cannot write ${path}: ${AppLayer.fileProblem(reason._tag)}` })
    )
})

/** A reader that has seen enough (`| head`) closes the pipe: the job ends there, and that is no failure. */
const appendToStdout = Effect.map(
  Stdio.Stdio,
  (stdio) => (text: string) =>
    Effect.catch(
      Stream.run(Stream.succeed(text), stdio.stdout({ endOnDone: false })),
      () => Effect.interrupt
    )
)
