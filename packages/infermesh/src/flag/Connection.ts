/**
 * The flags that say which deployments answer.
 *
 * @since 0.1.0
 */
import * as Flag from "effect/cli/Flag"

/**
 * Model, base URLs, deployments file, environment file.
 *
 * @category flags
 * @since 0.1.0
 */
export const connection = {
  model: Flag.String("model").pipe(
    Flag.withDescription("The model, as provider/model: openai/gpt-4.1-mini, hosted_vllm/llama-3"),
    Flag.optional
  ),
  apiBase: Flag.String("api-base").pipe(
    Flag.withDescription(
      "Base URL of a server; repeated, the replicas are labelled replica-1, replica-2, …"
    ),
    Flag.atLeast(0)
  ),
  deploymentsToml: Flag.String("deployments-toml").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription(
      "File with a table [deployments.LABEL] for each: model, api_base, api_key_env, weight, limits"
    ),
    Flag.optional
  ),
  routingStrategy: Flag.Literals("routing-strategy", ["simple-shuffle"]).pipe(
    Flag.withDescription("How a deployment is chosen among several; default simple-shuffle"),
    Flag.withDefault("simple-shuffle" as const)
  ),
  envFile: Flag.String("env-file").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("File of KEY=value lines; the environment itself wins"),
    Flag.optional
  )
}
