/**
 * A job while it runs: rows are read as they are needed, asked, and stored in groups.
 *
 * **Details**: from the moment an answer is there until it is handed to the store, nothing can interrupt it: it was paid for. A
 * store that fails ends the job; what is under way is given up then.
 *
 * @since 0.1.0
 */
import * as Batch from "@infermesh/core/batch/Batch"
import * as Inference from "@infermesh/core/Inference"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

import type { Handle, JobSettings, Outcome, Progress } from "../Job.ts"
import type { JobError } from "../JobError.ts"
import { because, InputChanged } from "../JobError.ts"
import type { Line } from "../Jsonl.ts"
import { Ledger } from "../Ledger.ts"
import type { Mapped } from "../Mapper.ts"
import * as Mapper from "../Mapper.ts"
import type { Task } from "../operation/Operation.ts"
import { isObject } from "../operation/Operation.ts"
import type { SettledRow } from "../operation/SettledRow.ts"
import * as SettledRows from "../operation/SettledRow.ts"
import { Tally } from "../Tally.ts"
import * as GroupCommit from "./GroupCommit.ts"
import type { Opened } from "./Opening.ts"
import { Order } from "./Order.ts"
import type { Work } from "./Plan.ts"
import { Matcher } from "./Plan.ts"
import * as Rewrite from "./Rewrite.ts"
import type { Entry, Prepared, Store } from "./Store.ts"
import * as Stores from "./Store.ts"

/** Rows that may be held back for order beyond those under way; a row of 10 kB makes that 10 MB. */
const heldRows = 1024
/** A request over several rows is sent when it is full, or when its first row has waited so long, in milliseconds. */
const packMillis = 50

/** A row whose input is known. */
interface Ready<I, O> extends Task<I, O> {
  readonly place: number
  readonly metadata: unknown
}

interface Placed extends Work {
  readonly place: number
}

