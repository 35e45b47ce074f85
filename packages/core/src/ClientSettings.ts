/**
 * The settings of a client: the one value from which `Client.layer` builds everything.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

import { BudgetSettings } from "./admission/Budget.ts"
import { MaxParallelRequests } from "./admission/ConcurrencyLimit.ts"
import { Quota } from "./admission/Quota.ts"
import { Chains, FallbackSettings } from "./attempt/Fallback.ts"
import { HedgeSettings } from "./attempt/Hedge.ts"
import { DeploymentSettings } from "./Deployment.ts"
import type { TimeOptions } from "./operation/GenerateOptions.ts"
import { DefaultOptions } from "./operation/GenerateOptions.ts"
import { firstIssue } from "./operation/Issue.ts"
import { optionalSetting } from "./OptionalSetting.ts"
import type { Strategy } from "./routing/Candidate.ts"
import { HealthSettings } from "./routing/HealthSettings.ts"
import { strategies } from "./routing/Strategy.ts"
import { SettingsError } from "./SettingsError.ts"

/** Names of strategies, as settings write them. */
const StrategyNames = Schema.Literals(
  Object.keys(strategies) as ReadonlyArray<keyof typeof strategies>
)

/** What a deployment that is alone in its client may be told; the rest is about several. */
const { apiBase, apiKey, extraBody, headers, headerScope, model, price } = DeploymentSettings.fields

/**
 * The settings of a client, as a Schema: a file or a `Config` decodes to them.
 *
 * **Details**: either `model` alone (with `apiBase` and `apiKey` where the provider's own do not serve), or `deployments` by
 * label, where `model` names the one that is asked by default. `limits` are the client's, over all deployments; each deployment
 * may have its own besides, and may share those in `quotas`.
 *
 * **Units**: `limits` per minute and per day; `timeout` and `deadline` are durations.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ClientSettings = Schema.Struct({
  model: Schema.optional(model),
  apiBase,
  apiKey,
  headers,
  extraBody,
  headerScope,
  price,
  deployments: optionalSetting(Schema.Record(Schema.NonEmptyString, DeploymentSettings)),
  /** Further names for models, from the alias to what it stands for. */
  aliases: optionalSetting(Schema.Record(Schema.NonEmptyString, Schema.NonEmptyString)),
  limits: optionalSetting(Quota),
  /** Quotas that deployments share, by the name in their `quotaKeys`. */
  quotas: optionalSetting(Schema.Record(Schema.NonEmptyString, Quota)),
  /** Attempts in flight at once: a number, or `{ adaptive: { min, max, initial } }`. Default: no limit. */
  maxParallelRequests: optionalSetting(MaxParallelRequests),
  /** Attempts of a request after its first, over all deployments and models: retries and fallbacks together. Default 3. */
  maxRetries: Schema.optional(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))),
  ...FallbackSettings.fields,
  /** Models to ask after another one; a list alone is what comes after `model`. */
  fallbacks: optionalSetting(Schema.Union([Schema.Array(Schema.NonEmptyString), Chains])),
  /** Sends a second attempt when the first takes long. Default: it does not. */
  hedge: optionalSetting(HedgeSettings),
  /** Whether identical requests that are in flight at the same time share one answer. Default: each is asked for. */
  coalesce: Schema.optional(Schema.Boolean),
  /** What the client may spend in all. Default: no limit. */
  budget: optionalSetting(BudgetSettings),
  routingStrategy: Schema.optional(StrategyNames),
  /** When a deployment that fails is left alone, and for how long. */
  health: optionalSetting(HealthSettings),
  /** Checks deployments in the background, open ones alone or all. Default: only requests find out how they are. */
  healthCheck: optionalSetting(
    Schema.Struct({
      /** Default 10 seconds. */
      every: Schema.optional(Schema.Duration),
      when: Schema.optional(Schema.Literals(["open", "always"]))
    })
  ),
  timeout: Schema.optional(Schema.Duration),
  deadline: Schema.optional(Schema.Duration),
  defaults: optionalSetting(DefaultOptions)
})

/**
 * The settings of a client, as code writes them.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClientSettings
  extends
    Omit<
      typeof ClientSettings.Type,
      "timeout" | "deadline" | "apiKey" | "routingStrategy" | "healthCheck"
    >,
    TimeOptions {
  readonly apiKey?: Redacted.Redacted | undefined
  /** A name, or a strategy of one's own. */
  readonly routingStrategy?: keyof typeof strategies | Strategy | undefined
  readonly healthCheck?:
    | {
        readonly every?: Duration.Input | undefined
        readonly when?: "open" | "always" | undefined
      }
    | undefined
}

const decode = Schema.decodeUnknownResult(Schema.toType(ClientSettings), {
  onExcessProperty: "error"
})

/** Settings that are times, as the caller may write them in code. */
const times = [
  [["timeout"], "timeout"],
  [["deadline"], "deadline"],
  [["healthCheck", "every"], "healthCheck.every"]
] as const

/**
 * Fails with the first setting that cannot be used.
 *
 * @category guards
 * @since 0.1.0
 */
export const check = (settings: ClientSettings): Effect.Effect<void, SettingsError> => {
  const given: Record<string, unknown> = { ...settings }
  // A strategy of one's own is any function.
  if (typeof settings.routingStrategy === "function") delete given["routingStrategy"]
  for (const [path, setting] of times) {
    const [field, inner] = path
    const input = inner === undefined ? settings[field as "timeout"] : settings.healthCheck?.[inner]
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
    given[field] =
      inner === undefined ? duration.value : { ...settings.healthCheck, [inner]: duration.value }
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
