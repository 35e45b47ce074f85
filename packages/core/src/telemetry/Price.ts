/**
 * What tokens of a model cost: a value, and the arithmetic that applies it.
 *
 * Where prices come from is `Pricing`; a deployment's own price, which its settings may give, is used instead.
 *
 * **Units**: USD per million tokens.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

import type { TokenUsage } from "../operation/Usage.ts"

const Rate = Schema.Finite.check(
  Schema.makeFilter((value: number) =>
    value >= 0 ? undefined : `${value} is no price; write USD per million tokens, 0 for free`
  )
)

/**
 * The price of a model's tokens.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Price = Schema.Struct({
  input: Rate,
  output: Rate,
  /** Of prompt tokens answered from the provider's cache. Default: as `input`. */
  cachedInput: Schema.optional(Rate),
  /** Of prompt tokens written to the provider's cache. Default: as `input`. */
  cacheWrite: Schema.optional(Rate)
})

/**
 * The price of a model's tokens.
 *
 * @category models
 * @since 0.1.0
 */
export type Price = typeof Price.Type

/**
 * What a usage costs at a price, in USD.
 *
 * @category getters
 * @since 0.1.0
 */
export const cost = (
  price: Price,
  usage: Pick<TokenUsage, "promptTokens" | "completionTokens" | "cachedTokens" | "cacheWriteTokens">
): number | undefined => {
  const cached = usage.cachedTokens ?? 0
  const written = usage.cacheWriteTokens ?? 0
  const fresh = usage.promptTokens - cached - written
  // A usage that contradicts itself tells no cost.
  if (fresh < 0) return undefined
  return (
    (fresh * price.input +
      cached * (price.cachedInput ?? price.input) +
      written * (price.cacheWrite ?? price.input) +
      usage.completionTokens * price.output) /
    1_000_000
  )
}
