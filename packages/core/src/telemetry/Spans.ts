/**
 * One span per request, with its attempts as events, and one per batch.
 *
 * They are made only where somebody reads them: without a tracer of the program's own nothing is made and nothing is paid.
 * Attributes are those of OpenTelemetry's conventions for generative AI, and ours beside. No attribute, event or recorded
 * failure holds the text of a prompt or an answer, nor a provider's words, which may repeat it, unless `CaptureContent` says so.
 *
 * **Units**: seconds and USD, as numbers.
 *
 * **Source**: OpenTelemetry semantic conventions 1.41, "Generative AI spans".
 *
 * @since 0.1.0
 */
import * as Telemetry from "effect/ai/Telemetry"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"

import type { Call, Plan } from "../Call.ts"
import type { Deployment } from "../Deployment.ts"
import { InferenceError } from "../InferenceError.ts"
import { GenerationResult } from "../operation/Generate.ts"
import type { TokenUsage } from "../operation/Usage.ts"
import type { Reason } from "../Reason.ts"
import * as Content from "./Content.ts"
import { operationName, providerName } from "./GenAi.ts"
import { labels } from "./Metrics.ts"

/**
 * What the result of a request has in common with those of all operations.
 *
 * @category models
 * @since 0.1.0
 */
export interface Completed {
  readonly modelId: string
  readonly tokenUsage: TokenUsage | undefined
  readonly requestId: string | undefined
  readonly cost: number | undefined
}

/**
 * Whether anybody reads spans that are made here.
 *
 * **Details**: Effect's native tracer keeps them in memory for nobody; it is there when no other was provided.
 *
 * @category guards
 * @since 0.1.0
 */
export const isTraced = ({ cache }: Fiber.Fiber<unknown, unknown>): boolean =>
  cache.tracerEnabled && cache.tracer !== undefined && cache.tracer !== Tracer.nativeTracer

/**
 * Runs a request in a span of its own.
 *
 * @category combinators
 * @since 0.1.0
 */
export const request = <A, E, R>(
  plan: Plan<unknown>,
  usual: Deployment | undefined,
  run: (span: Tracer.Span | undefined) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const operation = operationName(plan)
  const model = usual?.target.model ?? plan.model
  const name = model === undefined ? operation : `${operation} ${model}`
  return Effect.useSpan(name, { kind: "client" }, (span) =>
    Effect.withFiber((fiber) => {
      if (span.sampled) {
        span.attribute("gen_ai.operation.name", operation)
        describe(span, plan, fiber.getRef(Content.CaptureContent))
      }
      // A span that is not sampled is nobody's to read, but what is made below it must know that.
      return Effect.provideService(run(span.sampled ? span : undefined), Tracer.ParentSpan, span)
    })
  )
}

/** What is known before anything is sent. */
const describe = (
  span: Tracer.Span,
  { request: asked, streamed }: Plan<unknown>,
  captures: boolean
) => {
  if (streamed === true) span.attribute("gen_ai.request.stream", true)
  if (asked === undefined) return
  const { options, output } = asked
  const {
    frequencyPenalty,
    maxTokens,
    n = 1,
    presencePenalty,
    seed,
    temperature,
    topK,
    topP
  } = options
  Telemetry.addGenAIAnnotations(span, {
    output: output === undefined ? undefined : { type: "json" },
    request: { frequencyPenalty, maxTokens, presencePenalty, seed, temperature, topK, topP }
  })
  if (n !== 1) span.attribute("gen_ai.request.choice.count", n)
  if (captures) span.attribute("gen_ai.input.messages", Content.input(asked))
}

/**
 * Why an attempt was sent: the request's first, after a failure, at a further model, or because the first took long.
 *
 * @category models
 * @since 0.1.0
 */
export type AttemptKind = "first" | "retry" | "fallback" | "hedge"

/**
 * Notes that an attempt is sent, where it is not simply the first.
 *
 * @category events
 * @since 0.1.0
 */
export const sent = (call: Call<unknown>, kind: AttemptKind, error: string | undefined): void => {
  if (kind === "first") return
  event(call, `infermesh.${kind}`, {
    [labels.deployment]: call.deployment?.id,
    [labels.fallback]: kind === "fallback" ? call.model : undefined,
    [labels.error]: error,
    "infermesh.attempt.wait": call.waitMillis / 1000
  })
}

/**
 * Notes how an attempt ended.
 *
 * @category events
 * @since 0.1.0
 */
