/**
 * Ledgers in memory, for tests: a job can be run again over the same layer and finds what it left, but nothing outlives it.
 *
 * Not for large jobs, whose items it all holds.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Hash from "effect/Hash"
import * as Layer from "effect/Layer"

import { because, FileUnusable, JobLocked } from "./JobError.ts"
import type { Book, Change, Item, ItemStatus, Settlement, State } from "./Ledger.ts"
import { Ledger, noMark } from "./Ledger.ts"

/**
 * Ledgers in memory.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Ledger> = Layer.sync(Ledger, () => {
  const ledgers = new Map<string, MemoryLedger>()
  const locked = new Set<string>()
  return {
    open: (path) =>
      Effect.acquireRelease(
        Effect.suspend(() => {
          if (locked.has(path)) return Effect.fail(because(new JobLocked({ ledger: path })))
          locked.add(path)
          const ledger = ledgers.get(path) ?? new MemoryLedger()
          ledgers.set(path, ledger)
          return Effect.succeed(bookOf(ledger))
        }),
        () => Effect.sync(() => locked.delete(path))
      ),
    exists: (path) => Effect.sync(() => ledgers.has(path)),
    look: (path) =>
      Effect.suspend(() => {
        const ledger = ledgers.get(path)
        if (ledger !== undefined)
          return Effect.succeed({ ...ledger.overview(), isRunning: locked.has(path) })
        const problem = "there is no such ledger"
        return Effect.fail(
          because(new FileUnusable({ path, access: "read", kind: "missing", problem }))
        )
      }),
    digest: (text) =>
      (Hash.string(text) >>> 0).toString(16).padStart(8, "0") + text.length.toString(16)
  }
})

const bookOf = (ledger: MemoryLedger): Book => ({
  state: Effect.sync(() => ledger.state()),
  items: (after, limit, only) => Effect.sync(() => ledger.items(after, limit, only)),
  find: (fingerprint) =>
    Effect.sync(() => ledger.sorted().filter((item) => item.fingerprint === fingerprint)),
  heldLine: (index) => Effect.sync(() => ledger.held.get(index)),
  commit: (change) => Effect.sync(() => ledger.commit(change))
})

interface MemoryItem extends Item {
  status: ItemStatus
  fingerprint: string | undefined
  isWritten: boolean
  settlement: Settlement | undefined
}

class MemoryLedger {
  readonly #items = new Map<number, MemoryItem>()
  readonly held = new Map<number, string>()
  #job: Pick<Change, "record" | "mark" | "isInputComplete" | "isOutOfOrder"> = {}

  sorted(): ReadonlyArray<MemoryItem> {
    return [...this.#items.values()].toSorted((left, right) => left.index - right.index)
  }

  items(after: number, limit: number, only?: "stale"): ReadonlyArray<Item> {
    return this.sorted()
      .filter((item) => item.index > after && (only === undefined || isStale(item)))
      .slice(0, limit)
      .map(({ fingerprint, index, isWritten, status }) => ({
        index,
        fingerprint,
        status,
        isWritten
      }))
  }

  state(): State {
    const items = this.sorted()
    const count = (test: (item: MemoryItem) => boolean) => items.filter(test).length
    const failures: Record<string, number> = {}
    for (const { settlement, status } of items) {
      const reason = settlement?.reason ?? "unknown"
      if (status === "failed") failures[reason] = (failures[reason] ?? 0) + 1
    }
    return {
      record: this.#job.record,
      items: items.length,
      end: (items.at(-1)?.index ?? -1) + 1,
      pending: count(({ status }) => status === "pending"),
      answered: count(({ status }) => status === "answered"),
      failed: count(({ status }) => status === "failed"),
      failures,
      held: count(({ isWritten, status }) => status !== "pending" && !isWritten),
      stale: count(isStale),
      lastWritten: items.findLast(({ isWritten }) => isWritten)?.index ?? -1,
      unnamed: count(({ fingerprint }) => fingerprint === undefined),
      mark: this.#job.mark ?? noMark,
      isInputComplete: this.#job.isInputComplete ?? false,
      isOutOfOrder: this.#job.isOutOfOrder ?? false
    }
  }

  commit(change: Change): void {
    if (change.clear === true) {
      this.#items.clear()
      this.held.clear()
      this.#job = {}
    }
    for (const { fingerprint, index } of change.seen ?? [])
      this.#item(index).fingerprint = fingerprint
    for (const index of change.lost ?? [])
      Object.assign(this.#item(index), { status: "pending", isWritten: false })
    for (const settlement of change.settled ?? []) {
      const isWritten = settlement.heldLine === undefined
      const status = settlement.reason === undefined ? "answered" : "failed"
      Object.assign(this.#item(settlement.index), { status, isWritten, settlement })
      if (isWritten) this.held.delete(settlement.index)
      else this.held.set(settlement.index, settlement.heldLine ?? "")
    }
    for (const index of change.released ?? []) {
      this.#item(index).isWritten = true
      this.held.delete(index)
    }
    for (const item of this.#items.values()) {
      const reason = item.settlement?.reason ?? "unknown"
      if (
        change.retry !== undefined &&
        item.status === "failed" &&
        (change.retry === true || change.retry.includes(reason))
      ) {
        item.status = "pending"
        this.held.delete(item.index)
      }
      if (change.isRewritten === true && isStale(item)) item.isWritten = false
    }
    for (const key of ["record", "mark", "isInputComplete", "isOutOfOrder"] as const) {
      if (change[key] !== undefined) this.#job = { ...this.#job, [key]: change[key] }
    }
  }

  overview() {
    const settled = this.sorted().flatMap(({ settlement, status }) =>
      status === "pending" || settlement === undefined ? [] : [settlement]
    )
    const sum = (of: (settlement: Settlement) => number | undefined) =>
      settled.reduce((total, settlement) => total + (of(settlement) ?? 0), 0)
    return {
      state: this.state(),
      costUsd: settled.some(({ costUsd }) => costUsd !== undefined)
        ? sum(({ costUsd }) => costUsd)
        : undefined,
      promptTokens: sum(({ promptTokens }) => promptTokens),
      completionTokens: sum(({ completionTokens }) => completionTokens),
      firstSettledMillis: settled[0]?.settledMillis,
      lastSettledMillis: settled.at(-1)?.settledMillis,
      endToEndMillis: { p50: undefined, p95: undefined, p99: undefined },
      perMinute: []
    }
  }

  #item(index: number): MemoryItem {
    let item = this.#items.get(index)
    if (item === undefined) {
      item = {
        index,
        fingerprint: undefined,
        status: "pending",
        isWritten: false,
        settlement: undefined
      }
      this.#items.set(index, item)
    }
    return item
  }
}

const isStale = ({ isWritten, status }: Item): boolean => status === "pending" && isWritten
