/**
 * The tables of a ledger in SQLite and what is asked of them. It opens no file; whatever speaks SQL like `node:sqlite` serves it.
 *
 * **Details**: an item is a row of the input, by its position. There is no index over fingerprints while a job runs, because keeping
 * a random one costs thirty times an insertion; it is made when somebody looks for a fingerprint, and dropped again.
 *
 * @since 0.1.0
 */
import { Histogram } from "./Histogram.ts"
import type { Change, Item, ItemStatus, JobRecord, Overview, Settlement, State } from "./Ledger.ts"
import { noMark } from "./Ledger.ts"

type Value = string | number | null

interface Statement {
  run(...values: ReadonlyArray<Value>): unknown
  get(...values: ReadonlyArray<Value>): unknown
  all(...values: ReadonlyArray<Value>): ReadonlyArray<unknown>
  iterate(...values: ReadonlyArray<Value>): Iterable<unknown>
  setReturnArrays(enabled: boolean): void
}

/**
 * What is needed of a database.
 *
 * @category models
 * @since 0.1.0
 */
export interface Database {
  exec(sql: string): void
  prepare(sql: string): Statement
}

/** "infm" in ASCII: a file of ours, whatever its name. */
const applicationId = 0x69_6e_66_6d

/**
 * The steps that lead from no tables to the present ones. A step is never changed; another is put behind it.
 *
 * @category constants
 * @since 0.1.0
 */
export const migrations: ReadonlyArray<string> = [
  `create table job (key text primary key, value text not null) without rowid;
   create table item (
     position integer primary key,
     fingerprint text,
     status integer not null default 0,
     written integer not null default 0,
     asked integer not null default 0,
     reason text,
     settled_ms integer,
     cost_usd real,
     prompt_tokens integer,
     completion_tokens integer,
     end_to_end_ms integer
   );
   create table held (position integer primary key, line text not null);`
]

/**
 * Brings a ledger to the present version; each step happens as a whole or not at all.
 *
 * @category constructors
 * @since 0.1.0
 */
export const migrate = (database: Database, steps: ReadonlyArray<string> = migrations): void => {
  for (let version = versionOf(database); version < steps.length; version++) {
    database.exec(
      `begin immediate; ${steps[version]}; pragma application_id = ${applicationId}; pragma user_version = ${version + 1}; commit`
    )
  }
}

const versionOf = (database: Database): number => number(database, "pragma user_version")

const number = (database: Database, sql: string): number =>
  Number(Object.values(database.prepare(sql).get() as object)[0])

/**
 * Why a file is no ledger of ours, and what to do; `undefined` when it is one, or empty.
 *
 * @category guards
 * @since 0.1.0
 */
export const strangeness = (
  database: Database
): { readonly problem: string; readonly hint: string } | undefined => {
  const tables = number(database, "select count(*) from sqlite_schema")
  if (tables === 0) return undefined
  if (number(database, "pragma application_id") !== applicationId) {
    const python = number(
      database,
      "select count(*) from sqlite_schema where name = 'run_metadata'"
    )
    return python === 0
      ? {
          problem: "it is another program's database",
          hint: "Choose another output or checkpoint folder"
        }
      : {
          problem: "it is a checkpoint of the Python library",
          hint: "Finish that run there; or move it away and force the resume, which takes the output's rows over by their _index"
        }
  }
  const version = versionOf(database)
  return version <= migrations.length
    ? undefined
    : {
        problem: `a newer infermesh wrote it (its version is ${version}, known is ${migrations.length})`,
        hint: "Use that version of infermesh"
      }
}

/**
 * A job as its ledger shows it; `undefined` when the file is new and has no tables yet.
 *
 * @category getters
 * @since 0.1.0
 */
export const overview = (database: Database): Omit<Overview, "isRunning"> | undefined =>
  versionOf(database) === 0 ? undefined : new LedgerTables(database).overview()

const statuses: ReadonlyArray<ItemStatus> = ["pending", "answered", "failed"]

/** As an array, which takes half as long to make as an object. */
type ItemRow = readonly [
  position: number,
  fingerprint: string | null,
  status: number,
  written: number
]

const toItem = ([index, fingerprint, status, written]: ItemRow): Item => ({
  index,
  fingerprint: fingerprint ?? undefined,
  status: statuses[status] ?? "pending",
  isWritten: written === 1
})

