/**
 * What people have without this library: a semaphore with exponential backoff, as it is written by hand, and a token bucket
 * that starts full, as the Python library has it.
 *
 * Both take replicas in turn, obey a Retry-After, and never give up: a request that would be lost is late instead.
 */
import type { SimulatedOutcome, SimulatedRequest } from "@infermesh/core/testing/Simulator"
import { Clock, Effect, Random, Semaphore } from "effect"

import { promptOf, type Clients } from "./Clients.ts"
import type { Request, Scenario } from "./Scenario.ts"
import type { World } from "./World.ts"

/** Requests in flight of the one written by hand. */
const concurrency = 32

const httpRequest = ({ maxTokens, vendor }: Scenario, request: Request): SimulatedRequest => ({
  method: "POST",
  path: vendor === undefined ? "/v1/chat/completions" : "/v1/messages",
  headers: {
    "content-type": "application/json",
    authorization: "Bearer key",
    "x-api-key": "key",
    "anthropic-version": "2023-06-01"
  },
  body: JSON.stringify({
    model: "simulated",
    max_tokens: maxTokens,
    messages: [{ role: "user", content: promptOf(request) }]
  })
})

const retryAfterMillis = (outcome: SimulatedOutcome): number =>
  outcome._tag === "Response" ? Number(outcome.headers["retry-after"] ?? 0) * 1000 : 0

/** A second, twice as long each time, up to a minute, at random in between; a Retry-After where it is longer. */
const backoffMillis = (failures: number, outcome: SimulatedOutcome) =>
  Effect.map(Random.next, (random) =>
    Math.max(random * Math.min(60_000, 1000 * 2 ** failures), retryAfterMillis(outcome))
  )

const inTurn = (world: World) => {
  let turn = 0
  return () => world.names[turn++ % world.names.length] ?? ""
}

const untilAnswered = (
  world: World,
  sent: SimulatedRequest,
  next: () => string,
  admit: (replica: string) => Effect.Effect<void>
): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (let failures = 0; ; failures++) {
      const replica = next()
      yield* admit(replica)
      const outcome = yield* world.handle(replica, sent)
      if (outcome._tag === "Response" && outcome.status === 200) return
      yield* Effect.sleep(yield* backoffMillis(failures, outcome))
    }
  })

export const backoff: Clients = (scenario, world) =>
  Effect.map(Semaphore.make(concurrency), (semaphore) => {
    const next = inTurn(world)
    return (request) =>
      semaphore.withPermit(
        untilAnswered(world, httpRequest(scenario, request), next, () => Effect.void)
      )
  })

/** Gives out what it holds in the order of asking; it may be overdrawn, and who asks then waits until it is paid back. */
class Bucket {
  readonly #limit: number
  #level: number
  #atMillis = 0

  constructor(limit: number) {
    this.#limit = limit
    this.#level = limit
  }

  waitMillis(nowMillis: number, amount: number): number {
    const refilled = ((nowMillis - this.#atMillis) * this.#limit) / 60_000
    this.#level = Math.min(this.#limit, this.#level + refilled) - amount
    this.#atMillis = nowMillis
    return this.#level >= 0 ? 0 : (-this.#level * 60_000) / this.#limit
  }
}

export const bucket: Clients = (scenario, world) =>
  Effect.sync(() => {
    const { limits = {}, maxTokens } = scenario
    const tokensPerMinute = limits.tpm ?? limits.itpm
    const buckets = new Map(
      world.names.map((name) => [
        name,
        {
          requests: limits.rpm === undefined ? undefined : new Bucket(limits.rpm),
          tokens: tokensPerMinute === undefined ? undefined : new Bucket(tokensPerMinute)
        }
      ])
    )
    const next = inTurn(world)
    return (request) => {
      const tokens = request.words + 10 + (limits.tpm === undefined ? 0 : maxTokens)
      return untilAnswered(world, httpRequest(scenario, request), next, (replica) =>
        Effect.flatMap(Clock.currentTimeMillis, (nowMillis) => {
          const one = buckets.get(replica)
          return Effect.sleep(
            Math.max(
              one?.requests?.waitMillis(nowMillis, 1) ?? 0,
              one?.tokens?.waitMillis(nowMillis, tokens) ?? 0
            )
          )
        })
      )
    }
  })
