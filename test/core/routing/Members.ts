import type { Deployment } from "@infermesh/core/Deployment"
import { Breaker } from "@infermesh/core/routing/Breaker"
import { Member } from "@infermesh/core/routing/Member"
import type { Draw } from "@infermesh/core/routing/Strategy"

/** A deployment of a model `m` at a provider `test`. */
export const deployment = (id: string, more: Partial<Deployment> = {}): Deployment => ({
  id,
  label: id,
  provider: "test",
  target: { model: "m", apiBase: undefined, apiKey: undefined, headers: {}, extraBody: {} },
  models: [],
  tags: [],
  limits: {},
  quotaKeys: [],
  headerScope: "auto",
  maxParallelRequests: undefined,
  weight: 1,
  price: undefined,
  ...more
})

/** As many members as weights, called `d0`, `d1` and so on. */
export const members = (...weights: ReadonlyArray<number>): ReadonlyArray<Member> =>
  weights.map(
    (weight, order) => new Member(deployment(`d${order}`, { weight }), order, new Breaker())
  )

/** The member at a place. */
export const nth = (all: ReadonlyArray<Member>, index: number): Member =>
  all[index] ?? assertNever(index)

const assertNever = (index: number): never => {
  throw new Error(`there is no member ${index}`)
}

/** Puts so many attempts in flight. */
export const busy = (member: Member, attempts: number): void => {
  for (let index = 0; index < attempts; index++) member.started(0)
}

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
export const seeded = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), 1 | state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A draw at time 0, from seed 1 where nothing else is said. */
export const drawOf = (more: Partial<Draw> = {}): Draw => ({
  random: more.random ?? seeded(1),
  stickyKey: undefined,
  streamed: false,
  nowMillis: 0,
  ...more
})
