/**
 * Prices from the table of `@pydantic/genai-prices`, which its authors keep up to date and ship with each release.
 *
 * A model that is not in the table has no price, and its requests no cost: never zero. The table is loaded with the layer, and
 * fetches nothing. It finds providers by our names for them, too (`gemini`, `xai`).
 *
 * **Units**: USD.
 *
 * @since 0.1.0
 */
import type { TokenUsage } from "@infermesh/core/operation/Usage"
import type { Purchase } from "@infermesh/core/telemetry/Pricing"
import { Pricing } from "@infermesh/core/telemetry/Pricing"
import type { PriceCalculationResult, Usage } from "@pydantic/genai-prices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** Costs are sums of floats; what is behind the twelfth decimal is noise. */
const rounded = (cost: number): number => Math.round(cost * 1e12) / 1e12

/** Tokens whose price is asked for to learn a rate: prices are given for a million. */
const million = 1_000_000

/**
 * Prices by the table.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Pricing> = Layer.effect(
  Pricing,
  Effect.map(
    Effect.promise(() => import("@pydantic/genai-prices")),
    ({ calcPrice }) => {
      const quote = (provider: string, model: string, usage: Usage): PriceCalculationResult =>
        calcPrice(usage, model, { providerId: provider })
      // A look-up takes tens of microseconds, of every request: each model is looked up once.
      // By provider, the name asked for and the name reported: to join them would be dearer than to look three times.
      const known = new Map<string, Map<string, Map<string, PriceOf | undefined>>>()
      return {
        cost: ({ models: [reported, asked], provider, usage }: Purchase) => {
          const names = inside(inside(known, provider), asked)
          let priceOf = names.get(reported)
          if (priceOf === undefined && !names.has(reported)) {
            priceOf =
              find((tokens) => quote(provider, reported, tokens)) ??
              find((tokens) => quote(provider, asked, tokens))
            names.set(reported, priceOf)
          }
          const cost = priceOf?.(usage)
          return cost === undefined ? undefined : rounded(cost)
        }
      }
    }
  )
)

const inside = <A>(maps: Map<string, Map<string, A>>, key: string): Map<string, A> => {
  let inner = maps.get(key)
  if (inner === undefined) maps.set(key, (inner = new Map()))
  return inner
}

type PriceOf = (usage: TokenUsage) => number | undefined
type Quote = (usage: Usage) => PriceCalculationResult

/** How a model is priced: by rates where the table has the same rates for every request, else by the table itself. */
const find = (quote: Quote): PriceOf | undefined => {
  const found = attempt(() => quote({ input_tokens: 1, output_tokens: 1 }))
  if (found === undefined || found === null) return undefined
  const byTable: PriceOf = (usage) => attempt(() => quote(toTable(usage))?.total_price)
  const isFlat =
    !Array.isArray(found.model.prices) &&
    Object.values(found.model_price).every((price) => typeof price !== "object")
  if (!isFlat) return byTable
  const rate = (usage: Usage): number | undefined => {
    const price = attempt(() => quote(usage)?.total_price)
    return price === undefined ? undefined : price / million
  }
  const input = rate({ input_tokens: million })
  const output = rate({ output_tokens: million })
  const cached = rate({ input_tokens: million, cache_read_tokens: million })
  const written = rate({ input_tokens: million, cache_write_tokens: million })
  const nothing = attempt(() => quote({ input_tokens: 0, output_tokens: 0 })?.total_price)
  const known = input !== undefined && output !== undefined && nothing === 0
  if (!known || cached === undefined || written === undefined) return byTable
  return ({ cachedTokens = 0, cacheWriteTokens = 0, completionTokens, promptTokens }) => {
    const fresh = promptTokens - cachedTokens - cacheWriteTokens
    if (fresh < 0) return undefined
    return (
      fresh * input + completionTokens * output + cachedTokens * cached + cacheWriteTokens * written
    )
  }
}

const toTable = (usage: TokenUsage): Usage => ({
  input_tokens: usage.promptTokens,
  output_tokens: usage.completionTokens,
  ...(usage.cachedTokens === undefined ? {} : { cache_read_tokens: usage.cachedTokens }),
  ...(usage.cacheWriteTokens === undefined ? {} : { cache_write_tokens: usage.cacheWriteTokens })
})

/** The table throws for usages it cannot split; a cost that cannot be told is absent. */
const attempt = <A>(price: () => A): A | undefined => {
  try {
    return price()
  } catch {
    return undefined
  }
}
