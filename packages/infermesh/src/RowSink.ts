/**
 * Where the rows of a job go: a file or standard output.
 *
 * @since 0.1.0
 */
import * as Output from "@infermesh/job/Output"
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
export const open = (given: {
  readonly outputJsonl: Option.Option<string>
  readonly checkpointDir: Option.Option<string>
}): Effect.Effect<Output.AnyOutput, Config.ConfigError, Stdio.Stdio> =>
  Option.isNone(given.outputJsonl)
    ? Effect.map(Stdio.Stdio, toStdout)
    : toFile(given.outputJsonl.value, given.checkpointDir)

const toStdout = (stdio: Stdio.Stdio) =>
  Output.text((text) =>
    Effect.catch(
      Stream.run(Stream.succeed(text), stdio.stdout({ endOnDone: false })),
      () => Effect.interrupt
    )
  )

const toFile = Effect.fnUntraced(function* (path: string, checkpointDir: Option.Option<string>) {
  const setting = yield* Config.option(Config.String("INFERMESH_CHECKPOINT_DIR"))
  const checkpointDirectory = Option.getOrUndefined(Option.orElse(checkpointDir, () => setting))
  return Output.file(path, { checkpointDirectory })
})
