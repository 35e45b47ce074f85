/**
 * Embeddings: the request a provider gets and the results the caller receives.
 *
 * It sends nothing and packs nothing; which texts go together in one request is the embed operation's matter.
 *
 * **Shape**: one vector per text, in the order of the texts; all vectors of a model have the same length.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

import { ExtraBody } from "./ExtraBody.ts"
import { nullable } from "./Nullable.ts"
import type { RequestMetrics } from "./Timing.ts"
import { RequestMetricsRow } from "./Timing.ts"
import type { TokenUsage } from "./Usage.ts"
import { TokenUsageRow } from "./Usage.ts"

/**
 * The model options of an embedding request.
 *
 * @category schemas
 * @since 0.1.0
 */
export const EmbedModelOptions = Schema.Struct({
  /** The length of the vectors, for models that can shorten them. */
  dimensions: Schema.optional(Schema.Int.check(Schema.isGreaterThan(0))),
  user: Schema.optional(Schema.String),
  /** Further fields of the request body, sent as they are; they win over the fields above. */
  extraBody: Schema.optional(ExtraBody),
  /** Further HTTP headers of the request. */
  headers: Schema.optional(Schema.Record(Schema.String, Schema.String))
})

/**
 * The model options of an embedding request.
 *
 * @category models
 * @since 0.1.0
 */
export type EmbedModelOptions = typeof EmbedModelOptions.Type

/**
 * A validated embedding request, as providers receive it: at least one text, none empty.
 *
 * @category models
 * @since 0.1.0
 */
export interface EmbedRequest {
  readonly texts: ReadonlyArray<string>
  readonly options: EmbedModelOptions
}

/**
 * What a provider understood of an answer: as many vectors as texts, in their order.
 *
 * @category models
 * @since 0.1.0
 */
export interface Embeddings {
  readonly modelId: string
  readonly vectors: ReadonlyArray<Float32Array>
}

/**
 * The embedding of one text.
 *
 * **Details**: `tokenUsage` and `cost` are this text's share of its request (by estimated tokens), so that sums over items
 * are right; the request's own usage is in `EmbedResult`.
 *
 * @category models
 * @since 0.1.0
 */
export interface EmbeddingResult<V = Float32Array> {
  readonly modelId: string
  readonly embedding: V
  readonly tokenUsage: TokenUsage | undefined
  readonly requestId: string | undefined
  readonly cost: number | undefined
  readonly metrics: RequestMetrics
}

/**
 * The result of one embedding request over several texts.
 *
 * @category models
 * @since 0.1.0
 */
export interface EmbedResult<V = Float32Array> {
  readonly modelId: string
  /** One vector per text, in input order. */
  readonly embeddings: ReadonlyArray<V>
  /** The usage of the whole request. */
  readonly tokenUsage: TokenUsage | undefined
  readonly requestId: string | undefined
  readonly cost: number | undefined
  readonly metrics: RequestMetrics
  /** The response body, parsed; only when `rawResponse: true` was asked for. */
  readonly rawResponse: unknown
}

/**
 * `EmbeddingResult` as result files hold it, the vector as a JSON array.
 *
 * @category schemas
 * @since 0.1.0
 */
export const EmbeddingResultRow = Schema.Struct({
  modelId: Schema.String,
  embedding: Schema.Array(Schema.Finite),
  tokenUsage: nullable(TokenUsageRow),
  requestId: nullable(Schema.String),
  cost: nullable(Schema.Finite),
  metrics: RequestMetricsRow
}).pipe(
  Schema.encodeKeys({ modelId: "model_id", tokenUsage: "token_usage", requestId: "request_id" })
)
