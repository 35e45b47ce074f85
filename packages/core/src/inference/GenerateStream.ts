/**
 * Streamed generation: the parts of an answer as they arrive, and the whole result at the end.
 *
 * The request takes the same pipeline as any other: the attempt ends when its stream has ended, so its slot is held and its
 * quota settled like every attempt's. Parts leave through a small bounded queue: a slow reader slows the socket, and a reader
 * that stops closes it. A stream is tried again only while nothing of it has been handed out.
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"

import type { Plan } from "../Call.ts"
import { InferenceError } from "../InferenceError.ts"
import type {
  GenerateInput,
  GenerateRequest,
  Generation,
  GenerationResult
} from "../operation/Generate.ts"
import type { TokenUsage } from "../operation/Usage.ts"
import * as Reasoning from "../output/Reasoning.ts"
import * as ReasoningStream from "../output/ReasoningStream.ts"
import type { Output, OutputFormat } from "../output/StructuredOutput.ts"
import type { Answer, GenerationPart } from "../provider/Provider.ts"
import { AttemptError } from "../provider/Provider.ts"
import { explain, InvalidInput, StreamInterrupted } from "../Reason.ts"
import type { GenerateOptions } from "./GenerateInputs.ts"
import { prepare } from "./GenerateInputs.ts"
import type { Environment, OutputType } from "./GenerateOperation.ts"
import { finish, toPlan, unsupported, withFormat } from "./GenerateOperation.ts"
import * as Options from "./Options.ts"
import * as Run from "./Run.ts"

/**
 * One element of a streamed generation.
 *
 * **Details**: deltas in the order of arrival, `partial` after a text delta when an `output` was asked for and its JSON so far
 * can be read (of a long answer not after each), `usage` where the provider reports it, and exactly one `finish`, last.
 *
 * @category models
 * @since 0.1.0
 */
export type GenerateEvent<A = undefined> =
  | GenerationPart
  | { readonly type: "partial"; readonly value: unknown }
  | { readonly type: "usage"; readonly usage: TokenUsage }
  | { readonly type: "finish"; readonly result: GenerationResult<A> }

/** A structured answer is shown anew when it has grown by this part of its length: short ones by each delta. */
const shownShare = 200

/** Parts between the socket and a slow reader; more would only hide how slow it is. */
const bufferedParts = 16

/**
 * Builds the operation.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (environment: Environment) => {
  const run = Run.run(environment)
  return <O extends Output<unknown> | undefined = undefined>(
    input: GenerateInput,
    options: GenerateOptions<O> = Options.none
  ): Stream.Stream<GenerateEvent<OutputType<O>>, InferenceError> => {
    const prepared = prepare(input, options, environment.defaults)
    if (Result.isFailure(prepared)) return Stream.fail(Run.refused("generate", prepared.failure))
    if ((options.maxRepairs ?? 0) > 0) return Stream.fail(Run.refused("generate", unrepairable))
    const events = Stream.callback<GenerateEvent<unknown>, InferenceError>(
      (queue) => {
        const attempt = Effect.fnUntraced(function* (format: OutputFormat<unknown> | undefined) {
          const progress: Progress = { text: "", shown: 0, usage: undefined, started: false }
          const plan = toPlan(prepared.success, format, (request) =>
            drive(request, progress, (parts) =>
              Queue.offerAll(queue, withPartials(parts, progress, format))
            )
          )
          const result = yield* run(
            { ...plan, streamed: true, canHedge: false, reuse: undefined },
            (outcome) => finish(environment, outcome, format, options),
            (error) => interrupted(error, progress)
          )
          if (result.tokenUsage !== undefined) {
            yield* Queue.offer(queue, { type: "usage", usage: result.tokenUsage })
          }
          yield* Queue.offer(queue, { type: "finish", result })
          yield* Queue.end(queue)
        })
        return options.output === undefined
          ? attempt(undefined)
          : withFormat(options.output, attempt)
      },
      { bufferSize: bufferedParts, strategy: "suspend" }
    )
    // The parsed output was decoded by the very schema whose type this is.
    return events as Stream.Stream<GenerateEvent<OutputType<O>>, InferenceError>
  }
}

const unrepairable = new InvalidInput({
  input: "maxRepairs",
  problem: "a stream has handed out its text and cannot be repaired",
  hint: "Use generate"
})

/** What has been handed out of the current attempt. */
interface Progress {
  text: string
  /** How long the text was when its value was last shown. */
  shown: number
  /** What a broken stream is known to have used. */
  usage: TokenUsage | undefined
  started: boolean
}

