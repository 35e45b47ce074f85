/**
 * Which model is asked when one has failed: chains of models, by the kind of the failure.
 *
 * A value and pure functions over it. When to leave a model is decided in `Recovery`, together with retries, because both spend
 * the same attempts.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

import { optionalSetting } from "../OptionalSetting.ts"
import type { Reason } from "../Reason.ts"

/**
 * For a model, the models to ask after it, in order.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Chains = Schema.Record(Schema.NonEmptyString, Schema.Array(Schema.NonEmptyString))

/**
 * The chains of a client: for a model, the models to ask after it, in order.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FallbackSettings = Schema.Struct({
  /** For failures that can pass or that are one deployment's own: rate limits, faults, refused keys, spent accounts. */
  fallbacks: optionalSetting(Chains),
  /** For prompts that do not fit the model's context window. Default: `fallbacks`. */
  contextWindowFallbacks: optionalSetting(Chains),
  /** For content that the model's provider refuses. Default: none. */
  contentPolicyFallbacks: optionalSetting(Chains)
})

/**
 * The chains of a client.
 *
 * @category models
 * @since 0.1.0
 */
export type FallbackSettings = typeof FallbackSettings.Type

const none: ReadonlyArray<string> = []

/**
 * The models to ask after a model that failed for a reason, in order; empty when another model would not help.
 *
 * @category getters
 * @since 0.1.0
 */
export const chain = (
  settings: FallbackSettings,
  model: string,
  reason: Reason
): ReadonlyArray<string> => {
  const general = settings.fallbacks?.[model] ?? none
  switch (reason._tag) {
    case "ContextWindowExceeded":
      return settings.contextWindowFallbacks?.[model] ?? general
    case "ContentPolicyError":
      return settings.contentPolicyFallbacks?.[model] ?? none
    default:
      return isOfDeployments(reason) ? general : none
  }
}

/**
 * Whether a failure is about where the request went, not about what it says: another model may well answer.
 *
 * @category guards
 * @since 0.1.0
 */
export const isOfDeployments = (reason: Reason): boolean => {
  switch (reason._tag) {
    case "NoDeployment":
    case "QuotaUnsatisfiable":
    case "Unsupported":
      return true
    default:
      return reason.isRetryable || isDeploymentsOwn(reason)
  }
}

/**
 * Whether a failure says something about the deployment alone, so that another one may well answer: its key is refused, its
 * account is spent, it does not have the model.
 *
 * @category guards
 * @since 0.1.0
 */
export const isDeploymentsOwn = ({ _tag }: Reason): boolean =>
  _tag === "AuthenticationError" || _tag === "QuotaExhaustedError" || _tag === "ModelNotFound"

/**
 * The longest chain of a model: how many models one request for it may come to ask after its first.
 *
 * @category getters
 * @since 0.1.0
 */
export const longest = (settings: FallbackSettings, model: string): number =>
  Math.max(
    settings.fallbacks?.[model]?.length ?? 0,
    settings.contextWindowFallbacks?.[model]?.length ?? 0,
    settings.contentPolicyFallbacks?.[model]?.length ?? 0
  )
