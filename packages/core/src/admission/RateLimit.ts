/**
 * Quotas: requests and tokens per minute and per day, reserved before an attempt and settled to what it really used.
 *
 * A reservation takes all the limits of its gate at once or none of them, in one step. Those that must wait stand in one line
 * per gate, first come, first served: nobody is overtaken, so nobody starves, whatever the size of his request. The head of
 * the line sleeps for itself and wakes the next; nothing runs in the background.
 *
 * It does not choose deployments and does not retry. What the outcome of an attempt means for the count is in `Charge`.
 *
 * **Units**: requests, tokens, milliseconds.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"

import { QuotaUnsatisfiable } from "../Reason.ts"
import { Pace } from "./Pace.ts"
import type { Cost, Quota } from "./Quota.ts"
import { hasTokens, isUnlimited } from "./Quota.ts"
import { SlidingWindow } from "./SlidingWindow.ts"

/**
 * What became of a reservation.
 *
 * **Details**: `Used`: answered, with the tokens the provider reported. `Counted`: sent, but what it used is unknown (no usage
 * reported, a time-out, a cut connection, an interruption), so the estimate stands. `Refused`: the provider counted the request
 * and did no work, so its tokens come back. `Unsent`: it never left, so everything comes back.
 *
 * @category models
 * @since 0.1.0
 */
export type Settlement =
  | { readonly _tag: "Used"; readonly tokens: number }
  | { readonly _tag: "Counted" }
  | { readonly _tag: "Refused" }
  | { readonly _tag: "Unsent" }

/**
 * A granted reservation.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reservation {
  readonly waitedMillis: number
  /** Settles it; a second time does nothing. */
  readonly settle: (settlement: Settlement) => Effect.Effect<void>
}

/**
 * The state of a gate.
 *
 * @category models
 * @since 0.1.0
 */
export interface GateSnapshot {
  readonly limits: ReadonlyArray<{
    /** `rpm`, `tpm`, `rpd` or `tpd`. */
    readonly name: string
    readonly limit: number
    readonly used: number
  }>
  /** Reservations granted and not yet settled. */
  readonly outstanding: number
  /** Attempts in the line. */
  readonly waiting: number
  /** Nothing is admitted before this time; 0 when the gate is not paused. */
  readonly pausedUntilMillis: number
}

/**
 * The quota of one key.
 *
 * @category models
 * @since 0.1.0
 */
export interface Gate {
  /** Whether it limits tokens; if not, the tokens of a cost are not looked at. */
  readonly needsTokens: boolean
  /** Takes a cost out of every limit, waiting for its turn. Fails at once when the cost can never fit. */
  readonly reserve: (cost: Cost) => Effect.Effect<Reservation, QuotaUnsatisfiable>
  /** How long a cost would wait, the line ahead included; 0 when it would be admitted now. */
  readonly waitMillis: (cost: Cost, nowMillis: number) => number
  /** Admits nothing before a time; never shortens a pause. */
  readonly pauseUntil: (epochMillis: number) => Effect.Effect<void>
  readonly snapshot: Effect.Effect<GateSnapshot>
}

/**
 * Keeps the quotas of a client, by key.
 *
 * @category services
 * @since 0.1.0
 */
export class RateLimit extends Context.Service<
  RateLimit,
  {
    /** The gate of a key. The same key gives the same gate, with the quota it was first given. */
    readonly gate: (key: string, quota: Quota) => Effect.Effect<Gate>
  }
>()("@infermesh/core/admission/RateLimit") {}

const minuteMillis = 60_000
const dayMillis = 86_400_000

interface Limit {
  readonly name: "rpm" | "tpm" | "rpd" | "tpd"
  readonly counts: keyof Cost
  readonly window: SlidingWindow
  readonly pace: Pace | undefined
}

interface Waiter {
  readonly cost: Cost
  readonly sinceMillis: number
  readonly turn: Latch.Latch
  reservation: Reservation | undefined
}

