/**
 * The registry of providers: which vendor answers to which prefix of a model string.
 *
 * Each vendor's package has a Layer that registers it alone; `merge` puts several together, and `layerAdd` adds a user's own
 * to those that are there.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

import type { Provider } from "./Provider.ts"

/**
 * The providers a program has.
 *
 * @category services
 * @since 0.1.0
 */
export class Providers extends Context.Service<
  Providers,
  {
    readonly get: (name: string) => Provider | undefined
    /** The known prefixes, in alphabetical order. */
    readonly names: ReadonlyArray<string>
  }
>()("@infermesh/core/provider/Providers") {}

/**
 * A registry of the given providers; of two with the same name the later one counts.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (providers: Iterable<Provider>): Providers["Service"] => {
  const byName = new Map<string, Provider>()
  for (const provider of providers) byName.set(provider.name, provider)
  return { get: (name) => byName.get(name), names: [...byName.keys()].toSorted() }
}

/**
 * Registers providers made by an effect: how a vendor's package makes its Layer.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <E, R>(
  providers: Effect.Effect<ReadonlyArray<Provider>, E, R>
): Layer.Layer<Providers, E, R> => Layer.effect(Providers, Effect.map(providers, make))

/**
 * All providers of several registries.
 *
 * @category layers
 * @since 0.1.0
 */
export const merge = <E, R>(
  layers: ReadonlyArray<Layer.Layer<Providers, E, R>>
): Layer.Layer<Providers, E, R> =>
  Layer.effect(
    Providers,
    Effect.map(
      Effect.forEach(layers, (one) => Effect.map(Layer.build(one), Context.get(Providers))),
      (registries) => make(registries.flatMap(all))
    )
  )

/**
 * Adds a provider to the registry in context.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerAdd = <E, R>(
  provider: Effect.Effect<Provider, E, R>
): Layer.Layer<Providers, E, R | Providers> =>
  Layer.effect(
    Providers,
    Effect.gen(function* () {
      return make([...all(yield* Providers), yield* provider])
    })
  )

/**
 * What to say to somebody who asked for a provider that is not there: the one that was probably meant, and the known ones.
 *
 * **Details**: meant is one with that name or alias, else the first of which one begins or ends with the given name or the
 * other way round (`vllm` for `hosted_vllm`, `together_ai` for `together`); case and punctuation do not count.
 *
 * @category getters
 * @since 0.1.0
 */
export const hint = (registry: Providers["Service"], name: string): string => {
  const given = bare(name)
  const meant = [isEqual, isPartOf]
    .map((fits) =>
      all(registry).find(({ aliases = [], name: known }) =>
        [known, ...aliases].some((one) => fits(bare(one), given))
      )
    )
    .find((provider) => provider !== undefined)
  const known = `Known providers: ${registry.names.join(", ")}`
  return meant === undefined ? known : `Did you mean '${meant.name}'? ${known}`
}

const bare = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "")

const isEqual = (left: string, right: string): boolean => left === right

/** Shorter names would be found everywhere. */
const leastLength = 3

const isPartOf = (left: string, right: string): boolean => {
  const [short, long] = left.length < right.length ? [left, right] : [right, left]
  return short.length >= leastLength && (long.startsWith(short) || long.endsWith(short))
}

const all = (registry: Providers["Service"]): ReadonlyArray<Provider> =>
  registry.names.flatMap((name) => registry.get(name) ?? [])
