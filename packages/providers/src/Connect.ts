/**
 * What all vendors do alike when a deployment is connected: the base URL, the key, and a warning when it would travel in clear.
 *
 * @since 0.1.0
 */
import { publicUrl } from "@infermesh/core/provider/HttpFault"
import type { Target } from "@infermesh/core/provider/Provider"
import { SettingsError } from "@infermesh/core/SettingsError"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"

/**
 * Where a vendor is, and how its key is called.
 *
 * @category models
 * @since 0.1.0
 */
export interface Vendor {
  /** The prefix of model strings. */
  readonly name: string
  /** Other names that people try, for the error that says the right one. */
  readonly aliases?: ReadonlyArray<string> | undefined
  /** The vendor's own base URL; none for servers that users run themselves. */
  readonly apiBase: string | undefined
  /** What a base URL looks like, where there is none of the vendor's own. */
  readonly apiBaseExample?: string | undefined
  /** The environment variables that may hold the key, the first that is set counts. */
  readonly keyVariables: ReadonlyArray<string>
  /** Whether the vendor's own base URL answers without a key too, as servers on this machine do. Default false. */
  readonly keyOptional?: boolean | undefined
}

/**
 * Where requests go, and the key.
 *
 * @category models
 * @since 0.1.0
 */
export interface Access {
  /** Without a query and without a slash at its end. */
  readonly baseUrl: string
  /** The query of the base URL, such as `?api-version=preview`; empty when it has none. */
  readonly query: string
  readonly key: Redacted.Redacted | undefined
}

/**
 * Finds base URL and key of a deployment.
 *
 * **Errors**: `SettingsError` for a base URL that is none, and for a missing key where the vendor's own endpoint needs it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const access = Effect.fnUntraced(function* (
  vendor: Vendor,
  target: Target
): Effect.fn.Return<Access, SettingsError> {
  const given = target.apiBase ?? vendor.apiBase
  if (given === undefined) {
    return yield* new SettingsError({
      setting: "apiBase",
      problem: `${vendor.name} has no base URL of its own`,
      hint: `Give yours, such as ${vendor.apiBaseExample ?? "http://localhost:8000/v1"}`
    })
  }
  const url = URL.parse(given)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return yield* new SettingsError({
      setting: "apiBase",
      problem: `'${publicUrl(given)}' is no http or https URL`,
      hint: `Write it in full, such as ${vendor.apiBaseExample ?? vendor.apiBase ?? "http://localhost:8000/v1"}`
    })
  }
  const key = target.apiKey ?? (yield* fromEnvironment(vendor.keyVariables))
  const needsKey = target.apiBase === undefined && vendor.keyOptional !== true
  if (key === undefined && needsKey && vendor.keyVariables.length > 0) {
    return yield* new SettingsError({
      setting: "apiKey",
      problem: `there is no key for ${vendor.name}`,
      hint: `Set ${vendor.keyVariables.join(" or ")} in the environment`
    })
  }
  if (key !== undefined && url.protocol === "http:" && !isLocal(url.hostname)) {
    yield* Effect.logWarning(
      `The key for ${vendor.name} travels unencrypted to ${url.host}; use https, or a tunnel to a local port`
    )
  }
  const baseUrl = `${url.origin}${url.pathname}`.replace(/\/+$/, "")
  return { baseUrl, query: url.search, key }
})

/**
 * The address of a path below the base URL; a query of the base URL goes with it, before one of the path's own.
 *
 * @category getters
 * @since 0.1.0
 */
export const address = ({ baseUrl, query }: Access, path: string): string => {
  const [bare = "", own] = path.split("?", 2)
  if (own === undefined) return `${baseUrl}${bare}${query}`
  return `${baseUrl}${bare}${query === "" ? "?" : `${query}&`}${own}`
}

const fromEnvironment = Effect.fnUntraced(function* (names: ReadonlyArray<string>) {
  for (const name of names) {
    const key = yield* Effect.orElseSucceed(
      Config.option(Config.Redacted(name)),
      Option.none<Redacted.Redacted>
    )
    if (Option.isSome(key)) return key.value
  }
  return undefined
})

const isLocal = (host: string): boolean =>
  host === "localhost" ||
  host.endsWith(".localhost") ||
  host === "[::1]" ||
  host === "0.0.0.0" ||
  host.startsWith("127.")