const columns = "select position, fingerprint, status, written from item"

/**
 * A ledger's tables.
 *
 * @category models
 * @since 0.1.0
 */
export class LedgerTables {
  readonly #database: Database
  readonly #statements = new Map<string, Statement>()
  #held = 0
  #hasIndex = false

  constructor(database: Database) {
    this.#database = database
    this.#held = number(database, "select count(*) from held")
  }

  state(): State {
    const counts = { pending: 0, answered: 0, failed: 0 }
    const failures: Record<string, number> = {}
    let [stale, held, unnamed] = [0, 0, 0]
    const groups = this.#all(
      `select status, written, reason, count(*) as items, sum(fingerprint is null) as unnamed
       from item group by status, written, reason`
    ) as ReadonlyArray<{
      readonly status: number
      readonly written: number
      readonly reason: string | null
      readonly items: number
      readonly unnamed: number
    }>
    for (const { items, reason, status, unnamed: without, written } of groups) {
      unnamed += without
      const name = statuses[status] ?? "pending"
      counts[name] += items
      if (name === "pending" && written === 1) stale += items
      if (name !== "pending" && written === 0) held += items
      if (name === "failed") {
        const tag = reason ?? "unknown"
        failures[tag] = (failures[tag] ?? 0) + items
      }
    }
    return {
      record: this.#value("record") as JobRecord | undefined,
      items: counts.pending + counts.answered + counts.failed,
      end: number(this.#database, "select coalesce(max(position) + 1, 0) from item"),
      ...counts,
      failures,
      held,
      stale,
      lastWritten: number(
        this.#database,
        "select coalesce(max(position), -1) from item where written = 1"
      ),
      unnamed,
      mark: (this.#value("mark") as State["mark"] | undefined) ?? noMark,
      isInputComplete: this.#value("input_complete") === true,
      isOutOfOrder: this.#value("out_of_order") === true
    }
  }

  items(after: number, limit: number, only?: "stale"): ReadonlyArray<Item> {
    const filter = only === undefined ? "" : "and status = 0 and written = 1"
    const sql = `${columns} where position > ? ${filter} order by position limit ?`
    return this.#items(sql, after, limit)
  }

  find(fingerprint: string): ReadonlyArray<Item> {
    if (!this.#hasIndex) {
      this.#database.exec("create index if not exists item_fingerprint on item (fingerprint)")
      this.#hasIndex = true
    }
    const sql = `${columns} where fingerprint = ? order by position`
    return this.#items(sql, fingerprint)
  }

  #items(sql: string, ...values: ReadonlyArray<Value>): ReadonlyArray<Item> {
    const statement = this.#prepared(sql)
    statement.setReturnArrays(true)
    return statement.all(...values).map((row) => toItem(row as ItemRow))
  }

  forgetIndex(): void {
    this.#database.exec("drop index if exists item_fingerprint")
  }

  heldLine(index: number): string | undefined {
    const found = this.#prepared("select line from held where position = ?").get(index)
    return (found as { readonly line: string } | undefined)?.line
  }

  commit(change: Change): void {
    this.#prepared("begin immediate").run()
    try {
      this.#write(change)
      this.#prepared("commit").run()
    } catch (cause) {
      // SQLite has rolled back itself after some errors, a full disk among them.
      try {
        this.#database.exec("rollback")
      } catch {}
      throw cause
    }
  }

