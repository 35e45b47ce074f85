/**
 * One place that can answer: a model at a provider, with its base URL, key, quota, weight and names.
 *
 * A value; whether it is healthy or busy is not in it (`Health`, `Load`). `DeploymentSettings` is what users and files write.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

import { MaxParallelRequests } from "./admission/ConcurrencyLimit.ts"
import { Quota } from "./admission/Quota.ts"
import { ExtraBody } from "./operation/ExtraBody.ts"
import { optionalSetting } from "./OptionalSetting.ts"
import type { Target } from "./provider/Provider.ts"
import { SettingsError } from "./SettingsError.ts"
import { Price } from "./telemetry/Price.ts"

/** A list of names without a name twice. */
const Names = Schema.Array(Schema.NonEmptyString).check(
  Schema.makeFilter((names: ReadonlyArray<string>) => {
    const twice = names.findIndex((name, index) => names.indexOf(name) !== index)
    return twice === -1
      ? undefined
      : { path: [twice], issue: `'${names[twice]}' is in the list twice; name it once` }
  })
)

/**
 * A deployment as users and files write it.
 *
 * **Units**: `weight` is relative to the other deployments' (default 1); `limits` are requests and tokens per minute and day;
 * `price` is in USD per million tokens.
 *
 * @category schemas
 * @since 0.1.0
 */
export const DeploymentSettings = Schema.Struct({
  /** `provider/model`, such as `openai/gpt-4.1-mini` or `hosted_vllm/meta-llama/Llama-3.1-8B`. */
  model: Schema.NonEmptyString,
  apiBase: Schema.optional(Schema.NonEmptyString),
  apiKey: Schema.optional(Schema.Redacted(Schema.NonEmptyString)),
  /** Logical names that it answers to, besides its model; many deployments may have the same. */
  models: optionalSetting(Names),
  /** What requests may ask for: `eu`, `batch`. */
  tags: optionalSetting(Names),
  limits: optionalSetting(Quota),
  /** Which window a rate-limit header is about that does not say so itself. Default `auto`: told by its size and reset. */
  headerScope: Schema.optional(Schema.Literals(["auto", "minute", "day"])),
  /** Names of quotas that it shares with other deployments, such as that of a key; its own `limits` hold besides. */
  quotaKeys: optionalSetting(Names),
  /** How many attempts may be in flight there at once, fixed or adaptive. */
  maxParallelRequests: optionalSetting(MaxParallelRequests),
  weight: Schema.optional(Schema.Finite.check(Schema.isGreaterThan(0))),
  /** Its own price, used instead of the one that is known for the model. */
  price: optionalSetting(Price),
  headers: optionalSetting(Schema.Record(Schema.String, Schema.String)),
  /** Further fields of every request body. */
  extraBody: Schema.optional(ExtraBody)
})

/**
 * A deployment as users and files write it.
 *
 * @category models
 * @since 0.1.0
 */
export type DeploymentSettings = typeof DeploymentSettings.Type

/**
 * One place that can answer.
 *
 * @category models
 * @since 0.1.0
 */
export interface Deployment {
  /** Unique in the client: the label, or the model string where no label was given. */
  readonly id: string
  /** The user's name for it, reported in `metrics.deployment`; absent for a client of one unnamed deployment. */
  readonly label: string | undefined
  /** The provider's prefix: `openai`. */
  readonly provider: string
  readonly target: Target
  /** Logical names that it answers to, besides its model. */
  readonly models: ReadonlyArray<string>
  readonly tags: ReadonlyArray<string>
  readonly limits: Quota
  /** Names of shared quotas that hold besides its limits. */
  readonly quotaKeys: ReadonlyArray<string>
  readonly headerScope: "auto" | "minute" | "day"
  readonly maxParallelRequests: MaxParallelRequests | undefined
  readonly weight: number
  readonly price: Price | undefined
}

/**
 * Builds a deployment; fails when the model string has no provider prefix.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  settings: DeploymentSettings,
  label?: string
): Effect.Effect<Deployment, SettingsError> => {
  const slash = settings.model.indexOf("/")
  if (slash <= 0 || slash === settings.model.length - 1) {
    return Effect.fail(
      new SettingsError({
        setting: label === undefined ? "model" : `deployments.${label}.model`,
        problem: `'${settings.model}' names no provider`,
        hint: "Write provider/model, such as openai/gpt-4.1-mini"
      })
    )
  }
  return Effect.succeed({
    id: label ?? settings.model,
    label,
    provider: settings.model.slice(0, slash),
    target: {
      model: settings.model.slice(slash + 1),
      apiBase: settings.apiBase,
      apiKey: settings.apiKey,
      headers: settings.headers ?? {},
      extraBody: settings.extraBody ?? {}
    },
    models: settings.models ?? [],
    tags: settings.tags ?? [],
    limits: settings.limits ?? {},
    quotaKeys: settings.quotaKeys ?? [],
    headerScope: settings.headerScope ?? "auto",
    maxParallelRequests: settings.maxParallelRequests,
    weight: settings.weight ?? 1,
    price: settings.price
  })
}
