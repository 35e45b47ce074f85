/**
 * `infermesh report`: a job as a page with plots. Its work is in `ReportJob`, which is loaded when there is some.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"

import { resume } from "../flag/Resume.ts"

const flags = {
  output: Argument.String("output").pipe(
    Argument.withDescription("The job's output, as --output-jsonl named it")
  ),
  html: Flag.String("html").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("The page; default the output's name with .html behind it"),
    Flag.optional
  ),
  checkpointDir: resume.checkpointDir
}

/**
 * The flags, parsed.
 *
 * @category models
 * @since 0.1.0
 */
export type ReportFlags = Command.Command.Config.Infer<typeof flags>

/**
 * The command.
 *
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make("report", flags, (given) =>
  Effect.flatMap(
    Effect.promise(() => import("./ReportJob.ts")),
    ({ run }) => run(given)
  )
).pipe(
  Command.withDescription("Write a job as one page of HTML: throughput, latency, failures, cost"),
  Command.withExamples([{ command: "infermesh report out.jsonl --html job.html" }])
)
