/**
 * Where the rows of a job go: a file or standard output.
 *
 * @since 0.1.0
 */
import type { SettledRow } from "@infermesh/job/operation/SettledRow"
import * as Output from "@infermesh/job/Output"
import type { Beside } from "@infermesh/job/output/Beside"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"

/**
 * The sink that the flags name; without any, standard output.
 *
 * **Details**: a reader that has seen enough (`| head`) closes standard output: the job is interrupted then.
 *
 * @category constructors
 * @since 0.1.0
 */
export const open = Effect.fnUntraced(function* <Row extends SettledRow>(given: {
  readonly outputJsonl: Option.Option<string>
  readonly checkpointDir: Option.Option<string>
  /** What is written beside the file. */
  readonly beside: Beside<Row> | undefined
}): Effect.fn.Return<Output.Output<Row, never>, Config.ConfigError, Stdio.Stdio> {
  const { beside, outputJsonl } = given
  if (Option.isNone(outputJsonl)) return toStdout(yield* Stdio.Stdio)
  const checkpointDirectory = yield* checkpointDirectoryOf(given.checkpointDir)
  return Output.file(outputJsonl.value, { checkpointDirectory, beside })
})

/**
 * The folder of checkpoints: the flag's, else that of `INFERMESH_CHECKPOINT_DIR`; `undefined` for none.
 *
 * @category configuration
 * @since 0.1.0
 */
export const checkpointDirectoryOf = (
  flag: Option.Option<string>
): Effect.Effect<string | undefined, Config.ConfigError> =>
  Effect.map(Config.option(Config.String("INFERMESH_CHECKPOINT_DIR")), (setting) =>
    Option.getOrUndefined(Option.orElse(flag, () => setting))
  )

const toStdout = (stdio: Stdio.Stdio) =>
  Output.text((text) =>
    Effect.catch(
      Stream.run(Stream.succeed(text), stdio.stdout({ endOnDone: false })),
      () => Effect.interrupt
    )
  )
