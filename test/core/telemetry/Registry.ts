import { Effect, Fiber, Metric } from "effect"
import { TestClock } from "effect/testing"

export type Attributes = { readonly [name: string]: string }

/** Runs a test with a registry of its own: the default one is shared by everything in the process. */
export const fresh = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => Effect.provideService(self, Metric.MetricRegistry, new Map()))

/** Runs an effect while an hour passes. */
export const meanwhile = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(self)
    yield* TestClock.adjust("1 hour")
    return yield* Fiber.join(fiber)
  })

interface Series {
  readonly labels: Attributes
  readonly count?: number
  readonly sum?: number
  readonly value?: number
}

/** Every series of a metric: its labels without the unit, and its count, sum or value. */
export const all = (name: string): Effect.Effect<ReadonlyArray<Series>> =>
  Effect.map(Metric.snapshot, (snapshots) =>
    snapshots.filter(({ id }) => id === name).map(toSeries)
  )

const toSeries = (snapshot: Metric.Metric.Snapshot): Series => {
  const { unit: _, ...labels } = snapshot.attributes ?? {}
  switch (snapshot.type) {
    case "Counter":
      return { labels, count: Number(snapshot.state.count) }
    case "Gauge":
      return { labels, value: Number(snapshot.state.value) }
    case "Histogram":
      return { labels, count: snapshot.state.count, sum: snapshot.state.sum }
    default:
      return { labels }
  }
}

const matching = (labels: Attributes, wanted: Attributes) =>
  Object.entries(wanted).every(([name, value]) => labels[name] === value)

/** The sum of the counts of the series that have these labels, and perhaps others. */
export const count = (name: string, wanted: Attributes = {}) =>
  Effect.map(all(name), (series) =>
    series
      .filter(({ labels }) => matching(labels, wanted))
      .reduce((total, one) => total + (one.count ?? 0), 0)
  )

/** The sum of what the histograms with these labels have observed, free of the noise of floating point. */
export const sum = (name: string, wanted: Attributes = {}) =>
  Effect.map(all(name), (series) => {
    const observed = series
      .filter(({ labels }) => matching(labels, wanted))
      .reduce((total, one) => total + (one.sum ?? 0), 0)
    return Math.round(observed * 1e6) / 1e6
  })

/** The value of the one gauge with these labels. */
export const gauge = (name: string, wanted: Attributes = {}) =>
  Effect.map(all(name), (series) => series.find(({ labels }) => matching(labels, wanted))?.value)
