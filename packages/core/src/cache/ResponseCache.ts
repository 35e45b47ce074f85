/**
 * Answers kept for the next time the same is asked: a port, with a store in memory and one over any `KeyValueStore`.
 *
 * It keeps what a provider answered, before it is parsed, so an answer serves whatever schema it is read by; failures are never
 * kept. Whoever provides no `ResponseCache` has none. A store that fails is as if it were empty: the request is sent.
 *
 * **Example** (Answers kept on disk for a day)
 *
 * ```ts fragment
 * const cache = ResponseCache.layerKeyValueStore({ timeToLive: "1 day" }).pipe(
 *   Layer.provide(KeyValueStore.layerFileSystem("answers"))
 * )
 * const client = Infermesh.layer({ model: "openai/gpt-4.1-mini" }).pipe(Layer.provide(cache))
 * ```
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"

import * as CacheKey from "./CacheKey.ts"

/**
 * Keeps answers, as text, by key: a text too, of any length.
 *
 * @category services
 * @since 0.1.0
 */
export class ResponseCache extends Context.Service<
  ResponseCache,
  {
    readonly get: (key: string) => Effect.Effect<string | undefined>
    readonly set: (key: string, answer: string) => Effect.Effect<void>
  }
>()("@infermesh/core/cache/ResponseCache") {}

/**
 * Settings of a cache.
 *
 * @category models
 * @since 0.1.0
 */
export interface ResponseCacheOptions {
  /** How long an answer is given again. Default: without end. */
  readonly timeToLive?: Duration.Input | undefined
}

/** Answers kept in memory when nothing is said: some tens of megabytes of usual ones. */
const defaultCapacity = 10_000

/**
 * Answers kept in this process; the one that was used longest ago gives way.
 *
 * **Units**: `capacity` in answers, default 10,000.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory = (
  options: ResponseCacheOptions & { readonly capacity?: number | undefined } = {}
): Layer.Layer<ResponseCache> =>
  Layer.sync(ResponseCache, () => {
    const { capacity = defaultCapacity } = options
    const life = lifeMillis(options)
    // A Map keeps the order of insertion: what is used is put in anew, so the first is the one to go.
    const kept = new Map<string, { readonly answer: string; readonly untilMillis: number }>()
    return {
      get: (key) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const found = kept.get(key)
          if (found === undefined) return undefined
          kept.delete(key)
          if (found.untilMillis <= now) return undefined
          kept.set(key, found)
          return found.answer
        }),
      set: (key, answer) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          kept.delete(key)
          kept.set(key, { answer, untilMillis: now + life })
          for (const oldest of kept.keys()) {
            if (kept.size <= capacity) return
            kept.delete(oldest)
          }
        })
    }
  })

/**
 * Answers kept in a `KeyValueStore`: files, SQL, or any other.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerKeyValueStore = (
  options: ResponseCacheOptions = {}
): Layer.Layer<ResponseCache, never, KeyValueStore.KeyValueStore> =>
  Layer.effect(
    ResponseCache,
    Effect.gen(function* () {
      const store = yield* KeyValueStore.KeyValueStore
      const life = lifeMillis(options)
      return ResponseCache.of({
        get: (key) =>
          Effect.gen(function* () {
            const stored = yield* store.get(yield* nameOf(key))
            const now = yield* Clock.currentTimeMillis
            // The time of its end stands before the answer, on a line of its own.
            const end = stored?.indexOf("\n") ?? -1
            if (stored === undefined || end < 0) return undefined
            const until = Number(stored.slice(0, end))
            return until > now ? stored.slice(end + 1) : undefined
          }).pipe(
            Effect.catch((error) =>
              Effect.as(Effect.logWarning("The response cache could not be read", error), undefined)
            )
          ),
        set: (key, answer) =>
          Effect.gen(function* () {
            const now = yield* Clock.currentTimeMillis
            yield* store.set(yield* nameOf(key), `${now + life}\n${answer}`)
          }).pipe(
            Effect.catch((error) =>
              Effect.logWarning("The response cache could not be written", error)
            )
          )
      })
    })
  )

/** Raised when an answer that was kept before would be read differently. */
const version = 1

const nameOf = (key: string) => CacheKey.digest(`${version} ${key}`)

const lifeMillis = ({ timeToLive }: ResponseCacheOptions): number =>
  timeToLive === undefined
    ? Number.POSITIVE_INFINITY
    : Duration.toMillis(Duration.fromInputUnsafe(timeToLive))
