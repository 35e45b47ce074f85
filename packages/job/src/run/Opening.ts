/**
 * A job before it runs: its files found, locked and brought to agree, its settings and its input compared with those it was
 * started with. Nothing is spent here, and a resume that is refused has changed no row.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type * as Scope from "effect/Scope"

import * as Identity from "../Identity.ts"
import type { Input } from "../Input.ts"
import type { JobSettings } from "../Job.ts"
import type { JobError } from "../JobError.ts"
import {
  because,
  fileError,
  IdentityChanged,
  LedgerMissing,
  LedgerUnusable,
  OutputExists,
  OutputIsInput
} from "../JobError.ts"
import type { Book, Mark, State } from "../Ledger.ts"
import { Ledger } from "../Ledger.ts"
import type { SettledRow } from "../operation/SettledRow.ts"
import type { FileOutput, Paths } from "../Output.ts"
import * as Outputs from "../Output.ts"
import type { OpenBeside } from "../output/Beside.ts"
import { nothing } from "../output/Beside.ts"
import type { OutputFile } from "./OutputFile.ts"
import * as OutputFiles from "./OutputFile.ts"
import type { Plan } from "./Plan.ts"
import * as Plans from "./Plan.ts"
import * as Repair from "./Repair.ts"
import * as Rewrite from "./Rewrite.ts"

/**
 * A job that is open.
 *
 * @category models
 * @since 0.1.0
 */
export interface Opened<Row extends SettledRow> {
  readonly plan: Plan
  /** Absent of a job that writes text only. */
  readonly files:
    | {
        readonly path: string
        readonly file: OutputFile
        readonly book: Book
        readonly state: State
        readonly mark: Mark
        readonly beside: OpenBeside<Row>
      }
    | undefined
}

type Resumable = {
  readonly resume?: boolean | undefined
  readonly retryFailed?: boolean | ReadonlyArray<string> | undefined
  readonly extend?: boolean | undefined
}

/**
 * Whether settings are those of a resume.
 *
 * @category guards
 * @since 0.1.0
 */
export const isResumed = ({ extend, resume, retryFailed }: Resumable): boolean =>
  resume === true || extend === true || (retryFailed !== undefined && retryFailed !== false)

