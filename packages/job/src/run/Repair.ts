/**
 * An output and its ledger brought to agree, after whatever ended the last run.
 *
 * A torn last line is cut off. Rows behind the ledger's mark are taken over: they were paid for. Nothing else is believed without
 * a look: where the bytes before the mark are not those that were written, the whole output is read again.
 *
 * **Details**: rows that the ledger has as settled and the output does not have any more are an `OutputChanged`, unless the
 * resume is forced; then they are pending again.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

import type { JobError } from "../JobError.ts"
import { because, OutputChanged } from "../JobError.ts"
import type { Book, Item, Mark, State } from "../Ledger.ts"
import * as SettledRow from "../operation/SettledRow.ts"
import { BitSet } from "./BitSet.ts"
import type { OutputFile } from "./OutputFile.ts"
import type { Survey } from "./Survey.ts"
import * as Surveys from "./Survey.ts"

/**
 * What was found.
 *
 * @category models
 * @since 0.1.0
 */
export interface Repaired {
  readonly mark: Mark
  /** Rows that were in the output and not in the ledger. */
  readonly adopted: number
  /** Whether there is something in the output that has to be taken out of it. */
  readonly isClean: boolean
  /** Whether the ledger has another state now, but for its mark. */
  readonly isChanged: boolean
}

/**
 * Repairs an output and its ledger.
 *
 * @category effects
 * @since 0.1.0
 */
export const repair = Effect.fnUntraced(function* (options: {
  readonly file: OutputFile
  readonly book: Book
  readonly state: State
  readonly force: boolean
}): Effect.fn.Return<Repaired, JobError> {
  const { book, file, force, state } = options
  yield* cutTorn(file)
  const isKnown = yield* hasMark(file, state.mark)
  const from = isKnown ? state.mark.bytes : 0
  const survey = yield* Surveys.survey(file, from, isKnown ? state.lastWritten : -1)
  const found = isKnown ? yield* compareTail(book, state, survey) : yield* compareAll(book, survey)
  const { adopt, isClean, lost, missing } = found
  if (missing.length > 0 && !force) {
    const first = missing.slice(0, 10)
    return yield* because(new OutputChanged({ path: file.path, missing: missing.length, first }))
  }
  const isChanged = lost.length + missing.length + adopt.size > 0
  if (isChanged) {
    yield* book.commit({ lost: [...lost, ...missing] })
    yield* Stream.runForEach(Surveys.distinct(file, from, survey), (rows) =>
      book.commit({ settled: rows.filter(({ index }) => adopt.has(index)) })
    )
  }
  const mark: Mark = {
    bytes: file.size,
    lastLine: yield* file.lastLine(),
    side: Math.max(isKnown || state.held > 0 ? state.mark.side : 0, survey.side)
  }
  const isOutOfOrder = (isKnown && state.isOutOfOrder) || !survey.isAscending
  if (!isKnown || mark.bytes !== state.mark.bytes) {
    yield* book.commit({ mark, isOutOfOrder })
  }
  return {
    mark,
    adopted: adopt.size,
    isClean: isClean && survey.isClean,
    isChanged: isChanged || !isKnown
  }
})

/** Whether the lines up to the mark are those that the ledger knows, as far as the last of them tells. */
const hasMark = Effect.fnUntraced(function* (
  file: OutputFile,
  { bytes, lastLine }: Mark
): Effect.fn.Return<boolean, JobError> {
  if (bytes === 0) return true
  if (file.size < bytes || (yield* file.lineStart(bytes)) !== bytes) return false
  const from = yield* file.lineStart(bytes - 1)
  const start = yield* file.read(from, from + lastLine.start.length)
  return bytes - from === lastLine.bytes && String.fromCharCode(...start) === lastLine.start
})

interface Compared {
  readonly adopt: BitSet
  /** Items without a row in the output, which they need not have. */
  readonly lost: ReadonlyArray<number>
  /** Items without a row in the output, which they should have. */
  readonly missing: ReadonlyArray<number>
  readonly isClean: boolean
}

/** Of the rows behind the mark: those that are settled already are there twice, the others are taken over. */
const compareTail = Effect.fnUntraced(function* (
  book: Book,
  state: State,
  { present }: Survey
): Effect.fn.Return<Compared, JobError> {
  if (state.items === 0) return { adopt: present, lost: [], missing: [], isClean: true }
  const adopt = new BitSet()
  for (const index of present) {
    const [item] = yield* book.items(index - 1, 1)
    if (item?.index !== index || !item.isWritten) adopt.add(index)
  }
  return { adopt, lost: [], missing: [], isClean: adopt.size === present.size }
})

const pageItems = 4096

const compareAll = Effect.fnUntraced(function* (
  book: Book,
  { present }: Survey
): Effect.fn.Return<Compared, JobError> {
  const settled = new BitSet()
  const lost: Array<number> = []
  const missing: Array<number> = []
  const look = (item: Item) => {
    const isThere = present.has(item.index)
    if (!item.isWritten) return
    // A row that is asked again and was still in the output, or is still in it: it is taken out later.
    if (item.status === "pending" && !isThere) lost.push(item.index)
    else if (isThere) settled.add(item.index)
    else missing.push(item.index)
  }
  for (let after = -1; ;) {
    const page = yield* book.items(after, pageItems)
    for (const item of page) look(item)
    const last = page.at(-1)
    if (last === undefined) break
    after = last.index
  }
  const adopt = new BitSet()
  for (const index of present) if (!settled.has(index)) adopt.add(index)
  return { adopt, lost, missing, isClean: true }
})

const newline = 10

/** Makes the file end with a line's end: what is behind the last one is cut off, unless it is a row without its line end. */
const cutTorn = Effect.fnUntraced(function* (file: OutputFile): Effect.fn.Return<void, JobError> {
  const end = yield* file.lineStart(file.size)
  if (end === file.size) return
  const rest = new TextDecoder().decode(yield* file.read(end, file.size))
  yield* SettledRow.fromLine(rest, 0) === undefined
    ? file.truncate(end)
    : file.append(new Uint8Array([newline]))
})
