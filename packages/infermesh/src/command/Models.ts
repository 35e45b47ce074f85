/**
 * `infermesh models`: what is known of models. Its work is in `ModelsJob`, which is loaded when there is some.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"

const flags = {
  text: Argument.String("text").pipe(
    Argument.withDescription(
      "Only models whose name has this in it, such as gpt-4.1 or anthropic/"
    ),
    Argument.optional
  )
}

/**
 * The flags, parsed.
 *
 * @category models
 * @since 0.1.0
 */
export type ModelsFlags = Command.Command.Config.Infer<typeof flags>

/**
 * The command.
 *
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make("models", flags, (given) =>
  Effect.flatMap(
    Effect.promise(() => import("./ModelsJob.ts")),
    ({ run }) => run(given)
  )
).pipe(
  Command.withDescription("List models whose price is known, in USD per million tokens"),
  Command.withExamples([
    { command: "infermesh models gpt-4.1" },
    { command: "infermesh models anthropic/ --json", description: "For a program" }
  ])
)
