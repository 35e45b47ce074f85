/**
 * The command `infermesh`: its subcommands, and how its errors are shown.
 *
 * @since 0.1.0
 */
import type * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

import * as Generate from "./command/Generate.ts"
import * as Simulate from "./command/Simulate.ts"
import { WrongUsage } from "./ExitCode.ts"
import * as Terminal from "./Terminal.ts"
import { version } from "./Version.ts"

const root = Command.make("infermesh").pipe(
  Command.withDescription(
    "Run large amounts of LLM work: quotas kept, failures typed, nothing paid for lost"
  ),
  Command.withSubcommands([Generate.command, Simulate.command])
)

/**
 * Runs the command with its arguments; every failure has been shown in one line when it ends.
 *
 * @category commands
 * @since 0.1.0
 */
export const run = Effect.fnUntraced(function* (parameters: ReadonlyArray<string>) {
  const program = Command.runWith(root, { version, renderErrors: false })
  yield* program(parameters).pipe(
    Effect.catchTag("ShowHelp", wrongUsage),
    Effect.tapError((error) =>
      error.message === "" ? Effect.void : Terminal.say(`error: ${error.message}`)
    ),
    Effect.provideService(CliOutput.Presenter, presenter)
  )
})

/** Standard output is for data and for help that was asked for; help because of wrong flags goes beside it. */
const presenter: CliOutput.Presenter = {
  present: (event) =>
    event._tag === "Help" && event.reason === "Implicit"
      ? Effect.flatMap(CliOutput.Formatter, (formatter) =>
          Console.error(formatter.formatHelpDoc(event.helpDoc))
        )
      : CliOutput.defaultPresenter.present(event)
}

/** Help that was asked for is printed and fine; help because of wrong flags is not. */
const wrongUsage = (error: CliError.ShowHelp): Effect.Effect<void, WrongUsage> => {
  const [first] = error.errors
  const hint = `see ${error.commandPath.join(" ")} --help`
  return Effect.fail(
    new WrongUsage({
      message:
        first === undefined ? hint : `${first.message.replaceAll(/\s+/g, " ").trim()}; ${hint}`
    })
  )
}
