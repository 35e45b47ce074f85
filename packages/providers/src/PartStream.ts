/**
 * A streamed generation out of the events of a response: the parts as they come, the whole answer last.
 *
 * What an event means, the vendor's protocol says, as a machine: a state, a step per event and an end. What a failure means is
 * the same for all vendors: before the first part it is that of a whole response, after it an interruption that keeps what had
 * arrived.
 *
 * @since 0.1.0
 */
import type { Generation } from "@infermesh/core/operation/Generate"
import type { TokenUsage } from "@infermesh/core/operation/Usage"
import type { Answer, GenerationPart } from "@infermesh/core/provider/Provider"
import { AttemptError } from "@infermesh/core/provider/Provider"
import { explain, StreamInterrupted } from "@infermesh/core/Reason"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"

import type { Json } from "./RequestBody.ts"

/**
 * How one vendor's events become parts and answer.
 *
 * @category models
 * @since 0.1.0
 */
export interface Machine<State> {
  readonly start: () => State
  /** Changes the state by one event, and gives the parts in it. */
  readonly step: (
    state: State,
    data: string
  ) => Result.Result<ReadonlyArray<GenerationPart>, AttemptError>
  /** The answer; fails when the events ended before it was whole. */
  readonly end: (state: State) => Result.Result<Answer<Generation>, AttemptError>
  /** What has arrived of the first choice, for an interruption. */
  readonly arrived: (state: State) => {
    readonly text: string
    readonly usage: TokenUsage | undefined
  }
}

/**
 * Parts and answer of a stream of events.
 *
 * **Errors**: before the first part as for a whole response; after it `StreamInterrupted`, with the text and usage so far.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = <State>(
  events: Stream.Stream<string, AttemptError>,
  machine: Machine<State>
): Stream.Stream<GenerationPart | Answer<Generation>, AttemptError> =>
  Stream.transformPull(events, (pull) =>
    Effect.sync(() => {
      const state = machine.start()
      let started = false
      let isEnded = false
      let failure: AttemptError | undefined
      const failed = (error: AttemptError): AttemptError =>
        (failure = started
          ? interrupted(error, machine.arrived(state))
          : withUsage(error, machine, state))
      const next: Parts = Effect.suspend((): Parts => {
        if (failure !== undefined) return Effect.fail(failure)
        return Effect.flatMap(pull, (arrived): Parts => {
          const parts: Array<GenerationPart> = []
          for (const data of arrived) {
            const step = machine.step(state, data)
            if (Result.isFailure(step)) {
              // What came before it is handed out first.
              started ||= parts.length > 0
              failed(step.failure)
              break
            }
            for (const part of step.success) parts.push(part)
          }
          if (!Arr.isReadonlyArrayNonEmpty(parts)) return next
          started = true
          return Effect.succeed(parts)
        })
      }).pipe(
        Effect.catch((error) =>
          Effect.fail(error === failure || Cause.isDone(error) ? error : failed(error))
        ),
        Pull.catchDone((): Parts => {
          if (isEnded) return Cause.done()
          isEnded = true
          const end = machine.end(state)
          return Result.isFailure(end)
            ? Effect.fail(failed(end.failure))
            : Effect.succeed([end.success])
        })
      )
      return next
    })
  )

type Parts = Pull.Pull<Arr.NonEmptyReadonlyArray<GenerationPart | Answer<Generation>>, AttemptError>

/**
 * What events say of the new tokens only, such as log-probabilities, together: their lists are one list, other values the
 * last ones.
 *
 * @category combinators
 * @since 0.1.0
 */
export const joinLists = (before: Json | undefined, after: Json | undefined): Json | undefined => {
  if (before === undefined || after === undefined) return after ?? before
  const joined: Record<string, unknown> = { ...before }
  for (const [name, value] of Object.entries(after)) {
    const first = before[name]
    joined[name] =
      Array.isArray(first) && Array.isArray(value)
        ? [...(first as ReadonlyArray<unknown>), ...(value as ReadonlyArray<unknown>)]
        : (value ?? first)
  }
  return joined
}

/** A provider that had begun has counted the prompt, whatever it says afterwards. */
const withUsage = <State>(
  error: AttemptError,
  machine: Machine<State>,
  state: State
): AttemptError => {
  const { usage } = machine.arrived(state)
  const { rateLimits, reason, requestId } = error
  return usage === undefined
    ? error
    : new AttemptError({ reason, outcome: "unknown", requestId, rateLimits, usage })
}

const interrupted = (
  error: AttemptError,
  { text, usage }: { readonly text: string; readonly usage: TokenUsage | undefined }
): AttemptError =>
  new AttemptError({
    reason: new StreamInterrupted({ description: explain(error.reason), text, usage }),
    outcome: "unknown",
    requestId: error.requestId,
    rateLimits: error.rateLimits,
    usage
  })
