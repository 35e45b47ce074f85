import { publicUrl } from "@infermesh/core/provider/HttpFault"
/**
 * What all vendors do alike when a deployment is connected: the base URL, the key, and a warning when it would travel in clear.
 *
 * @since 0.1.0
 */
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
  /** The vendor's own base URL; none for servers that users run themselves. */
  readonly apiBase: string | undefined
  /** The environment variables that may hold the key, the first that is set counts. */
  readonly keyVariables: ReadonlyArray<string>
}

/**
 * A base URL without a slash at its end, and the key.
 *
 * @category models
 * @since 0.1.0
 */
export interface Access {
  readonly baseUrl: string
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
      hint: "Give the server's, such as http://localhost:8000/v1"
    })
  }
  const url = URL.parse(given)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return yield* new SettingsError({
      setting: "apiBase",
      problem: `'${publicUrl(given)}' is no http or https URL`,
      hint: "Write it in full, such as https://api.openai.com/v1"
    })
  }
  const key = target.apiKey ?? (yield* fromEnvironment(vendor.keyVariables))
  if (key === undefined && target.apiBase === undefined && vendor.keyVariables.length > 0) {
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
  return { baseUrl: `${url.origin}${url.pathname}`.replace(/\/+$/, ""), key }
})

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
