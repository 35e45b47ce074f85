/**
 * Which deployments can serve a request, by the name of the model it asks for and the tags it wants.
 *
 * A deployment answers to its model with and without the provider (`openai/gpt-4.1-mini`, `gpt-4.1-mini`) and to the logical
 * names in its `models`; many deployments may answer to one name. A request that names no model can go to all of them. It
 * chooses none: that is the strategy's matter.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"

import type { Deployment } from "../Deployment.ts"
import { InvalidInput } from "../Reason.ts"

/**
 * What a request wants of its deployment.
 *
 * @category models
 * @since 0.1.0
 */
export interface Wanted {
  /** A model's name, a logical name or an alias; any deployment will do when absent. */
  readonly model?: string | undefined
  /** Tags that the deployment must have, all of them. */
  readonly tags?: ReadonlyArray<string> | undefined
}

/**
 * Deployments by the names they answer to; `A` is whatever stands for a deployment.
 *
 * @category models
 * @since 0.1.0
 */
export interface ModelTable<A> {
  /** The names that are known, aliases included, in alphabetical order. */
  readonly names: ReadonlyArray<string>
  /** Those that can serve, in the order they were given: none only where the table is empty and no name is asked for. */
  readonly serving: (wanted: Wanted) => Result.Result<ReadonlyArray<A>, InvalidInput>
}

/**
 * The names a deployment answers to.
 *
 * @category getters
 * @since 0.1.0
 */
export const namesOf = ({ models, provider, target }: Deployment): ReadonlyArray<string> => [
  ...new Set([...models, target.model, `${provider}/${target.model}`])
]

/**
 * Builds the table. It is a snapshot: where deployments come and go, it is built again.
 *
 * **Details**: `aliases` are further names for names, from the alias to what it stands for; an alias is looked up once, so one
 * alias cannot stand for another.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A extends { readonly deployment: Deployment }>(
  all: ReadonlyArray<A>,
  aliases: { readonly [alias: string]: string } = {}
): ModelTable<A> => {
  const byName = new Map<string, Array<A>>()
  for (const one of all) {
    for (const name of namesOf(one.deployment)) {
      const serving = byName.get(name)
      if (serving === undefined) byName.set(name, [one])
      else serving.push(one)
    }
  }
  const aliasOf = new Map(Object.entries(aliases))
  const names = [...new Set([...byName.keys(), ...aliasOf.keys()])].toSorted()

  const named = (model: string): Result.Result<ReadonlyArray<A>, InvalidInput> => {
    const name = aliasOf.get(model) ?? model
    const serving = byName.get(name)
    if (serving !== undefined) return Result.succeed(serving)
    const problem =
      name === model
        ? `no deployment serves '${name}'`
        : `'${model}' stands for '${name}', which no deployment serves`
    return Result.fail(
      new InvalidInput({ input: "model", problem, hint: `Known: ${names.join(", ")}` })
    )
  }

  return {
    names,
    serving: ({ model, tags }) => {
      const found = model === undefined ? Result.succeed(all) : named(model)
      if (Result.isFailure(found) || tags === undefined || tags.length === 0) return found
      const tagged = found.success.filter(({ deployment }) =>
        tags.every((tag) => deployment.tags.includes(tag))
      )
      if (tagged.length > 0) return Result.succeed(tagged)
      const known = new Set(found.success.flatMap(({ deployment }) => deployment.tags))
      return Result.fail(
        new InvalidInput({
          input: "tags",
          problem: `no deployment${model === undefined ? "" : ` of '${model}'`} has ${tags.map((tag) => `'${tag}'`).join(" and ")}`,
          hint:
            known.size === 0
              ? "None of them has any tags"
              : `Known: ${[...known].toSorted().join(", ")}`
        })
      )
    }
  }
}
