/**
 * The settings of a simulator, as plain JSON with defaults: what a test writes, and what the command reads from flags.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

import { EmbeddingSettings } from "./EmbeddingVector.ts"
import * as Fault from "./Fault.ts"
import { Latency } from "./Latency.ts"
import { QuotaSettings } from "./ServerQuota.ts"

const Positive = Schema.Int.check(Schema.isGreaterThan(0))
const FaultName = Schema.Literals(Fault.kinds)

/**
 * One entry of a script: a fault by name, the same with another Retry-After, a response of its own, or a plain answer.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ScriptEntry = Schema.Union([
  Schema.Literal("answer"),
  FaultName,
  Schema.Struct({ fault: FaultName, retryAfterMillis: Schema.optional(Schema.Finite) }),
  Schema.Struct({
    status: Schema.Int.check(Schema.isBetween({ minimum: 200, maximum: 599 })),
    headers: Schema.optional(Schema.Record(Schema.String, Schema.String)),
    body: Schema.String
  })
])

/**
 * One entry of a script.
 *
 * @category models
 * @since 0.1.0
 */
export type ScriptEntry = typeof ScriptEntry.Type

/**
 * The settings of a simulator; every field may be left out.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SimulatorOptions = Schema.Struct({
  /** Another seed gives other answers, latencies and faults. Default 0. */
  seed: Schema.Int.pipe(Schema.withDecodingDefault(Effect.succeed(0))),
  /** The models the server has; any when absent. */
  models: Schema.optional(Schema.Array(Schema.String)),
  /** The key clients have to send; none is asked for when absent. */
  apiKey: Schema.optional(Schema.String),
  /** Default: none. */
  latency: Latency.pipe(
    Schema.withDecodingDefault(Effect.succeed({ kind: "constant" as const, millis: 0 }))
  ),
  /** Default: none. */
  quota: Schema.optional(QuotaSettings),
  /** Shares of requests that meet each fault; default none. */
  faults: Fault.FaultRates.pipe(Schema.withDecodingDefault(Effect.succeed({}))),
  /** What becomes of the first, second, … request that the quota admits; after its end the rates apply. */
  script: Schema.Array(ScriptEntry).pipe(Schema.withDecodingDefault(Effect.succeed([]))),
  /** Retry-After of injected 429s. Default 1000. */
  retryAfterMillis: Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)).pipe(
    Schema.withDecodingDefault(Effect.succeed(1000))
  ),
  /** How long text answers get. Default 16 to 64 tokens. */
  outputTokens: Schema.Struct({ min: Positive, max: Positive })
    .check(Schema.makeFilter(({ max, min }) => (min <= max ? undefined : "min is above max")))
    .pipe(Schema.withDecodingDefault(Effect.succeed({ min: 16, max: 64 }))),
  /** The most tokens the model answers with. */
  maxOutputTokens: Schema.optional(Positive),
  /** The most tokens prompt and answer may have together. */
  contextWindow: Schema.optional(Positive),
  /** Parameters the model refuses, as reasoning models refuse `max_tokens`. */
  unsupportedParameters: Schema.Array(Schema.String).pipe(
    Schema.withDecodingDefault(Effect.succeed([]))
  ),
  /** Default: the documented limits, and no poison. */
  embeddings: EmbeddingSettings.pipe(Schema.withDecodingDefault(Effect.succeed({})))
})

/**
 * The settings of a simulator, complete.
 *
 * @category models
 * @since 0.1.0
 */
export type SimulatorOptions = typeof SimulatorOptions.Type

/**
 * The settings of a simulator as they are written: every field may be left out.
 *
 * @category models
 * @since 0.1.0
 */
export type SimulatorSettings = typeof SimulatorOptions.Encoded
