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
    Flag.withDescription("Base URL of a server; repeat it for several replicas of the model"),
    Flag.atLeast(0)
  ),
  deploymentsToml: Flag.File("deployments-toml").pipe(
    Flag.withDescription("File with a table [deployments.LABEL] for each deployment"),
    Flag.optional
  ),
  routingStrategy: Flag.Literals("routing-strategy", ["simple-shuffle"]).pipe(
    Flag.withDescription("How a deployment is chosen among several"),
    Flag.withDefault("simple-shuffle" as const)
  ),
  envFile: Flag.File("env-file").pipe(
    Flag.withDescription("File of KEY=value lines; the environment itself wins"),
    Flag.optional
  )
}
