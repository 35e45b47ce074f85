/** One client in one scenario, from the first arrival until everything is settled. */
import { Clock, Effect, Exit, Fiber, Layer, Random } from "effect"
import { TestClock } from "effect/testing"

import type { Clients } from "./Clients.ts"
import type { Request, Scenario } from "./Scenario.ts"
import type { Attempt } from "./World.ts"
import * as World from "./World.ts"

export interface Settled {
  readonly request: Request
  readonly isAnswered: boolean
  readonly atMillis: number
}

export interface Record {
  readonly settled: ReadonlyArray<Settled>
  readonly attempts: ReadonlyArray<Attempt>
}

/** A run that takes longer than this will never end. */
const longestMinutes = 240

export const run = (scenario: Scenario, clients: Clients) =>
  Effect.gen(function* () {
    const world = yield* World.make(scenario)
    const ask = yield* clients(scenario, world)
    const settled: Array<Settled> = []
    const one = (request: Request) =>
      Effect.sleep(request.atMillis).pipe(
        Effect.andThen(Effect.exit(ask(request))),
        Effect.flatMap((exit) =>
          Effect.map(Clock.currentTimeMillis, (atMillis) => {
            settled.push({ request, isAnswered: Exit.isSuccess(exit), atMillis })
          })
        )
      )
    const fiber = yield* Effect.forkChild(
      Effect.forEach(scenario.requests, one, { concurrency: "unbounded", discard: true })
    )
    for (let minute = 0; minute < longestMinutes && fiber.pollUnsafe() === undefined; minute++) {
      yield* TestClock.adjust("1 minute")
    }
    yield* Fiber.interrupt(fiber)
    return { settled, attempts: world.attempts } satisfies Record
  }).pipe(
    Effect.scoped,
    Random.withSeed(scenario.name),
    Effect.provide(Layer.fresh(TestClock.layer()))
  )
