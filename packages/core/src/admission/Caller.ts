/**
 * Who asks: callers of one client share it by weight, so that a batch of thousands does not keep an interactive user waiting.
 *
 * It is optional. Without it all requests are one caller's, served in the order of arrival. What a caller's share means for
 * the order of the line is in `Line`.
 *
 * **Example** (A batch beside a chat)
 *
 * ```ts
 * import * as Inference from "@infermesh/core/Inference"
 * import * as Caller from "@infermesh/core/admission/Caller"
 *
 * const nightly = Inference.generateBatch(["…"]).pipe(Caller.as({ name: "nightly" }))
 * const chat = Inference.generate("Hello").pipe(Caller.as({ name: "chat", priority: 1 }))
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/**
 * A caller.
 *
 * **Units**: a caller of weight 2 is served twice as often as one of weight 1 while both wait. A level of `priority` counts
 * eight-fold: it goes first nearly always, and still starves nobody.
 *
 * @category models
 * @since 0.1.0
 */
export interface Caller {
  readonly name: string
  /** Relative to other callers. Default 1. */
  readonly weight?: number | undefined
  /** A whole number; higher goes first. Default 0. */
  readonly priority?: number | undefined
}

/**
 * The caller of the requests made here.
 *
 * @category references
 * @since 0.1.0
 */
export const CurrentCaller = Context.Reference<Caller>("@infermesh/core/admission/CurrentCaller", {
  defaultValue: () => ({ name: "" })
})

/**
 * Makes the requests of an effect those of a caller.
 *
 * @category combinators
 * @since 0.1.0
 */
export const as =
  (caller: Caller) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.provideService(self, CurrentCaller, caller)

/** How often a level of priority makes a caller count. */
const perPriority = 8

/**
 * A caller's share of the line, relative to the others'.
 *
 * @category getters
 * @since 0.1.0
 */
export const share = ({ priority = 0, weight = 1 }: Caller): number =>
  Math.max(Number.MIN_VALUE, weight * perPriority ** priority)