const limitsOf = (quota: Quota): ReadonlyArray<Limit> => {
  const limits: Array<Limit> = []
  const add = (
    name: Limit["name"],
    counts: keyof Cost,
    limit: number | undefined,
    windowMillis: number,
    burst?: number
  ) => {
    if (limit === undefined) return
    const pace = burst === undefined ? undefined : new Pace(burst, limit, windowMillis)
    limits.push({ name, counts, window: new SlidingWindow(limit, windowMillis), pace })
  }
  add("rpm", "requests", quota.rpm, minuteMillis, quota.maxRequestBurst)
  add("tpm", "tokens", quota.tpm, minuteMillis, quota.maxTokenBurst)
  add("rpd", "requests", quota.rpd, dayMillis)
  add("tpd", "tokens", quota.tpd, dayMillis)
  return limits
}

const makeGate = (quota: Quota): Gate => {
  const limits = limitsOf(quota)
  const line = new Set<Waiter>()
  const ahead = { requests: 0, tokens: 0 }
  let outstanding = 0
  let pausedUntil = 0

  const roomAt = (nowMillis: number, requests: number, tokens: number): number => {
    let at = Math.max(nowMillis, pausedUntil)
    for (const { counts, pace, window } of limits) {
      const amount = counts === "requests" ? requests : tokens
      at = Math.max(at, window.roomAt(nowMillis, amount))
      if (pace !== undefined) at = Math.max(at, pace.roomAt(nowMillis, amount))
    }
    return at
  }

  const wakeHead = () => {
    for (const head of line) {
      head.turn.openUnsafe()
      return
    }
  }

  const leave = (waiter: Waiter) => {
    if (!line.delete(waiter)) return
    ahead.requests -= waiter.cost.requests
    ahead.tokens -= waiter.cost.tokens
    wakeHead()
  }

  const grant = (clock: Clock.Clock, cost: Cost, waitedMillis: number): Reservation => {
    const now = clock.currentTimeMillisUnsafe()
    const stamps = limits.map(({ counts, pace, window }) => {
      pace?.add(now, cost[counts])
      return window.add(now, cost[counts])
    })
    outstanding++
    let settled = false
    return {
      waitedMillis,
      settle: (settlement) =>
        Effect.sync(() => {
          if (settled) return
          settled = true
          outstanding--
          const returned = settlementRefund(settlement, cost)
          if (returned.requests === 0 && returned.tokens === 0) return
          limits.forEach(({ counts, pace, window }, index) => {
            const amount = returned[counts]
            // What was used above the estimate is counted now, so that it is repaid before anything more is admitted.
            if (amount < 0) window.add(clock.currentTimeMillisUnsafe(), -amount)
            else window.refund(stamps[index] ?? 0, amount)
            pace?.refund(amount)
          })
          wakeHead()
        })
    }
  }

  /** The waiter's own loop: it ends when the waiter has its reservation. */
  const waitTurn = (clock: Clock.Clock, waiter: Waiter): Effect.Effect<void> =>
    Effect.suspend(() => {
      waiter.turn.closeUnsafe()
      const [head] = line
      if (head !== waiter) {
        // A latch runs whom it wakes at once: without the yield the whole line would be granted inside the first one's grant.
        return waiter.turn.await.pipe(
          Effect.andThen(Effect.yieldNow),
          Effect.andThen(waitTurn(clock, waiter))
        )
      }
      const now = clock.currentTimeMillisUnsafe()
      const at = roomAt(now, waiter.cost.requests, waiter.cost.tokens)
      if (at > now) {
        // A refund or a longer pause wakes the head before its time.
        const rest = Effect.raceFirst(Effect.sleep(Math.ceil(at - now)), waiter.turn.await)
        return Effect.andThen(rest, waitTurn(clock, waiter))
      }
      waiter.reservation = grant(clock, waiter.cost, now - waiter.sinceMillis)
      leave(waiter)
      return Effect.void
    })

  const stand = (clock: Clock.Clock, cost: Cost): Effect.Effect<Reservation> => {
    const waiter: Waiter = {
      cost,
      sinceMillis: clock.currentTimeMillisUnsafe(),
      turn: Latch.makeUnsafe(false),
      reservation: undefined
    }
    line.add(waiter)
    ahead.requests += cost.requests
    ahead.tokens += cost.tokens
    // Only the waiting can be interrupted: a reservation that was granted is handed over or given back.
    return Effect.interruptible(waitTurn(clock, waiter)).pipe(
      Effect.onInterrupt(() => {
        leave(waiter)
        return waiter.reservation?.settle({ _tag: "Unsent" }) ?? Effect.void
      }),
      Effect.map(() => waiter.reservation as Reservation)
    )
  }

  const unsatisfiable = (cost: Cost): QuotaUnsatisfiable | undefined => {
    for (const { counts, name, window } of limits) {
      if (cost[counts] > window.limit) {
        return new QuotaUnsatisfiable({ limit: name, allowed: window.limit, needed: cost[counts] })
      }
    }
    return undefined
  }

  return {
    needsTokens: hasTokens(quota),
    reserve: (cost) =>
      Effect.uninterruptible(
        Clock.clockWith((clock): Effect.Effect<Reservation, QuotaUnsatisfiable> => {
          const impossible = unsatisfiable(cost)
          if (impossible !== undefined) return Effect.fail(impossible)
          const now = clock.currentTimeMillisUnsafe()
          return line.size === 0 && roomAt(now, cost.requests, cost.tokens) <= now
            ? Effect.succeed(grant(clock, cost, 0))
            : stand(clock, cost)
        })
      ),
    waitMillis: (cost, nowMillis) =>
      Math.max(
        0,
        roomAt(nowMillis, ahead.requests + cost.requests, ahead.tokens + cost.tokens) - nowMillis
      ),
    pauseUntil: (epochMillis) =>
      Effect.sync(() => {
        pausedUntil = Math.max(pausedUntil, epochMillis)
      }),
    snapshot: Effect.map(Clock.currentTimeMillis, (now) => ({
      limits: limits.map(({ name, window }) => ({
        name,
        limit: window.limit,
        used: window.used(now)
      })),
      outstanding,
      waiting: line.size,
      pausedUntilMillis: pausedUntil > now ? pausedUntil : 0
    }))
  }
}

