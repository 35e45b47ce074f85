/**
 * An output written anew without what does not belong in it: rows that are asked again, rows that are there twice, lines that
 * are no rows; in the order of the input where that is asked for.
 *
 * The new file takes the place of the old one in one step, so there is always one of them, whole. It needs room on the disk
 * beside the old one, and memory for the positions of a million rows at most.
 *
 * **Details**: when the ledger has not heard of it because the process ended in between, `Repair` finds out.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Stream from "effect/Stream"

import type { JobError } from "../JobError.ts"
import { fileError } from "../JobError.ts"
import type { Book, Mark } from "../Ledger.ts"
import * as SettledRow from "../operation/SettledRow.ts"
import { BitSet } from "./BitSet.ts"
import { concat } from "./Bytes.ts"
import type { OutputFile, OutputLine } from "./OutputFile.ts"
import * as OutputFiles from "./OutputFile.ts"
import * as Survey from "./Survey.ts"

/**
 * Writes an output anew, and tells the ledger.
 *
 * @category effects
 * @since 0.1.0
 */
export const rewrite = Effect.fnUntraced(function* (options: {
  readonly path: string
  readonly book: Book
  readonly side: number
  readonly isSorted: boolean
}): Effect.fn.Return<Mark, JobError, FileSystem.FileSystem | Path.Path> {
  const { book, isSorted, path, side } = options
  const fileSystem = yield* FileSystem.FileSystem
  const { dirname } = yield* Path.Path
  const target = `${path}.rewrite`
  const write = Effect.gen(function* () {
    const file = yield* OutputFiles.open(path)
    const stale = yield* staleItems(book)
    const survey = yield* Survey.survey(file, 0)
    const copy = yield* OutputFiles.open(target)
    yield* copy.truncate(0)
    const copier = new Copier(file, copy)
    const chosen = chooser(stale, survey)
    yield* isSorted ? copySorted(file, copier, chosen, survey) : copyInPlace(file, copier, chosen)
    yield* copier.flush()
    yield* copy.sync()
    return { bytes: copy.size, lastLine: yield* copy.lastLine(), side }
  })
  const mark = yield* Effect.scoped(write).pipe(
    Effect.tap(() =>
      Effect.gen(function* () {
        const { mode } = yield* fileSystem.stat(path)
        yield* fileSystem.chmod(target, mode & 0o7777)
        yield* fileSystem.rename(target, path)
      }).pipe(Effect.mapError(fileError("write", path)))
    ),
    Effect.onError(() => Effect.ignore(fileSystem.remove(target, { force: true })))
  )
  yield* OutputFiles.syncFolder(dirname(path))
  yield* book.commit({
    isRewritten: true,
    mark,
    isOutOfOrder: isSorted ? false : undefined
  })
  return mark
})

const pageItems = 4096

const staleItems = Effect.fnUntraced(function* (book: Book): Effect.fn.Return<BitSet, JobError> {
  const stale = new BitSet()
  for (let after = -1; ;) {
    const page = yield* book.items(after, pageItems, "stale")
    for (const { index } of page) stale.add(index)
    const last = page.at(-1)
    if (last === undefined) return stale
    after = last.index
  }
})

/** The position of a line that is kept; `undefined` for any other. It must see every line once, in order. */
const chooser = (stale: BitSet, { answered, isClean }: Survey.Survey) => {
  const kept = new BitSet()
  return ({ text }: OutputLine): number | undefined => {
    if (isClean) {
      const index = SettledRow.indexOf(text)
      return index === undefined || stale.has(index) ? undefined : index
    }
    const row = SettledRow.fromLine(text, 0)
    if (row === undefined || stale.has(row.index)) return undefined
    if (row.reason !== undefined && answered.has(row.index)) return undefined
    return kept.add(row.index) ? row.index : undefined
  }
}

type Chooser = ReturnType<typeof chooser>

const copyInPlace = (file: OutputFile, copier: Copier, choose: Chooser) =>
  Stream.runForEach(OutputFiles.lines(file), (lines) =>
    Effect.forEach(
      lines.filter((line) => choose(line) !== undefined),
      ({ bytes, from }) => copier.take(from, bytes),
      { discard: true }
    )
  )

/** So many rows are sorted at once: their positions take 12 MB. */
const sortedRows = 1_000_000

const copySorted = Effect.fnUntraced(function* (
  file: OutputFile,
  copier: Copier,
  choose: Chooser,
  { present }: Survey.Survey
): Effect.fn.Return<void, JobError> {
  // Which lines are kept depends on those before them: it is decided once, for all ranges.
  const kept = new BitSet()
  yield* Stream.runForEach(OutputFiles.lines(file), (lines) =>
    Effect.sync(() => {
      for (const line of lines) if (choose(line) !== undefined) kept.add(line.number)
    })
  )
  for (const start of rangesOf(present)) {
    const from = new Float64Array(sortedRows)
    const length = new Uint32Array(sortedRows)
    yield* Stream.runForEach(OutputFiles.lines(file), (lines) =>
      Effect.sync(() => {
        for (const line of lines) {
          const at = (SettledRow.indexOf(line.text) ?? -1) - start
          if (at < 0 || at >= sortedRows || !kept.has(line.number)) continue
          from[at] = line.from
          length[at] = line.bytes
        }
      })
    )
    for (let at = 0; at < sortedRows; at++) {
      const bytes = length[at] ?? 0
      if (bytes > 0) yield* copier.take(from[at] ?? 0, bytes)
    }
  }
})

/** The ranges in which there are rows, each by its first position. */
const rangesOf = (present: BitSet): ReadonlyArray<number> => [
  ...new Set(Array.from(present, (index) => Math.floor(index / sortedRows) * sortedRows))
]

/** Copied at once, in bytes. */
const groupBytes = 1024 * 1024

/** Copies parts of a file behind one another; parts that lie behind one another already are read together. */
class Copier {
  readonly #source: OutputFile
  readonly #target: OutputFile
  #from = 0
  #to = 0
  #pieces: Array<Uint8Array> = []
  #bytes = 0

  constructor(source: OutputFile, target: OutputFile) {
    this.#source = source
    this.#target = target
  }

  take(from: number, bytes: number): Effect.Effect<void, JobError> {
    if (from === this.#to && this.#to - this.#from < groupBytes) {
      this.#to += bytes
      return Effect.void
    }
    return Effect.map(this.#read(), () => {
      this.#from = from
      this.#to = from + bytes
    })
  }

  flush(): Effect.Effect<void, JobError> {
    return Effect.andThen(this.#read(), this.#write())
  }

  #read(): Effect.Effect<void, JobError> {
    if (this.#to === this.#from) return Effect.void
    return Effect.flatMap(this.#source.read(this.#from, this.#to), (bytes) => {
      this.#pieces.push(bytes)
      this.#bytes += bytes.length
      this.#from = this.#to
      return this.#bytes < groupBytes ? Effect.void : this.#write()
    })
  }

  #write(): Effect.Effect<void, JobError> {
    return Effect.flatMap(
      Effect.sync(() => {
        const bytes = concat(this.#pieces)
        this.#pieces = []
        this.#bytes = 0
        return bytes
      }),
      (bytes) => this.#target.append(bytes, false)
    )
  }
}
