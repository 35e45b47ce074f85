/**
 * The flags that say which deployments answer.
 *
 * @since 0.1.0
 */
import * as Flag from "effect/cli/Flag"

/**
 * The names of core's strategies; a test holds them against it, because core is loaded only when there is something to run.
 *
 * @category constants
 * @since 0.1.0
 */
export const strategyNames = [
  "simple-shuffle",
  "least-busy",
  "latency-based-routing",
  "usage-based-routing",
  "usage-based-routing-v2",
  "cost-based-routing",
  "round-robin",
  "ordered",
  "sticky"
] as const

/**
 * Model, fallbacks, base URLs, deployments file, environment file.
 *
 * @category flags
 * @since 0.1.0
 */
export const connection = {
  model: Flag.String("model").pipe(
    Flag.withMetavar("PROVIDER/MODEL"),
    Flag.withDescription("The model: openai/gpt-4.1-mini, hosted_vllm/llama-3"),
    Flag.optional
  ),
  apiBase: Flag.String("api-base").pipe(
    Flag.withMetavar("URL"),
    Flag.withDescription(
      "Base URL of a server; repeated, the replicas are labelled replica-1, replica-2, …"
    ),
    Flag.atLeast(0)
  ),
  deploymentsToml: Flag.String("deployments-toml").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription(
      "Deployments by label, with model, api_base, api_key_env, weight, limits; TOML, or JSON or YAML by the file's ending"
    ),
    Flag.optional
  ),
  fallback: Flag.String("fallback").pipe(
    Flag.withMetavar("PROVIDER/MODEL"),
    Flag.withDescription(
      "Model to ask when the one before it fails; repeatable. One of the same provider is asked at the same --api-base"
    ),
    Flag.atLeast(0)
  ),
  routingStrategy: Flag.Literals("routing-strategy", strategyNames).pipe(
    Flag.withDescription("How a deployment is chosen among several; default simple-shuffle"),
    Flag.withDefault("simple-shuffle" as const)
  ),
  envFile: Flag.String("env-file").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("File of KEY=value lines; the environment itself wins"),
    Flag.optional
  )
}
