import { assert, describe, it } from "@effect/vitest"
import type { Inference } from "@infermesh/core/Inference"
import type { Operation } from "@infermesh/job/operation/Operation"
import type { SettledRow } from "@infermesh/job/operation/SettledRow"
import { Effect } from "effect"
import * as SharedBudget from "infermesh/command/SharedBudget"

describe("waiting", () => {
  it.effect(
    "sends as many rows as are paid for, though much more is set aside for those in flight",
    () =>
      Effect.gen(function* () {
        // Ten are set aside for each answer, which costs one in the end; there are twelve.
        let left = 12
        let sent = 0
        const operation = {
          ask: (_: unknown, [task]: ReadonlyArray<{ readonly index: number }>) =>
            Effect.gen(function* () {
              const index = task?.index ?? 0
              if (left < 10) return [{ index, errorReason: "BudgetExceeded" }]
              left -= 10
              sent++
              yield* Effect.yieldNow
              left += 9
              return [{ index }]
            })
        } as unknown as Operation<string, never, SettledRow>
        const { ask } = SharedBudget.waiting(operation)
        const rows = yield* Effect.forEach(
          Array.from({ length: 20 }, (_, index) => index),
          (index) => ask({} as Inference["Service"], [{ index, input: "", options: undefined }]),
          { concurrency: "unbounded" }
        )
        // Twelve, eleven and ten are enough for one more each.
        assert.deepStrictEqual([sent, left], [3, 9])
        assert.lengthOf(
          rows.flat().filter(({ errorReason }) => errorReason === "BudgetExceeded"),
          17
        )
        assert.deepStrictEqual(
          rows.flat().map(({ index }) => index),
          Array.from({ length: 20 }, (_, index) => index)
        )
      })
  )
})
