/**
 * Deployments from a file: a table `[deployments.LABEL]` for each, keys in snake_case or camelCase; and what is about all
 * of them: `[quotas.NAME]` that they share, `[aliases]`, chains of `[fallbacks]`, and the `model` that is asked. It is TOML, or
 * JSON or YAML where its name ends so.
 *
 * Keys of providers do not belong into such a file, because it is shared: `api_key` is refused by name, and `api_key_env` names
 * the environment variable instead.
 *
 * @since 0.1.0
 */
import { FallbackSettings } from "@infermesh/core/attempt/Fallback"
import { ClientSettings } from "@infermesh/core/ClientSettings"
import { DeploymentSettings } from "@infermesh/core/Deployment"
import { firstIssue } from "@infermesh/core/operation/Issue"
import { SettingsError } from "@infermesh/core/SettingsError"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Toml from "effect/encoding/Toml"
import * as Yaml from "effect/encoding/Yaml"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

type Table = { readonly [key: string]: unknown }

const { aliases, model, quotas } = ClientSettings.fields
const File = Schema.Struct({
  deployments: Schema.Record(Schema.NonEmptyString, DeploymentSettings),
  ...FallbackSettings.fields,
  aliases,
  model,
  quotas
})
const decode = Schema.decodeUnknownResult(Schema.toType(File), { onExcessProperty: "error" })

/**
 * What a deployments file says of a client.
 *
 * @category models
 * @since 0.1.0
 */
export type DeploymentsFile = typeof File.Type

/**
 * Reads the text of a deployments file; a deployment that names no model has the default one.
 *
 * **Errors**: `SettingsError` that names the file and the place in it.
 *
 * @category decoding
 * @since 0.1.0
 */
export const read = Effect.fnUntraced(function* (
  path: string,
  text: string,
  defaultModel?: string
): Effect.fn.Return<DeploymentsFile, SettingsError> {
  const parsed = parse(path, text)
  if (Result.isFailure(parsed)) {
    return yield* new SettingsError({ setting: path, problem: parsed.failure })
  }
  if (!isTable(parsed.success)) {
    return yield* new SettingsError({
      setting: path,
      problem: "it is no table",
      hint: "Write one with deployments, which has a table for each label"
    })
  }
  const secret = findSecret(parsed.success, "")
  if (secret !== undefined) {
    return yield* new SettingsError({
      setting: `${path}: ${secret}`,
      problem: "a key must not stand in this file",
      hint: 'Put it into the environment or an --env-file and write api_key_env = "NAME"'
    })
  }
  const { deployments, ...others } = camelCase(parsed.success)
  if (!isTable(deployments)) {
    return yield* new SettingsError({
      setting: path,
      problem: "there is no table [deployments.LABEL]",
      hint: "Write one for each deployment, with model and api_base"
    })
  }
  const named: Record<string, unknown> = {}
  for (const [label, table] of Object.entries(deployments)) {
    named[label] = isTable(table)
      ? {
          ...(defaultModel === undefined ? {} : { model: defaultModel }),
          ...(yield* withKey(`${path}: deployments.${label}`, camelCase(table)))
        }
      : table
  }
  const decoded = decode({ ...others, deployments: named })
  if (Result.isSuccess(decoded)) return decoded.success
  const issue = firstIssue(decoded.failure.issue)
  return yield* new SettingsError({
    setting: `${path}: ${issue.path.replace(/^\./, "")}`,
    problem: issue.problem
  })
})

/** By the ending of the name; without a known one it is TOML. */
const parse = (path: string, text: string): Result.Result<unknown, string> => {
  const ending = /\.(json|ya?ml)$/i.exec(path)?.[1]?.toLowerCase()
  if (ending === undefined) {
    return Result.mapError(Toml.parse(text), ({ message }) => `it is no TOML: ${oneLine(message)}`)
  }
  const [format, read] =
    ending === "json"
      ? (["JSON", (source: string): unknown => JSON.parse(source.replace(/^\uFEFF/, ""))] as const)
      : (["YAML", Yaml.parse] as const)
  return Result.try({
    try: () => read(text),
    catch: (cause) =>
      `it is no ${format}: ${oneLine(cause instanceof Error ? cause.message : String(cause))}`
  })
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ").trim()

const isTable = (value: unknown): value is Table =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Names under which people put keys: ours, those of headers, and the plain words. */
const secretName =
  /^((x[-_])?(goog[-_])?api[-_]?key|authorization|(access[-_]?)?token|secret|password)$/i

const findSecret = (table: Table, path: string): string | undefined => {
  for (const [key, value] of Object.entries(table)) {
    const here = path === "" ? key : `${path}.${key}`
    if (secretName.test(key)) return here
    const below =
      typeof value === "object" && value !== null ? findSecret(value as Table, here) : undefined
    if (below !== undefined) return below
  }
  return undefined
}

/**
 * The keys of a table, and of limits and prices in it; what is inside `headers` and `extra_body` is the provider's, and names
 * that users chose stay, too.
 */
const camelCase = (table: Table): Table =>
  Object.fromEntries(
    Object.entries(table).map(([key, value]) => [
      key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      key === "quotas" ? mapTables(value) : isOurs(key) && isTable(value) ? camelCase(value) : value
    ])
  )

const isOurs = (key: string): boolean => key === "limits" || key === "price"

const mapTables = (value: unknown): unknown =>
  isTable(value)
    ? Object.fromEntries(
        Object.entries(value).map(([name, one]) => [name, isTable(one) ? camelCase(one) : one])
      )
    : value

const withKey = Effect.fnUntraced(function* (place: string, { apiKeyEnv, ...table }: Table) {
  if (apiKeyEnv === undefined) return table
  if (typeof apiKeyEnv !== "string") {
    return yield* new SettingsError({
      setting: `${place}.api_key_env`,
      problem: "it is not the name of an environment variable"
    })
  }
  const name = apiKeyEnv
  const apiKey = yield* Effect.mapError(
    Config.Redacted(name),
    () =>
      new SettingsError({
        setting: `${place}.api_key_env`,
        problem: `the variable ${name} is not set`
      })
  )
  return { ...table, apiKey }
})
