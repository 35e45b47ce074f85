/**
 * The simulated server: what a request meets from its arrival to its outcome, in the order it meets it.
 *
 * Route, key, format and model first; then the request's fate, the quota, the latency, the outcome. Each of these decides
 * in a file of its own; here is only their order and what is remembered between requests.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"

import { deliver, jsonType, type Reply } from "./Delivery.ts"
import { Draw } from "./Draw.ts"
import * as Endpoints from "./Endpoints.ts"
import type { SimulatedOutcome, SimulatedRequest } from "./Exchange.ts"
import * as Fate from "./Fate.ts"
import * as Fault from "./Fault.ts"
import { firstByteMillis } from "./Latency.ts"
import * as ServerQuota from "./ServerQuota.ts"
import type { SimulatorOptions } from "./SimulatorOptions.ts"
import { Statistics, type SimulatorStats } from "./Statistics.ts"
import type { Vendor, WireError } from "./Vendor.ts"
import type { WireAnswer, WireFormat, WireRequest } from "./WireFormat.ts"

/**
 * A running server; `Simulator` says what its members mean.
 *
 * @category models
 * @since 0.1.0
 */
export interface Server {
  readonly handle: (request: SimulatedRequest) => Effect.Effect<SimulatedOutcome>
  readonly stats: Effect.Effect<SimulatorStats>
  readonly reset: Effect.Effect<void>
}

/** What a simulator remembers between requests. */
interface State {
  readonly statistics: Statistics
  readonly quota: ServerQuota.ServerQuota | undefined
  /** How often each prompt was admitted; kept only where something depends on it, since it grows with the prompts. */
  readonly admissions: Map<number, number> | undefined
  /** Admitted requests: the position in the script. */
  admitted: number
  /** Responses: what makes their ids differ. */
  responses: number
}

/**
 * Starts a server with these settings.
 *
 * @category constructors
 * @since 0.1.0
 */
export const start = (options: SimulatorOptions): Server => {
  const varies = options.latency.kind !== "constant" || Object.keys(options.faults).length > 0
  const fresh = (): State => ({
    statistics: new Statistics(),
    quota: options.quota === undefined ? undefined : ServerQuota.make(options.quota),
    admissions: varies ? new Map() : undefined,
    admitted: 0,
    responses: 0
  })
  let state = fresh()
  return {
    handle: (request) =>
      Effect.suspend(() => {
        // A request that is being handled while the simulator is reset counts where it began.
        const { statistics } = state
        const current = state
        let entered = false
        let reply: Reply | undefined
        return Effect.onExit(
          Effect.clockWith((clock) => {
            statistics.enter()
            entered = true
            reply = serve(options, current, request, clock.currentTimeMillisUnsafe())
            const { outcome, waitMillis } = reply
            return waitMillis === 0
              ? Effect.succeed(outcome)
              : Effect.as(Effect.sleep(waitMillis), outcome)
          }),
          (exit) => {
            if (entered) statistics.leave()
            if (Exit.hasInterrupts(exit)) statistics.abort()
            else if (reply?.answered === true) statistics.answer()
            return Effect.void
          }
        )
      }),
    stats: Effect.sync(() => state.statistics.snapshot()),
    reset: Effect.sync(() => {
      state = fresh()
    })
  }
}

const serve = (
  options: SimulatorOptions,
  state: State,
  request: SimulatedRequest,
  now: number
): Reply => {
  const ordinal = state.responses++
  const path = request.path.split("?", 1)[0] ?? ""
  const format = Endpoints.find(request.method, path)
  const vendor = format?.vendor ?? Endpoints.addressed(request)
  const visit: Visit = { options, state, request, now, ordinal, vendor }
  state.statistics.arrive()
  if (format === undefined) return reject(visit, vendor.unknownUrl(request.method, path))
  const understood = understand(visit, format)
  if (Result.isFailure(understood)) return reject(visit, understood.failure)
  return format.metered
    ? meter(visit, format, understood.success)
    : answerFree(visit, understood.success)
}

/** One request with what it is answered from. */
interface Visit {
  readonly options: SimulatorOptions
  readonly state: State
  readonly request: SimulatedRequest
  readonly now: number
  /** The number of the response since the start. */
  readonly ordinal: number
  readonly vendor: Vendor
}

const understand = (
  { options, request, vendor }: Visit,
  format: WireFormat
): Result.Result<WireRequest, WireError> => {
  if (options.apiKey !== undefined) {
    const key = vendor.apiKey(request)
    if (key !== options.apiKey) return Result.fail(vendor.wrongKey(key))
  }
  const decoded = format.decode(request, options)
  if (Result.isFailure(decoded) || !format.metered || options.models === undefined) return decoded
  const { model } = decoded.success
  return options.models.includes(model) ? decoded : Result.fail(vendor.modelNotFound(model))
}

