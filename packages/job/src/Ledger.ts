/**
 * What a job remembers: which rows its input has, which are settled and how, and what it was started with.
 *
 * The output holds the rows themselves and is written before the ledger, so the ledger may be behind the output and never ahead
 * of it. It is a service, so that tests keep it in memory (`LedgerMemory.layer`) and programs in SQLite (`LedgerSqlite.layer`).
 *
 * **Details**: a row is known by the fingerprint of its content and by how often that content came before it. The second is
 * never stored: items with the same fingerprint are told apart by their order.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

import type { Identity } from "./Identity.ts"
import type { JobError } from "./JobError.ts"

/**
 * The state of a row: not settled, answered, or settled with an error.
 *
 * @category models
 * @since 0.1.0
 */
export type ItemStatus = "pending" | "answered" | "failed"

/**
 * A row that the ledger knows.
 *
 * @category models
 * @since 0.1.0
 */
export interface Item {
  readonly index: number
  /** Absent of a row that was found in the output only. */
  readonly fingerprint: string | undefined
  readonly status: ItemStatus
  /** Whether the output has a row of it; a settled row that is not written is held back for order. */
  readonly isWritten: boolean
}

/**
 * How a row was settled.
 *
 * **Units**: times in epoch milliseconds, `endToEndMillis` in milliseconds, `costUsd` in USD.
 *
 * @category models
 * @since 0.1.0
 */
export interface Settlement {
  readonly index: number
  /** The tag of the error's reason; absent of an answered row. */
  readonly reason: string | undefined
  readonly settledMillis: number
  readonly costUsd: number | undefined
  readonly promptTokens: number | undefined
  readonly completionTokens: number | undefined
  readonly endToEndMillis: number | undefined
  /** The line of a row that is held back for order; absent of one that is in the output. */
  readonly heldLine?: string | undefined
}

/**
 * How much of the output the ledger knows.
 *
 * **Units**: bytes from the beginning.
 *
 * @category models
 * @since 0.1.0
 */
export interface Mark {
  readonly bytes: number
  /** The last line before the mark, by its length and its beginning: a file that was changed is known by it. */
  readonly lastLine: { readonly bytes: number; readonly start: string }
  /** Entries of the file beside the output, such as the vectors of a matrix. */
  readonly side: number
}

/**
 * What a job was started with.
 *
 * @category models
 * @since 0.1.0
 */
export interface JobRecord {
  readonly identity: Identity
  /** The output's name, without its folder. */
  readonly output: string
  readonly startedMillis: number
}

/**
 * What a ledger says of its job as a whole.
 *
 * @category models
 * @since 0.1.0
 */
export interface State {
  /** Absent of a new ledger. */
  readonly record: JobRecord | undefined
  readonly items: number
  /** The position behind the last item. */
  readonly end: number
  readonly pending: number
  readonly answered: number
  readonly failed: number
  /** Failed items by the tag of their reason. */
  readonly failures: { readonly [reason: string]: number }
  /** Items that are settled but held back for order. */
  readonly held: number
  /** Items that will be asked again and whose old row is still in the output. */
  readonly stale: number
  /** The highest position of which the output has a row; -1 when there is none. */
  readonly lastWritten: number
  /** Items that have no fingerprint. */
  readonly unnamed: number
  readonly mark: Mark
  /** The input has been read to its end, so its number of rows is known. */
  readonly isInputComplete: boolean
  /** A row was written behind one that comes after it. */
  readonly isOutOfOrder: boolean
}

/**
 * One durable change of a ledger; all of it happens, or nothing.
 *
 * @category models
 * @since 0.1.0
 */
export interface Change {
  readonly record?: JobRecord | undefined
  /** Rows of the input that are new, or that get their fingerprint. */
  readonly seen?:
    | ReadonlyArray<{ readonly index: number; readonly fingerprint: string }>
    | undefined
  readonly settled?: ReadonlyArray<Settlement> | undefined
  /** Items that were held back and have been written. */
  readonly released?: ReadonlyArray<number> | undefined
  /** Items whose row is no longer in the output: they are pending again. */
  readonly lost?: ReadonlyArray<number> | undefined
  /** Makes failed items pending again: all, or those with these reasons. */
  readonly retry?: true | ReadonlyArray<string> | undefined
  /** The rows of pending items have been taken out of the output. */
  readonly isRewritten?: true | undefined
  readonly mark?: Mark | undefined
  readonly isInputComplete?: boolean | undefined
  readonly isOutOfOrder?: boolean | undefined
  /** Forgets everything first. */
  readonly clear?: true | undefined
}

/**
 * A ledger that is open, and locked: no other process has it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Book {
  readonly state: Effect.Effect<State, JobError>
  /** Items behind a position, in order, at most so many. */
  readonly items: (
    after: number,
    limit: number,
    only?: "stale"
  ) => Effect.Effect<ReadonlyArray<Item>, JobError>
  /** All items with a fingerprint, in order. The first call may take seconds for a million items. */
  readonly find: (fingerprint: string) => Effect.Effect<ReadonlyArray<Item>, JobError>
  /** The line of an item that is held back. */
  readonly heldLine: (index: number) => Effect.Effect<string | undefined, JobError>
  /** Returns when the change is on the disk. */
  readonly commit: (change: Change) => Effect.Effect<void, JobError>
}

/**
 * Where ledgers are kept.
 *
 * @category services
 * @since 0.1.0
 */
export class Ledger extends Context.Service<
  Ledger,
  {
    /** Opens a ledger, made anew if there is none, until the scope closes. Fails with `JobLocked` when it is open elsewhere. */
    readonly open: (path: string) => Effect.Effect<Book, JobError, Scope.Scope>
    readonly exists: (path: string) => Effect.Effect<boolean, JobError>
    /** Opens a ledger to look at it, also while its job is running; fails when there is none. */
    readonly look: (path: string) => Effect.Effect<Overview, JobError>
    /** The SHA-256 of a text, in hexadecimal digits. */
    readonly digest: (text: string) => string
  }
>()("@infermesh/job/Ledger") {}

/**
 * A job as its ledger shows it.
 *
 * **Units**: USD, tokens, milliseconds; `perMinute` by the minute since the first settled row.
 *
 * @category models
 * @since 0.1.0
 */
export interface Overview {
  readonly state: State
  /** A process has the job open at this moment. */
  readonly isRunning: boolean
  readonly costUsd: number | undefined
  readonly promptTokens: number
  readonly completionTokens: number
  readonly firstSettledMillis: number | undefined
  readonly lastSettledMillis: number | undefined
  readonly endToEndMillis: {
    readonly p50: number | undefined
    readonly p95: number | undefined
    readonly p99: number | undefined
  }
  /** Rows settled in each minute in which there were any. */
  readonly perMinute: ReadonlyArray<{
    readonly minute: number
    readonly answered: number
    readonly failed: number
  }>
}

/**
 * The mark of an output that is not there yet.
 *
 * @category constants
 * @since 0.1.0
 */
export const noMark: Mark = { bytes: 0, lastLine: { bytes: 0, start: "" }, side: 0 }
