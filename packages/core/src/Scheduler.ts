/**
 * When and where an attempt is sent: slot, deployment, health and quota, decided in one step.
 *
 * An attempt that need not wait is sent at once. One that must stands in one line for the whole client (`WaitingLine`), and is
 * given a deployment only at the moment it can be sent: the strategy's choice of those that have a free slot, are healthy and
 * have room in every quota. So nobody waits at one replica while another is idle, nobody holds a slot while waiting for quota,
 * and one rule says who is next: first come, first served for each caller, by shares between callers.
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
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"

import type { Account, Settlement } from "./admission/Account.ts"
import { share } from "./admission/Caller.ts"
import type { MaxParallelRequests } from "./admission/ConcurrencyLimit.ts"
import * as ConcurrencyLimit from "./admission/ConcurrencyLimit.ts"
import type { Waiter } from "./admission/Line.ts"
import type { Quota } from "./admission/Quota.ts"
import { isUnlimited } from "./admission/Quota.ts"
import { QuotaStore } from "./admission/QuotaStore.ts"
import { Slots } from "./admission/Slots.ts"
import { isDeploymentsOwn } from "./attempt/Fallback.ts"
import { smallest } from "./batch/Packing.ts"
import type { Call } from "./Call.ts"
import * as Candidates from "./Candidates.ts"
import type { Deployment } from "./Deployment.ts"
import type { Grant } from "./Places.ts"
import * as Places from "./Places.ts"
import type { Answer, Connection } from "./provider/Provider.ts"
import { AttemptError } from "./provider/Provider.ts"
import type { Providers } from "./provider/Providers.ts"
import type { Ready, SharedQuotas } from "./Ready.ts"
import * as ReadyModule from "./Ready.ts"
import type { Reason } from "./Reason.ts"
import { NoDeployment } from "./Reason.ts"
import * as Fleet from "./routing/Fleet.ts"
import * as Health from "./routing/Health.ts"
import type { HealthCheckOptions } from "./routing/HealthCheck.ts"
import * as HealthCheck from "./routing/HealthCheck.ts"
import type { Member } from "./routing/Member.ts"
import type { Strategy } from "./routing/Strategy.ts"
import { strategies } from "./routing/Strategy.ts"
import * as SchedulerGauges from "./SchedulerGauges.ts"
import * as SchedulerSnapshot from "./SchedulerSnapshot.ts"
import type { SettingsError } from "./SettingsError.ts"
import { reportsOf, settlementOf, slotEndOf } from "./Settle.ts"
import type { Blocked } from "./WaitingLine.ts"
import * as WaitingLine from "./WaitingLine.ts"

type Send<A> = (connection: Connection) => Effect.Effect<Answer<A>, AttemptError>

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
     * **Errors**: at once, when no deployment can ever take it: `QuotaUnsatisfiable`, `NoDeployment`, `InvalidInput` for a model
     * or a tag that none has.
     */
    readonly admit: <A>(call: Call<A>, send: Send<A>) => Effect.Effect<Answer<A>, AttemptError>
    /** As `admit`, but fails with `NoDeployment` instead of waiting. */
    readonly admitNow: <A>(call: Call<A>, send: Send<A>) => Effect.Effect<Answer<A>, AttemptError>
    /** Whether a deployment that has not failed the call could take it now. */
    readonly hasRoomElsewhere: <A>(call: Call<A>) => Effect.Effect<boolean>
    /** Whether some deployment of a model could take the call now. */
    readonly hasRoomFor: <A>(call: Call<A>, model: string) => Effect.Effect<boolean>
    /** Whether the breaker of every deployment that could take the call is open. */
    readonly isBroken: <A>(call: Call<A>) => Effect.Effect<boolean>
    /** Whether there is a deployment at all that may take the call. */
    readonly hasCandidate: <A>(call: Call<A>) => boolean
    /** The deployment that estimates are made for, before one is chosen. */
    readonly usualDeployment: (model: string) => Deployment | undefined
    /** Whether some limit counts more than requests, so that a call's cost must be estimated. */
    readonly needsCost: () => boolean
    /** The deployments in service. */
    readonly deployments: () => ReadonlyArray<Deployment>
    /** What one embedding request may hold at every deployment, for those who pack; absent where no limit is known. */
    readonly embedLimits: () => Connection["embedLimits"]
    /** Puts a deployment into service. */
    readonly add: (deployment: Deployment) => Effect.Effect<void, SettingsError>
    /** Takes a deployment out of service: it gets no new attempts; ends when those in flight have ended. */
    readonly drain: (id: string) => Effect.Effect<void, SettingsError>
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
  /** Attempts in flight at once, over all deployments, fixed or adaptive. Default: no limit. */
  readonly maxParallelRequests?: MaxParallelRequests | undefined
  /** Limits of the client over all its deployments; each deployment may have its own besides. */
  readonly limits?: Quota | undefined
  /** Quotas that deployments share, by the name in their `quotaKeys`. */
  readonly quotas?: SharedQuotas | undefined
  /** Further names for models, from the alias to what it stands for. */
  readonly aliases?: { readonly [alias: string]: string } | undefined
  /** The model of requests that name none. Default: any deployment serves them. */
  readonly defaultModel?: string | undefined
  /** Checks deployments in the background. Default: only requests find out how they are. */
  readonly healthCheck?: Omit<HealthCheckOptions, "check"> | undefined
  /** Whether the strategy compares prices, so that a call's cost must be estimated. Default: it does not. */
  readonly comparesPrices?: boolean | undefined
}

