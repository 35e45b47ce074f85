/**
 * The work of `infermesh report`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"

import { CannotRun, traced } from "../ExitCode.ts"
import * as JobPage from "../JobPage.ts"
import * as RowFigures from "../RowFigures.ts"
import * as Terminal from "../Terminal.ts"
import type { ReportFlags } from "./Report.ts"
import { look } from "./StatusJob.ts"

/**
 * Runs the command.
 *
 * @category commands
 * @since 0.1.0
 */
export const run = (given: ReportFlags) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const { output } = given
    const overview = yield* look(given)
    const figures = yield* Effect.mapError(
      RowFigures.read(output),
      ({ message }) => new CannotRun({ message: `${output} cannot be read: ${message}` })
    )
    const page = Option.getOrElse(given.html, () => `${output.replace(/\.jsonl$/, "")}.html`)
    yield* Effect.mapError(
      fileSystem.writeFileString(page, JobPage.render(overview, figures, output)),
      ({ message }) =>
        new CannotRun({
          message: `${page} cannot be written: ${message}. Give --html another file`
        })
    )
    yield* Terminal.show({ text: page, type: "report", data: { html: page } })
  }).pipe(traced)
