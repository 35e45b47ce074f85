/**
 * Bounded repair: an answer that does not fit its form goes back to the model, with what is wrong, and is asked for again.
 *
 * Each time is a request of its own through the whole pipeline (quota, routing, retries), within the deadline of the first and
 * with the retries that are left of it: all turns together make at most `maxRetries + maxRepairs + 1` attempts.
 * What it costs is seen: usage, cost and times of the result are those of all answers together, `metrics.repairs` counts
 * them, and an error has the attempts of all. It mends nothing by itself.
 *
 * **Details**: an answer that called tools, was cut off at its token limit or refused is not given back: the model could not
 * do better. Where a repair itself fails (no connection, no time left), its reason is the request's, and the error carries the
 * last answer.
 *
 * **Example** (At most two repairs)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Inference from "@infermesh/core/Inference"
 * import * as Schema from "effect/Schema"
 *
 * const Person = Schema.Struct({ name: Schema.String, age: Schema.Int })
 *
 * const program = Effect.gen(function* () {
 *   const options = { output: Person, maxRepairs: 2 }
 *   const { metrics, outputParsed } = yield* Inference.generate("Who was Ada Lovelace?", options)
 *   return `${outputParsed.name}, after ${metrics.repairs} repairs`
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Prompt from "effect/ai/Prompt"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

import { InferenceError } from "../InferenceError.ts"
import { GenerationResult } from "../operation/Generate.ts"
import { fromText } from "../operation/Message.ts"
import { assistantParts, withItems } from "../operation/NextTurn.ts"
import * as Timing from "../operation/Timing.ts"
import * as Usage from "../operation/Usage.ts"
import type { Reason } from "../Reason.ts"
import { DeadlineExceeded, explain } from "../Reason.ts"
import type { Prepared } from "./GenerateInputs.ts"

type Result = GenerationResult<unknown>

/** A failure that was answered, and the answer. */
interface Misfit {
  readonly error: InferenceError
  readonly result: Result
}

/**
 * Asks, and asks again with what was wrong while the answer does not fit and repairs are left.
 *
 * @category combinators
 * @since 0.1.0
 */
export const run = (
  prepared: Prepared,
  ask: (prepared: Prepared) => Effect.Effect<Result, InferenceError>
): Effect.Effect<Result, InferenceError> => {
  if (prepared.maxRepairs === 0) return ask(prepared)
  return Clock.clockWith((clock) => {
    const startedMillis = clock.currentTimeMillisUnsafe()
    const turn = (
      current: Prepared,
      before: Misfit | undefined,
      repairsLeft: number
    ): Effect.Effect<Result, InferenceError> =>
      Effect.matchEffect(ask(current), {
        onSuccess: (result) =>
          Effect.succeed(before === undefined ? result : together(before.result, result)),
        onFailure: (failure) => {
          const error = before === undefined ? failure : failedToo(before, failure, prepared)
          const next = repairsLeft === 0 ? undefined : repaired(current, failure)
          const deadlineMillis =
            prepared.deadlineMillis - (clock.currentTimeMillisUnsafe() - startedMillis)
          return next === undefined || error.result === undefined || deadlineMillis <= 0
            ? Effect.fail(error)
            : turn(
                {
                  ...next,
                  deadlineMillis,
                  retriesSpent: error.attempts - (prepared.maxRepairs - repairsLeft + 1)
                },
                { error, result: error.result },
                repairsLeft - 1
              )
        }
      })
    return turn(prepared, undefined, prepared.maxRepairs)
  })
}

/** The request of the next turn; `undefined` where the model could not do better. */
const repaired = (current: Prepared, { reason, result }: InferenceError): Prepared | undefined => {
  if (reason._tag !== "StructuredOutputError" || result === undefined) return undefined
  const [choice] = result.choices
  if (choice.toolCalls.length > 0 || choice.finishReason === "length") return undefined
  const { prompt, responsesInput } = current.request
  const parts = assistantParts(choice)
  const words = `That does not fit the form that was asked for: ${reason.description}. Give the whole answer again, corrected: JSON and nothing else.`
  return {
    ...current,
    request: {
      ...current.request,
      prompt: Prompt.fromMessages([
        ...prompt.content,
        ...(parts.length === 0 ? [] : [Prompt.makeMessage("assistant", { content: parts })]),
        ...fromText(words).content
      ]),
      responsesInput:
        responsesInput === undefined
          ? undefined
          : withItems(responsesInput, [
              ...(choice.text === "" ? [] : [{ role: "assistant", content: choice.text }]),
              { role: "user", content: words }
            ])
    }
  }
}

/** The later answer, with what both have cost; where one's usage or price is unknown, so is that of both. */
const together = (before: Result, result: Result): Result =>
  new GenerationResult({
    generation: result,
    outputParsed: result.outputParsed,
    tokenUsage:
      before.tokenUsage === undefined || result.tokenUsage === undefined
        ? undefined
        : Usage.sum(before.tokenUsage, result.tokenUsage),
    requestId: result.requestId,
    cost:
      before.cost === undefined || result.cost === undefined
        ? undefined
        : before.cost + result.cost,
    metrics: Timing.repaired(before.metrics, result.metrics),
    rawResponse: result.rawResponse
  })

const failedToo = (before: Misfit, failure: InferenceError, whole: Prepared): InferenceError =>
  new InferenceError({
    operation: failure.operation,
    deployment: failure.deployment,
    attempts: before.error.attempts + failure.attempts,
    reason: reasonOf(failure.reason, before.error.reason, whole),
    requestId: failure.requestId,
    metrics:
      failure.metrics === undefined
        ? before.result.metrics
        : Timing.repaired(before.result.metrics, failure.metrics),
    failures: [...(before.error.failures ?? []), ...(failure.failures ?? [])],
    result: failure.result === undefined ? before.result : together(before.result, failure.result)
  })

/** A repair only knows the time that was left to it; the caller knows the deadline of the whole. */
const reasonOf = (reason: Reason, before: Reason, { deadlineMillis }: Prepared): Reason =>
  reason._tag === "DeadlineExceeded"
    ? new DeadlineExceeded({
        deadline: Duration.millis(deadlineMillis),
        lastReason: reason.lastReason ?? explain(before)
      })
    : reason
