/**
 * `infermesh status`: how a job is, also while it runs. Its work is in `StatusJob`, which is loaded when there is some.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"

import { resume } from "../flag/Resume.ts"

const flags = {
  output: Argument.String("output").pipe(
    Argument.withDescription("The job's output, as --output-jsonl named it")
  ),
  checkpointDir: resume.checkpointDir
}

/**
 * The flags, parsed.
 *
 * @category models
 * @since 0.1.0
 */
export type StatusFlags = Command.Command.Config.Infer<typeof flags>

/**
 * The command.
 *
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make("status", flags, (given) =>
  Effect.flatMap(
    Effect.promise(() => import("./StatusJob.ts")),
    ({ run }) => run(given)
  )
).pipe(
  Command.withDescription("Say how a job is: what is settled, failed, spent, and how fast"),
  Command.withExamples([
    { command: "infermesh status out.jsonl" },
    {
      command: "infermesh status out.jsonl --json",
      description: "The same for a program, on standard output"
    }
  ])
)
