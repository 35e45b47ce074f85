import { Effect, Metric } from "effect"

export type Attributes = { readonly [name: string]: string }

/** Runs a test with a registry of its own: the default one is shared by everything in the process. */
export const fresh = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => Effect.provideService(self, Metric.MetricRegistry, new Map()))

/** Every series of a metric: its labels without the unit, and its count, sum or value. */
export const all = (name: string) =>
  Effect.map(Metric.snapshot, (snapshots) =>
    snapshots
      .filter(({ id }) => id === name)
      .map((snapshot) => {
        const { unit: _, ...labels } = snapshot.attributes ?? {}
        return { labels: labels as Attributes, ...numbers(snapshot) }
      })
  )

const numbers = (snapshot: Metric.Metric.Snapshot) => {
  switch (snapshot.type) {
    case "Counter":
      return { count: Number(snapshot.state.count) }
    case "Gauge":
      return { value: Number(snapshot.state.value) }
    case "Histogram":
      return { count: snapshot.state.count, sum: snapshot.state.sum }
    default:
      return {}
  }
}

const matching = (labels: Attributes, wanted: Attributes) =>
  Object.entries(wanted).every(([name, value]) => labels[name] === value)

/** The sum of the counts of the series that have these labels, and perhaps others. */
export const count = (name: string, wanted: Attributes = {}) =>
  Effect.map(all(name), (series) =>
    series
      .filter(({ labels }) => matching(labels, wanted))
      .reduce((total, one) => total + ("count" in one ? one.count : 0), 0)
  )

/** The sum of what the histograms with these labels have observed, free of the noise of floating point. */
export const sum = (name: string, wanted: Attributes = {}) =>
  Effect.map(all(name), (series) => {
    const observed = series
      .filter(({ labels }) => matching(labels, wanted))
      .reduce((total, one) => total + ("sum" in one ? one.sum : 0), 0)
    return Math.round(observed * 1e6) / 1e6
  })

/** The value of the one gauge with these labels. */
export const gauge = (name: string, wanted: Attributes = {}) =>
  Effect.map(all(name), (series) => {
    const found = series.find(({ labels }) => matching(labels, wanted))
    return found !== undefined && "value" in found ? found.value : undefined
  })
