/**
 * Prices from the table of `@pydantic/genai-prices`, which its authors keep up to date and ship with each release.
 *
 * A model that is not in the table has no price, and its requests no cost: never zero. The table is loaded with the layer, and
 * only for providers that it can know.
 *
 * **Units**: USD.
 *
 * @since 0.1.0
 */
import type { Purchase } from "@infermesh/core/telemetry/Pricing"
import { Pricing } from "@infermesh/core/telemetry/Pricing"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** Our prefixes where the table has another name for the provider. */
const tableNames: { readonly [provider: string]: string } = {
  gemini: "google",
  xai: "x-ai",
  huggingface: "huggingface"
}

/** Costs are sums of floats; what is behind the twelfth decimal is noise. */
const decimals = 12

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
      const priceOf = ({ provider, usage }: Purchase, model: string): number | undefined => {
        try {
          const price = calcPrice(
            {
              input_tokens: usage.promptTokens,
              output_tokens: usage.completionTokens,
              ...(usage.cachedTokens === undefined
                ? {}
                : { cache_read_tokens: usage.cachedTokens }),
              ...(usage.cacheWriteTokens === undefined
                ? {}
                : { cache_write_tokens: usage.cacheWriteTokens })
            },
            model,
            { providerId: tableNames[provider] ?? provider }
          )
          return price === null ? undefined : Number(price.total_price.toFixed(decimals))
        } catch {
          // The table refuses usages it cannot split; a cost that cannot be told is absent.
          return undefined
        }
      }
      // Models that are not in the table are looked up once: the search is the costly part.
      const unknown = new Set<string>()
      return {
        cost: (purchase: Purchase) => {
          const key = `${purchase.provider}/${purchase.models.join("/")}`
          if (unknown.has(key)) return undefined
          const cost =
            priceOf(purchase, purchase.models[0]) ?? priceOf(purchase, purchase.models[1])
          if (cost === undefined) unknown.add(key)
          return cost
        }
      }
    }
  )
)
