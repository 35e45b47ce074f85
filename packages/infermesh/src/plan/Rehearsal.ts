/**
 * A job played through on a virtual clock: the real client with its real limits, router and retries, against a server that is
 * simulated. Nothing is sent and nothing is spent; an hour takes a moment.
 *
 * @since 0.1.0
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Client from "@infermesh/core/Client"
import type { ClientSettings } from "@infermesh/core/ClientSettings"
import * as Inference from "@infermesh/core/Inference"
import type { GenerateInput } from "@infermesh/core/operation/Generate"
import * as Scheduler from "@infermesh/core/Scheduler"
import type { SettingsError } from "@infermesh/core/SettingsError"
import * as Simulator from "@infermesh/core/testing/Simulator"
import * as Providers from "@infermesh/providers/Providers"
import * as Clock from "effect/Clock"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"

import * as Prices from "../Prices.ts"

/**
 * What is played through.
 *
 * @category models
 * @since 0.1.0
 */
export interface RehearsalOptions {
  readonly settings: ClientSettings
  readonly inputs: ReadonlyArray<GenerateInput>
  readonly concurrency: number
  readonly maxTokens: number | undefined
  /** What an answer is taken to have. */
  readonly answerTokens: number
  /** What an answer is taken to take. */
  readonly answerMillis: number
}

/**
 * What came of it.
 *
 * **Units**: milliseconds of the virtual clock, tokens, US dollars.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rehearsed {
  /** When each row was settled, in order. */
  readonly settledMillis: ReadonlyArray<number>
  readonly promptTokens: ReadonlyArray<number>
  readonly completionTokens: number
  /** Of the rows whose price is known; absent where none is. */
  readonly costUsd: number | undefined
  readonly failures: { readonly [reason: string]: number }
  /** Seconds in which attempts waited, by what the first of them waited for. */
  readonly waited: { readonly [what: string]: number }
}

/** A job that takes longer than a year of virtual time is not waited for. */
const longestSeconds = 365 * 86_400

/**
 * Plays it through.
 *
 * **Errors**: `SettingsError` for settings that no client can have.
 *
 * @category running
 * @since 0.1.0
 */
export const run = ({
  answerMillis,
  answerTokens,
  concurrency,
  inputs,
  maxTokens,
  settings
}: RehearsalOptions): Effect.Effect<Rehearsed, SettingsError> =>
  Effect.gen(function* () {
    const tokens = Math.max(1, Math.min(answerTokens, maxTokens ?? answerTokens))
    const simulator = yield* Simulator.make({
      latency: { kind: "constant", millis: answerMillis },
      outputTokens: { min: tokens, max: tokens }
    })
    const client = Client.layer(settings).pipe(
      Layer.provide(Providers.layer),
      Layer.provide(Simulator.layerHttpClient(() => simulator)),
      Layer.provide(Prices.layer),
      Layer.provide(NodeFileSystem.layer)
    )
    const context = yield* Layer.build(client)
    return yield* Effect.provideContext(play({ inputs, concurrency, maxTokens }), context)
  }).pipe(
    Effect.scoped,
    // Keys are needed by providers, not by a server that is none.
    Effect.provide([ConfigProvider.layer(anyKey), TestClock.layer()])
  )

const anyKey = ConfigProvider.make(() => Effect.succeed(ConfigProvider.makeValue("none")))

const play = Effect.fnUntraced(function* ({
  concurrency,
  inputs,
  maxTokens
}: Pick<RehearsalOptions, "inputs" | "concurrency" | "maxTokens">) {
  const inference = yield* Inference.Inference
  const scheduler = yield* Scheduler.Scheduler
  const settledMillis: Array<number> = []
  const promptTokens: Array<number> = []
  const failures: Record<string, number> = {}
  const waited: Record<string, number> = {}
  let completionTokens = 0
  let costUsd: number | undefined
  const one = (input: GenerateInput) =>
    Effect.flatMap(Effect.result(inference.generate(input, { maxTokens })), (result) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        settledMillis.push(now)
        if (Result.isFailure(result)) {
          const { _tag } = result.failure.reason
          failures[_tag] = (failures[_tag] ?? 0) + 1
          return
        }
        const { cost, tokenUsage } = result.success
        promptTokens.push(tokenUsage?.promptTokens ?? 0)
        completionTokens += tokenUsage?.completionTokens ?? 0
        if (cost !== undefined) costUsd = (costUsd ?? 0) + cost
      })
    )
  const fiber = yield* Effect.forkChild(Effect.forEach(inputs, one, { concurrency, discard: true }))
  for (let second = 0; second < longestSeconds && fiber.pollUnsafe() === undefined; second++) {
    yield* TestClock.adjust("1 second")
    const { waiting, waitingFor = "a free slot" } = yield* scheduler.snapshot
    if (waiting > 0) waited[waitingFor] = (waited[waitingFor] ?? 0) + 1
  }
  yield* Fiber.interrupt(fiber)
  const rehearsed: Rehearsed = {
    settledMillis,
    promptTokens,
    completionTokens,
    costUsd,
    failures,
    waited
  }
  return rehearsed
})
