/**
 * Token counts of one request, as the provider reported them.
 *
 * It does not price anything (telemetry/Pricing does) and it never guesses: a count the provider did not give is absent.
 *
 * **Units**: tokens.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

import { nullable } from "./Nullable.ts"

const Count = Schema.Int

/**
 * Token counts of one request.
 *
 * **Details**: `totalTokens` is the provider's own total where it gives one, else prompt plus completion.
 * `cachedTokens` and `reasoningTokens` are parts of prompt and completion, not additions to them.
 *
 * @category models
 * @since 0.1.0
 */
export class TokenUsage extends Schema.Class<TokenUsage>("@infermesh/core/TokenUsage")({
  promptTokens: Count,
  completionTokens: Count,
  totalTokens: Count,
  /** Tokens spent on hidden reasoning, within `completionTokens`. */
  reasoningTokens: Schema.optional(Count),
  /** Prompt tokens answered from the provider's cache, within `promptTokens`. */
  cachedTokens: Schema.optional(Count),
  /** Prompt tokens written to the provider's cache, within `promptTokens`. */
  cacheWriteTokens: Schema.optional(Count)
}) {
  /** The provider-neutral name of `completionTokens`. */
  get outputTokens(): number {
    return this.completionTokens
  }
}

/**
 * Builds a usage from counts already known to be numbers, without the cost of validation.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (counts: {
  readonly promptTokens: number
  readonly completionTokens: number
  readonly totalTokens?: number | undefined
  readonly reasoningTokens?: number | undefined
  readonly cachedTokens?: number | undefined
  readonly cacheWriteTokens?: number | undefined
}): TokenUsage => {
  const totalTokens = counts.totalTokens ?? counts.promptTokens + counts.completionTokens
  // What the constructor of a Schema class does beyond this takes twenty times as long, for every answer.
  return Object.assign(Object.create(TokenUsage.prototype), counts, { totalTokens })
}

/**
 * The usage of several requests together.
 *
 * @category combinators
 * @since 0.1.0
 */
export const sum = (left: TokenUsage, right: TokenUsage): TokenUsage =>
  make({
    promptTokens: left.promptTokens + right.promptTokens,
    completionTokens: left.completionTokens + right.completionTokens,
    totalTokens: left.totalTokens + right.totalTokens,
    reasoningTokens: add(left.reasoningTokens, right.reasoningTokens),
    cachedTokens: add(left.cachedTokens, right.cachedTokens),
    cacheWriteTokens: add(left.cacheWriteTokens, right.cacheWriteTokens)
  })

const add = (left: number | undefined, right: number | undefined): number | undefined =>
  left === undefined ? right : right === undefined ? left : left + right

/**
 * `TokenUsage` as result files hold it: snake_case keys, `null` for what is unknown.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TokenUsageRow = Schema.Struct({
  promptTokens: Count,
  completionTokens: Count,
  totalTokens: Count,
  reasoningTokens: nullable(Count),
  cachedTokens: nullable(Count),
  cacheWriteTokens: nullable(Count)
}).pipe(
  Schema.encodeKeys({
    promptTokens: "prompt_tokens",
    completionTokens: "completion_tokens",
    totalTokens: "total_tokens",
    reasoningTokens: "reasoning_tokens",
    cachedTokens: "cached_tokens",
    cacheWriteTokens: "cache_write_tokens"
  }),
  Schema.decodeTo(TokenUsage)
)
