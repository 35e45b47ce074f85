/**
 * When and where an attempt is sent: slot, deployment, health and quota, decided in one step.
 *
 * An attempt that need not wait is sent at once. One that must stands in one line for the whole client, and is given a
 * deployment only at the moment it can be sent: the best of those that have a free slot, are healthy and have room in every
 * quota. So nobody waits at one replica while another is idle, nobody holds a slot while waiting for quota, and one rule says
 * who is next (`Line`): first come, first served for each caller, by shares between callers.
 *
 * Nothing runs in the background. Whoever ends an attempt looks who can be sent now, and the one at the front of the line
 * sleeps until the next quota has room.
 *
 * It is where admission and routing meet; neither knows the other. What is sent, and what becomes of a failure, is in
 * `Pipeline`.
 *
 * **Units**: epoch milliseconds of the `Clock`.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"

import type { Account, Settlement } from "./admission/Account.ts"
import { share } from "./admission/Caller.ts"
import type { Limit } from "./admission/Limit.ts"
import type { Waiter } from "./admission/Line.ts"
import { Line } from "./admission/Line.ts"
import type { Cost, Quota } from "./admission/Quota.ts"
import { amountOf, isUnlimited } from "./admission/Quota.ts"
import type { Reservation } from "./admission/QuotaStore.ts"
import { QuotaStore } from "./admission/QuotaStore.ts"
import { Slots } from "./admission/Slots.ts"
import type { Call } from "./Call.ts"
import type { Deployment } from "./Deployment.ts"
import type { Answer, Connection } from "./provider/Provider.ts"
import { AttemptError } from "./provider/Provider.ts"
import { Providers } from "./provider/Providers.ts"
import type { Reason } from "./Reason.ts"
import { NoDeployment, QuotaUnsatisfiable } from "./Reason.ts"
import * as Health from "./routing/Health.ts"
import type { Strategy } from "./routing/Strategy.ts"
import { simpleShuffle } from "./routing/Strategy.ts"
import * as SchedulerGauges from "./SchedulerGauges.ts"
import * as SchedulerSnapshot from "./SchedulerSnapshot.ts"
import { SettingsError } from "./SettingsError.ts"
import { reportsOf, settlementOf } from "./Settle.ts"

/**
 * A deployment made ready for requests.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ready {
  readonly deployment: Deployment
  readonly connection: Connection
  /** The account that the provider's limits are about. */
  readonly account: Account
  /** That account, and those it shares. */
  readonly accounts: ReadonlyArray<Account>
  readonly slots: Slots
}

/**
 * Decides when and where attempts are sent.
 *
 * @category services
 * @since 0.1.0
 */
export class Scheduler extends Context.Service<
  Scheduler,
  {
    /**
     * Runs one attempt when and where it can be sent; sets `call.deployment`.
     *
     * **Errors**: `QuotaUnsatisfiable` at once, when no deployment's quota is ever large enough.
     */
    readonly admit: <A>(
      call: Call<A>,
      send: (connection: Connection) => Effect.Effect<Answer<A>, AttemptError>
    ) => Effect.Effect<Answer<A>, AttemptError>
    /** As `admit`, but fails with `NoDeployment` instead of waiting. */
    readonly admitNow: <A>(
      call: Call<A>,
      send: (connection: Connection) => Effect.Effect<Answer<A>, AttemptError>
    ) => Effect.Effect<Answer<A>, AttemptError>
    /** Whether a deployment that has not failed the call could take it now. */
    readonly hasRoomElsewhere: <A>(call: Call<A>) => Effect.Effect<boolean>
    /** Whether some deployment of a model could take the call now. */
    readonly hasRoomFor: <A>(call: Call<A>, model: string) => Effect.Effect<boolean>
    /** Whether there is a deployment at all that may take the call. */
    readonly hasCandidate: <A>(call: Call<A>) => boolean
    /** The deployment that estimates are made for, before one is chosen. */
    readonly usualDeployment: (model: string) => Deployment | undefined
    /** Whether some limit counts more than requests, so that a call's cost must be estimated. */
    readonly needsCost: boolean
    readonly deployments: ReadonlyArray<Deployment>
    readonly snapshot: Effect.Effect<SchedulerSnapshot.SchedulerSnapshot>
  }
>()("@infermesh/core/Scheduler") {}

/**
 * Settings of the scheduler.
 *
 * @category models
 * @since 0.1.0
 */
