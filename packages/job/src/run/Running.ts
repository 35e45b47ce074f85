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
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

import type { Handle, JobSettings, Outcome, Progress } from "../Job.ts"
import type { JobError } from "../JobError.ts"
import { because, InputChanged } from "../JobError.ts"
import { Ledger } from "../Ledger.ts"
import type { Packing } from "../operation/Operation.ts"
import type { SettledRow } from "../operation/SettledRow.ts"
import { Tally } from "../Tally.ts"
import type { Asking, Placed, Ready } from "./Asking.ts"
import * as Askings from "./Asking.ts"
import * as GroupCommit from "./GroupCommit.ts"
import { News } from "./News.ts"
import type { Opened } from "./Opening.ts"
import { Order } from "./Order.ts"
import type { Work } from "./Plan.ts"
import { Matcher } from "./Plan.ts"
import * as Rewrite from "./Rewrite.ts"
import type { Entry, Prepared, Store } from "./Store.ts"
import * as Stores from "./Store.ts"

/** Rows that may be held back for order beyond those under way; a row of 10 kB makes that 10 MB. */
const heldRows = 1024

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
  opened: Opened<Row>
): Effect.fn.Return<
  Handle<EIn | EOut | JobError>,
  never,
  Inference.Inference | Ledger | FileSystem.FileSystem | Path.Path | Scope.Scope | RIn | RMap
> {
  const { files, plan } = opened
  const { mapper, operation } = settings
  const concurrency = settings.concurrency ?? (yield* Batch.Concurrency)
  const order = settings.ordered === true ? new Order<Prepared>() : undefined
  const state = new State(opened, settings.stopWhen)
  const matcher = yield* matcherOf(settings, opened)
  const store = storeOf(settings, opened, { order, matcher, state })
  const commits = yield* GroupCommit.make<Entry<Row>, EOut | JobError>({
    write: (entries, isLast) => Effect.map(store.write(entries, isLast), () => state.onWritten()),
    underWay: () => state.underWay
  })
  const asking = Askings.make({
    operation,
    mapper,
    inference: yield* Inference.Inference,
    book: files?.book
  })
  const mostUnderWay = concurrency * (operation.packing?.rows ?? 1)
  const works = worksOf(settings, { matcher, order, state }, mostUnderWay)
  const rows = operation.packing === undefined ? oneByOne : inPacks(operation.packing)
  const drain = rows({ works, asking, commits, state, concurrency })

  const finishInput = Effect.suspend((): Effect.Effect<void, JobError> => {
    if (state.isPartial) return Effect.void
    state.rows = state.read
    if (files === undefined || matcher === undefined) return Effect.void
    const { missing } = matcher
    return missing > 0 && settings.force !== true
      ? Effect.fail(because(new InputChanged({ added: 0, missing })))
      : files.book.commit({ seen: matcher.takeSeen(), isInputComplete: true })
  })
  const close = Effect.andThen(commits.end, store.finish)
  const sort =
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
    Effect.andThen(sort),
    Effect.map((): Outcome => ({ ...state.progress(), plan, isPartial: state.isPartial })),
    Effect.ensuring(Effect.sync(() => state.news.end()))
  )
  const fiber = yield* Effect.forkScoped(whole, { startImmediately: true })
  const stop = Fiber.interrupt(fiber)
  return {
    plan,
    snapshot: Effect.sync(() => state.progress()),
    progress: state.news.stream(() => state.progress()),
    await: Effect.onInterrupt(Fiber.join(fiber), () => stop),
    stop
  }
})

/** What is counted while a job runs. */
class State {
  readonly news = new News()
  readonly tally = new Tally()
  /** Rows of the input, once they are known. */
  rows: number | undefined
  /** Rows read so far. */
  read = 0
  underWay = 0
  /** Nothing more is read. */
  isCut = false
  /** Nothing more is begun, even of what has been read. */
  isStopped = false
  readonly #plan: Opened<never>["plan"]
  readonly #stopWhen: ((progress: Progress) => boolean) | undefined

  constructor(
    { plan }: Pick<Opened<never>, "plan">,
    stopWhen: ((progress: Progress) => boolean) | undefined
  ) {
    this.#plan = plan
    this.#stopWhen = stopWhen
    this.rows = plan.rows
  }

  get isPartial(): boolean {
    return this.isCut || this.isStopped
  }

