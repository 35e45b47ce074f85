/**
 * The models whose price is known, out of the table of `@pydantic/genai-prices`, by the providers that are known here.
 *
 * A model that is not in it can be asked all the same; it has no cost. Limits of an account are in no table: they are learned
 * from the answers.
 *
 * **Units**: USD per million tokens; tokens.
 *
 * @since 0.1.0
 */
import * as Vendors from "@infermesh/providers/vendor/Vendors"
import * as Effect from "effect/Effect"

/**
 * A model.
 *
 * @category models
 * @since 0.1.0
 */
export interface KnownModel {
  /** As `--model` takes it: `provider/name`. */
  readonly model: string
  /** The first tier, where a price grows with the prompt. */
  readonly inputUsd: number | undefined
  readonly outputUsd: number | undefined
  readonly cachedInputUsd: number | undefined
  readonly contextWindow: number | undefined
}

/**
 * All of them, by provider and name; those whose name has a text in it.
 *
 * @category getters
 * @since 0.1.0
 */
export const find = (text: string): Effect.Effect<ReadonlyArray<KnownModel>> =>
  Effect.map(
    Effect.promise(() => import("@pydantic/genai-prices")),
    ({ findProvider }) =>
      providers
        .flatMap((provider) =>
          (findProvider({ providerId: provider })?.models ?? []).map(
            ({ context_window: contextWindow, id, prices }): KnownModel => {
              const now = Array.isArray(prices) ? prices.at(-1)?.prices : prices
              return {
                model: `${provider}/${id}`,
                inputUsd: rate(now?.["input_mtok"]),
                outputUsd: rate(now?.["output_mtok"]),
                cachedInputUsd: rate(now?.["cache_read_mtok"]),
                contextWindow
              }
            }
          )
        )
        .filter(({ model }) => model.toLowerCase().includes(text.toLowerCase()))
        .toSorted((left, right) => (left.model < right.model ? -1 : 1))
  )

/** The names by which models are asked here, and by which the table knows its providers, too. */
const providers = [
  ...new Set(["openai", "anthropic", "gemini", ...Vendors.all.map(({ name }) => name)])
]

const rate = (price: unknown): number | undefined => {
  if (typeof price === "number") return price
  const base =
    typeof price === "object" && price !== null && "base" in price ? price.base : undefined
  return typeof base === "number" ? base : undefined
}
