/** The servers of a scenario, and what they saw. */
import * as Simulator from "@infermesh/core/testing/Simulator"
import type { SimulatedOutcome, SimulatedRequest } from "@infermesh/core/testing/Simulator"
import * as SimulatedHttpClient from "@infermesh/core/testing/simulator/SimulatedHttpClient"
import { Clock, Effect } from "effect"
import type { HttpClient } from "effect/http"

import type { Replica, Scenario, Spell } from "./Scenario.ts"

/** One attempt, as the server saw it. */
export interface Attempt {
  readonly id: number
  readonly replica: string
  readonly atMillis: number
  /** What came of it: an answer, a refusal for the quota (which the client could have known), or a fault of the server. */
  outcome: "answered" | "refused" | "failed" | "open"
  /** Tokens of prompt and answer; of prompts alone at an API that counts them apart. */
  tokens: number
}

export interface World {
  readonly attempts: ReadonlyArray<Attempt>
  readonly names: ReadonlyArray<string>
  readonly handle: (replica: string, request: SimulatedRequest) => Effect.Effect<SimulatedOutcome>
  readonly client: HttpClient.HttpClient
}

const idOf = ({ body }: SimulatedRequest): number => Number(/#(\d+)/.exec(String(body))?.[1])

const tokensIn = (body: unknown): number => {
  const text = String(body)
  const total = /"total_tokens":(\d+)/.exec(text)?.[1]
  if (total !== undefined) return Number(total)
  return Number(/"input_tokens":(\d+)/.exec(text)?.[1] ?? 0)
}

const spellAt = ({ spells = [] }: Replica, nowMillis: number): Spell | undefined =>
  spells.find(({ from, until }) => nowMillis >= from * 1000 && nowMillis < until * 1000)?.spell

/** Refused connections take no time worth counting, but they take some. */
const connectMillis = 1

export const make = Effect.fnUntraced(function* ({ replicas }: Scenario) {
  const attempts: Array<Attempt> = []
  const inFlight = new Map<string, number>()
  const servers = new Map<string, Simulator.Simulator>()
  for (const [name, { server }] of Object.entries(replicas)) {
    servers.set(name, yield* Simulator.make(server))
  }
  const handle: World["handle"] = Effect.fnUntraced(function* (name, request) {
    const replica = replicas[name]
    const server = servers.get(name)
    if (replica === undefined || server === undefined) return yield* Effect.die(name)
    const atMillis = yield* Clock.currentTimeMillis
    const attempt: Attempt = {
      id: idOf(request),
      replica: name,
      atMillis,
      outcome: "open",
      tokens: 0
    }
    attempts.push(attempt)
    const spell = spellAt(replica, atMillis)
    if (spell?.kind === "down") {
      yield* Effect.sleep(connectMillis)
      attempt.outcome = "failed"
      return { _tag: "Reset" } as const
    }
    const busy = inFlight.get(name) ?? 0
    inFlight.set(name, busy + 1)
    const outcome = yield* server.handle(request)
    const tookMillis = (yield* Clock.currentTimeMillis) - atMillis
    // Only the quota refuses at once: every other answer takes its time.
    const isRefused = outcome._tag === "Response" && outcome.status === 429 && tookMillis === 0
    attempt.outcome = isRefused
      ? "refused"
      : outcome._tag === "Response" && outcome.status === 200
        ? "answered"
        : "failed"
    if (outcome._tag === "Response" && outcome.status === 200)
      attempt.tokens = tokensIn(outcome.body)
    if (!isRefused) {
      const slower = spell?.kind === "slow" ? tookMillis * (spell.factor - 1) : 0
      yield* Effect.sleep(slower + busy * (replica.millisPerInFlight ?? 0))
    }
    inFlight.set(name, (inFlight.get(name) ?? 1) - 1)
    return outcome._tag === "Response" && spell?.kind === "lying"
      ? { ...outcome, headers: { ...outcome.headers, ...spell.headers } }
      : outcome
  })
  const client = SimulatedHttpClient.make(({ hostname }) =>
    servers.has(hostname) ? (request) => handle(hostname, request) : undefined
  )
  return { attempts, names: [...servers.keys()], handle, client } satisfies World
})
