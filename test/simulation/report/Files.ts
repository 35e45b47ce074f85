/** The page and its pictures, by their names in `docs`. */
import { Effect } from "effect"

import type { Outcome } from "../harness/Bounds.ts"
import type { Record } from "../harness/Run.ts"
import { scenarios, tenThousand } from "../harness/Scenarios.ts"
import { outcomeOf } from "../harness/Suite.ts"
import { page } from "./Page.ts"
import * as Plot from "./Plot.ts"

const slug = (name: string) => name.replaceAll(" ", "-")

/** Traffic says most where a quota binds; the rest is in the table. */
const pictured = new Set([
  "sliding window",
  "token bucket",
  "by the second",
  "batch and chat",
  "one of three dies",
  "faults",
  "ten thousand"
])

const waitsOf = ({ attempts, settled }: Record) => {
  const answeredAt = new Map<number, number>()
  for (const { atMillis, id, outcome } of attempts)
    if (outcome === "answered") answeredAt.set(id, atMillis)
  return settled
    .map(({ request }) => ((answeredAt.get(request.id) ?? 0) - request.atMillis) / 1000)
    .toSorted((left, right) => left - right)
}

export const make = Effect.gen(function* () {
  const outcomes: Array<Outcome> = []
  const files = new Map<string, string>()
  const plots: Array<string> = []
  for (const scenario of [...scenarios, tenThousand]) {
    const { outcome, records } = yield* outcomeOf(scenario)
    outcomes.push(outcome)
    if (!pictured.has(scenario.name)) continue
    const name = slug(scenario.name)
    plots.push(`${name}-traffic.svg`, `${name}-waits.svg`)
    files.set(`scheduling/${name}-traffic.svg`, Plot.traffic(scenario.name, records))
    files.set(
      `scheduling/${name}-waits.svg`,
      Plot.waits(scenario.name, {
        ours: waitsOf(records.ours),
        backoff: waitsOf(records.backoff),
        bucket: waitsOf(records.bucket)
      })
    )
  }
  files.set("scheduling.md", page(outcomes, plots))
  return { outcomes, files }
})