export interface SchedulerOptions {
  readonly deployments: ReadonlyArray<Deployment>
  readonly strategy?: Strategy | undefined
  /** Attempts in flight at once, over all deployments. Default: no limit. */
  readonly maxParallelRequests?: number | undefined
  /** Limits of the client over all its deployments; each deployment may have its own besides. */
  readonly limits?: Quota | undefined
}

/** One attempt in the line. */
interface Waiting extends Waiter {
  readonly call: Call<unknown>
  readonly candidates: ReadonlyArray<Ready>
  readonly latch: Latch.Latch
  grant: Grant | undefined
}

/** An attempt that may be sent. */
interface Grant {
  readonly ready: Ready
  readonly reservation: Reservation
}

/** Why an attempt cannot be sent now. */
interface Blocked {
  /** When it could be, if nothing else happens; `Infinity` when something must end first. */
  readonly atMillis: number
  /** It is the client's own limits that have no room, so that nobody else has it either. */
  readonly everybody: boolean
}

const isGrant = (outcome: Grant | Blocked): outcome is Grant => "ready" in outcome

const never = Number.POSITIVE_INFINITY

/**
 * Builds the scheduler: connects the deployments and opens their accounts.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (options: SchedulerOptions) {
  const { strategy = simpleShuffle } = options
  const health = yield* Health.Health
  const store = yield* QuotaStore
  yield* checkLabels(options.deployments)
  const all = yield* Effect.forEach(options.deployments, (deployment) =>
    Effect.gen(function* () {
      // Without limits, too: they are learned from what the provider says.
      const account = yield* store.account(deployment.id, deployment.limits)
      const ready: Ready = {
        deployment,
        connection: yield* connect(deployment),
        account,
        accounts: [account],
        slots: new Slots()
      }
      return ready
    })
  )
  // No deployment id is empty, so this key is the client's own.
  const own =
    options.limits === undefined || isUnlimited(options.limits)
      ? []
      : [yield* store.account("", options.limits)]
  const slots = new Slots(yield* slotCount(options.maxParallelRequests))
  const needsCost = [...own, ...all.flatMap(({ accounts }) => accounts)].some(({ limits }) =>
    limits.some(({ dimension }) => dimension !== "requests")
  )

  const line = new Line<Waiting>()
  const state = { line, slots, own, health, deployments: all }
  const gauges = yield* SchedulerGauges.make(state)
  for (const ready of all) gauges.add(ready)
  /** The waiter that sleeps for the whole line, and until when; 0 while it is awake. */
  let keeper: Waiting | undefined
  let keeperUntil = 0
  /** When the first of the line can be sent, if nothing else happens. */
  let nextMillis = never
  let looking = false
  let lookAgain = false

  /** When a deployment could take a cost, its own slots left out. */
  const roomAt = (ready: Ready, { cost }: Call<unknown>, now: number): number => {
    let at = now + health.waitMillis(ready.deployment.id, now)
    for (const account of ready.accounts) at = Math.max(at, account.roomAt(now, cost))
    return at
  }

  const clientRoomAt = ({ cost }: Call<unknown>, now: number): number => {
    let at = slots.hasRoom ? now : never
    for (const account of own) at = Math.max(at, account.roomAt(now, cost))
    return at
  }

  /** The deployments that can take a call now, or when the first of them can. */
  const survey = (
    candidates: ReadonlyArray<Ready>,
    call: Call<unknown>,
    now: number
  ): ReadonlyArray<Ready> | number => {
    let first = never
    let free: Array<Ready> | undefined
    for (const ready of candidates) {
      if (!ready.slots.hasRoom) continue
      const at = roomAt(ready, call, now)
      if (at <= now) (free ??= []).push(ready)
      else first = Math.min(first, at)
    }
    return free ?? first
  }

  /** Sends an attempt on its way, if there is a place for it now. */
  const grant = (
    call: Call<unknown>,
    candidates: ReadonlyArray<Ready>,
    now: number
  ): Effect.Effect<Grant | Blocked> => {
    const clientAt = clientRoomAt(call, now)
    if (clientAt > now) return Effect.succeed({ atMillis: clientAt, everybody: true })
    const found = survey(candidates, call, now)
    if (typeof found === "number") return Effect.succeed({ atMillis: found, everybody: false })
    return Effect.flatMap(choose(untried(found, call)), (ready) =>
      Effect.flatMap(
        store.reserve([...ready.accounts, ...own], call.cost, now),
        (outcome): Effect.Effect<Grant | Blocked> => {
          if (outcome._tag === "Granted") {
            slots.take()
            ready.slots.take()
            health.started(ready.deployment.id, now)
            return Effect.succeed({ ready, reservation: outcome })
          }
          // A shared store knew better: the others are asked before anybody waits.
          const others = candidates.filter((one) => one !== ready)
          if (others.length === 0)
            return Effect.succeed({ atMillis: outcome.retryAtMillis, everybody: false })
          return Effect.map(grant(call, others, now), (other) =>
            isGrant(other)
              ? other
              : { ...other, atMillis: Math.min(other.atMillis, outcome.retryAtMillis) }
          )
        }
      )
    )
  }

  const choose = (free: ReadonlyArray<Ready>): Effect.Effect<Ready> => {
    const [only] = free
    if (free.length === 1 && only !== undefined) return Effect.succeed(only)
    return Effect.map(Random.next, (random) => {
      const chosen = strategy(
        free.map(({ deployment }) => deployment),
        random
      )
      return free.find(({ deployment }) => deployment === chosen) ?? (only as Ready)
    })
  }

  /** Sends whom there is a place for, in the order of the line. */
  const look: Effect.Effect<void> = Effect.suspend(() => {
    if (looking) {
      lookAgain = true
      return Effect.void
    }
    looking = true
    return Effect.ensuring(
      lookOnce,
      Effect.sync(() => {
        looking = false
        appoint()
      })
    )
  })

  const lookOnce: Effect.Effect<void> = Effect.suspend(() => {
    lookAgain = false
    nextMillis = never
    return Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.flatMap(serve(line.heads(), 0, now), (served) =>
        served || lookAgain ? lookOnce : Effect.void
      )
    )
  })

  /** Serves one of the heads: the first for whom there is a place. */
  const serve = (
    heads: ReadonlyArray<Waiting>,
    index: number,
    now: number
  ): Effect.Effect<boolean> => {
    const head = heads[index]
    if (head === undefined) return Effect.succeed(false)
    return Effect.flatMap(grant(head.call, head.candidates, now), (outcome) => {
      if (isGrant(outcome)) {
        head.grant = outcome
        line.remove(head, true)
        head.latch.openUnsafe()
        return Effect.succeed(true)
      }
      nextMillis = Math.min(nextMillis, outcome.atMillis)
      // Those behind it must not take what the whole client has too little of.
      return outcome.everybody ? Effect.succeed(false) : serve(heads, index + 1, now)
    })
  }

  /** Sees to it that somebody sleeps for the line, and not too long. */
  const appoint = () => {
    if (keeper !== undefined && line.has(keeper)) {
      if (keeperUntil > nextMillis) keeper.latch.openUnsafe()
      return
    }
    ;[keeper] = line.heads()
    keeperUntil = 0
    keeper?.latch.openUnsafe()
  }

  /** The waiter's own loop: it ends when the waiter may go. */
  const waitTurn = (waiter: Waiting): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (waiter.grant !== undefined) return Effect.void
      waiter.latch.closeUnsafe()
      if (keeper !== waiter || nextMillis === never) {
        if (keeper === waiter) keeperUntil = never
        // A latch runs whom it wakes at once: without the yield the whole line would be sent inside the first one's end.
        return waiter.latch.await.pipe(
          Effect.andThen(Effect.yieldNow),
          Effect.andThen(waitTurn(waiter))
        )
      }
      return Effect.flatMap(Clock.currentTimeMillis, (now) => {
        keeperUntil = nextMillis
        const rest =
          nextMillis > now
            ? Effect.raceFirst(Effect.sleep(Math.ceil(nextMillis - now)), waiter.latch.await)
            : Effect.yieldNow
        return rest.pipe(
          Effect.andThen(
            Effect.suspend(() => {
              keeperUntil = 0
              return waiter.grant === undefined ? Effect.uninterruptible(look) : Effect.void
            })
          ),
          Effect.andThen(waitTurn(waiter))
        )
      })
    })

  const stand = (call: Call<unknown>, candidates: ReadonlyArray<Ready>): Effect.Effect<Grant> => {
    const waiter: Waiting = {
      call,
      candidates,
      group: call.model,
      caller: call.caller.name,
      share: share(call.caller),
      size: Math.max(1, call.cost.inputTokens + call.cost.outputTokens),
      latch: Latch.makeUnsafe(false),
      grant: undefined
    }
    line.add(waiter)
    // Somebody who is not at the front changes nothing for those who are.
    const looked = line.isHead(waiter) ? look : Effect.void
    // Only the waiting can be interrupted: a place that was given is taken or given back.
    return Effect.andThen(looked, Effect.interruptible(waitTurn(waiter))).pipe(
      Effect.onInterrupt(() => {
        line.remove(waiter, false)
        return waiter.grant === undefined ? look : release(waiter.grant, { _tag: "Unsent" })
      }),
      Effect.map(() => waiter.grant as Grant)
    )
  }

  const release = ({ ready, reservation }: Grant, settlement: Settlement): Effect.Effect<void> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      slots.free()
      ready.slots.free()
      return Effect.flatMap(reservation.settle(now, settlement), () =>
        line.size === 0 ? Effect.void : look
      )
    })

  /** The deployments of a call's model that may take it. */
  const groupOf = ({ excluded }: Call<unknown>): ReadonlyArray<Ready> =>
    excluded.length === 0 ? all : all.filter(({ deployment }) => !excluded.includes(deployment))

  /** Those of a group whose quotas could ever hold a call; or why there is none. */
  const candidatesOf = (
    call: Call<unknown>
  ): ReadonlyArray<Ready> | QuotaUnsatisfiable | NoDeployment => {
    const { cost } = call
    const tooSmall = firstTooSmall(own, cost)
    if (tooSmall !== undefined) return unsatisfiable(tooSmall, cost)
    const group = groupOf(call)
    const [first] = group
    if (first === undefined) return new NoDeployment({ problem: "each of them is ruled out" })
    if (!group.some(({ accounts }) => firstTooSmall(accounts, cost) !== undefined)) return group
    const possible = group.filter(({ accounts }) => firstTooSmall(accounts, cost) === undefined)
    const limit = firstTooSmall(first.accounts, cost)
    return possible.length > 0 || limit === undefined ? possible : unsatisfiable(limit, cost)
  }

  /** A place for an attempt, waited for where there is none at once. */
  const place = (call: Call<unknown>): Effect.Effect<Grant, AttemptError> => {
    const candidates = candidatesOf(call)
    if ("_tag" in candidates) return unsent(candidates)
    if (line.size > 0 || looking) return stand(call, candidates)
    return Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.flatMap(grant(call, candidates, now), (outcome) =>
        isGrant(outcome) ? Effect.succeed(outcome) : stand(call, candidates)
      )
    )
  }

  /** A place for an attempt, if there is one now. */
  const placeNow = (call: Call<unknown>): Effect.Effect<Grant, AttemptError> => {
    const candidates = candidatesOf(call)
    if ("_tag" in candidates) return unsent(candidates)
    // Whoever stands in line goes first.
    if (line.size > 0 || looking) return noPlace
    return Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.flatMap(grant(call, candidates, now), (outcome) =>
        isGrant(outcome) ? Effect.succeed(outcome) : noPlace
      )
    )
  }

  const admitBy =
    (find: (call: Call<unknown>) => Effect.Effect<Grant, AttemptError>) =>
    <A>(
      call: Call<A>,
      send: (connection: Connection) => Effect.Effect<Answer<A>, AttemptError>
    ): Effect.Effect<Answer<A>, AttemptError> =>
      // Between the grant and the attempt nothing can interrupt (only the waiting can be), so a place is always given back.
      Effect.uninterruptibleMask((restore) => {
        call.deployment = undefined
        return Effect.flatMap(find(call), (granted) => {
          call.deployment = granted.ready.deployment
          return Effect.onExit(restore(send(granted.ready.connection)), (exit) =>
            end(granted, call, exit)
          )
        })
      })

  const end = <A>(
    granted: Grant,
    call: Call<A>,
    exit: Exit.Exit<Answer<A>, AttemptError>
  ): Effect.Effect<void> =>
    Clock.clockWith((clock) => {
      const now = clock.currentTimeMillisUnsafe()
      const { ready, reservation } = granted
      const error = Option.getOrUndefined(Exit.findErrorOption(exit))
      const headers = Exit.isSuccess(exit) ? exit.value.rateLimits : error?.rateLimits
      if (headers !== undefined) {
        reservation.learn(now, reportsOf(headers))
        gauges.learned(ready)
      }
      if (Exit.isSuccess(exit)) ready.account.taken()
      else if (error?.reason._tag === "RateLimitError") ready.account.refused()
      health.ended(ready.deployment.id, now, Health.outcomeOf(exit))
      return release(granted, settlementOf(call, exit))
    })

  const hasRoom = (call: Call<unknown>, group: ReadonlyArray<Ready>): Effect.Effect<boolean> =>
    group.length === 0
      ? Effect.succeed(false)
      : Effect.map(
          Clock.currentTimeMillis,
          (now) =>
            line.size === 0 &&
            clientRoomAt(call, now) <= now &&
            group.some((ready) => ready.slots.hasRoom && roomAt(ready, call, now) <= now)
        )

  return Scheduler.of({
    admit: admitBy(place),
    admitNow: admitBy(placeNow),
    needsCost,
    deployments: options.deployments,
    hasCandidate: (call) => groupOf(call).length > 0,
    hasRoomElsewhere: (call) =>
      hasRoom(
        call,
        groupOf(call).filter(({ deployment }) => !call.failedAt.includes(deployment))
      ),
    hasRoomFor: (call, _model) => hasRoom(call, groupOf(call)),
    usualDeployment: (_model) => all[0]?.deployment,
    snapshot: Effect.map(Clock.currentTimeMillis, (now) =>
      SchedulerSnapshot.take(state, now, nextMillis)
    )
  })
})

