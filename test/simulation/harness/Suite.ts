/** All scenarios with all clients. */
import { Effect } from "effect"

import { backoff, bucket } from "./Baselines.ts"
import type { Outcome } from "./Bounds.ts"
import { measure } from "./Measures.ts"
import { ours } from "./Ours.ts"
import type { Record } from "./Run.ts"
import { run } from "./Run.ts"
import type { Scenario } from "./Scenario.ts"

export type Records = { readonly [client in "ours" | "backoff" | "bucket"]: Record }

/** One scenario with all clients, one after the other. */
export const outcomeOf = Effect.fnUntraced(function* (scenario: Scenario) {
  const records: Records = {
    ours: yield* run(scenario, ours),
    backoff: yield* run(scenario, backoff),
    bucket: yield* run(scenario, bucket)
  }
  const outcome: Outcome = {
    scenario,
    ours: measure(scenario, records.ours),
    backoff: measure(scenario, records.backoff),
    bucket: measure(scenario, records.bucket)
  }
  return { outcome, records }
})
