/**
 * The usual client from one settings value: which deployments, which limits, how many at once.
 *
 * It wires the stages' Layers and nothing else; a program that wants another graph builds it from the same Layers. It leaves
 * open which providers there are and what HTTP they use.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"

import * as Budget from "./admission/Budget.ts"
import type { MaxParallelRequests } from "./admission/ConcurrencyLimit.ts"
import * as QuotaStore from "./admission/QuotaStore.ts"
import * as TokenEstimate from "./admission/TokenEstimate.ts"
import type { FallbackSettings } from "./attempt/Fallback.ts"
import * as Retry from "./attempt/Retry.ts"
import * as RetryBudget from "./attempt/RetryBudget.ts"
import * as Batch from "./batch/Batch.ts"
import type { ClientSettings } from "./ClientSettings.ts"
import { check } from "./ClientSettings.ts"
import type { Deployment } from "./Deployment.ts"
import * as DeploymentModule from "./Deployment.ts"
import * as Inference from "./Inference.ts"
import type { Providers } from "./provider/Providers.ts"
import * as Health from "./routing/Health.ts"
import * as ModelTable from "./routing/ModelTable.ts"
import { strategies } from "./routing/Strategy.ts"
import * as Scheduler from "./Scheduler.ts"
import { SettingsError } from "./SettingsError.ts"
import type { Pricing } from "./telemetry/Pricing.ts"

export { ClientSettings } from "./ClientSettings.ts"

/**
 * The deployments that settings describe.
 *
 * @category constructors
 * @since 0.1.0
 */
export const deployments = Effect.fnUntraced(function* (settings: ClientSettings) {
  const { deployments: labelled, fallbacks, model } = settings
  if (labelled === undefined) {
    if (model === undefined) {
      return yield* new SettingsError({
        setting: "model",
        problem: "it is missing",
        hint: "Give a model such as openai/gpt-4.1-mini, or deployments"
      })
    }
    // The settings of a client with one deployment are that deployment's, so its limits are those that headers tell of.
    const { apiBase, apiKey, extraBody, headers, headerScope, limits, price } = settings
    const only = yield* DeploymentModule.make({
      model,
      apiBase,
      apiKey,
      extraBody,
      headers,
      headerScope,
      limits,
      price
    })
    const others = isList(fallbacks) ? fallbacks : []
    return [
      only,
      ...(yield* Effect.forEach(others, (other) => DeploymentModule.make({ model: other }, other)))
    ]
  }
  for (const setting of ofOneDeployment) {
    if (settings[setting] !== undefined) {
      return yield* new SettingsError({
        setting,
        problem: "it cannot be given together with deployments",
        hint: `Give each deployment its own ${setting}`
      })
    }
  }
  return yield* Effect.forEach(Object.entries(labelled), ([label, deployment]) =>
    DeploymentModule.make(deployment, label)
  )
})

/** Settings that are a deployment's: of the client only where it has one. */
const ofOneDeployment = [
  "apiBase",
  "apiKey",
  "headers",
  "extraBody",
  "headerScope",
  "price"
] as const

const isList = (fallbacks: ClientSettings["fallbacks"]): fallbacks is ReadonlyArray<string> =>
  Array.isArray(fallbacks)

/** The chains of fallbacks; a list alone comes after the client's model, and an alias has those of what it stands for. */
const chains = (settings: ClientSettings): FallbackSettings => {
  const { aliases = {}, contentPolicyFallbacks, contextWindowFallbacks, fallbacks } = settings
  const withAliases = (of: FallbackSettings["fallbacks"]): FallbackSettings["fallbacks"] => {
    if (of === undefined) return undefined
    const ofAliases = Object.entries(aliases).flatMap(([alias, model]) =>
      of[model] === undefined ? [] : [[alias, of[model]] as const]
    )
    return { ...Object.fromEntries(ofAliases), ...of }
  }
  return {
    fallbacks: withAliases(isList(fallbacks) ? { [settings.model ?? ""]: fallbacks } : fallbacks),
    contextWindowFallbacks: withAliases(contextWindowFallbacks),
    contentPolicyFallbacks: withAliases(contentPolicyFallbacks)
  }
}