const unsent = (reason: Reason): Effect.Effect<never, AttemptError> =>
  Effect.fail(new AttemptError({ reason, outcome: "unsent" }))

const noPlace = unsent(new NoDeployment({ problem: "none is free at this moment" }))

/** Those that have not just failed the call, if there are any. */
const untried = (free: ReadonlyArray<Ready>, { failedAt }: Call<unknown>): ReadonlyArray<Ready> => {
  if (failedAt.length === 0 || free.length === 1) return free
  const others = free.filter(({ deployment }) => !failedAt.includes(deployment))
  return others.length === 0 ? free : others
}

const firstTooSmall = (accounts: ReadonlyArray<Account>, cost: Cost): Limit | undefined => {
  for (const account of accounts) {
    const limit = account.tooSmallFor(cost)
    if (limit !== undefined) return limit
  }
  return undefined
}

const unsatisfiable = ({ dimension, limit, name }: Limit, cost: Cost) =>
  new QuotaUnsatisfiable({
    limit: name,
    allowed: limit,
    needed: amountOf(cost, dimension)
  })

const slotCount = Effect.fnUntraced(function* (total: number | undefined) {
  if (total === undefined || (Number.isInteger(total) && total >= 1)) return total
  return yield* new SettingsError({
    setting: "maxParallelRequests",
    problem: `${total} is not a whole number of at least 1`,
    hint: "Leave it out for no limit"
  })
})

