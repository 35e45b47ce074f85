import { readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"

import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import type { Settlement, State } from "@infermesh/job/Ledger"
import { Ledger } from "@infermesh/job/Ledger"
import * as LedgerMemory from "@infermesh/job/LedgerMemory"
import * as LedgerSqlite from "@infermesh/job/LedgerSqlite"
import * as LedgerTables from "@infermesh/job/LedgerTables"
import { Effect, Layer } from "effect"

import * as Process from "./process/Process.ts"

const settled = (index: number, more: Partial<Settlement> = {}): Settlement => ({
  index,
  reason: undefined,
  settledMillis: 1000,
  costUsd: 0.5,
  promptTokens: 10,
  completionTokens: 5,
  endToEndMillis: 20,
  ...more
})

const seen = (...indices: ReadonlyArray<number>) =>
  indices.map((index) => ({ index, fingerprint: `f${index % 3}` }))

const record = { identity: { model: '"m"' }, output: "out.jsonl", startedMillis: 5 }
const mark = { bytes: 7, lastLine: { bytes: 3, start: "{" }, side: 2 }

const empty: State = {
  record: undefined,
  items: 0,
  end: 0,
  pending: 0,
  answered: 0,
  failed: 0,
  failures: {},
  held: 0,
  stale: 0,
  lastWritten: -1,
  unnamed: 0,
  mark: { bytes: 0, lastLine: { bytes: 0, start: "" }, side: 0 },
  isInputComplete: false,
  isOutOfOrder: false
}

const sqlite = LedgerSqlite.layer.pipe(Layer.provideMerge(NodeServices.layer))

/** What every ledger does, whatever it is kept in. */
const suite = <E>(name: string, layer: Layer.Layer<Ledger, E>) =>
  describe(`a ledger in ${name}`, () => {
    const withLedger = <A, E2>(
      use: (path: string, ledger: Ledger["Service"]) => Effect.Effect<A, E2>
    ) =>
      Effect.gen(function* () {
        return yield* use(join(yield* Process.folder, "a.checkpoint.sqlite"), yield* Ledger)
      }).pipe(Effect.scoped, Effect.provide(layer))

    it.live("is empty when it is new, and keeps what was committed when it is opened again", () =>
      withLedger((path, ledger) =>
        Effect.gen(function* () {
          assert.isFalse(yield* ledger.exists(path))
          yield* Effect.scoped(
            Effect.gen(function* () {
              const book = yield* ledger.open(path)
              assert.deepStrictEqual(yield* book.state, empty)
              yield* book.commit({ record, mark, isInputComplete: true, isOutOfOrder: true })
              yield* book.commit({ seen: seen(0, 1, 2, 3) })
              yield* book.commit({ settled: [settled(0), settled(2, { reason: "TimedOut" })] })
            })
          )
          assert.isTrue(yield* ledger.exists(path))
          const book = yield* ledger.open(path)
          assert.deepStrictEqual(yield* book.state, {
            ...empty,
            record,
            mark,
            isInputComplete: true,
            isOutOfOrder: true,
            items: 4,
            end: 4,
            pending: 2,
            answered: 1,
            failed: 1,
            failures: { TimedOut: 1 },
            lastWritten: 2
          })
          assert.deepStrictEqual(yield* book.items(0, 2), [
            { index: 1, fingerprint: "f1", status: "pending", isWritten: false },
            { index: 2, fingerprint: "f2", status: "failed", isWritten: true }
          ])
          assert.deepStrictEqual(
            (yield* book.find("f0")).map(({ index }) => index),
            [0, 3]
          )
          yield* book.commit({ clear: true })
          assert.deepStrictEqual(yield* book.state, empty)
        }).pipe(Effect.scoped)
      )
    )

    it.live("holds back lines until they are released or written otherwise", () =>
      withLedger((path, ledger) =>
        Effect.gen(function* () {
          const book = yield* ledger.open(path)
          yield* book.commit({
            seen: seen(0, 1, 2),
            settled: [1, 2].map((index) => settled(index, { heldLine: `line ${index}\n` }))
          })
          const before = yield* book.state
          assert.deepStrictEqual([before.held, before.answered, before.lastWritten], [2, 2, -1])
          assert.strictEqual(yield* book.heldLine(2), "line 2\n")
          assert.isUndefined(yield* book.heldLine(0))
          yield* book.commit({ settled: [settled(0), settled(2)], released: [1] })
          const after = yield* book.state
          assert.deepStrictEqual([after.held, after.answered, after.lastWritten], [0, 3, 2])
          assert.isUndefined(yield* book.heldLine(1))
          assert.isUndefined(yield* book.heldLine(2))
        }).pipe(Effect.scoped)
      )
    )

    it.live(
      "makes failed rows pending again, all or by reason, and knows whose old row is still there",
      () =>
        withLedger((path, ledger) =>
          Effect.gen(function* () {
            const book = yield* ledger.open(path)
            yield* book.commit({
              seen: seen(0, 1, 2, 3),
              settled: [
                settled(0, { reason: "TimedOut" }),
                settled(1, { reason: "AuthenticationError" }),
                settled(2),
                settled(3, { reason: "TimedOut", heldLine: "held\n" })
              ]
            })
            yield* book.commit({ retry: ["TimedOut", "unknown"] })
            const some = yield* book.state
            assert.deepStrictEqual([some.pending, some.failed, some.stale, some.held], [2, 1, 1, 0])
            assert.deepStrictEqual(
              (yield* book.items(-1, 10, "stale")).map(({ index }) => index),
              [0]
            )
            yield* book.commit({ isRewritten: true })
            assert.strictEqual((yield* book.state).stale, 0)
            yield* book.commit({ retry: true })
            assert.deepStrictEqual((yield* book.state).failures, {})
            yield* book.commit({ lost: [2] })
            assert.deepStrictEqual((yield* book.state).answered, 0)
          }).pipe(Effect.scoped)
        )
    )

    it.live("is open once at a time, and can be looked at meanwhile", () =>
      withLedger((path, ledger) =>
        Effect.gen(function* () {
          yield* Effect.scoped(
            Effect.gen(function* () {
              const book = yield* ledger.open(path)
              yield* book.commit({ seen: seen(0, 1), settled: [settled(0), settled(1)] })
              const second = yield* Effect.flip(Effect.scoped(ledger.open(path)))
              assert.strictEqual(second.reason._tag, "JobLocked")
              const overview = yield* ledger.look(path)
              assert.deepStrictEqual(
                [overview.state.answered, overview.costUsd, overview.promptTokens],
                [2, 1, 20]
              )
              assert.isTrue(overview.isRunning)
              // Looking is no hindrance to the job.
              yield* book.commit({ seen: seen(2) })
            })
          )
          yield* Effect.scoped(ledger.open(path))
          assert.isFalse((yield* ledger.look(path)).isRunning)
          const none = yield* Effect.flip(ledger.look(`${path}.none`))
          assert.strictEqual(none.reason._tag, "FileUnusable")
        })
      )
    )
  })

suite("memory", LedgerMemory.layer)
suite("SQLite", sqlite)

describe("LedgerSqlite", () => {
  const inFolder = <A, E>(
    use: (path: string, folder: string, ledger: Ledger["Service"]) => Effect.Effect<A, E>
  ) =>
    Effect.gen(function* () {
      const folder = yield* Process.folder
      return yield* use(join(folder, "a.checkpoint.sqlite"), folder, yield* Ledger)
    }).pipe(Effect.scoped, Effect.provide(sqlite))

  it.live("is one file once it is closed", () =>
    inFolder((path, folder, ledger) =>
      Effect.gen(function* () {
        yield* Effect.scoped(
          Effect.flatMap(ledger.open(path), (book) =>
            Effect.andThen(book.commit({ seen: seen(0, 1, 2) }), book.find("f0"))
          )
        )
        assert.deepStrictEqual(readdirSync(folder), ["a.checkpoint.sqlite"])
      })
    )
  )

  it.live("undoes a change of which a part cannot be made", () =>
    inFolder((path, _, ledger) =>
      Effect.gen(function* () {
        const book = yield* ledger.open(path)
        const unfit = [settled(1, { settledMillis: {} as never })]
        const error = yield* Effect.flip(book.commit({ seen: seen(0), settled: unfit }))
        assert.strictEqual(error.reason._tag, "FileUnusable")
        assert.deepStrictEqual(yield* book.state, empty)
        yield* book.commit({ seen: seen(0) })
        assert.strictEqual((yield* book.state).items, 1)
      }).pipe(Effect.scoped)
    )
  )

  it.live("tells of a job by cost, tokens, times and minutes", () =>
    inFolder((path, _, ledger) =>
      Effect.gen(function* () {
        const book = yield* ledger.open(path)
        yield* book.commit({
          settled: [
            settled(0, { settledMillis: 60_000, endToEndMillis: 100 }),
            settled(1, { settledMillis: 119_999, endToEndMillis: 100 }),
            settled(2, { settledMillis: 120_000, endToEndMillis: 1000 }),
            settled(3, { settledMillis: 250_000, reason: "TimedOut", costUsd: undefined })
          ]
        })
        const overview = yield* ledger.look(path)
        assert.deepStrictEqual(
          overview.perMinute.map((minute) => ({ ...minute })),
          [
            { minute: 0, answered: 2, failed: 0 },
            { minute: 1, answered: 1, failed: 0 },
            { minute: 3, answered: 0, failed: 1 }
          ]
        )
        assert.deepStrictEqual(
          [overview.costUsd, overview.firstSettledMillis, overview.lastSettledMillis],
          [1.5, 60_000, 250_000]
        )
        assert.closeTo(overview.endToEndMillis.p50 ?? 0, 102, 3)
        assert.closeTo(overview.endToEndMillis.p99 ?? 0, 1025, 30)
      }).pipe(Effect.scoped)
    )
  )

  it.live("refuses files that are no ledgers, and says what they are", () =>
    inFolder((path, folder, ledger) =>
      Effect.gen(function* () {
        const refused = (path: string) =>
          Effect.map(Effect.flip(Effect.scoped(ledger.open(path))), ({ reason }) => [
            reason._tag,
            reason.message
          ])
        const database = (name: string, sql: string) => {
          const database = new DatabaseSync(join(folder, name))
          database.exec(sql)
          database.close()
          return join(folder, name)
        }
        writeFileSync(path, "not a database, and long enough to be looked at ".repeat(100))
        assert.match((yield* refused(path)).join(), /LedgerUnusable.*damaged, or no SQLite file/)
        const other = database("other", "create table mine (a)")
        assert.match((yield* refused(other)).join(), /LedgerUnusable.*another program's database/)
        const python = database("python", "create table run_metadata (a); create table items (a)")
        assert.match(
          (yield* refused(python)).join(),
          /checkpoint of the Python library.*move it away/
        )
        yield* Effect.scoped(ledger.open(join(folder, "newer")))
        const newer = database("newer", "pragma user_version = 99")
        assert.match(
          (yield* refused(newer)).join(),
          /a newer infermesh wrote it \(its version is 99/
        )
        assert.match((yield* Effect.flip(ledger.look(newer))).message, /a newer infermesh/)
        assert.match((yield* refused(join(folder, "no/a"))).join(), /FileUnusable.*no such file/)
      })
    )
  )

  it.live("is brought to the present version step by step, and keeps what it had", () =>
    inFolder((path) =>
      Effect.sync(() => {
        const database = new DatabaseSync(path)
        LedgerTables.migrate(database)
        new LedgerTables.LedgerTables(database).commit({ record, seen: seen(0, 1) })
        const further = [...LedgerTables.migrations, "alter table item add column note text"]
        LedgerTables.migrate(database, further)
        assert.strictEqual(
          database.prepare("pragma user_version").get()?.["user_version"],
          further.length
        )
        // A step that cannot be made whole leaves the version before it.
        assert.throws(() =>
          LedgerTables.migrate(database, [...further, "create table extra (a); no sql"])
        )
        database.exec("rollback")
        const tables = new LedgerTables.LedgerTables(database)
        assert.deepStrictEqual([tables.state().items, tables.state().record], [2, record])
        assert.isUndefined(
          database.prepare("select name from sqlite_schema where name = 'extra'").get()
        )
        LedgerTables.migrate(database, further)
        database.close()
      })
    )
  )
})
