/**
 * The usual client from one settings value: which deployments, which limits, how many at once.
 *
 * It wires the stages' Layers and nothing else; a program that wants another graph builds it from the same Layers. It leaves
 * open which providers there are and what HTTP they use.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

import * as Budget from "./admission/Budget.ts"
import { BudgetSettings } from "./admission/Budget.ts"
import { Quota } from "./admission/Quota.ts"
import * as QuotaStore from "./admission/QuotaStore.ts"
import * as TokenEstimate from "./admission/TokenEstimate.ts"
import { FallbackSettings } from "./attempt/Fallback.ts"
import { HedgeSettings } from "./attempt/Hedge.ts"
import * as Retry from "./attempt/Retry.ts"
import * as RetryBudget from "./attempt/RetryBudget.ts"
import * as Batch from "./batch/Batch.ts"
import type { Deployment } from "./Deployment.ts"
import { DeploymentSettings } from "./Deployment.ts"
import * as DeploymentModule from "./Deployment.ts"
import * as Inference from "./Inference.ts"
import type { TimeOptions } from "./operation/GenerateOptions.ts"
import { ModelOptions } from "./operation/GenerateOptions.ts"
import { firstIssue } from "./operation/Issue.ts"
import type { Providers } from "./provider/Providers.ts"
import * as Health from "./routing/Health.ts"
import { strategies } from "./routing/Strategy.ts"
import * as Scheduler from "./Scheduler.ts"
import { SettingsError } from "./SettingsError.ts"
import type { Pricing } from "./telemetry/Pricing.ts"

/**
 * The settings of a client, as a Schema: a file or a `Config` decodes to them.
 *
 * **Details**: either `model` (with `apiBase` and `apiKey` where the provider's own do not serve) or `deployments`, by label.
 * `limits` are the client's, over all deployments; each deployment may have its own besides.
 *
 * **Units**: `limits` per minute and per day; `timeout` and `deadline` are durations.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ClientSettings = Schema.Struct({
  ...DeploymentSettings.fields,
  model: Schema.optional(DeploymentSettings.fields.model),
  deployments: Schema.optional(Schema.Record(Schema.NonEmptyString, DeploymentSettings)),
  limits: Schema.optional(Quota),
  maxParallelRequests: Schema.optional(Schema.Int.check(Schema.isGreaterThan(0))),
  /** Attempts of a request after its first, over all deployments and models: retries and fallbacks together. Default 3. */
  maxRetries: Schema.optional(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))),
  ...FallbackSettings.fields,
  /** Sends a second attempt when the first takes long. Default: it does not. */
  hedge: Schema.optional(HedgeSettings),
  /** Whether identical requests that are in flight at the same time share one answer. Default: each is asked for. */
  coalesce: Schema.optional(Schema.Boolean),
  /** What the client may spend in all. Default: no limit. */
  budget: Schema.optional(BudgetSettings),
  routingStrategy: Schema.optional(
    Schema.Literals(Object.keys(strategies) as ReadonlyArray<keyof typeof strategies>)
  ),
  timeout: Schema.optional(Schema.Duration),
  deadline: Schema.optional(Schema.Duration),
  defaults: Schema.optional(ModelOptions)
})

/**
 * The settings of a client, as code writes them.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClientSettings
  extends Omit<typeof ClientSettings.Type, "timeout" | "deadline" | "apiKey">, TimeOptions {
  readonly apiKey?: Redacted.Redacted | undefined
}

/**
 * The deployments that settings describe.
 *
 * @category constructors
 * @since 0.1.0
 */
export const deployments = Effect.fnUntraced(function* (settings: ClientSettings) {
  const { deployments: labelled, model } = settings
  if (labelled === undefined) {
    if (model === undefined) {
      return yield* new SettingsError({
        setting: "model",
        problem: "it is missing",
        hint: "Give a model such as openai/gpt-4.1-mini, or deployments"
      })
    }
    // The limits are the client's already; charging them twice would halve nothing but cost time.
    return [yield* DeploymentModule.make({ ...settings, model, limits: undefined })]
  }
  for (const setting of ["apiBase", "apiKey"] as const) {
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

const decode = Schema.decodeUnknownResult(Schema.toType(ClientSettings))

/** Settings with their durations read; fails with the first setting that cannot be used. */
const check = (settings: ClientSettings): Effect.Effect<void, SettingsError> => {
  const given: Record<string, unknown> = { ...settings }
  for (const setting of ["timeout", "deadline"] as const) {
    const input = settings[setting]
    if (input === undefined) continue
    const duration = Duration.fromInput(input)
    if (duration._tag === "None" || Duration.toMillis(duration.value) <= 0) {
      return Effect.fail(
        new SettingsError({
          setting,
          problem: "it is not a time above zero",
          hint: 'Write "30 seconds"'
        })
      )
    }
    given[setting] = duration.value
  }
  const result = decode(given)
  if (Result.isSuccess(result)) return Effect.void
  const issue = firstIssue(result.failure.issue)
  return Effect.fail(
    new SettingsError({
      setting: issue.path.replace(/^\./, "") || "settings",
      problem: issue.problem
    })
  )
}

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
      const budget = settings.budget === undefined ? undefined : yield* Budget.make(settings.budget)
      return wire(settings, all, budget)
    })
  )

const wire = (
  settings: ClientSettings,
  all: ReadonlyArray<Deployment>,
  budget: Budget.Budget | undefined
) => {
  const { maxParallelRequests } = settings
  const scheduler = Scheduler.layer({
    deployments: all,
    strategy: strategies[settings.routingStrategy ?? "simple-shuffle"],
    maxParallelRequests,
    limits: settings.limits
  }).pipe(Layer.provide([Health.layer, QuotaStore.layerMemory]))
  const stages = Layer.mergeAll(
    Retry.layer({ maxRetries: settings.maxRetries }).pipe(Layer.provide(RetryBudget.layer())),
    TokenEstimate.layer
  )
  return Layer.mergeAll(
    Inference.layer({
      fallbacks: settings,
      hedge: settings.hedge,
      coalesce: settings.coalesce,
      budget,
      defaults: { ...settings.defaults, timeout: settings.timeout, deadline: settings.deadline }
    }).pipe(Layer.provide(stages), Layer.provideMerge(scheduler)),
    // Twice the slots, so that inputs waiting to be tried again do not keep slots idle.
    maxParallelRequests === undefined
      ? Layer.empty
      : Layer.succeed(Batch.Concurrency, Math.max(2 * maxParallelRequests, 16))
  )
}
