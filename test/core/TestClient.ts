import * as Client from "@infermesh/core/Client"
import * as Pricing from "@infermesh/core/telemetry/Pricing"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Layer } from "effect"

/** The whole pipeline with nothing faked but the vendor. */
export const layer = (
  settings: Client.ClientSettings = {},
  provider?: TestProvider.TestProviderOptions
) =>
  Client.layer(
    settings.deployments === undefined ? { model: "test/model", ...settings } : settings
  ).pipe(
    Layer.provideMerge(TestProvider.layer(provider)),
    Layer.provide(Pricing.layerTable({ model: { input: 1, output: 2 } }))
  )
