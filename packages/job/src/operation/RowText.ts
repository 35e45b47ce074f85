/**
 * Rows as text, written without their Schema, which takes ten times as long: every row of a job passes here.
 *
 * It writes what the Schema's encoder would, and no more: the fields and their keys come from the Schema's own definition, and a
 * test compares the two.
 *
 * @since 0.1.0
 */
import type { RequestMetrics } from "@infermesh/core/operation/Timing"
import type { ToolCall } from "@infermesh/core/operation/ToolCall"
import type { TokenUsage } from "@infermesh/core/operation/Usage"
import * as Duration from "effect/Duration"

/** What is not written as it is in memory, by its field. */
const encoders: { readonly [field: string]: (value: never) => unknown } = {
  tokenUsage: (usage: TokenUsage) => ({
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.totalTokens,
    reasoning_tokens: usage.reasoningTokens ?? null,
    cached_tokens: usage.cachedTokens ?? null,
    cache_write_tokens: usage.cacheWriteTokens ?? null
  }),
  metrics: (metrics: RequestMetrics) => ({
    queue_wait_s: Duration.toMillis(metrics.queueWait) / 1000,
    service_time_s: Duration.toMillis(metrics.serviceTime) / 1000,
    end_to_end_s: Duration.toMillis(metrics.endToEnd) / 1000,
    deployment: metrics.deployment ?? null,
    retries: metrics.retries,
    repairs: metrics.repairs,
    reused: metrics.reused,
    hedges: metrics.hedges,
    hedge_cost: metrics.hedgeCost
  }),
  toolCalls: (calls: ReadonlyArray<ToolCall>) =>
    calls.map(({ arguments: text = null, id, name }) => ({ id, name, arguments: text })),
  finishReason: (reason: string) => reason.replaceAll("-", "_"),
  // A vector is known to be numbers.
  embedding: (vector: ArrayLike<number>) => Array.from(vector)
}

/** Fields that a row has only when they were given. */
const optional = new Set(["metadata", "matrixRow", "subtitles"])

/**
 * Builds the writer of a kind of rows from the fields of its Schema, in their order, and from the keys that differ from them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const writer = (
  fields: { readonly [field: string]: unknown },
  keys: { readonly [field: string]: string }
): ((row: object) => string) => {
  const columns = Object.keys(fields).map((field) => ({
    field,
    key: keys[field] ?? field,
    encode: encoders[field],
    isOptional: optional.has(field)
  }))
  return (row) => {
    const line: Record<string, unknown> = {}
    for (const { encode, field, isOptional, key } of columns) {
      const value = (row as Readonly<Record<string, unknown>>)[field]
      if (value !== undefined) line[key] = encode === undefined ? value : encode(value as never)
      else if (!isOptional) line[key] = null
    }
    return `${JSON.stringify(line)}\n`
  }
}