export const ended = (
  call: Call<unknown>,
  outcome: string,
  reason: Reason | undefined,
  millis: number
): void =>
  event(call, "infermesh.attempt", {
    [labels.deployment]: call.deployment?.id,
    [labels.outcome]: outcome,
    [labels.error]: reason?._tag,
    "infermesh.attempt.number": call.attempts,
    "infermesh.attempt.wait": call.waitMillis / 1000,
    "infermesh.attempt.duration": millis / 1000,
    "http.response.status_code": statusOf(reason)
  })

const event = (
  { context, span }: Call<unknown>,
  name: string,
  attributes: Record<string, unknown>
) => {
  if (span === undefined || context === undefined) return
  for (const key of Object.keys(attributes))
    if (attributes[key] === undefined) delete attributes[key]
  span.event(name, Context.get(context, Clock.Clock).currentTimeNanosUnsafe(), attributes)
}

const statusOf = (reason: Reason | undefined): number | undefined =>
  reason !== undefined && "http" in reason ? reason.http?.response?.status : undefined

/**
 * Completes the span of a request and ends it.
 *
 * @category combinators
 * @since 0.1.0
 */
export const finish = (
  call: Call<unknown>,
  deployment: Deployment | undefined,
  exit: Exit.Exit<Completed, InferenceError>,
  error: string | undefined
): void => {
  const { context, span } = call
  if (span === undefined || context === undefined) return
  const captures = Context.get(context, Content.CaptureContent)
  const failure = failureOf(exit)
  const result = Exit.isSuccess(exit) ? exit.value : failure?.result
  const usage = result?.tokenUsage
  Telemetry.addGenAIAnnotations(span, {
    provider: deployment && { name: providerName(deployment.provider) },
    request: { model: deployment?.target.model },
    response: {
      model: result?.modelId,
      finishReasons:
        result instanceof GenerationResult
          ? result.choices.map(({ finishReason }) => finishReason)
          : undefined
    },
    usage: usage && { inputTokens: usage.promptTokens, outputTokens: usage.outputTokens }
  })
  const { attempts, caller, firstPartMillis, hedges, reused } = call
  const further = {
    "gen_ai.usage.cache_read.input_tokens": usage?.cachedTokens,
    "gen_ai.usage.cache_creation.input_tokens": usage?.cacheWriteTokens,
    "gen_ai.usage.reasoning.output_tokens": usage?.reasoningTokens,
    "gen_ai.response.time_to_first_chunk":
      firstPartMillis === undefined ? undefined : firstPartMillis / 1000,
    "gen_ai.output.messages":
      captures && result instanceof GenerationResult ? Content.output(result.choices) : undefined,
    [labels.error]: error,
    [labels.deployment]: call.deployment?.id,
    [labels.reuse]: reused,
    "infermesh.caller": caller.name === "" ? undefined : caller.name,
    "infermesh.request.attempts": attempts,
    "infermesh.request.hedges": hedges === 0 ? undefined : hedges,
    "infermesh.request.service_time": call.serviceMillis / 1000,
    "infermesh.request.cost": result?.cost,
    "infermesh.request.id": result?.requestId ?? failure?.requestId
  }
  for (const [key, value] of Object.entries(further))
    if (value !== undefined) span.attribute(key, value)
  end(span, context, exit)
}

/** The failure that a span shows instead of one that carries an answer or a provider's words. */
class RequestFailed extends Schema.TaggedError<RequestFailed>("@infermesh/core/RequestFailed")(
  "InferenceError",
  { message: Schema.String }
) {}

/**
 * Ends a span without what must not be in it.
 *
 * @category combinators
 * @since 0.1.0
 */
export const end = (
  span: Tracer.Span,
  context: Context.Context<never>,
  exit: Exit.Exit<unknown, unknown>
): void => {
  const captures = Context.get(context, Content.CaptureContent)
  const failure = captures ? undefined : failureOf(exit)
  span.end(
    Context.get(context, Clock.Clock).currentTimeNanosUnsafe(),
    failure === undefined ? exit : Exit.fail(new RequestFailed({ message: headline(failure) }))
  )
}

const failureOf = (exit: Exit.Exit<unknown, unknown>): InferenceError | undefined => {
  const error = Option.getOrUndefined(Exit.findErrorOption(exit))
  return error instanceof InferenceError ? error : undefined
}

const headline = ({ attempts, deployment, operation, reason }: InferenceError): string => {
  const status = statusOf(reason)
  return [
    `${operation} failed`,
    ...(deployment === undefined ? [] : [` at ${deployment}`]),
    ...(attempts > 1 ? [` after ${attempts} attempts`] : []),
    `: ${reason._tag}`,
    ...(status === undefined ? [] : [` (HTTP ${status})`])
  ].join("")
}