/**
 * Opens a job, until the scope closes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const open = Effect.fnUntraced(function* <
  I,
  O,
  Row extends SettledRow,
  EIn,
  RIn,
  EOut,
  RMap
>(
  settings: JobSettings<I, O, Row, EIn, RIn, EOut, RMap>
): Effect.fn.Return<
  Opened<Row>,
  EIn | JobError,
  Ledger | FileSystem.FileSystem | Path.Path | Scope.Scope | RIn
> {
  const { input, output } = settings
  if (output._tag === "TextOutput") {
    const rows = input.count === undefined ? undefined : yield* input.count
    return { plan: { ...nothingBefore, rows }, files: undefined }
  }
  const paths = yield* Outputs.paths(output)
  yield* refuseInput(input.path, output, paths)
  const isGoingOn = isResumed(settings)
  yield* makeFolder(output.checkpointDirectory)
  const hadLedger = yield* refuseExisting(output, paths, isGoingOn || settings.overwrite === true)
  if (paths.isThere && !hadLedger && isGoingOn && settings.force !== true) {
    return yield* because(new LedgerMissing({ path: output.path, ledger: paths.ledger }))
  }
  const { digest, open: openLedger } = yield* Ledger
  const book = yield* openLedger(paths.ledger)
  const identity = yield* identityOf(settings, output)
  const before = yield* book.state
  // An input that cannot be read to its end costs no output that is there.
  const counted =
    settings.overwrite === true ? yield* input.count ?? Effect.succeed(undefined) : undefined
  yield* settings.overwrite === true
    ? startOver(paths, book, output)
    : checkRecord(settings, output, paths, before.record, identity)
  const known = settings.overwrite === true ? yield* book.state : before
  const repaired = yield* repairOutput(settings, paths, book, known)
  // To count a million items takes a moment: it is done where they may have changed.
  const found = repaired.isChanged ? yield* book.state : known
  const { rows = counted, settledAtStart } =
    counted === undefined
      ? yield* surveyInput(input, { settings, book, digest, state: found })
      : { settledAtStart: 0 }
  // All that can be refused has been looked at.
  yield* book.commit({
    record: {
      identity,
      output: yield* nameOf(paths.output),
      startedMillis: found.record?.startedMillis ?? (yield* Clock.currentTimeMillis)
    }
  })
  const { mark, state } = yield* takeOut(settings, paths, book, repaired, found)
  const file = yield* OutputFiles.open(paths.output)
  const beside = output.beside === undefined ? nothing : yield* output.beside.open(mark.side)
  const plan: Plan = {
    rows,
    settledAtStart,
    answered: state.answered,
    failed: state.failed,
    retried: found.failed - state.failed,
    adopted: repaired.adopted
  }
  return { plan, files: { path: paths.output, file, book, state, mark, beside } }
})

const makeFolder = Effect.fnUntraced(function* (folder: string | undefined) {
  if (folder === undefined) return
  const fileSystem = yield* FileSystem.FileSystem
  yield* Effect.mapError(
    fileSystem.makeDirectory(folder, { recursive: true }),
    fileError("write", folder)
  )
})

/** The input is never written over, through no link either. */
const refuseInput = Effect.fnUntraced(function* <Row extends SettledRow>(
  input: string | undefined,
  output: FileOutput<Row>,
  { ledger }: Paths
) {
  if (input === undefined) return
  const own = yield* identityOfFile(input)
  for (const path of [output.path, ledger, ...(output.beside?.paths ?? [])]) {
    if (own === undefined || own !== (yield* identityOfFile(path))) continue
    return yield* because(new OutputIsInput({ path }))
  }
})

/** By what is on the disk, not by name. */
const identityOfFile = Effect.fnUntraced(function* (path: string) {
  const fileSystem = yield* FileSystem.FileSystem
  return yield* fileSystem.stat(path).pipe(
    Effect.map(({ dev, ino }) =>
      Option.getOrUndefined(Option.map(ino, (number) => `${dev}:${number}`))
    ),
    Effect.orElseSucceed(() => undefined)
  )
})

const nameOf = (path: string) => Effect.map(Path.Path, ({ basename }) => basename(path))

/** Whether there is a ledger; fails when anything of the job is there and may not be. */
const refuseExisting = Effect.fnUntraced(function* <Row extends SettledRow>(
  output: FileOutput<Row>,
  { isThere, ledger }: Paths,
  isAllowed: boolean
) {
  const fileSystem = yield* FileSystem.FileSystem
  const { exists } = yield* Ledger
  const hasLedger = yield* exists(ledger)
  if (isAllowed) return hasLedger
  if (isThere) return yield* because(new OutputExists({ path: output.path }))
  if (hasLedger) return yield* because(new OutputExists({ path: ledger }))
  for (const path of output.beside?.paths ?? []) {
    if (yield* Effect.mapError(fileSystem.exists(path), fileError("read", path))) {
      return yield* because(new OutputExists({ path }))
    }
  }
  return false
})

const identityOf = Effect.fnUntraced(function* <I, O, Row extends SettledRow>(
  settings: Pick<JobSettings<I, O, Row, never, never, never, never>, "operation" | "identity">,
  output: FileOutput<Row>
) {
  return Identity.make({
    ...(yield* settings.operation.identity),
    ...output.beside?.identity,
    ...settings.identity,
    operation: settings.operation.name
  })
})

