/**
 * The quota stage: one attempt pays a gate before it is sent and settles with it afterwards, whatever happens.
 *
 * The gate keeps the count (`RateLimit`); this file only says what each outcome of an attempt means for it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"

import type { Call } from "../Call.ts"
import type { Answer } from "../provider/Provider.ts"
import { AttemptError } from "../provider/Provider.ts"
import type { Gate, Reservation, Settlement } from "./RateLimit.ts"

/**
 * Runs an attempt against a gate: waits for its turn, sends, and settles to what was really used.
 *
 * @category stages
 * @since 0.1.0
 */
export const charge = <A>(
  gate: Gate,
  call: Call<A>,
  attempt: Effect.Effect<Answer<A>, AttemptError>
): Effect.Effect<Answer<A>, AttemptError> =>
  // Between the grant and the attempt nothing can interrupt (the gate lets only its own waiting be interrupted), so a
  // granted reservation is always settled.
  Effect.uninterruptibleMask((restore) =>
    Effect.matchEffect(gate.reserve({ requests: 1, tokens: gate.needsTokens ? call.tokens : 0 }), {
      onFailure: (reason) => Effect.fail(new AttemptError({ reason, outcome: "unsent" })),
      onSuccess: (reservation: Reservation) =>
        Effect.onExit(restore(attempt), (exit) => reservation.settle(settlement(exit)))
    })
  )

/** What an attempt's end means for quota. An attempt the provider may have counted stays counted. */
const settlement = <A>(exit: Exit.Exit<Answer<A>, AttemptError>): Settlement => {
  if (Exit.isSuccess(exit)) {
    const { usage } = exit.value
    return usage === undefined ? counted : { _tag: "Used", tokens: usage.totalTokens }
  }
  const error = Option.getOrUndefined(Exit.findErrorOption(exit))
  if (error?.usage !== undefined) return { _tag: "Used", tokens: error.usage.totalTokens }
  switch (error?.outcome) {
    case "unsent":
      return unsent
    case "refused":
      return refused
    default:
      return counted
  }
}

const counted: Settlement = { _tag: "Counted" }
const refused: Settlement = { _tag: "Refused" }
const unsent: Settlement = { _tag: "Unsent" }
