/**
 * Where the rows of a job go: into a file, which can be resumed, or to something that takes text, such as standard output.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"

import type { JobError } from "./JobError.ts"
import { because, fileError, FileUnusable } from "./JobError.ts"
import { Ledger } from "./Ledger.ts"
import type { SettledRow } from "./operation/SettledRow.ts"
import type { Beside } from "./output/Beside.ts"

export { matrix } from "./output/Matrix.ts"
export { subtitles } from "./output/Subtitles.ts"
export type { SubtitleFormat } from "./output/Subtitles.ts"

/**
 * A file of rows, with its ledger.
 *
 * @category models
 * @since 0.1.0
 */
export interface FileOutput<in Row extends SettledRow> {
  readonly _tag: "FileOutput"
  readonly path: string
  readonly checkpointDirectory: string | undefined
  readonly beside: Beside<Row> | undefined
}

/**
 * Something that takes text, line by line; no ledger.
 *
 * @category models
 * @since 0.1.0
 */
export interface TextOutput<out E> {
  readonly _tag: "TextOutput"
  readonly append: (text: string) => Effect.Effect<void, E>
}

/**
 * Where the rows of a job go.
 *
 * @category models
 * @since 0.1.0
 */
export type Output<Row extends SettledRow, E> = FileOutput<Row> | TextOutput<E>

/**
 * An output for the rows of any operation.
 *
 * @category models
 * @since 0.1.0
 */
export type AnyOutput = Output<SettledRow, never>

/**
 * A file of rows.
 *
 * **Details**: its ledger is beside it, or in `checkpointDirectory` (made when it is not there). `beside` is written beside the rows:
 * `Output.matrix("vectors.npy")` for embeddings, `Output.subtitles({ folder, formats })` for transcripts.
 *
 * @category constructors
 * @since 0.1.0
 */
export const file = <Row extends SettledRow>(
  path: string,
  options: {
    readonly checkpointDirectory?: string | undefined
    readonly beside?: Beside<Row> | undefined
  } = {}
): FileOutput<Row> => ({
  _tag: "FileOutput",
  path,
  // An empty setting is one that was not made.
  checkpointDirectory: options.checkpointDirectory || undefined,
  beside: options.beside
})

/**
 * Something that takes text: whole lines, several at once.
 *
 * @category constructors
 * @since 0.1.0
 */
export const text = <E>(append: (text: string) => Effect.Effect<void, E>): TextOutput<E> => ({
  _tag: "TextOutput",
  append
})

/**
 * The files of a job with an output file.
 *
 * @category models
 * @since 0.1.0
 */
export interface Paths {
  /** The output, with links followed. */
  readonly output: string
  readonly isThere: boolean
  readonly ledger: string
}

/**
 * Where the files of a job are.
 *
 * **Details**: the ledger of `answers.jsonl` is `answers.checkpoint.sqlite`, that of any other name `NAME.checkpoint.sqlite`. In a
 * checkpoint directory the name has the beginning of the SHA-256 of the output's whole path besides, because outputs of
 * different folders meet there.
 *
 * @category constructors
 * @since 0.1.0
 */
export const paths = Effect.fnUntraced(function* (options: {
  readonly path: string
  readonly checkpointDirectory?: string | undefined
}): Effect.fn.Return<Paths, JobError, FileSystem.FileSystem | Path.Path | Ledger> {
  const fileSystem = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { digest } = yield* Ledger
  const attempt = Effect.mapError(fileError("write", options.path))
  const isThere = yield* attempt(fileSystem.exists(options.path))
  const folder = path.dirname(path.resolve(options.path))
  const output = isThere
    ? yield* attempt(fileSystem.realPath(options.path))
    : path.join(yield* attempt(fileSystem.realPath(folder)), path.basename(options.path))
  if (isThere && (yield* attempt(fileSystem.stat(output))).type !== "File") {
    return yield* because(
      new FileUnusable({
        path: options.path,
        access: "write",
        kind: "no file",
        problem: "it is no regular file"
      })
    )
  }
  const name = path.basename(output)
  const stem = name.length > 6 && name.endsWith(".jsonl") ? name.slice(0, -6) : name
  if (options.checkpointDirectory === undefined) {
    const ledger = path.join(path.dirname(output), `${stem}.checkpoint.sqlite`)
    return { output, isThere, ledger }
  }
  const directory = options.checkpointDirectory
  const ledger = path.join(directory, `${stem}.${digest(output).slice(0, 8)}.checkpoint.sqlite`)
  return { output, isThere, ledger }
})
