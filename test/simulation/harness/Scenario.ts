import type { ClientSettings } from "@infermesh/core/ClientSettings"
import type { SimulatorSettings } from "@infermesh/core/testing/Simulator"

/** One request of a scenario. */
export interface Request {
  readonly id: number
  readonly atMillis: number
  readonly caller: string
  /** Words of its prompt; a word is about a token. */
  readonly words: number
}

/** What befalls a replica for a while. */
export type Spell =
  /** It refuses connections. */
  | { readonly kind: "down" }
  /** Answers take so many times as long. */
  | { readonly kind: "slow"; readonly factor: number }
  /** Its headers say what is not so. */
  | { readonly kind: "lying"; readonly headers: { readonly [name: string]: string } }

export interface Replica {
  readonly server: SimulatorSettings
  /** It answers that much slower with each request in flight, as a server that batches does. */
  readonly millisPerInFlight?: number
  /** By turns, in seconds; the first that has begun and not ended holds. */
  readonly spells?: ReadonlyArray<{
    readonly from: number
    readonly until: number
    readonly spell: Spell
  }>
}

/** What all clients meet, and what ours is told of it. */
export interface Scenario {
  readonly name: string
  /** One sentence for the page. */
  readonly what: string
  readonly replicas: { readonly [name: string]: Replica }
  readonly requests: ReadonlyArray<Request>
  /** The most tokens of an answer, as every client asks for. */
  readonly maxTokens: number
  /** What a user knows of each replica. */
  readonly limits?: NonNullable<ClientSettings["limits"]>
  /** What else ours is told; nothing by default. */
  readonly settings?: Pick<ClientSettings, "maxParallelRequests">
  readonly vendor?: "anthropic"
  /** What limits it while more is asked than the quota allows; absent where the quota is not the point. */
  readonly saturates?: "requests" | "tokens"
  readonly callers?: ReadonlyArray<{ readonly name: string; readonly priority?: number }>
}