/**
 * Starts a job that has been opened; it is stopped when the scope closes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const start = Effect.fnUntraced(function* <
  I,
  O,
  Row extends SettledRow,
  EIn,
  RIn,
  EOut,
  RMap
>(
  settings: JobSettings<I, O, Row, EIn, RIn, EOut, RMap>,
  { files, plan }: Opened<Row>
): Effect.fn.Return<
  Handle<EIn | EOut | JobError>,
  never,
  Inference.Inference | Ledger | FileSystem.FileSystem | Path.Path | Scope.Scope | RIn | RMap
> {
  const { input, mapper, operation, output } = settings
  const inference = yield* Inference.Inference
  const { digest } = yield* Ledger
  const concurrency = settings.concurrency ?? (yield* Batch.Concurrency)
  const window = heldRows + concurrency * (operation.packing?.rows ?? 1)
  const tally = new Tally()
  const order = settings.ordered === true ? new Order<Prepared>() : undefined
  const news = new News()
  let rows = plan.rows
  let read = 0
  let asked = 0
  let places = 0
  let underWay = 0
  let isStopped = false

  const snapshot = (): Progress => ({
    summary: tally.summary(),
    rows,
    answeredBefore: plan.answered,
    failedBefore: plan.failed,
    underWay
  })

  // ---- what becomes of settled rows

  const common = { toLine: operation.toLine, onStored: (row: SettledRow) => tally.add(row), order }
  const matcher =
    files === undefined
      ? undefined
      : new Matcher({
          book: files.book,
          state: files.state,
          digest,
          extend: settings.extend === true,
          settledAtStart: plan.settledAtStart
        })
  const store: Store<Row, EOut | JobError> =
    files === undefined || matcher === undefined
      ? Stores.toText(appendOf(output), common)
      : Stores.toFile({
          ...common,
          ...files,
          isOutOfOrder: files.state.isOutOfOrder,
          lastWritten: files.state.lastWritten,
          takeSeen: matcher.takeSeen
        })
  const commits = yield* GroupCommit.make<Entry<Row>, EOut | JobError>({
    write: (entries, isLast) =>
      Effect.map(store.write(entries, isLast), () => {
        if (settings.stopWhen?.(snapshot()) === true) isStopped = true
        news.tell()
      }),
    underWay: () => underWay
  })
  const put = (entries: ReadonlyArray<Entry<Row>>): Effect.Effect<void> => {
    underWay -= entries.length
    return entries.length === 1 && entries[0] !== undefined
      ? commits.put(entries[0])
      : Effect.forEach(entries, commits.put, { discard: true })
  }

  // ---- from line to settled row

  const prepare = ({
    index,
    kind,
    line,
    place
  }: Placed): Effect.Effect<Ready<I, O> | Entry<Row>, JobError, RMap> => {
    if (kind === "held" && files !== undefined) {
      return Effect.map(files.book.heldLine(index), (heldLine = "") => ({ place, heldLine, index }))
    }
    const mapped: Effect.Effect<
      Result.Result<Mapped<I, O>, string>,
      never,
      RMap
    > = Result.isFailure(line.row)
      ? Effect.succeed(Result.fail(line.row.failure))
      : mapper === undefined
        ? Effect.succeed(Result.map(operation.read(line.row.success), (input) => ({ input })))
        : Mapper.apply(mapper, line.row.success)
    return Effect.map(mapped, (result) => {
      const metadata = metadataOf(line)
      if (Result.isSuccess(result)) {
        const { input, options } = result.success
        const own = result.success.metadata ?? metadata
        return { place, index, input, options: options ?? undefined, metadata: own }
      }
      const row = withMetadata(SettledRows.unusable(index, line.line, result.failure), metadata)
      return { place, index, row }
    })
  }

  const ask = (tasks: ReadonlyArray<Ready<I, O>>): Effect.Effect<ReadonlyArray<Entry<Row>>> =>
    Effect.suspend(() => operation.ask(inference, tasks)).pipe(
      Effect.catchDefect((defect) =>
        Effect.succeed(tasks.map(({ index }) => SettledRows.defective(index, defect)))
      ),
      Effect.map((answers: ReadonlyArray<Row | SettledRow>) =>
        tasks.map(({ index, metadata, place }) => ({
          place,
          index,
          row: withMetadata(
            answers.find((answer) => answer.index === index) ??
              SettledRows.defective(index, "the operation gave no row"),
            metadata
          )
        }))
      )
    )

  /** What is answered is stored, whoever interrupts. */
  const settle = <E, R>(entries: Effect.Effect<ReadonlyArray<Entry<Row>>, E, R>) =>
    Effect.uninterruptibleMask((restore) => Effect.flatMap(restore(entries), put))

  const one = (work: Placed) =>
    settle(
      Effect.flatMap(prepare(work), (ready) =>
        "input" in ready ? ask([ready]) : Effect.succeed([ready])
      )
    )

  const works: Stream.Stream<Placed, EIn | JobError, RIn> = input.lines.pipe(
    Stream.chunks,
    Stream.mapEffect((lines): Effect.Effect<ReadonlyArray<Work>, JobError> => {
      read += lines.length
      if (matcher !== undefined) return matcher.work(lines)
      return Effect.succeed(lines.map((line) => ({ kind: "ask", index: line.index, line })))
    }),
    Stream.flattenIterable,
    Stream.takeWhile(({ kind }) => {
      if (kind === "ask" && asked++ === settings.limit) isStopped = true
      return !isStopped
    }),
    Stream.map((work) => ({ ...work, place: places++ }))
  )
  // A row that is slow holds back those behind it: no more are begun than may be held back.
  const admitted =
    order === undefined
      ? works
      : Stream.tap(works, ({ place }) => news.until(() => place - order.next < window))

  const { packing } = operation
  const unordered = { concurrency, unordered: true }
  const drain =
    packing === undefined
      ? Stream.runDrain(
          Stream.mapEffect(
            admitted,
            (work) => {
              underWay++
              return one(work)
            },
            unordered
          )
        )
      : admitted.pipe(
          Stream.mapEffect((work) => {
            underWay++
            return Effect.flatMap(prepare(work), (ready) =>
              "input" in ready
                ? Effect.succeed([ready])
                : Effect.as(settle(Effect.succeed([ready])), [])
            )
          }, unordered),
          Stream.flattenIterable,
          Stream.groupedWithin(packing.rows, packMillis),
          Stream.flatMap((ready) => {
            const lengths = packing.split(ready.map(({ input }) => input))
            let from = 0
            return Stream.fromIterable(lengths.map((length) => ready.slice(from, (from += length))))
          }),
          Stream.mapEffect((pack) => settle(ask(pack)), unordered),
          Stream.runDrain
        )

  // ---- the whole

  const finishInput = Effect.suspend(() => {
    if (isStopped) return Effect.void
    rows = read
    const { missing = 0 } = matcher ?? {}
    const complete =
      files?.book.commit({ seen: matcher?.takeSeen(), isInputComplete: true }) ?? Effect.void
    return missing > 0 && settings.force !== true
      ? Effect.fail(because(new InputChanged({ added: 0, missing })))
      : complete
  })
  const close = Effect.andThen(commits.end, store.finish)
  const inOrder =
    files === undefined || order === undefined
      ? Effect.void
      : Effect.flatMap(files.book.state, ({ isOutOfOrder, mark }) =>
          isOutOfOrder
            ? Rewrite.rewrite({ ...files, side: mark.side, isSorted: true })
            : Effect.void
        )
  const whole = Effect.raceFirst(Effect.andThen(drain, finishInput), commits.failure).pipe(
    Effect.onExit((exit): Effect.Effect<void, EOut | JobError> =>
      Exit.isSuccess(exit) ? close : Effect.ignore(close)
    ),
    Effect.andThen(inOrder),
    Effect.map((): Outcome => ({ ...snapshot(), plan, isPartial: isStopped })),
    Effect.ensuring(Effect.sync(() => news.end()))
  )
  const fiber = yield* Effect.forkScoped(whole, { startImmediately: true })
  const stop = Fiber.interrupt(fiber)
  return {
    plan,
    snapshot: Effect.sync(snapshot),
    progress: news.stream(snapshot),
    await: Effect.onInterrupt(Fiber.join(fiber), () => stop),
    stop
  }
})