/** One attempt in the line. */
interface Waiting extends Waiter {
  readonly call: Call<unknown>
  /** Those that could take it when it was last looked at: deployments come and go while it waits. */
  candidates: ReadonlyArray<Ready>
}

/** An attempt in the line that nobody can take any more. */
interface Gone {
  readonly _tag: "Gone"
  readonly reason: Reason
}

/**
 * Builds the scheduler: connects the deployments and opens their accounts.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (options: SchedulerOptions) {
  const { aliases, defaultModel, quotas = {}, strategy = strategies["simple-shuffle"]() } = options
  const health = yield* Health.Health
  const store = yield* QuotaStore
  const services = yield* Effect.context<Providers | QuotaStore>()
  const fleet = yield* Fleet.make(options.deployments)

  const readyOf = new Map<Member, Ready>()
  const prepare = Effect.fnUntraced(function* (member: Member) {
    const prepared = yield* ReadyModule.prepare(member.deployment, quotas)
    const ready: Ready = { ...prepared, member }
    readyOf.set(member, ready)
    return ready
  }, Effect.provideContext(services))
  const first = yield* Effect.forEach(fleet.members(), prepare)
  /** Candidates are in service, and whoever is in service was made ready. */
  const readyFor = (member: Member): Ready => readyOf.get(member) as Ready

  let all: ReadonlyArray<Ready> = first
  let allVersion = fleet.version()
  /** Those in service; the same array until the fleet changes. */
  const inService = (): ReadonlyArray<Ready> => {
    if (allVersion !== fleet.version()) {
      allVersion = fleet.version()
      // A member that was added is in service when it is connected, a moment later.
      all = fleet.members().flatMap((member) => readyOf.get(member) ?? [])
    }
    return all
  }

  // No deployment id is empty, so this key is the client's own.
  const own =
    options.limits === undefined || isUnlimited(options.limits)
      ? []
      : [yield* store.account("", options.limits, { learns: false })]
  const slots = new Slots(ConcurrencyLimit.make(options.maxParallelRequests))
  const candidates = Candidates.make({
    ready: inService,
    version: fleet.version,
    own,
    aliases,
    defaultModel
  })

  const countsMore = (accounts: ReadonlyArray<Account>): boolean =>
    accounts.some(({ limits }) => limits.some(({ dimension }) => dimension !== "requests"))
  let needsCost =
    options.comparesPrices === true ||
    countsMore([...own, ...first.flatMap(({ accounts }) => accounts)])

  const { clientRoomAt, draw, grant, reserve } = Places.make({
    candidates,
    own,
    readyFor,
    slots,
    store,
    strategy
  })

  /** Tells everybody concerned how an attempt ended, and lets the next one go. */
  const end = (
    { call, ready, reservation, sentMillis, ticket }: Grant,
    exit: Exit.Exit<Answer<unknown>, AttemptError>,
    settlement: Settlement
  ): Effect.Effect<void> =>
    Clock.clockWith((clock) => {
      const now = clock.currentTimeMillisUnsafe()
      const latencyMillis = now - sentMillis
      const slotEnd = slotEndOf(exit)
      slots.free(now, slotEnd, latencyMillis)
      ready.slots.free(now, slotEnd, latencyMillis)
      ready.member.ended(now, {
        outcome: Health.outcomeOf(exit),
        ticket,
        latencyMillis,
        firstPartMillis: call.firstPartMillis,
        tokens: Exit.isSuccess(exit) ? exit.value.usage?.totalTokens : undefined
      })
      return Effect.flatMap(reservation.settle(now, settlement), () =>
        waiting.line.size === 0 ? Effect.void : waiting.look
      )
    })

  /** Learns from how an attempt ended what is in force at its deployment. */
  const learn = (
    { ready, reservation }: Grant,
    exit: Exit.Exit<Answer<unknown>, AttemptError>,
    now: number,
    sentMillis: number
  ) => {
    const error = Option.getOrUndefined(Exit.findErrorOption(exit))
    const headers = Exit.isSuccess(exit) ? exit.value.rateLimits : error?.rateLimits
    if (headers !== undefined) {
      reservation.learn(now, reportsOf(headers))
      needsCost ||= countsMore(ready.accounts)
      gauges.learned(ready)
    }
    if (Exit.isSuccess(exit)) ready.account.taken(now)
    else if (error?.reason._tag === "RateLimitError") ready.account.refused(now, sentMillis)
    else if (error !== undefined && isDeploymentsOwn(error.reason)) candidates.shun(ready, now)
  }

  /** What those at the front of the line wait for: whoever is behind them must not take it, or the large would starve. */
  const awaited = new Set<Ready>()

  const findPlace = (
    waiter: Waiting,
    now: number,
    isFirst: boolean
  ): Effect.Effect<Grant | Gone | Blocked> => {
    if (isFirst) awaited.clear()
    const possible = candidates.of(waiter.call, now)
    if (Candidates.isReason(possible)) return Effect.succeed({ _tag: "Gone", reason: possible })
    waiter.candidates = possible
    const left = awaited.size === 0 ? possible : possible.filter((one) => !awaited.has(one))
    if (left.length === 0) return Effect.succeed(Places.blocked(Places.never, false))
    return Effect.map(grant(waiter.call, left, now), (outcome) => {
      if (!("ready" in outcome)) for (const one of left) awaited.add(one)
      return outcome
    })
  }

  const waiting = WaitingLine.make<Waiting, Grant | Gone>(findPlace, (given) =>
    "ready" in given ? end(given, Exit.interrupt(), unsent) : Effect.void
  )

  const state = { line: waiting.line, slots, own, health, deployments: inService }
  const gauges = yield* SchedulerGauges.make(state)
  const gaugesOf = new Map(first.map((ready) => [ready, gauges.add(ready)]))
  // Whoever waits may find a place at what has come, or must not wait for what has gone.
  const context = yield* Effect.context()
  const stopListening = fleet.onChange(() => {
    if (waiting.line.size > 0) Effect.runForkWith(context)(waiting.look)
  })
  yield* Effect.addFinalizer(() => Effect.sync(stopListening))

  const stand = (
    call: Call<unknown>,
    possible: ReadonlyArray<Ready>
  ): Effect.Effect<Grant, AttemptError> =>
    Effect.flatMap(
      waiting.stand({
        call,
        candidates: possible,
        group:
          call.plan.tags === undefined ? call.model : JSON.stringify([call.model, call.plan.tags]),
        caller: call.caller.name,
        share: share(call.caller),
        size: Math.max(1, call.cost.inputTokens + call.cost.outputTokens)
      }),
      (given) => ("ready" in given ? Effect.succeed(given) : refuse(given.reason))
    )

  /** A place for an attempt, waited for (`wait`) where there is none at once. */
  const place = (call: Call<unknown>, wait: boolean): Effect.Effect<Grant, AttemptError> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      // Whoever stands in line goes first.
      waiting.isBusy()
        ? placeAmong(call, now, undefined, wait)
        : Effect.flatMap(draw(call, now), (drawn) => placeAmong(call, now, drawn, wait))
    )

  const everyCandidate = (call: Call<unknown>, now: number): ReadonlyArray<Ready> => {
    const found = candidates.of(call, now)
    return Candidates.isReason(found) ? [] : found
  }

  const placeAmong = (
    call: Call<unknown>,
    now: number,
    drawn: ReadonlyArray<Member> | undefined,
    wait: boolean
  ): Effect.Effect<Grant, AttemptError> => {
    const possible = drawn === undefined ? candidates.of(call, now) : []
    if (Candidates.isReason(possible)) return refuse(possible)
    if (waiting.isBusy()) return wait ? stand(call, possible) : noPlace
    const granting =
      drawn === undefined
        ? grant(call, possible, now)
        : reserve(call, drawn, now, () => everyCandidate(call, now))
    return Effect.flatMap(granting, (outcome) => {
      if ("ready" in outcome) return Effect.succeed(outcome)
      const then = wait
        ? stand(call, drawn === undefined ? possible : everyCandidate(call, now))
        : noPlace
      // Where the store took a while, others may stand in line by now, for what this one held until it was refused.
      return waiting.line.size === 0 ? then : Effect.andThen(waiting.look, then)
    })
  }

  const admit =
    (wait: boolean) =>
    <A>(call: Call<A>, send: Send<A>): Effect.Effect<Answer<A>, AttemptError> =>
      // Between the grant and the attempt nothing can interrupt (only the waiting can be), so a place is always given back.
      Effect.uninterruptibleMask((restore) => {
        call.deployment = undefined
        return Effect.flatMap(place(call, wait), (granted) => {
          call.deployment = granted.ready.deployment
          return Effect.onExit(restore(send(granted.ready.connection)), (exit) =>
            Effect.flatMap(Clock.currentTimeMillis, (now) => {
              learn(granted, exit, now, granted.sentMillis)
              return end(granted, exit, settlementOf(call, exit))
            })
          )
        })
      })

  const hasRoom = (call: Call<unknown>, group: ReadonlyArray<Ready>, now: number): boolean =>
    !waiting.isBusy() &&
    clientRoomAt(call, now) <= now &&
    group.some((ready) => ready.slots.hasRoom && ReadyModule.roomAt(ready, call.cost, now) <= now)

  const serving = (model: string): ReadonlyArray<Ready> => {
    const found = candidates.serving({ model: model === "" ? undefined : model })
    return Candidates.isReason(found) ? [] : found
  }

  /** Those that may take a call, were it for another model. */
  const candidatesAs = (
    { cost, excluded, plan }: Call<unknown>,
    model: string,
    now: number
  ): ReadonlyArray<Ready> => {
    const found = candidates.of({ cost, excluded, model, plan }, now)
    return Candidates.isReason(found) ? [] : found
  }

  if (options.healthCheck !== undefined) {
    yield* HealthCheck.run({
      ...options.healthCheck,
      check: (deployment) =>
        inService().find((ready) => ready.deployment === deployment)?.connection.check
    }).pipe(Effect.provideService(Fleet.Fleet, fleet))
  }

  return Scheduler.of({
    admit: admit(true),
    admitNow: admit(false),
    needsCost: () => needsCost,
    deployments: () => inService().map(({ deployment }) => deployment),
    embedLimits: () => smallest(inService().map(({ connection }) => connection.embedLimits)),
    usualDeployment: (model) => serving(model)[0]?.deployment,
    hasCandidate: (call) => !Candidates.isReason(candidates.of(call, 0)),
    hasRoomElsewhere: (call) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const others = candidatesAs(call, call.model, now).filter(
          ({ deployment }) => !call.failedAt.includes(deployment)
        )
        return hasRoom(call, others, now)
      }),
    isBroken: (call) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const found = candidatesAs(call, call.model, now)
        return found.length > 0 && found.every(({ member }) => member.health.state(now) === "open")
      }),
    hasRoomFor: (call, model) =>
      Effect.map(Clock.currentTimeMillis, (now) =>
        hasRoom(call, candidatesAs(call, model, now), now)
      ),
    add: (deployment) =>
      Effect.gen(function* () {
        const member = yield* fleet.add(deployment)
        const ready = yield* Effect.tapError(prepare(member), () =>
          Effect.ignore(fleet.drain(deployment.id))
        )
        gaugesOf.set(ready, gauges.add(ready))
        needsCost ||= countsMore(ready.accounts)
        fleet.changed()
      }),
    drain: (id) =>
      Effect.gen(function* () {
        const leaving = inService().find(({ deployment }) => deployment.id === id)
        yield* fleet.drain(id)
        if (leaving === undefined) return
        readyOf.delete(leaving.member)
        gaugesOf.get(leaving)?.()
        gaugesOf.delete(leaving)
      }),
    snapshot: Effect.map(Clock.currentTimeMillis, (now) =>
      SchedulerSnapshot.take(state, now, waiting.nextMillis())
    )
  })
})

const unsent: Settlement = { _tag: "Unsent" }

const refuse = (reason: Reason): Effect.Effect<never, AttemptError> =>
  Effect.fail(new AttemptError({ reason, outcome: "unsent" }))

const noPlace = refuse(new NoDeployment({ problem: "none is free at this moment" }))

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
