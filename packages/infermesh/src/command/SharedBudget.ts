/**
 * Rows that a budget has too little left for wait for those in flight: what is set aside for an answer is more than it costs.
 *
 * Only when nothing is in flight any more is the budget used up; the rows that wait fail then, and were never sent.
 *
 * @since 0.1.0
 */
import type { Operation } from "@infermesh/job/operation/Operation"
import type { SettledRow } from "@infermesh/job/operation/SettledRow"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"

/**
 * An operation whose rows wait for room in the budget.
 *
 * @category combinators
 * @since 0.1.0
 */
export const waiting = <I, O, Row extends SettledRow>(
  operation: Operation<I, O, Row>
): Operation<I, O, Row> => {
  const line: Array<Deferred.Deferred<void>> = []
  let inFlight = 0
  let isUsedUp = false
  const wake = Effect.suspend(() => {
    const [next] = line.splice(0, 1)
    return next === undefined ? Effect.void : Deferred.succeed(next, undefined)
  })
  const ask: Operation<I, O, Row>["ask"] = (inference, tasks) =>
    Effect.gen(function* () {
      for (;;) {
        inFlight++
        const rows = yield* Effect.onExit(operation.ask(inference, tasks), () =>
          Effect.sync(() => {
            inFlight--
          })
        )
        if (!rows.some(({ errorReason }) => errorReason === "BudgetExceeded")) {
          yield* wake
          return rows
        }
        if (isUsedUp || inFlight === 0) {
          isUsedUp = true
          yield* wake
          return rows
        }
        const turn = yield* Deferred.make<void>()
        line.push(turn)
        yield* Deferred.await(turn)
      }
    })
  return { ...operation, ask }
}