/** One attempt: pulls the provider's stream, hands its parts out and ends with the whole answer. */
const drive =
  (
    request: GenerateRequest,
    progress: Progress,
    offer: (parts: ReadonlyArray<GenerationPart>) => Effect.Effect<unknown>
  ): Plan<Generation>["send"] =>
  (connection, call) => {
    const parts = connection.generateStream?.(request)
    if (parts === undefined) return unsupported("streaming")
    return Clock.clockWith((clock) => {
      const startedMillis = clock.currentTimeMillisUnsafe()
      let answer: Answer<Generation> | undefined
      const apart = separated()
      const handOut = (deltas: ReadonlyArray<GenerationPart>): Effect.Effect<unknown> => {
        if (deltas.length === 0) return Effect.void
        call.firstPartMillis ??= clock.currentTimeMillisUnsafe() - startedMillis
        progress.started = true
        call.committed = true
        return offer(deltas)
      }
      const read = Stream.runForEachArray(parts, (elements) => {
        const deltas: Array<GenerationPart> = []
        for (const element of elements) {
          if (isAnswer(element)) answer = element
          else deltas.push(...apart.push(element))
        }
        return handOut(deltas)
      })
      // What was held back of a stream that may be tried again is nobody's yet.
      const leave = (failure: Effect.Effect<never, AttemptError>) =>
        progress.started ? Effect.andThen(handOut(apart.end()), failure) : failure
      return Effect.matchEffect(read, {
        onFailure: (error) => {
          progress.usage = error.usage
          return leave(Effect.fail(error))
        },
        onSuccess: () =>
          answer === undefined ? leave(noAnswer) : Effect.as(handOut(apart.end()), answer)
      })
    })
  }

/** Parts with the reasoning that a server leaves in the text as parts of its own. */
const separated = () => {
  const splitters: Array<ReasoningStream.Splitter> = []
  const part = (choice: number, { isReasoning, text }: ReasoningStream.Piece): GenerationPart => ({
    type: isReasoning ? "reasoning-delta" : "text-delta",
    text,
    choice
  })
  return {
    push: (delta: GenerationPart): ReadonlyArray<GenerationPart> => {
      if (delta.type !== "text-delta") return [delta]
      const { choice } = delta
      const splitter = (splitters[choice] ??= ReasoningStream.make())
      return splitter.push(delta.text).map((piece) => part(choice, piece))
    },
    end: (): ReadonlyArray<GenerationPart> =>
      splitters.flatMap((splitter, choice) => splitter.end().map((piece) => part(choice, piece)))
  }
}

const isAnswer = (element: GenerationPart | Answer<Generation>): element is Answer<Generation> =>
  "value" in element

const noAnswer = Effect.fail(
  new AttemptError({
    reason: new AiError.InternalProviderError({
      description: "the stream ended without its last part"
    }),
    outcome: "unknown"
  })
)

const withPartials = (
  parts: ReadonlyArray<GenerationPart>,
  progress: Progress,
  format: OutputFormat<unknown> | undefined
): ReadonlyArray<GenerateEvent<unknown>> => {
  const events: Array<GenerateEvent<unknown>> = []
  for (const part of parts) {
    events.push(part)
    if (part.type !== "text-delta" || part.choice !== 0) continue
    progress.text += part.text
    const value = format === undefined ? undefined : grownValue(progress, format)
    if (value !== undefined) events.push({ type: "partial", value })
  }
  return events
}

/** The value of the text so far, where it has grown enough to be shown again. */
const grownValue = (progress: Progress, format: OutputFormat<unknown>): unknown => {
  const { shown, text } = progress
  // Each value is read from the whole text: showing every letter of a long one would cost the square of its length.
  if (text.length === shown || text.length - shown < text.length / shownShare) return undefined
  progress.shown = text.length
  // A closer without an opener shows only now that what came before it was no part of the answer.
  return format.partial(Reasoning.split(text).text)
}

/** After the first part, whatever ended the stream is an interruption, and carries what had arrived. */
const interrupted = (error: InferenceError, progress: Progress): InferenceError => {
  if (!progress.started) return error
  const known = error.reason._tag === "StreamInterrupted" ? error.reason : undefined
  return new InferenceError({
    operation: error.operation,
    deployment: error.deployment,
    attempts: error.attempts,
    reason: new StreamInterrupted({
      description: known?.description ?? explain(error.reason),
      text: progress.text,
      usage: known?.usage ?? progress.usage
    }),
    requestId: error.requestId,
    metrics: error.metrics
  })
}
