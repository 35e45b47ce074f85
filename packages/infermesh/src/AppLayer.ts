/**
 * From flags to the client's settings: where the command is wired.
 *
 * @since 0.1.0
 */
import type { ClientSettings } from "@infermesh/core/ClientSettings"
import type { SettingsError } from "@infermesh/core/SettingsError"
import type * as Command from "effect/cli/Command"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"

import * as DeploymentsFile from "./DeploymentsFile.ts"
import type { CannotRun } from "./ExitCode.ts"
import { cannot, WrongUsage } from "./ExitCode.ts"
import type { connection } from "./flag/Connection.ts"
import type { limits } from "./flag/Limits.ts"

/**
 * The flags of connection and limits, parsed.
 *
 * @category models
 * @since 0.1.0
 */
export type ClientFlags = Command.Command.Config.Infer<typeof connection & typeof limits>

/**
 * The client's settings out of the flags.
 *
 * **Errors**: `WrongUsage` for flags that do not go together, `CannotRun` and `SettingsError` for a deployments file that cannot be
 * used.
 *
 * @category constructors
 * @since 0.1.0
 */
export const settings = Effect.fnUntraced(function* (
  flags: ClientFlags
): Effect.fn.Return<ClientSettings, WrongUsage | CannotRun | SettingsError, FileSystem.FileSystem> {
  const common: ClientSettings = {
    limits: {
      rpm: Option.getOrUndefined(flags.rpm),
      tpm: Option.getOrUndefined(flags.tpm),
      rpd: Option.getOrUndefined(flags.rpd),
      tpd: Option.getOrUndefined(flags.tpd),
      maxRequestBurst: Option.getOrUndefined(flags.maxRequestBurst),
      maxTokenBurst: Option.getOrUndefined(flags.maxTokenBurst)
    },
    budget: yield* budget(flags.budgetUsd),
    maxParallelRequests: flags.maxParallelRequests,
    maxRetries: flags.maxRetries,
    routingStrategy: flags.routingStrategy,
    timeout: yield* time("--timeout", flags.timeout),
    deadline: yield* time("--deadline", flags.deadline)
  }
  const model = Option.getOrUndefined(flags.model)
  if (Option.isSome(flags.deploymentsToml)) {
    if (flags.apiBase.length > 0) {
      return yield* new WrongUsage({
        message: "give either --api-base or --deployments-toml, not both"
      })
    }
    return { ...common, ...(yield* fromFile(flags.deploymentsToml.value, model, flags.fallback)) }
  }
  if (model === undefined) {
    return yield* new WrongUsage({
      message: "which model? Give --model provider/model, such as --model openai/gpt-4.1-mini"
    })
  }
  return { ...common, ...fromBases(model, flags.apiBase, flags.fallback) }
})

/** A default model is asked when a deployment answers to it; else it is only that of the deployments that name none. */
const fromFile = Effect.fnUntraced(function* (
  path: string,
  defaultModel: string | undefined,
  fallbacks: ReadonlyArray<string>
) {
  const file = yield* DeploymentsFile.read(path, yield* readFile(path), defaultModel)
  const isServed = Object.values(file.deployments).some(
    ({ model, models = [] }) =>
      defaultModel !== undefined && (model === defaultModel || models.includes(defaultModel))
  )
  const model = isServed ? defaultModel : file.model
  if (fallbacks.length === 0) return { ...file, model }
  if (model === undefined) {
    return yield* new WrongUsage({
      message: `--fallback: what does it come after? Give --model with a model of ${path}`
    })
  }
  return { ...file, model, fallbacks: { ...file.fallbacks, [model]: fallbacks } }
})

/** Replicas of a model, and of those of its fallbacks that the same servers have. */
const fromBases = (
  model: string,
  bases: ReadonlyArray<string>,
  fallbacks: ReadonlyArray<string>
): ClientSettings => {
  const replicas = (of: string, label: string): ReadonlyArray<readonly [string, Deployment]> =>
    bases.map((apiBase, index) => [`${label}replica-${index + 1}`, { model: of, apiBase }])
  if (fallbacks.length === 0) {
    return bases.length > 1
      ? { deployments: Object.fromEntries(replicas(model, "")) }
      : { model, apiBase: bases[0] }
  }
  const several = (of: string): ReadonlyArray<readonly [string, Deployment]> => {
    const isAtBases = providerOf(of) === providerOf(model)
    if (isAtBases && bases.length > 1) return replicas(of, of === model ? "" : `${of} `)
    return [[of, { model: of, apiBase: isAtBases ? bases[0] : undefined }]]
  }
  return {
    model,
    fallbacks,
    deployments: Object.fromEntries([model, ...fallbacks].flatMap(several))
  }
}

interface Deployment {
  readonly model: string
  readonly apiBase: string | undefined
}

const providerOf = (model: string): string => model.split("/", 1)[0] ?? model

const budget = (usd: Option.Option<number>) => {
  if (Option.isNone(usd)) return Effect.succeed(undefined)
  return usd.value > 0
    ? Effect.succeed({ name: "run", usd: usd.value })
    : Effect.fail(
        new WrongUsage({
          message: `--budget-usd: ${usd.value} is no amount above zero; write US dollars, such as 2.50`
        })
      )
}

/**
 * The time that a flag gives.
 *
 * @category input
 * @since 0.1.0
 */
export const time = Effect.fnUntraced(function* (flag: string, given: Option.Option<string>) {
  if (Option.isNone(given)) return undefined
  const seconds = Number(given.value)
  const duration = Number.isFinite(seconds)
    ? Option.some(Duration.seconds(seconds))
    : Duration.fromInput(given.value as Duration.Input)
  if (Option.isSome(duration) && Duration.toMillis(duration.value) > 0) return duration.value
  return yield* new WrongUsage({
    message: `${flag}: '${given.value}' is no time above zero; write seconds, such as 30, or "2 minutes"`
  })
})

/**
 * The text of a file that a flag names; a file that cannot be read ends the command.
 *
 * @category input
 * @since 0.1.0
 */
export const readFile = Effect.fnUntraced(function* (path: string) {
  const fileSystem = yield* FileSystem.FileSystem
  return yield* Effect.mapError(fileSystem.readFileString(path), cannot("read", path))
})

/**
 * The environment, completed by an environment file: what the shell sets wins.
 *
 * @category configuration
 * @since 0.1.0
 */
export const environment = Effect.fnUntraced(function* (envFile: Option.Option<string>) {
  const shell = ConfigProvider.fromEnv()
  return Option.isNone(envFile)
    ? shell
    : ConfigProvider.orElse(
        shell,
        ConfigProvider.fromDotEnvContents(yield* readFile(envFile.value))
      )
})