/** Every model that is named somewhere must be there: a misspelt fallback would be found out when it is needed. */
const checkNames = Effect.fnUntraced(function* (
  settings: ClientSettings,
  all: ReadonlyArray<Deployment>
) {
  const table = ModelTable.make(
    all.map((deployment) => ({ deployment })),
    settings.aliases
  )
  const named = Object.entries(chains(settings)).flatMap(([setting, of]) =>
    Object.entries(of ?? {}).flatMap(([model, others]) =>
      [model, ...others].map((name): readonly [string, string] => [setting, name])
    )
  )
  const model: ReadonlyArray<readonly [string, string]> =
    settings.model === undefined ? [] : [["model", settings.model]]
  const aliased = Object.keys(settings.aliases ?? {}).map((alias): readonly [string, string] => [
    `aliases.${alias}`,
    alias
  ])
  for (const [setting, name] of [...model, ...named, ...aliased]) {
    const found = table.serving({ model: name })
    if (Result.isSuccess(found)) continue
    const { hint, problem } = found.failure
    return yield* new SettingsError({ setting, problem, hint })
  }
})

/**
 * A client over the providers and prices in context; `Scheduler.snapshot` tells what it is doing.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  settings: ClientSettings
): Layer.Layer<Inference.Inference | Scheduler.Scheduler, SettingsError, Providers | Pricing> =>
  Layer.unwrap(
    Effect.gen(function* () {
      yield* check(settings)
      const all = yield* deployments(settings)
      yield* checkNames(settings, all)
      const budget = settings.budget === undefined ? undefined : yield* Budget.make(settings.budget)
      return wire(settings, all, budget)
    })
  )

const wire = (
  settings: ClientSettings,
  all: ReadonlyArray<Deployment>,
  budget: Budget.Budget | undefined
) => {
  const { healthCheck, maxParallelRequests, routingStrategy = "simple-shuffle" } = settings
  const isOwnStrategy = typeof routingStrategy === "function"
  const scheduler = Scheduler.layer({
    deployments: all,
    strategy: isOwnStrategy ? routingStrategy : strategies[routingStrategy](),
    comparesPrices: isOwnStrategy || routingStrategy === "cost-based-routing",
    maxParallelRequests,
    limits: settings.deployments === undefined ? undefined : settings.limits,
    quotas: settings.quotas,
    aliases: settings.aliases,
    healthCheck:
      healthCheck === undefined
        ? undefined
        : {
            when: healthCheck.when,
            schedule: Schedule.jittered(Schedule.spaced(healthCheck.every ?? "10 seconds"))
          }
  }).pipe(Layer.provide([Health.layerWith(settings.health ?? {}), QuotaStore.layerMemory]))
  const stages = Layer.mergeAll(
    Retry.layer({ maxRetries: settings.maxRetries }).pipe(Layer.provide(RetryBudget.layer())),
    TokenEstimate.layer
  )
  return Layer.mergeAll(
    Inference.layer({
      fallbacks: chains(settings),
      hedge: settings.hedge,
      coalesce: settings.coalesce,
      budget,
      defaults: {
        ...settings.defaults,
        model: settings.model,
        timeout: settings.timeout,
        deadline: settings.deadline
      }
    }).pipe(Layer.provide(stages), Layer.provideMerge(scheduler)),
    maxParallelRequests === undefined
      ? Layer.empty
      : Layer.succeed(Batch.Concurrency, concurrencyFor(maxParallelRequests))
  )
}

/** Twice the slots, so that inputs waiting to be tried again do not keep slots idle. */
const concurrencyFor = (slots: MaxParallelRequests): number =>
  Math.max(2 * (typeof slots === "number" ? slots : (slots.adaptive.max ?? defaultMost)), 16)

/** Slots an adaptive limit grows to when nothing is said, as in `AdaptiveSettings`. */
const defaultMost = 512
