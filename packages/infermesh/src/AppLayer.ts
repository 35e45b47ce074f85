/**
 * From flags to the client's settings: where the command is wired.
 *
 * @since 0.1.0
 */
import type { ClientSettings } from "@infermesh/core/Client"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"

import * as DeploymentsFile from "./DeploymentsFile.ts"
import { cannot, WrongUsage } from "./ExitCode.ts"

/**
 * The flags of connection and limits, parsed.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClientFlags {
  readonly model: Option.Option<string>
  readonly apiBase: ReadonlyArray<string>
  readonly deploymentsToml: Option.Option<string>
  readonly routingStrategy: "simple-shuffle"
  readonly maxParallelRequests: number
  readonly rpm: Option.Option<number>
  readonly tpm: Option.Option<number>
  readonly rpd: Option.Option<number>
  readonly tpd: Option.Option<number>
  readonly maxRequestBurst: Option.Option<number>
  readonly maxTokenBurst: Option.Option<number>
  readonly maxRetries: number
  readonly timeout: Option.Option<string>
  readonly deadline: Option.Option<string>
}

/**
 * The client's settings out of the flags.
 *
 * @category constructors
 * @since 0.1.0
 */
export const settings = Effect.fnUntraced(function* (flags: ClientFlags) {
  const limits = {
    rpm: Option.getOrUndefined(flags.rpm),
    tpm: Option.getOrUndefined(flags.tpm),
    rpd: Option.getOrUndefined(flags.rpd),
    tpd: Option.getOrUndefined(flags.tpd),
    maxRequestBurst: Option.getOrUndefined(flags.maxRequestBurst),
    maxTokenBurst: Option.getOrUndefined(flags.maxTokenBurst)
  }
  const common: ClientSettings = {
    limits,
    maxParallelRequests: flags.maxParallelRequests,
    maxRetries: flags.maxRetries,
    routingStrategy: flags.routingStrategy,
    timeout: yield* time("--timeout", flags.timeout),
    deadline: yield* time("--deadline", flags.deadline)
  }
  if (Option.isSome(flags.deploymentsToml)) {
    if (flags.apiBase.length > 0) {
      return yield* new WrongUsage({
        message: "give either --api-base or --deployments-toml, not both"
      })
    }
    const path = flags.deploymentsToml.value
    const model = Option.getOrUndefined(flags.model)
    const text = yield* readFile(path)
    return { ...common, ...(yield* DeploymentsFile.read(path, text, model)) }
  }
  if (Option.isNone(flags.model)) {
    return yield* new WrongUsage({
      message: "which model? Give --model provider/model, such as --model openai/gpt-4.1-mini"
    })
  }
  const model = flags.model.value
  const [first, ...others] = flags.apiBase
  if (others.length === 0) return { ...common, model, apiBase: first }
  return {
    ...common,
    deployments: Object.fromEntries(
      flags.apiBase.map((apiBase, index) => [`replica-${index + 1}`, { model, apiBase }])
    )
  }
})

const time = Effect.fnUntraced(function* (flag: string, given: Option.Option<string>) {
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