/** The output first: a ledger that is behind it would take its old rows over. */
const startOver = Effect.fnUntraced(function* <Row extends SettledRow>(
  paths: Paths,
  book: Book,
  output: FileOutput<Row>
) {
  const fileSystem = yield* FileSystem.FileSystem
  for (const path of output.beside?.paths ?? []) {
    yield* Effect.mapError(fileSystem.remove(path, { force: true }), fileError("write", path))
  }
  yield* Effect.scoped(Effect.flatMap(OutputFiles.open(paths.output), (file) => file.truncate(0)))
  yield* book.commit({ clear: true })
})

const checkRecord = Effect.fnUntraced(function* <Row extends SettledRow>(
  settings: Resumable & { readonly force?: boolean | undefined },
  output: FileOutput<Row>,
  paths: Paths,
  record: State["record"],
  identity: Identity.Identity
) {
  if (record === undefined) return
  // Two processes may have seen no job; the second finds the first one's here.
  if (!isResumed(settings)) return yield* because(new OutputExists({ path: output.path }))
  const name = yield* nameOf(paths.output)
  if (record.output !== name && settings.force !== true) {
    return yield* because(
      new LedgerUnusable({
        path: paths.ledger,
        problem: `it is the ledger of ${record.output}, not of ${name}`,
        hint: "Choose another output or checkpoint folder; or force the resume if the output was renamed"
      })
    )
  }
  const differences = Identity.differences(record.identity, identity)
  if (differences.length > 0 && settings.force !== true) {
    return yield* because(new IdentityChanged({ differences }))
  }
})

const repairOutput = Effect.fnUntraced(function* (
  settings: { readonly force?: boolean | undefined },
  paths: Paths,
  book: Book,
  state: State
) {
  const { dirname } = yield* Path.Path
  const file = yield* OutputFiles.open(paths.output)
  if (!paths.isThere) yield* OutputFiles.syncFolder(dirname(paths.output))
  return yield* Repair.repair({ file, book, state, force: settings.force === true })
}, Effect.scoped)

/** Takes out of the output what is asked again, and what does not belong in it. */
const takeOut = Effect.fnUntraced(function* (
  { retryFailed }: Resumable,
  paths: Paths,
  book: Book,
  { isClean, mark }: Repair.Repaired,
  found: State
) {
  const retry = retriedOf(retryFailed, found)
  if (retry !== undefined) yield* book.commit({ retry })
  const state = retry === undefined ? found : yield* book.state
  if (isClean && state.stale === 0) return { mark, state }
  return {
    mark: yield* Rewrite.rewrite({ path: paths.output, book, side: mark.side, isSorted: false }),
    state: yield* book.state
  }
})

/** What the ledger is told to ask again; nothing when no row failed that way, because looking for them takes a moment. */
const retriedOf = (
  retryFailed: Resumable["retryFailed"],
  { failed, failures }: State
): true | ReadonlyArray<string> | undefined => {
  if (retryFailed === undefined || retryFailed === false || failed === 0) return undefined
  if (retryFailed === true) return true
  const found = retryFailed.filter((reason) => (failures[reason] ?? 0) > 0)
  return found.length === 0 ? undefined : found
}

const nothingBefore = { answered: 0, failed: 0, retried: 0, adopted: 0, settledAtStart: 0 }

const surveyInput = Effect.fnUntraced(function* <EIn, RIn>(
  input: Input<EIn, RIn>,
  job: {
    readonly settings: Resumable & { readonly force?: boolean | undefined }
    readonly book: Book
    readonly state: State
    readonly digest: (text: string) => string
  }
): Effect.fn.Return<
  { readonly rows: number | undefined; readonly settledAtStart: number },
  EIn | JobError,
  RIn
> {
  const { book, digest, settings, state } = job
  if (input.count === undefined) return { rows: undefined, settledAtStart: 0 }
  if (state.items === 0) return { rows: yield* input.count, settledAtStart: 0 }
  const { retryFailed } = settings
  return yield* Plans.survey(input, {
    book,
    state,
    digest,
    extend: settings.extend === true,
    force: settings.force === true,
    isRetried: retriedOf(retryFailed, state) !== undefined
  })
})
