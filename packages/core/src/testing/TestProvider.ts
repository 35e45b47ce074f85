/**
 * A provider for tests: answers from a script, keeps a log of what it was asked, and can be held still.
 *
 * Put it under the real pipeline (`Client.layer`, model `test/anything`) and nothing but the vendor is faked; with `TestClock`
 * its latencies and every wait above it pass in no time. For whole HTTP exchanges use the `Simulator`.
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"

import type { Choice, GenerateRequest, Generation } from "../operation/Generate.ts"
import type { TokenUsage } from "../operation/Usage.ts"
import * as Usage from "../operation/Usage.ts"
import type { Answer, Target } from "../provider/Provider.ts"
import { AttemptError } from "../provider/Provider.ts"
import * as Providers from "../provider/Providers.ts"
import type { RateLimitHeaders } from "../provider/ResponseHeaders.ts"

/**
 * One attempt that the provider was asked for.
 *
 * @category models
 * @since 0.1.0
 */
export interface Asked {
  /** Position in the log, from 0. */
  readonly index: number
  readonly target: Target
  readonly request: GenerateRequest
  /** The text of the last user message. */
  readonly text: string
}

/**
 * What the script answers: a text, an answer in detail, or a failure.
 *
 * @category models
 * @since 0.1.0
 */
export type Reply =
  | string
  | (Partial<Choice> & {
      readonly choices?: readonly [Choice, ...ReadonlyArray<Choice>] | undefined
      readonly usage?: TokenUsage | undefined
      readonly modelId?: string | undefined
      readonly requestId?: string | undefined
      readonly rateLimits?: RateLimitHeaders | undefined
      readonly body?: unknown
    })
  | AttemptError

/**
 * Settings of the test provider.
 *
 * @category models
 * @since 0.1.0
 */
export interface TestProviderOptions {
  /** The answer to each attempt. Default: the prompt's own text. */
  readonly reply?: ((asked: Asked) => Reply | Effect.Effect<Reply, AttemptError>) | undefined
  /** Time from question to answer. Default: none. */
  readonly latency?: Duration.Input | undefined
  /** The prefix it answers to. Default: `test`. */
  readonly name?: string | undefined
  /** Keeps no log: for very long runs. */
  readonly log?: boolean | undefined
}

/**
 * The control of a test provider.
 *
 * @category services
 * @since 0.1.0
 */
export class TestProvider extends Context.Service<
  TestProvider,
  {
    /** What was asked so far, in order. */
    readonly asked: Effect.Effect<ReadonlyArray<Asked>>
    /** Attempts in flight now, and the most there ever were. */
    readonly inFlight: Effect.Effect<{ readonly now: number; readonly most: number }>
    /** Attempts that were interrupted before they were answered. */
    readonly interrupted: Effect.Effect<number>
    /** Holds all answers back until `open`; attempts still arrive and are logged. */
    readonly close: Effect.Effect<void>
    readonly open: Effect.Effect<void>
  }
>()("@infermesh/core/testing/TestProvider") {}

/**
 * A failure with the given reason that the provider counted as a request.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fail = (
  reason: AttemptError["reason"],
  outcome: AttemptError["outcome"] = "refused"
): AttemptError => new AttemptError({ reason, outcome })

/**
 * A 429 with an optional Retry-After.
 *
 * @category constructors
 * @since 0.1.0
 */
export const rateLimited = (retryAfter?: Duration.Duration): AttemptError =>
  fail(new AiError.RateLimitError({ retryAfter }))

/**
 * A 503.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unavailable = (): AttemptError =>
  fail(new AiError.InternalProviderError({ description: "overloaded" }))

/**
 * Builds the provider and its control.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (options: TestProviderOptions = {}) {
  const {
    latency,
    log = true,
    name = "test",
    reply = (asked: Asked): Reply => asked.text
  } = options
  const gate = yield* Latch.make(true)
  const asked: Array<Asked> = []
  let count = 0
  let now = 0
  let most = 0
  let interrupted = 0

  const respond = Effect.fnUntraced(function* (target: Target, request: GenerateRequest) {
    const question: Asked = { index: count++, target, request, text: lastText(request) }
    if (log) asked.push(question)
    now++
    most = Math.max(most, now)
    if (latency !== undefined) yield* Effect.sleep(latency)
    yield* gate.await
    const scripted = reply(question)
    const result =
      Effect.isEffect(scripted) && !(scripted instanceof AttemptError) ? yield* scripted : scripted
    if (result instanceof AttemptError) return yield* result
    return answer(result, question)
  })

  const provider = {
    name,
    connect: (target: Target) =>
      Effect.succeed({
        generate: (request: GenerateRequest) =>
          respond(target, request).pipe(
            Effect.onInterrupt(() => Effect.sync(() => void interrupted++)),
            Effect.ensuring(Effect.sync(() => void now--))
          )
      })
  }
  const control = TestProvider.of({
    asked: Effect.sync(() => [...asked]),
    inFlight: Effect.sync(() => ({ now, most })),
    interrupted: Effect.sync(() => interrupted),
    close: gate.close,
    open: gate.open
  })
  return { control, provider }
})

const lastText = (request: GenerateRequest): string => {
  const message = request.prompt.content.findLast(({ role }) => role === "user")
  if (message?.role !== "user") return ""
  return message.content.map((part) => (part.type === "text" ? part.text : "")).join("")
}

const answer = (reply: Exclude<Reply, AttemptError>, question: Asked): Answer<Generation> => {
  const detail = typeof reply === "string" ? { text: reply } : reply
  const choice: Choice = {
    text: detail.text ?? "",
    reasoning: detail.reasoning,
    refusal: detail.refusal,
    toolCalls: detail.toolCalls ?? [],
    finishReason: detail.finishReason ?? "stop",
    logprobs: detail.logprobs
  }
  return {
    value: {
      modelId: detail.modelId ?? question.target.model,
      choices: detail.choices ?? [choice]
    },
    // Four characters a token, as a rule of thumb; tests that care give their own usage.
    usage:
      "usage" in detail
        ? detail.usage
        : Usage.make({
            promptTokens: Math.ceil(question.text.length / 4),
            completionTokens: Math.ceil(choice.text.length / 4)
          }),
    requestId: detail.requestId ?? `test-${question.index}`,
    rateLimits: detail.rateLimits,
    body: detail.body
  }
}

/**
 * The provider, registered, with its control.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options?: TestProviderOptions
): Layer.Layer<TestProvider | Providers.Providers> =>
  Layer.effectContext(
    Effect.map(make(options), ({ control, provider }) =>
      Context.make(TestProvider, control).pipe(
        Context.add(Providers.Providers, Providers.make([provider]))
      )
    )
  )
