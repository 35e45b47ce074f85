/**
 * Metrics that are read when somebody asks for them, not counted when something happens: they cost nothing in between.
 *
 * Each is registered with what reads it, and leaves the registry when the scope ends. Which ones there are is the matter of
 * those who have something to be read (`SchedulerGauges`).
 *
 * **Gotchas**: two clients with the same registry and attributes have the same series, and the one built last is read. Give each
 * an attribute of its own (`Metric.CurrentMetricAttributes`) where its layer is built.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"

import type { Definition } from "./Metrics.ts"
import type { Attributes } from "./Series.ts"
import { gauge } from "./Series.ts"

/**
 * Adds a gauge; `read` is given the time in epoch milliseconds. What it gives takes the gauge away again.
 *
 * @category models
 * @since 0.1.0
 */
export type Add = (
  definition: Definition & { readonly kind: "gauge" },
  attributes: Attributes,
  read: (nowMillis: number) => number
) => () => void

/**
 * The gauges of a scope, in the registry and with the attributes that are in context now.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.gen(function* () {
  const context = yield* Effect.context()
  const registered = new Set<Metric.Registration>()
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const one of registered) one.remove()
    })
  )
  const add: Add = (definition, attributes, read) => {
    const registration = Metric.registerUnsafe(gauge(definition, attributes), context, {
      get: (reader) => ({
        value: read(Context.get(reader, Clock.Clock).currentTimeMillisUnsafe())
      }),
      update: () => {},
      modify: () => {}
    })
    registered.add(registration)
    return () => {
      registered.delete(registration)
      registration.remove()
    }
  }
  return add
})
