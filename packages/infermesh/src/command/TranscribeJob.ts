/**
 * The work of `infermesh transcribe`.
 *
 * @since 0.1.0
 */
import * as Job from "@infermesh/job/Job"
import * as Subtitles from "@infermesh/job/output/Subtitles"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"

import { WrongUsage } from "../ExitCode.ts"
import * as JobRunner from "./JobRunner.ts"
import * as OperationOptions from "./OperationOptions.ts"
import type { TranscribeFlags } from "./Transcribe.ts"

/**
 * Runs the command.
 *
 * @category commands
 * @since 0.1.0
 */
export const run = (given: TranscribeFlags) =>
  JobRunner.run(
    given,
    Effect.gen(function* () {
      const beside = yield* subtitlesOf(given)
      const responseFormat =
        Option.getOrUndefined(given.responseFormat) ??
        (beside === undefined ? undefined : "verbose_json")
      return {
        inline: given.paths.map((path) => ({ path })),
        inlineFlag: "the paths of audio files",
        operation: Job.transcribe({
          options: yield* OperationOptions.transcribe({ ...given, responseFormat })
        }),
        beside
      }
    })
  )

const subtitlesOf = Effect.fnUntraced(function* (given: TranscribeFlags) {
  if (given.subtitles.length === 0) {
    if (Option.isNone(given.subtitlesDir)) return undefined
    return yield* new WrongUsage({ message: "--subtitles-dir: give --subtitles srt or vtt, too" })
  }
  if (Option.isNone(given.outputJsonl)) {
    return yield* new WrongUsage({
      message: "--subtitles: give --output-jsonl, too: its rows name the files"
    })
  }
  const { dirname } = yield* Path.Path
  return Subtitles.subtitles({
    folder: Option.getOrElse(given.subtitlesDir, () =>
      dirname(Option.getOrElse(given.outputJsonl, () => ""))
    ),
    formats: [...new Set(given.subtitles)]
  })
})
