/**
 * The command `infermesh`: its subcommands, and how its errors are shown.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Logger from "effect/Logger"

import * as Bench from "./command/Bench.ts"
import * as Embed from "./command/Embed.ts"
import * as Generate from "./command/Generate.ts"
import * as Models from "./command/Models.ts"
import * as Plan from "./command/Plan.ts"
import * as Report from "./command/Report.ts"
import * as Simulate from "./command/Simulate.ts"
import * as Status from "./command/Status.ts"
import * as Transcribe from "./command/Transcribe.ts"
import { WrongUsage } from "./ExitCode.ts"
import { globals } from "./flag/Global.ts"
import * as Terminal from "./Terminal.ts"
import { version } from "./Version.ts"

/**
 * The command with all its subcommands.
 *
 * @category commands
 * @since 0.1.0
 */
export const root = Command.make("infermesh").pipe(
  Command.withDescription(
    "Run large amounts of LLM work: quotas kept, failures typed, nothing paid for lost"
  ),
  Command.withSubcommands([
    Generate.command,
    Embed.command,
    Transcribe.command,
    Plan.command,
    Status.command,
    Report.command,
    Models.command,
    Bench.command,
    Simulate.command
  ]),
  Command.withGlobalFlags(globals),
  Command.withExamples([
    { command: 'infermesh generate --model openai/gpt-4.1-mini --prompt "Say hello."' },
    {
      command:
        "infermesh generate --model openai/gpt-4.1-mini --input-jsonl in.jsonl --output-jsonl out.jsonl --resume",
      description: "A file of rows; given again, it goes on where it was"
    },
    {
      command: "source <(infermesh --completions bash)",
      description: "Completion of words in this shell"
    }
  ])
)

/**
 * Runs the command with its arguments; every failure has been shown in one line when it ends.
 *
 * @category commands
 * @since 0.1.0
 */
export const run = Effect.fnUntraced(function* (parameters: ReadonlyArray<string>) {
  // What is wrong with the flags is said in their form, too, so it is looked for before they are parsed.
  const saysJson = parameters.includes("--json")
  yield* Command.runWith(root, { version })(parameters).pipe(
    Effect.catchTag("ShowHelp", wrongUsage),
    Effect.tapCause((cause) => {
      const line = toLine(cause)
      return line === undefined
        ? Effect.void
        : Terminal.say({ text: `error: ${line}`, type: "error", data: { message: line } })
    }),
    Effect.provideService(CliOutput.Presenter, presenter),
    Effect.provideService(Terminal.SaysJson, saysJson),
    saysJson ? Effect.provide(Logger.layer([jsonLogger])) : identity
  )
})

const jsonLogger = Logger.withConsoleError(Logger.formatJson)

/** What went wrong in one line; nothing for an interruption, and for rows that failed, of which the summary has told. */
const toLine = (cause: Cause.Cause<{ readonly message: string }>): string | undefined => {
  if (Cause.hasInterruptsOnly(cause)) return undefined
  const error = Cause.squash(cause)
  const message = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ")
  return Cause.hasDies(cause)
    ? `a bug of infermesh: ${message}. Please report it with what --log-level debug adds`
    : message || undefined
}

/** Standard output is for data and for help that was asked for; of wrong flags one line is said, elsewhere. */
const presenter: CliOutput.Presenter = {
  present: (event) => {
    if (event._tag === "InvalidInvocation") return Effect.void
    return event._tag === "Help" && event.reason === "Implicit"
      ? Effect.flatMap(CliOutput.Formatter, (formatter) =>
          Console.error(formatter.formatHelpDoc(event.helpDoc))
        )
      : CliOutput.defaultPresenter.present(event)
  }
}

/** Help that was asked for is printed and fine; help because of a missing command has been printed, and is not. */
const wrongUsage = ({
  commandPath,
  errors
}: CliError.ShowHelp): Effect.Effect<void, WrongUsage> => {
  const [first] = errors
  const hint = `see ${commandPath.join(" ")} --help`
  return Effect.fail(
    new WrongUsage({ message: first === undefined ? "" : `${inShort(first.message)}; ${hint}` })
  )
}

const inShort = (message: string): string =>
  message.replaceAll(/\s+/g, " ").replace("Schema validation failed: Expected ", "").trim()
