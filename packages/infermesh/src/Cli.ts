/**
 * The command `infermesh`: its subcommands, and how its errors are shown.
 *
 * @since 0.1.0
 */
import * as CliError from "effect/cli/CliError"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"

import manifest from "../package.json" with { type: "json" }
import * as Generate from "./command/Generate.ts"
import * as Simulate from "./command/Simulate.ts"
import { WrongUsage } from "./ExitCode.ts"
import * as Terminal from "./Terminal.ts"

const root = Command.make("infermesh").pipe(
  Command.withDescription("Run large amounts of LLM work: quotas kept, failures typed, nothing paid for lost"),
  Command.withSubcommands([Generate.command, Simulate.command])
)

/**
 * Runs the command with its arguments; every failure has been shown in one line when it ends.
 *
 * @category commands
 * @since 0.1.0
 */
export const run = Effect.fnUntraced(function* (parameters: ReadonlyArray<string>) {
  const program = Command.runWith(root, { version: manifest.version, renderErrors: false })
  yield* Effect.tapError(Effect.catchTag(program(parameters), "ShowHelp", wrongUsage), (error) =>
    "message" in error && error.message !== "" ? Terminal.say(`error: ${error.message}`) : Effect.void
  )
})

/** Help that was asked for is printed and fine; help because of wrong flags is not. */
const wrongUsage = (error: CliError.ShowHelp): Effect.Effect<void, WrongUsage> => {
  const [first] = error.errors
  const hint = `see ${error.commandPath.join(" ")} --help`
  return Effect.fail(
    new WrongUsage({
      message: first === undefined ? hint : `${first.message.replaceAll(/\s+/g, " ").trim()}; ${hint}`
    })
  )
}