/** What comes back of a cost; negative tokens were used above the estimate. */
const settlementRefund = (settlement: Settlement, cost: Cost): Cost => {
  switch (settlement._tag) {
    case "Used":
      return { requests: 0, tokens: cost.tokens - settlement.tokens }
    case "Counted":
      return { requests: 0, tokens: 0 }
    case "Refused":
      return { requests: 0, tokens: cost.tokens }
    case "Unsent":
      return cost
  }
}

const open: Reservation = { waitedMillis: 0, settle: () => Effect.void }

/** A gate without limits: it only holds everybody while it is paused. */
const openGate = (): Gate => {
  let pausedUntil = 0
  const admit: Effect.Effect<Reservation> = Clock.clockWith((clock) => {
    const wait = pausedUntil - clock.currentTimeMillisUnsafe()
    return wait > 0 ? Effect.andThen(Effect.sleep(wait), admit) : Effect.succeed(open)
  })
  return {
    needsTokens: false,
    reserve: () => admit,
    waitMillis: (_, nowMillis) => Math.max(0, pausedUntil - nowMillis),
    pauseUntil: (epochMillis) =>
      Effect.sync(() => {
        pausedUntil = Math.max(pausedUntil, epochMillis)
      }),
    snapshot: Effect.map(Clock.currentTimeMillis, (now) => ({
      limits: [],
      outstanding: 0,
      waiting: 0,
      pausedUntilMillis: pausedUntil > now ? pausedUntil : 0
    }))
  }
}

const make = (gateOf: (quota: Quota) => Gate): RateLimit["Service"] => {
  const gates = new Map<string, Gate>()
  return {
    gate: (key, quota) =>
      Effect.sync(() => {
        let gate = gates.get(key)
        if (gate === undefined) {
          gate = gateOf(quota)
          gates.set(key, gate)
        }
        return gate
      })
  }
}

/**
 * Quotas kept in this process.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<RateLimit> = Layer.sync(RateLimit, () =>
  make((quota) => (isUnlimited(quota) ? openGate() : makeGate(quota)))
)

/**
 * No quota at all: every attempt is admitted at once.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerUnlimited: Layer.Layer<RateLimit> = Layer.sync(RateLimit, () => make(openGate))
