/**
 * Counts what becomes of requests and attempts, in metrics and in the request's span.
 *
 * The stages tell it in one line each. It records synchronously, in the registry and with the attributes that are in the
 * request's context, and never fails or changes a request. What can be read at any time is not counted here but read when
 * somebody asks (`Gauges`).
 *
 * **Units**: milliseconds and USD.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"

import type { Call } from "../Call.ts"
import type { Deployment } from "../Deployment.ts"
import type { InferenceError } from "../InferenceError.ts"
import type { TokenUsage } from "../operation/Usage.ts"
import type { Answer, AttemptError } from "../provider/Provider.ts"
import type { RateLimitHeaders } from "../provider/RateLimitHeaders.ts"
import type { BudgetExceeded } from "../Reason.ts"
import type { OperationName } from "./GenAi.ts"
import { operationName } from "./GenAi.ts"
import { labels, metrics } from "./Metrics.ts"
import type { Series } from "./Series.ts"
import { counter, make } from "./Series.ts"
import type { AttemptKind, Completed } from "./Spans.ts"
import * as Spans from "./Spans.ts"

const interrupted = "interrupted"

/** What the conventions call an error that has no name. */
const other = "_OTHER"

/**
 * Records for one client.
 *
 * @category models
 * @since 0.1.0
 */
export class Recorder {
  /** The deployment that a model's requests usually go to; those that reach none are counted there. */
  readonly usual: (model: string) => Deployment | undefined
  readonly #series = new Map<OperationName, Map<Deployment | undefined, Series>>()

  constructor(usual: (model: string) => Deployment | undefined) {
    this.usual = usual
  }

  /** An attempt is being sent. */
  sent(call: Call<unknown>, nowMillis: number): void {
    const { context, deployment, models } = call
    if (context === undefined || deployment === undefined) return
    const waited = nowMillis - call.startedMillis - call.serviceMillis
    call.waitMillis = Math.max(0, waited - call.waitedMillis)
    call.waitedMillis = waited
    const kind = kindOf(call)
    call.modelsSent = models.length
    if (kind === "first") return
    const error = call.failures.at(-1)?.reason._tag ?? other
    if (kind === "retry") this.#of(call, deployment).retries(error).updateUnsafe(1, context)
    else if (kind === "fallback") {
      const fallback = counter(metrics.fallbacks, {
        [labels.operation]: operationName(call.plan),
        [labels.fallback]: call.model,
        [labels.error]: error
      })
      fallback.updateUnsafe(1, context)
    }
    Spans.sent(call, kind, kind === "hedge" ? undefined : error)
  }

  /** An attempt has ended, however it did. */
  ended(call: Call<unknown>, exit: Exit.Exit<Answer<unknown>, AttemptError>, millis: number): void {
    const { context, deployment } = call
    if (context === undefined || deployment === undefined) return
    const series = this.#of(call, deployment)
    const seconds = millis / 1000
    if (call.firstPartMillis !== undefined)
      series.firstPart.updateUnsafe(call.firstPartMillis / 1000, context)
    if (Exit.isSuccess(exit)) {
      series.answered.updateUnsafe(1, context)
      series.answeredDuration.updateUnsafe(seconds, context)
      countTokens(series, exit.value.usage, context)
      countHeaders(series, exit.value.rateLimits, context)
      Spans.ended(call, "answered", undefined, millis)
      return
    }
    const error = Option.getOrUndefined(Exit.findErrorOption(exit))
    if (error === undefined && Exit.hasInterrupts(exit)) {
      series.interrupted.updateUnsafe(1, context)
      series.interruptedDuration.updateUnsafe(seconds, context)
      Spans.ended(call, interrupted, undefined, millis)
      return
    }
    series.failed(error?.reason._tag ?? other).updateUnsafe(1, context)
    series.failedDuration.updateUnsafe(seconds, context)
    if (error?.reason._tag === "RateLimitError") series.rateLimited.updateUnsafe(1, context)
    countTokens(series, error?.usage, context)
    countHeaders(series, error?.rateLimits, context)
    Spans.ended(call, "failed", error?.reason, millis)
  }

