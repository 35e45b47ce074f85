/** When requests arrive: drawn from a seed, so that all clients meet the same. */
import { Draw } from "@infermesh/core/testing/simulator/Draw"

import type { Request } from "./Scenario.ts"

type Arrival = Omit<Request, "id">

const words = 20

/** All of them at the beginning. */
export const atOnce = (count: number, caller = "batch"): ReadonlyArray<Arrival> =>
  Array.from({ length: count }, () => ({ atMillis: 0, caller, words }))

/** At random, so many a second. */
export const poisson = (options: {
  readonly perSecond: number
  readonly seconds: number
  readonly seed: number
  readonly caller?: string
}): ReadonlyArray<Arrival> => {
  const { caller = "batch", perSecond, seconds, seed } = options
  const draw = new Draw(seed, 0, "arrivals", 0)
  const arrivals: Array<Arrival> = []
  for (let at = 0; ;) {
    at += -Math.log(1 - draw.next()) / perSecond
    if (at >= seconds) return arrivals
    arrivals.push({ atMillis: Math.floor(at * 1000), caller, words })
  }
}

/** So many at once, again and again. */
export const bursts = (options: {
  readonly count: number
  readonly everySeconds: number
  readonly times: number
}): ReadonlyArray<Arrival> =>
  Array.from({ length: options.times }, (_, turn) =>
    Array.from({ length: options.count }, () => ({
      atMillis: turn * options.everySeconds * 1000,
      caller: "batch",
      words
    }))
  ).flat()

/** Every so manieth is that much larger. */
export const withLarge = (
  arrivals: ReadonlyArray<Arrival>,
  every: number,
  large: number
): ReadonlyArray<Arrival> =>
  arrivals.map((arrival, index) => (index % every === 0 ? { ...arrival, words: large } : arrival))

/** In the order of arrival, numbered. */
export const numbered = (...arrivals: ReadonlyArray<ReadonlyArray<Arrival>>) =>
  arrivals
    .flat()
    .toSorted((left, right) => left.atMillis - right.atMillis)
    .map(({ atMillis, caller, words: size }, id): Request => ({
      id,
      atMillis,
      caller,
      words: size
    }))
