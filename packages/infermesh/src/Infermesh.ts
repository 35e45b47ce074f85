/**
 * infermesh in one line: the usual client with every provider, prices and Node's HTTP.
 *
 * A program that needs another graph builds it from the same Layers; this one only wires them.
 *
 * **Example** (A whole program's Layer)
 *
 * ```ts
 * import * as Infermesh from "infermesh/Infermesh"
 *
 * const live = Infermesh.layer({
 *   model: "openai/gpt-4.1-mini",
 *   maxParallelRequests: 32,
 *   limits: { rpm: 500, tpm: 100_000 }
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import type { ClientSettings } from "@infermesh/core/Client"
import * as Client from "@infermesh/core/Client"
import type * as Inference from "@infermesh/core/Inference"
import type { Scheduler } from "@infermesh/core/Scheduler"
import type { SettingsError } from "@infermesh/core/SettingsError"
import * as Providers from "@infermesh/providers/Providers"
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

import * as Prices from "./Prices.ts"
import type { PromiseClient } from "./PromiseClient.ts"
import * as PromiseClientModule from "./PromiseClient.ts"
import * as UndiciHttpClient from "./UndiciHttpClient.ts"

/**
 * A client for the given settings.
 *
 * **Errors**: `SettingsError`, when the layer is built, for a setting that cannot be used: no model, an unknown provider, a
 * missing key, `limits.rpm` of 0.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  settings: ClientSettings
): Layer.Layer<Inference.Inference | Scheduler, SettingsError> =>
  Client.layer(settings).pipe(
    Layer.provide(
      Providers.layer.pipe(
        Layer.provide(UndiciHttpClient.layerOptions({ connections: connectionsOf(settings) }))
      )
    ),
    Layer.provide(Prices.layer),
    Layer.provide(NodeFileSystem.layer)
  )

/** A socket for each attempt that may be in flight. */
const connectionsOf = ({ maxParallelRequests }: ClientSettings): number | null =>
  typeof maxParallelRequests === "number"
    ? maxParallelRequests
    : (maxParallelRequests?.adaptive.max ?? null)

/**
 * A client for settings that come from configuration.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  settings: Config.Config<ClientSettings>
): Layer.Layer<Inference.Inference | Scheduler, SettingsError | Config.ConfigError> =>
  Layer.unwrap(Effect.map(settings, layer))

/**
 * A client for programs that do not speak Effect: promises and async iterables, rejected with the same typed errors.
 *
 * **Example** (A script)
 *
 * ```ts
 * import * as Infermesh from "infermesh/Infermesh"
 *
 * await using client = Infermesh.make({ model: "openai/gpt-4.1-mini" })
 * const { outputText } = await client.generate("Say hello.")
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (settings: ClientSettings): PromiseClient =>
  PromiseClientModule.make(layer(settings))