  /** A budget has too little left for an attempt. */
  budgetRefused({ context }: Call<unknown>, { budget }: BudgetExceeded): void {
    if (context === undefined) return
    counter(metrics.budgetRefused, { [labels.budget]: budget }).updateUnsafe(1, context)
  }

  /** A request has ended, however it did. */
  finished(
    call: Call<unknown>,
    exit: Exit.Exit<Completed, InferenceError>,
    nowMillis: number
  ): void {
    const { context, hedges, hedgesWon } = call
    if (context === undefined) return
    const at = call.deployment ?? call.failures.at(-1)?.deployment ?? this.usual(call.model)
    const series = this.#of(call, at)
    const totalMillis = Math.max(0, nowMillis - call.startedMillis)
    const serviceMillis = Math.min(totalMillis, call.serviceMillis)
    const error = errorOf(exit)
    const duration = error === undefined ? series.duration : series.durationOf(error)
    duration.updateUnsafe(totalMillis / 1000, context)
    series.queueWait.updateUnsafe((totalMillis - serviceMillis) / 1000, context)
    series.serviceTime.updateUnsafe(serviceMillis / 1000, context)
    const cost = costOf(exit)
    if (cost !== undefined && cost > 0) series.cost.updateUnsafe(cost, context)
    if (hedges > 0) {
      if (hedgesWon > 0) series.hedgesWon.updateUnsafe(hedgesWon, context)
      if (hedges > hedgesWon) series.hedgesLost.updateUnsafe(hedges - hedgesWon, context)
      if (call.hedgeUsd > 0) series.hedgeCost.updateUnsafe(call.hedgeUsd, context)
    }
    if (call.reused !== undefined) series.reused(call.reused).updateUnsafe(1, context)
    Spans.finish(call, at, exit, error)
  }

  #of({ plan }: Call<unknown>, at: Deployment | undefined): Series {
    const operation = operationName(plan)
    let ofOperation = this.#series.get(operation)
    if (ofOperation === undefined) this.#series.set(operation, (ofOperation = new Map()))
    let series = ofOperation.get(at)
    if (series === undefined) ofOperation.set(at, (series = make(operation, at)))
    return series
  }
}

const kindOf = ({ attempts, isHedge, models, modelsSent }: Call<unknown>): AttemptKind =>
  isHedge
    ? "hedge"
    : models.length > Math.max(1, modelsSent)
      ? "fallback"
      : attempts === 0
        ? "first"
        : "retry"

const countTokens = (
  { inputTokens, outputTokens }: Series,
  usage: TokenUsage | undefined,
  context: Context.Context<never>
) => {
  if (usage === undefined) return
  inputTokens.updateUnsafe(usage.promptTokens, context)
  // What has no output, such as an embedding, would fill the lowest bucket with nothing.
  if (usage.completionTokens > 0) outputTokens.updateUnsafe(usage.completionTokens, context)
}

const countHeaders = (
  { illFormed }: Series,
  headers: RateLimitHeaders | undefined,
  context: Context.Context<never>
) => {
  if (headers?.illFormed !== undefined) illFormed.updateUnsafe(headers.illFormed, context)
}

const errorOf = (exit: Exit.Exit<unknown, InferenceError>): string | undefined => {
  if (Exit.isSuccess(exit)) return undefined
  const error = Option.getOrUndefined(Exit.findErrorOption(exit))
  return error?.reason._tag ?? (Exit.hasInterrupts(exit) ? interrupted : other)
}

/** What was paid, also for an answer that did not fit. */
const costOf = (exit: Exit.Exit<Completed, InferenceError>): number | undefined =>
  Exit.isSuccess(exit)
    ? exit.value.cost
    : Option.getOrUndefined(Exit.findErrorOption(exit))?.result?.cost
