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
import type { Output, OutputFormat } from "../output/StructuredOutput.ts"
import type { Answer, GenerationPart } from "../provider/Provider.ts"
import { AttemptError } from "../provider/Provider.ts"
import { explain, StreamInterrupted } from "../Reason.ts"
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
 * can be read, `usage` where the provider reports it, and exactly one `finish`, last.
 *
 * @category models
 * @since 0.1.0
 */
export type GenerateEvent<A = undefined> =
  | GenerationPart
  | { readonly type: "partial"; readonly value: unknown }
  | { readonly type: "usage"; readonly usage: TokenUsage }
  | { readonly type: "finish"; readonly result: GenerationResult<A> }

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
    const events = Stream.callback<GenerateEvent<unknown>, InferenceError>(
      (queue) => {
        const attempt = Effect.fnUntraced(function* (format: OutputFormat<unknown> | undefined) {
          const progress: Progress = { text: "", usage: undefined, started: false }
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

/** What has been handed out of the current attempt. */
interface Progress {
  text: string
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
      const read = Stream.runForEachArray(parts, (elements) => {
        const deltas: Array<GenerationPart> = []
        for (const element of elements) {
          if (isAnswer(element)) answer = element
          else deltas.push(element)
        }
        if (deltas.length === 0) return Effect.void
        call.firstPartMillis ??= clock.currentTimeMillisUnsafe() - startedMillis
        progress.started = true
        call.committed = true
        return offer(deltas)
      })
      return Effect.matchEffect(read, {
        onFailure: (error) => {
          progress.usage = error.usage
          return Effect.fail(error)
        },
        onSuccess: () => (answer === undefined ? noAnswer : Effect.succeed(answer))
      })
    })
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
  const before = progress.text.length
  for (const part of parts)
    if (part.type === "text-delta" && part.choice === 0) progress.text += part.text
  if (format === undefined || progress.text.length === before) return parts
  // Reasoning that a server leaves in the text is no part of the answer, here as at the end.
  const value = format.partial(Reasoning.split(progress.text).text)
  return value === undefined ? parts : [...parts, { type: "partial", value }]
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
      text: known?.text || progress.text,
      usage: known?.usage ?? progress.usage
    }),
    requestId: error.requestId,
    metrics: error.metrics
  })
}