  #write(change: Change): void {
    if (change.clear === true) {
      for (const table of ["job", "item", "held"]) this.#database.exec(`delete from ${table}`)
      this.#held = 0
    }
    if (change.record !== undefined) this.#set("record", change.record)
    for (const { fingerprint, index } of change.seen ?? []) {
      this.#run(
        "insert into item (position, fingerprint) values (?, ?) on conflict do update set fingerprint = excluded.fingerprint",
        index,
        fingerprint
      )
    }
    for (const index of change.lost ?? []) {
      this.#run("update item set status = 0, written = 0 where position = ?", index)
    }
    for (const settlement of change.settled ?? []) this.#settle(settlement)
    for (const index of change.released ?? []) {
      this.#run("update item set written = 1 where position = ?", index)
      this.#unhold(index)
    }
    if (change.retry !== undefined) this.#retry(change.retry)
    if (change.isRewritten === true) {
      this.#run("update item set written = 0 where status = 0 and written = 1")
    }
    if (change.mark !== undefined) this.#set("mark", change.mark)
    if (change.isInputComplete !== undefined) this.#set("input_complete", change.isInputComplete)
    if (change.isOutOfOrder !== undefined) this.#set("out_of_order", change.isOutOfOrder)
  }

  #settle(settlement: Settlement): void {
    const { heldLine, index } = settlement
    const isHeld = heldLine !== undefined
    this.#run(
      `insert into item (position, status, written, asked, reason, settled_ms, cost_usd, prompt_tokens, completion_tokens, end_to_end_ms)
       values (?, ?, ?, 1, ?, ?, ?, ?, ?, ?)
       on conflict do update set status = excluded.status, written = excluded.written, asked = asked + 1, reason = excluded.reason,
         settled_ms = excluded.settled_ms, cost_usd = excluded.cost_usd, prompt_tokens = excluded.prompt_tokens,
         completion_tokens = excluded.completion_tokens, end_to_end_ms = excluded.end_to_end_ms`,
      index,
      settlement.reason === undefined ? 1 : 2,
      isHeld ? 0 : 1,
      settlement.reason ?? null,
      settlement.settledMillis,
      settlement.costUsd ?? null,
      settlement.promptTokens ?? null,
      settlement.completionTokens ?? null,
      settlement.endToEndMillis ?? null
    )
    if (!isHeld) return this.#unhold(index)
    this.#run("insert or replace into held (position, line) values (?, ?)", index, heldLine)
    this.#held++
  }

  #unhold(index: number): void {
    // Most jobs hold nothing back: their rows need not look.
    if (this.#held === 0) return
    this.#run("delete from held where position = ?", index)
    this.#held = number(this.#database, "select exists (select 1 from held)")
  }

  #retry(reasons: true | ReadonlyArray<string>): void {
    const which =
      reasons === true ? "" : `and coalesce(reason, 'unknown') in (select value from json_each(?))`
    const values = reasons === true ? [] : [JSON.stringify(reasons)]
    this.#run(
      `delete from held where position in (select position from item where status = 2 ${which})`,
      ...values
    )
    this.#run(`update item set status = 0 where status = 2 ${which}`, ...values)
  }

  overview(): Omit<Overview, "isRunning"> {
    const times = new Histogram()
    for (const row of this.#prepared(
      "select end_to_end_ms as millis from item where status = 1 and end_to_end_ms is not null"
    ).iterate()) {
      times.add((row as { readonly millis: number }).millis)
    }
    const sums = this.#prepared(
      `select sum(cost_usd) as cost, total(prompt_tokens) as prompt, total(completion_tokens) as completion,
         min(settled_ms) as first, max(settled_ms) as last from item`
    ).get() as { readonly [sum: string]: number | null }
    const first = sums["first"] ?? undefined
    return {
      state: this.state(),
      costUsd: sums["cost"] ?? undefined,
      promptTokens: sums["prompt"] ?? 0,
      completionTokens: sums["completion"] ?? 0,
      firstSettledMillis: first,
      lastSettledMillis: sums["last"] ?? undefined,
      endToEndMillis: {
        p50: times.percentile(0.5),
        p95: times.percentile(0.95),
        p99: times.percentile(0.99)
      },
      perMinute: this.#all(
        `select cast((settled_ms - ?) / 60000 as integer) as minute, sum(status = 1) as answered, sum(status = 2) as failed
         from item where status > 0 and settled_ms is not null group by 1 order by 1`,
        first ?? 0
      ) as unknown as Overview["perMinute"]
    }
  }

  #value(key: string): unknown {
    const found = this.#prepared("select value from job where key = ?").get(key)
    return found === undefined ? undefined : JSON.parse((found as { readonly value: string }).value)
  }

  #set(key: string, value: unknown): void {
    this.#run("insert or replace into job (key, value) values (?, ?)", key, JSON.stringify(value))
  }

  #run(sql: string, ...values: ReadonlyArray<Value>): void {
    this.#prepared(sql).run(...values)
  }

  #all(sql: string, ...values: ReadonlyArray<Value>): ReadonlyArray<unknown> {
    return this.#prepared(sql).all(...values)
  }

  #prepared(sql: string): Statement {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}
