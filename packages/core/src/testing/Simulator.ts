/**
 * A fake provider: a server that speaks a vendor's wire format, with answers, latency, quota and faults of your choosing.
 *
 * It is a value, not a service: several replicas with different settings live side by side. It opens no socket. In process
 * it is an `HttpClient` ({@link layerHttpClient}); over HTTP the `infermesh` package serves it. Both run the same `handle`,
 * and `handle` waits on the Clock, so that an hour of traffic under TestClock takes milliseconds.
 *
 * **Details**: it speaks OpenAI's chat completions, completions, responses, embeddings, transcriptions and list of models,
 * Anthropic's messages, and Gemini's content and embeddings, each with the vendor's own checks, errors and headers.
 *
 * A request meets, in this order: route (404), key (401), format (400), model (404), script or fault rates,
 * quota (429, a *violation*, since a client could have known), latency, outcome. Answers depend on the seed and the prompt
 * alone, never on the order of arrival. Latency and faults depend also on how often that prompt was admitted before, so
 * that a retry may succeed.
 *
 * **Gotchas**: the quota is the whole simulator's, whatever the model. A request that the quota refuses uses up neither
 * quota nor an entry of the script.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

import * as Issue from "../operation/Issue.ts"
import { SettingsError } from "../SettingsError.ts"
import type { SimulatedOutcome, SimulatedRequest } from "./simulator/Exchange.ts"
import * as Server from "./simulator/Server.ts"
import * as SimulatedHttpClient from "./simulator/SimulatedHttpClient.ts"
import { SimulatorOptions, type SimulatorSettings } from "./simulator/SimulatorOptions.ts"
import type { SimulatorStats } from "./simulator/Statistics.ts"

export type {
  Hang,
  Reset,
  SimulatedOutcome,
  SimulatedRequest,
  SimulatedResponse,
  Truncated
} from "./simulator/Exchange.ts"
export type { FaultKind } from "./simulator/Fault.ts"
export { SimulatorOptions, type SimulatorSettings } from "./simulator/SimulatorOptions.ts"
export type { SimulatorStats } from "./simulator/Statistics.ts"

/**
 * A simulated server.
 *
 * @category models
 * @since 0.1.0
 */
export interface Simulator {
  /** Answers one request, after the drawn latency. Interruption means that the client gave up. */
  readonly handle: (request: SimulatedRequest) => Effect.Effect<SimulatedOutcome>
  /** What the server saw since it was made or reset. */
  readonly stats: Effect.Effect<SimulatorStats>
  /** Forgets everything: counters, used quota, the position in the script. */
  readonly reset: Effect.Effect<void>
}

/**
 * Makes a simulator.
 *
 * **Errors**: `SettingsError` for a setting that cannot be used.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (settings: SimulatorSettings = {}): Effect.Effect<Simulator, SettingsError> =>
  decodeOptions(settings).pipe(
    Effect.mapError(({ issue }) => {
      const { path, problem } = Issue.firstIssue(issue)
      return new SettingsError({ setting: `simulator${path}`, problem })
    }),
    Effect.map(Server.start)
  )

const decodeOptions = Schema.decodeUnknownEffect(SimulatorOptions, { onExcessProperty: "error" })

/**
 * An `HttpClient` in process whose requests go to simulators, by origin or by a function of the URL.
 *
 * **Errors**: a request to an origin without a simulator fails with a `TransportError`, as a refused connection does.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerHttpClient = (
  route: { readonly [origin: string]: Simulator } | ((url: URL) => Simulator | undefined)
): Layer.Layer<HttpClient.HttpClient> => {
  const find = typeof route === "function" ? route : (url: URL) => route[url.origin]
  return Layer.succeed(
    HttpClient.HttpClient,
    SimulatedHttpClient.make((url) => find(url)?.handle)
  )
}