const requestIdOf = ({ options, ordinal }: Visit): string =>
  `req_${new Draw(options.seed, ordinal, "request", 0).letters(32).toLowerCase()}`

const headersOf = (
  visit: Visit,
  processingMillis: number,
  retryAfterMillis?: number
): { readonly [name: string]: string } =>
  visit.vendor.headers({
    requestId: requestIdOf(visit),
    nowMillis: visit.now,
    processingMillis,
    limits: visit.state.quota?.report(visit.now) ?? {},
    retryAfterMillis
  })

const reject = (visit: Visit, error: WireError): Reply => {
  visit.state.statistics.reject()
  return refuse(visit, error)
}

const refuse = (visit: Visit, error: WireError, waitMillis = 0): Reply => {
  const headers = {
    "content-type": jsonType,
    ...headersOf(visit, waitMillis, error.retryAfterMillis)
  }
  const body = visit.vendor.errorBody(error, requestIdOf(visit))
  return {
    waitMillis,
    outcome: { _tag: "Response", status: error.status, headers, body },
    answered: false
  }
}

/** An answer that costs nothing and takes no time. */
const answerFree = (visit: Visit, asked: WireRequest): Reply => {
  const headers = { "content-type": jsonType, ...headersOf(visit, 0) }
  const body = compose(visit, asked, undefined).body()
  return {
    waitMillis: 0,
    outcome: { _tag: "Response", status: 200, headers, body },
    answered: true
  }
}

/** A response that the script wrote out. */
const answerOwn = (
  visit: Visit,
  { body, headers, status }: Extract<Fate.Fate, { readonly _tag: "Own" }>,
  waitMillis: number
): Reply => {
  visit.state.statistics.script()
  return {
    waitMillis,
    outcome: {
      _tag: "Response",
      status,
      headers: { "content-type": jsonType, ...headersOf(visit, waitMillis), ...headers },
      body
    },
    answered: status === 200
  }
}

const meter = (visit: Visit, format: WireFormat, asked: WireRequest): Reply => {
  const { now, options, state, vendor } = visit
  const { statistics } = state
  const { hash, stream } = asked
  const seen = state.admissions?.get(hash) ?? 0
  const fate = Fate.decide(
    options,
    format,
    state.admitted,
    stream,
    () => new Draw(options.seed, hash, "fault", seen)
  )
  const plan =
    fate._tag === "Answer" ? { ...fate, answer: compose(visit, asked, fate.fault) } : fate
  // Where no answer is made, its prompt costs nothing either.
  const promptTokens = plan._tag === "Answer" ? asked.promptTokens : 0
  const completionTokens = plan._tag === "Answer" ? plan.answer.completionTokens : 0

  statistics.demand(now, promptTokens + completionTokens)
  const refusal = state.quota?.admit(now, promptTokens, completionTokens)
  if (refusal !== undefined) {
    statistics.violate(refusal.limitName)
    return refuse(visit, vendor.overQuota(asked.model, refusal))
  }
  state.admitted++
  state.admissions?.set(hash, seen + 1)
  statistics.admit(asked.model, promptTokens, completionTokens)
  if (plan._tag !== "Own" && plan.fault !== undefined) statistics.inject(plan.fault)

  const millis = firstByteMillis(options.latency, new Draw(options.seed, hash, "latency", seen))
  switch (plan._tag) {
    case "Own":
      return answerOwn(visit, plan, millis)
    case "Error":
      return refuse(visit, plan.error, millis)
    case "Answer":
      return deliver({
        answer: plan.answer,
        stream,
        fault: plan.fault,
        serverError: vendor.faults.internal,
        statistics,
        headers: (processingMillis) => headersOf(visit, processingMillis),
        firstByteMillis: millis,
        perOutputTokenMillis: options.latency.perOutputTokenMillis,
        draw: () => new Draw(options.seed, hash, "break", seen)
      })
  }
}

const compose = (
  { now, options, ordinal }: Visit,
  asked: WireRequest,
  fault: Fault.FaultKind | undefined
): WireAnswer =>
  asked.answer({
    seed: options.seed,
    draw: (purpose, at) => new Draw(options.seed, asked.hash, purpose, at),
    fault: Fault.isContentFault(fault) ? fault : undefined,
    createdSeconds: Math.floor(now / 1000),
    id: new Draw(options.seed, ordinal, "id", 0).letters(29),
    outputTokens: options.outputTokens
  })