const checkLabels = Effect.fnUntraced(function* (deployments: ReadonlyArray<Deployment>) {
  if (deployments.length === 0) {
    return yield* new SettingsError({
      setting: "deployments",
      problem: "there is none",
      hint: "Give a model, or at least one deployment"
    })
  }
  const ids = new Set<string>()
  for (const { id } of deployments) {
    if (ids.has(id)) {
      return yield* new SettingsError({
        setting: `deployments.${id}`,
        problem: "the label is used twice",
        hint: "Give each deployment its own label"
      })
    }
    ids.add(id)
  }
})

/** Finds the deployment's provider and lets it check the settings and prepare what requests share. */
const connect = Effect.fnUntraced(function* (deployment: Deployment) {
  const providers = yield* Providers
  const provider = providers.get(deployment.provider)
  if (provider !== undefined) return yield* provider.connect(deployment.target)
  return yield* new SettingsError({
    setting: deployment.label === undefined ? "model" : `deployments.${deployment.label}.model`,
    problem: `there is no provider '${deployment.provider}'`,
    hint: `Known providers: ${providers.names.join(", ")}`
  })
})

/**
 * The scheduler over a list of deployments.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: SchedulerOptions
): Layer.Layer<Scheduler, SettingsError, QuotaStore | Health.Health | Providers> =>
  Layer.effect(Scheduler, make(options))

/**
 * What the scheduler knows now.
 *
 * @category getters
 * @since 0.1.0
 */
export const snapshot: Effect.Effect<SchedulerSnapshot.SchedulerSnapshot, never, Scheduler> =
  Scheduler.use((scheduler) => scheduler.snapshot)

/**
 * What the scheduler knows now, and again after each interval, for as long as it is pulled.
 *
 * @category getters
 * @since 0.1.0
 */
export const snapshots = (
  every: Duration.Input
): Stream.Stream<SchedulerSnapshot.SchedulerSnapshot, never, Scheduler> =>
  Stream.fromEffectSchedule(snapshot, Schedule.spaced(every))
