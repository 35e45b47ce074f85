/**
 * One span per batch, the parent of those of its requests.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"

import { BatchResult } from "../batch/BatchResult.ts"
import type { Operation } from "../Call.ts"
import * as Spans from "./Spans.ts"

/**
 * Runs a batch in a span of its own, where somebody reads spans.
 *
 * @category combinators
 * @since 0.1.0
 */
export const batch =
  (operation: Operation) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.withFiber((fiber) =>
      Spans.isTraced(fiber)
        ? Effect.useSpan(nameOf(operation), (span) =>
            Effect.onExit(Effect.provideService(self, Tracer.ParentSpan, span), (exit) => {
              if (Exit.isSuccess(exit) && exit.value instanceof BatchResult) {
                span.attribute("infermesh.batch.size", exit.value.length)
                span.attribute("infermesh.batch.failed", exit.value.failures.length)
              }
              Spans.end(span, fiber.context, exit)
              return Effect.void
            })
          )
        : self
    )

/**
 * Runs the stream of a batch in a span of its own, where somebody reads spans.
 *
 * @category combinators
 * @since 0.1.0
 */
export const batchStream =
  (operation: Operation) =>
  <A, E, R>(self: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
    Stream.unwrap(
      Effect.withFiber((fiber) =>
        Effect.succeed(
          Spans.isTraced(fiber) ? (Stream.withSpan(self, nameOf(operation)) as typeof self) : self
        )
      )
    )

const nameOf = (operation: Operation): string => `${operation} batch`