  onWritten(): void {
    if (this.#stopWhen?.(this.progress()) === true) this.isStopped = true
    this.news.tell()
  }

  progress(): Progress {
    return {
      summary: this.tally.summary(),
      rows: this.rows,
      answeredBefore: this.#plan.answered,
      failedBefore: this.#plan.failed,
      underWay: this.underWay
    }
  }
}

type AnySettings<Row extends SettledRow, EIn, RIn, EOut> = Pick<
  JobSettings<never, never, Row, EIn, RIn, EOut, never>,
  "input" | "output" | "extend" | "limit"
> & { readonly operation: { readonly toLine: (row: Row | SettledRow) => string } }

const matcherOf = Effect.fnUntraced(function* <Row extends SettledRow>(
  {
    extend,
    input
  }: {
    readonly extend?: boolean | undefined
    readonly input: { readonly isShuffled?: boolean | undefined }
  },
  { files, plan }: Opened<Row>
) {
  if (files === undefined) return undefined
  const { book, state } = files
  const { settledAtStart } = plan
  return new Matcher({
    book,
    state,
    digest: (yield* Ledger).digest,
    extend: extend === true,
    settledAtStart,
    isShuffled: input.isShuffled === true
  })
})

interface Parts {
  readonly order: Order<Prepared> | undefined
  readonly matcher: Matcher | undefined
  readonly state: State
}

const storeOf = <Row extends SettledRow, EIn, RIn, EOut>(
  { operation, output }: AnySettings<Row, EIn, RIn, EOut>,
  { files }: Opened<Row>,
  { matcher, order, state }: Parts
): Store<Row, EOut | JobError> => {
  const common = {
    toLine: operation.toLine,
    onStored: (row: SettledRow) => state.tally.add(row),
    order
  }
  if (files === undefined || matcher === undefined) {
    return Stores.toText(output._tag === "TextOutput" ? output.append : () => Effect.void, common)
  }
  const { isOutOfOrder, lastWritten } = files.state
  return Stores.toFile({
    ...common,
    ...files,
    isOutOfOrder,
    lastWritten,
    takeSeen: matcher.takeSeen
  })
}

/** What is to be done, as the input is read. */
const worksOf = <Row extends SettledRow, EIn, RIn, EOut>(
  { input, limit }: AnySettings<Row, EIn, RIn, EOut>,
  { matcher, order, state }: Parts,
  mostUnderWay: number
): Stream.Stream<Placed, EIn | JobError, RIn> => {
  let asked = 0
  let places = 0
  const works = input.lines.pipe(
    Stream.chunks,
    Stream.mapEffect((lines): Effect.Effect<ReadonlyArray<Work>, JobError> => {
      state.read += lines.length
      if (matcher !== undefined) return matcher.work(lines)
      return Effect.succeed(lines.map((line) => ({ kind: "ask", index: line.index, line })))
    }),
    Stream.flattenIterable,
    Stream.takeWhile(({ kind }) => {
      if (kind === "ask" && asked++ === limit) state.isCut = true
      return !state.isPartial
    }),
    Stream.map((work): Placed => ({ ...work, place: places++ }))
  )
  if (order === undefined) return works
  // A row that is slow holds back those behind it: no more are begun than may be held back.
  const window = heldRows + mostUnderWay
  return Stream.tap(works, ({ place }) => state.news.until(() => place - order.next < window))
}

interface Settling<I, O, Row extends SettledRow, E, R, RMap> {
  readonly works: Stream.Stream<Placed, E, R>
  readonly asking: Asking<I, O, Row, RMap>
  readonly commits: GroupCommit.GroupCommit<Entry<Row>, unknown>
  readonly state: State
  readonly concurrency: number
}

/** Stores what an effect settles; from the moment it is settled, whoever interrupts. */
const settle = <Row extends SettledRow, E, R>(
  { commits, state }: Pick<Settling<never, never, Row, never, never, never>, "commits" | "state">,
  entries: Effect.Effect<ReadonlyArray<Entry<Row>>, E, R>
) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(restore(entries), (settled) => {
      state.underWay -= settled.length
      const [first] = settled
      return settled.length === 1 && first !== undefined
        ? commits.put(first)
        : Effect.forEach(settled, commits.put, { discard: true })
    })
  )

const oneByOne = <I, O, Row extends SettledRow, E, R, RMap>(
  settling: Settling<I, O, Row, E, R, RMap>
): Effect.Effect<void, E | JobError, R | RMap> => {
  const { asking, concurrency, state, works } = settling
  return Stream.mapEffect(
    works,
    (work) => {
      if (state.isStopped) return Effect.void
      state.underWay++
      return settle(
        settling,
        Effect.flatMap(asking.prepare(work), (one) =>
          Askings.isReady(one) ? asking.ask([one]) : Effect.succeed([one])
        )
      )
    },
    { concurrency, unordered: true }
  ).pipe(Stream.runDrain)
}

/** A request over several rows is sent when it is full, or when its first row has waited so long, in milliseconds. */
const packMillis = 50

const inPacks =
  <I>({ rows, split }: Packing<I>) =>
  <O, Row extends SettledRow, E, R, RMap>(
    settling: Settling<I, O, Row, E, R, RMap>
  ): Effect.Effect<void, E | JobError, R | RMap> => {
    const { asking, concurrency, state, works } = settling
    const none: ReadonlyArray<Ready<I, O>> = []
    return works.pipe(
      Stream.mapEffect(
        (work) => {
          if (state.isStopped) return Effect.succeed(none)
          state.underWay++
          return Effect.flatMap(asking.prepare(work), (one) =>
            Askings.isReady(one)
              ? Effect.succeed([one])
              : Effect.as(settle(settling, Effect.succeed([one])), none)
          )
        },
        { concurrency }
      ),
      Stream.flattenIterable,
      Stream.groupedWithin(rows, packMillis),
      Stream.map((ready) => {
        let from = 0
        return split(ready.map(({ input }) => input)).map((length) =>
          ready.slice(from, (from += length))
        )
      }),
      Stream.flattenIterable,
      Stream.mapEffect((pack) => settle(settling, asking.ask(pack)), {
        concurrency,
        unordered: true
      }),
      Stream.runDrain
    )
  }
