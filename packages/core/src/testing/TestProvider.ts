/**
 * A provider for tests: answers from a script, keeps a log of what it was asked, and can be held still.
 *
 * Put it under the real pipeline (`Client.layer`, model `test/anything`) and nothing but the vendor is faked; with `TestClock`
 * its latencies and every wait above it pass in no time. For whole HTTP exchanges use the `Simulator`.
 *
 * **Details**: it generates without being told to; it streams, embeds and transcribes only with a script for that.
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"

import type { AttemptError, Connection, Provider, Target } from "../provider/Provider.ts"
import * as Providers from "../provider/Providers.ts"
import type { Reason } from "../Reason.ts"
import type {
  Asked,
  AskedEmbed,
  AskedTranscribe,
  EmbedScript,
  Reply,
  Scripted,
  StreamScript,
  TranscribeReply
} from "./TestScript.ts"
import * as TestScript from "./TestScript.ts"

export type {
  Asked,
  AskedEmbed,
  AskedTranscribe,
  EmbedScript,
  Reply,
  StreamScript,
  StreamStep,
  TranscribeReply
} from "./TestScript.ts"
export { fail, vectorOf } from "./TestScript.ts"

/**
 * Settings of the test provider.
 *
 * @category models
 * @since 0.1.0
 */
export interface TestProviderOptions {
  /** The answer to each attempt. Default: the prompt's own text. */
  readonly reply?: ((asked: Asked) => Scripted<Reply>) | undefined
  /** The stream of each streamed attempt. Default: it cannot stream. */
  readonly stream?: ((asked: Asked) => StreamScript) | undefined
  /** How embeddings are answered. Default: it cannot embed. */
  readonly embed?: EmbedScript | undefined
  /** The answer to each transcription. Default: it cannot transcribe. */
  readonly transcribe?: ((asked: AskedTranscribe) => Scripted<TranscribeReply>) | undefined
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
    /** What was asked so far, in order; streams too. */
    readonly asked: Effect.Effect<ReadonlyArray<Asked>>
    readonly askedEmbed: Effect.Effect<ReadonlyArray<AskedEmbed>>
    readonly askedTranscribe: Effect.Effect<ReadonlyArray<AskedTranscribe>>
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
 * A 429 with an optional Retry-After.
 *
 * @category constructors
 * @since 0.1.0
 */
export const rateLimited = (retryAfter?: Duration.Duration): AttemptError =>
  TestScript.fail(new AiError.RateLimitError({ retryAfter }))

/**
 * A 503.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unavailable = (): AttemptError =>
  TestScript.fail(new AiError.InternalProviderError({ description: "overloaded" }))

/**
 * Builds the provider and its control.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (options: TestProviderOptions = {}) {
  const {
    embed,
    latency,
    log = true,
    name = "test",
    reply = (asked: Asked): Reply => asked.text,
    stream,
    transcribe
  } = options
  const gate = yield* Latch.make(true)
  const asked = logOf<Asked>(log)
  const askedEmbed = logOf<AskedEmbed>(log)
  const askedTranscribe = logOf<AskedTranscribe>(log)
  let now = 0
  let most = 0
  let interrupted = 0

  const arrive = Effect.sync(() => {
    now++
    most = Math.max(most, now)
  })
  const leave = (exit: Exit.Exit<unknown, unknown>) =>
    Effect.sync(() => {
      now--
      if (Exit.hasInterrupts(exit)) interrupted++
    })
  const held =
    latency === undefined ? gate.await : Effect.andThen(Effect.sleep(latency), gate.await)
  const inFlight = <A>(attempt: Effect.Effect<A, AttemptError>) =>
    Effect.acquireUseRelease(
      arrive,
      () => Effect.andThen(held, attempt),
      (_, exit) => leave(exit)
    )
  const question = (target: Target, request: Asked["request"]): Asked =>
    asked.add((index) => ({ index, target, request, text: TestScript.lastText(request) }))

  const connection = (target: Target): Connection => ({
    generate: (request) =>
      Effect.suspend(() => {
        const one = question(target, request)
        return inFlight(
          Effect.suspend(() =>
            Effect.map(TestScript.said(reply(one)), (said) => TestScript.answer(said, one))
          )
        )
      }),
    ...(stream === undefined
      ? {}
      : {
          generateStream: (request) =>
            Stream.unwrap(
              Effect.gen(function* () {
                const one = question(target, request)
                yield* Effect.acquireRelease(arrive, (_, exit) => leave(exit))
                yield* held
                return TestScript.run(stream(one), one)
              })
            )
        }),
    ...(embed === undefined
      ? {}
      : {
          ...(embed.limits === undefined ? {} : { embedLimits: embed.limits }),
          embed: (request) =>
            Effect.suspend(() => {
              const one = askedEmbed.add((index) => ({ index, target, request }))
              return inFlight(Effect.suspend(() => TestScript.embed(embed, one)))
            })
        }),
    ...(transcribe === undefined
      ? {}
      : {
          transcribe: (request) =>
            inFlight(
              Effect.flatMap(read(request.audio.bytes), (bytes) => {
                const one = askedTranscribe.add((index) => ({ index, target, request, bytes }))
                return Effect.map(TestScript.said(transcribe(one)), (said) =>
                  TestScript.transcript(said, one)
                )
              })
            )
        })
  })

  const provider: Provider = { name, connect: (target) => Effect.succeed(connection(target)) }
  const control = TestProvider.of({
    asked: asked.all,
    askedEmbed: askedEmbed.all,
    askedTranscribe: askedTranscribe.all,
    inFlight: Effect.sync(() => ({ now, most })),
    interrupted: Effect.sync(() => interrupted),
    close: gate.close,
    open: gate.open
  })
  return { control, provider }
})

/** A log of attempts; it counts them also when it keeps none. */
const logOf = <A>(keep: boolean) => {
  const kept: Array<A> = []
  let count = 0
  return {
    add: (make: (index: number) => A): A => {
      const one = make(count++)
      if (keep) kept.push(one)
      return one
    },
    all: Effect.sync((): ReadonlyArray<A> => [...kept])
  }
}

/** Audio that cannot be read to its end was never wholly sent. */
const read = (bytes: Stream.Stream<Uint8Array, Reason>): Effect.Effect<Uint8Array, AttemptError> =>
  Effect.map(
    Effect.mapError(Stream.runCollect(bytes), (reason) => TestScript.fail(reason, "unsent")),
    (pieces) => {
      const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0))
      let offset = 0
      for (const piece of pieces) {
        whole.set(piece, offset)
        offset += piece.byteLength
      }
      return whole
    }
  )

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
