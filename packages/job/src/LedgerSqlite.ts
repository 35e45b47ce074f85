/**
 * Ledgers as SQLite files, by the SQLite that Node has built in. The one file of this package that knows Node.
 *
 * **Details**: write-ahead log, one writer, `synchronous = FULL`: a commit is on the disk when it returns, and readers (a look at
 * a running job) never wait. The lock is a second file, `….lock`, held by SQLite's own lock of it: it is gone with its
 * process, however that ends.
 *
 * **Gotchas**: SQLite is called synchronously, so changes are small: a group of rows, not a row and not a job.
 *
 * @since 0.1.0
 */
import { hash } from "node:crypto"
import { DatabaseSync } from "node:sqlite"

import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type * as Scope from "effect/Scope"

import type { JobError, JobReason } from "./JobError.ts"
import { because, fileError, FileUnusable, JobLocked, LedgerUnusable } from "./JobError.ts"
import type { Book } from "./Ledger.ts"
import { Ledger } from "./Ledger.ts"
import * as LedgerTables from "./LedgerTables.ts"

/**
 * Ledgers in files.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Ledger, never, FileSystem.FileSystem | Path.Path> = Layer.effect(
  Ledger,
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const { dirname } = yield* Path.Path

    const exists = (path: string) =>
      Effect.mapError(fileSystem.exists(path), fileError("read", path))

    const open = Effect.fnUntraced(function* (
      path: string
    ): Effect.fn.Return<Book, JobError, Scope.Scope> {
      // SQLite says no more than "unable to open": the folder is asked first.
      yield* Effect.mapError(
        fileSystem.access(dirname(path), { writable: true }),
        fileError("write", path)
      )
      yield* lock(fileSystem, path)
      const database = yield* connect(path)
      yield* check(path, database)
      const tables = yield* attempt(path, () => {
        database.exec("pragma journal_mode = wal; pragma synchronous = full")
        LedgerTables.migrate(database)
        return new LedgerTables.LedgerTables(database)
      })
      yield* Effect.addFinalizer(() => Effect.ignore(attempt(path, () => tables.forgetIndex())))
      return {
        state: attempt(path, () => tables.state()),
        items: (after, limit, only) => attempt(path, () => tables.items(after, limit, only)),
        find: (fingerprint) => attempt(path, () => tables.find(fingerprint)),
        heldLine: (index) => attempt(path, () => tables.heldLine(index)),
        commit: (change) => attempt(path, () => tables.commit(change))
      }
    })

    const look = Effect.fnUntraced(function* (path: string) {
      if (!(yield* exists(path))) {
        const problem = "there is no such ledger"
        return yield* because(new FileUnusable({ path, access: "read", kind: "missing", problem }))
      }
      const database = yield* connect(path)
      yield* check(path, database)
      const overview = yield* attempt(path, () => LedgerTables.overview(database))
      if (overview === undefined) {
        const problem = "no job has been begun in it yet"
        return yield* because(new FileUnusable({ path, access: "read", kind: "other", problem }))
      }
      return { ...overview, isRunning: yield* isLocked(`${path}.lock`, exists) }
    }, Effect.scoped)

    return { open, exists, look, digest: (text) => hash("sha256", text) }
  })
)

/** A writer waits so long for a reader that is in its way, in milliseconds. */
const busyMillis = 5000

const connect = (path: string, timeout = busyMillis) =>
  Effect.acquireRelease(
    attempt(path, () => new DatabaseSync(path, { timeout })),
    (database) => Effect.sync(() => database.close())
  )

/** Refuses files of others, and of versions to come, before anything is written into them. */
const check = (path: string, database: DatabaseSync): Effect.Effect<void, JobError> =>
  Effect.flatMap(
    attempt(path, () => LedgerTables.strangeness(database)),
    (strangeness) =>
      strangeness === undefined
        ? Effect.void
        : Effect.fail(because(new LedgerUnusable({ path, ...strangeness })))
  )

/** Whether a process holds the lock; its file alone is left behind by one that was killed. */
const isLocked = Effect.fnUntraced(function* (
  path: string,
  exists: (path: string) => Effect.Effect<boolean, JobError>
) {
  if (!(yield* exists(path))) return false
  const database = yield* connect(path, 0)
  return yield* Effect.try({
    try: () => {
      database.exec("select count(*) from sqlite_master")
      return false
    },
    catch: (cause) =>
      because(isBusy(cause) ? new JobLocked({ ledger: path }) : reasonOf(path, cause))
  }).pipe(
    Effect.catchIf(
      ({ reason }) => reason._tag === "JobLocked",
      () => Effect.succeed(true)
    )
  )
})

/**
 * Holds the lock until the scope closes, and takes its file away then.
 *
 * Another process may open the file just before it is taken away, and would then hold the lock of a file that is no longer
 * there: whoever has the lock looks whether the file is still the one, and tries again when it is not.
 */
const lock = Effect.fnUntraced(function* (
  fileSystem: FileSystem.FileSystem,
  ledger: string
): Effect.fn.Return<void, JobError, Scope.Scope> {
  const path = `${ledger}.lock`
  const number = fileSystem.stat(path).pipe(
    Effect.map(({ dev, ino }) => `${dev}:${Option.getOrElse(ino, () => 0)}`),
    Effect.orElseSucceed(() => undefined)
  )
  for (;;) {
    const before = yield* number
    if (before === undefined) {
      // Made here only when it is not there: to close a file that this process has locked would give its lock away.
      yield* Effect.mapError(
        fileSystem.writeFileString(path, "", { flag: "a" }),
        fileError("write", path)
      )
      continue
    }
    const database = yield* connect(path, 0)
    yield* Effect.try({
      try: () => database.exec("begin exclusive"),
      catch: (cause) => because(isBusy(cause) ? new JobLocked({ ledger }) : reasonOf(path, cause))
    })
    if ((yield* number) === before) break
  }
  // Runs before the database is closed, which gives the lock back.
  yield* Effect.addFinalizer(() => Effect.ignore(fileSystem.remove(path)))
})

const attempt = <A>(path: string, work: () => A): Effect.Effect<A, JobError> =>
  Effect.try({ try: work, catch: (cause) => because(reasonOf(path, cause)) })

/** The primary result code: https://sqlite.org/rescode.html. */
const codeOf = (cause: unknown): number =>
  typeof cause === "object" && cause !== null && "errcode" in cause
    ? Number(cause.errcode) & 0xff
    : -1

const isBusy = (cause: unknown): boolean => codeOf(cause) === 5 || codeOf(cause) === 6

const reasonOf = (path: string, cause: unknown): JobReason => {
  const write = (kind: FileUnusable["kind"], problem: string) =>
    new FileUnusable({ path, access: "write", kind, problem })
  switch (codeOf(cause)) {
    case 8:
    case 14:
      return write("forbidden", "the file or its folder may not be written")
    case 11:
    case 26:
      return new LedgerUnusable({
        path,
        problem: "it is damaged, or no SQLite file",
        hint: "Put it back from a copy, or move it away and force the resume, which takes the output's rows over by their _index"
      })
    case 13:
      return write("disk full", "the disk is full; free some space and resume")
    default:
      return write(
        "other",
        (cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s+/g, " ")
      )
  }
}
