/**
 * The pipeline stage that gives an answer again instead of asking for it: one that is kept, or one that is already under way.
 *
 * Both are opt-in, and only for whole answers: a stream is always asked for. What waits for another one's answer shares its
 * failure too, but not its interruption: the attempt goes on while anybody waits for it, and ends when nobody does.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"

import type { Call, Handler } from "../Call.ts"
import type { Answer, AttemptError } from "../provider/Provider.ts"
import * as CacheKey from "./CacheKey.ts"
import type { ResponseCache } from "./ResponseCache.ts"

/**
 * Settings of the stage.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReuseOptions {
  readonly cache: ResponseCache["Service"] | undefined
  /** Whether identical requests in flight share one answer. */
  readonly coalesce: boolean
  /** What tells this client's answers from those of another client with the same cache: its models and where they are. */
  readonly client: unknown
}

/** An answer under way. */
interface Shared {
  readonly answer: Deferred.Deferred<Answer<unknown>, AttemptError>
  readonly call: Call<unknown>
  readonly fiber: Fiber.Fiber<unknown, AttemptError>
  waiters: number
}

/**
 * The pipeline stage.
 *
 * @category stages
 * @since 0.1.0
 */
export const stage = ({ cache, client, coalesce }: ReuseOptions): ((next: Handler) => Handler) => {
  if (cache === undefined && !coalesce) return (next) => next
  const ofClient = CacheKey.canonical(client)
  const underWay = new Map<string, Shared>()

  const kept = <A>(call: Call<A>, key: string): Effect.Effect<Answer<A> | undefined> => {
    const { reuse } = call.plan
    if (cache === undefined || reuse === undefined) return Effect.undefined
    return Effect.map(cache.get(key), (text) =>
      text === undefined ? undefined : Option.getOrUndefined(reuse.decode(text))
    )
  }

  const keep = <A>(call: Call<A>, key: string, answer: Answer<A>): Effect.Effect<void> => {
    const text = call.plan.reuse?.encode(answer)
    return cache === undefined || text === undefined || Option.isNone(text)
      ? Effect.void
      : cache.set(key, text.value)
  }

  return (next) => {
    const ask = <A>(call: Call<A>, key: string): Effect.Effect<Answer<A>, AttemptError> =>
      Effect.tap(next(call), (answer) => keep(call, key, answer))

    /** Asks in a fiber of its own, because whoever asked first may be the first to give up. */
    const start = <A>(call: Call<A>, key: string): Effect.Effect<Shared> =>
      Effect.gen(function* () {
        const answer = Deferred.makeUnsafe<Answer<unknown>, AttemptError>()
        const fiber = yield* Effect.forkDetach(
          Effect.onExit(ask(call, key), (exit) => {
            underWay.delete(key)
            return Deferred.done(answer, exit)
          })
        )
        const shared: Shared = { answer, call, fiber, waiters: 0 }
        underWay.set(key, shared)
        return shared
      })

    const share = <A>(call: Call<A>, key: string): Effect.Effect<Answer<A>, AttemptError> =>
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(
          Effect.suspend(() => {
            const found = underWay.get(key)
            return found === undefined ? start(call, key) : Effect.succeed(found)
          }),
          (shared) => {
            shared.waiters++
            return restore(Deferred.await(shared.answer)).pipe(
              Effect.onInterrupt(() =>
                --shared.waiters > 0 ? Effect.void : Fiber.interrupt(shared.fiber)
              ),
              Effect.map((answer) => {
                if (shared.call !== call) {
                  call.reused = "coalesced"
                  call.deployment = shared.call.deployment
                }
                // The key says that this is an answer to the very same request.
                return answer as Answer<A>
              })
            )
          }
        )
      )

    return (call) => {
      const { reuse } = call.plan
      if (reuse === undefined) return next(call)
      const key = `${ofClient} ${CacheKey.canonical(reuse.identity)}`
      return Effect.flatMap(kept(call, key), (answer) => {
        if (answer === undefined) return coalesce ? share(call, key) : ask(call, key)
        call.reused = "cache"
        return Effect.succeed(answer)
      })
    }
  }
}