const appendOf = <Row extends SettledRow, E>(
  output: JobSettings<never, never, Row, never, never, E, never>["output"]
) => (output._tag === "TextOutput" ? output.append : () => Effect.void)

const metadataOf = ({ row }: Line): unknown =>
  Result.isSuccess(row) && isObject(row.success)
    ? (row.success["metadata"] ?? undefined)
    : undefined

const withMetadata = <Row extends SettledRow>(row: Row, metadata: unknown): Row =>
  metadata === undefined ? row : { ...row, metadata }

/** Tells those who wait that something has changed. */
class News {
  #version = 0
  #isOver = false
  #next = Deferred.makeUnsafe<void>()

  tell(): void {
    this.#version++
    const told = this.#next
    this.#next = Deferred.makeUnsafe()
    Deferred.doneUnsafe(told, Exit.void)
  }

  end(): void {
    this.#isOver = true
    this.tell()
  }

  until(test: () => boolean): Effect.Effect<void> {
    return Effect.suspend(() =>
      test() ? Effect.void : Effect.andThen(Deferred.await(this.#next), this.until(test))
    )
  }

  /** The newest of something whenever it has changed and the reader is ready, and once more at the end. */
  stream<A>(newest: () => A): Stream.Stream<A> {
    return Stream.unfold(-1, (seen) =>
      Effect.map(
        this.until(() => this.#isOver || this.#version !== seen),
        () => (this.#version === seen ? undefined : ([newest(), this.#version] as const))
      )
    )
  }
}
