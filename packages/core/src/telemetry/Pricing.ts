/**
 * What a request cost, from the tokens it used.
 *
 * A service, so that users can bring their own prices. A price that is not known gives no cost: never zero.
 *
 * **Units**: USD.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"

import type { Deployment } from "../Deployment.ts"
import type { TokenUsage } from "../operation/Usage.ts"
import * as Price from "./Price.ts"

/**
 * What a price is asked for.
 *
 * @category models
 * @since 0.1.0
 */
export interface Purchase {
  /** The provider's prefix, such as `openai`. */
  readonly provider: string
  /** The model as the response names it, and as the deployment does. */
  readonly models: readonly [reported: string, asked: string]
  readonly usage: TokenUsage
}

/**
 * Prices requests.
 *
 * @category services
 * @since 0.1.0
 */
export class Pricing extends Context.Service<
  Pricing,
  { readonly cost: (purchase: Purchase) => number | undefined }
>()("@infermesh/core/telemetry/Pricing") {}

/**
 * What a usage costs at a deployment: by its own price where it has one, else by what is known of the model; `undefined` when
 * nothing is known.
 *
 * **Units**: USD.
 *
 * @category getters
 * @since 0.1.0
 */
export const costAt = (
  pricing: Pricing["Service"],
  { price, provider, target }: Deployment,
  usage: TokenUsage,
  reportedModel: string = target.model
): number | undefined =>
  price === undefined
    ? pricing.cost({ provider, models: [reportedModel, target.model], usage })
    : Price.cost(price, usage)

/**
 * Knows no prices.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerNone: Layer.Layer<Pricing> = Layer.succeed(Pricing, { cost: () => undefined })

/**
 * Prices of a user's own, in USD per million tokens, by model name.
 *
 * **Details**: prompt tokens from the provider's cache cost `cachedInput`, and those written to it `cacheWrite`, or `input`
 * where these are not given.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerTable = (table: {
  readonly [model: string]: Price.Price
}): Layer.Layer<Pricing> =>
  Layer.succeed(Pricing, {
    cost: ({ models, usage }) => {
      const price = table[models[0]] ?? table[models[1]]
      return price === undefined ? undefined : Price.cost(price, usage)
    }
  })
