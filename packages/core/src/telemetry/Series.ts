/**
 * The instances of metrics that one deployment and operation need, made once.
 *
 * `effect/Metric` finds a series by its name and attributes; an instance with the attributes built in does so by one look-up,
 * where `Metric.withAttributes` would merge them at every update. Nothing appears in the registry before its first update.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"

import type { Deployment } from "../Deployment.ts"
import type { OperationName } from "./GenAi.ts"
import { providerName } from "./GenAi.ts"
import type { Definition, Label } from "./Metrics.ts"
import { labels, metrics } from "./Metrics.ts"

/**
 * Labels with their values.
 *
 * @category models
 * @since 0.1.0
 */
export type Attributes = { readonly [L in Label]?: string }

/** The attribute from which exporters take the unit; Prometheus' leaves it out of the labels. */
const withUnit = ({ unit }: Definition, attributes: Attributes) => ({ ...attributes, unit })

/**
 * A counter, which only grows, with its labels.
 *
 * @category constructors
 * @since 0.1.0
 */
export const counter = (
  definition: Definition & { readonly kind: "counter" },
  attributes: Attributes
): Metric.Counter<number> =>
  Metric.counter(definition.name, {
    description: definition.description,
    attributes: withUnit(definition, attributes),
    incremental: true
  })

/**
 * A gauge with its labels.
 *
 * @category constructors
 * @since 0.1.0
 */
export const gauge = (
  definition: Definition & { readonly kind: "gauge" },
  attributes: Attributes
): Metric.Gauge<number> =>
  Metric.gauge(definition.name, {
    description: definition.description,
    attributes: withUnit(definition, attributes)
  })

/**
 * A histogram with its labels.
 *
 * @category constructors
 * @since 0.1.0
 */
export const histogram = (
  definition: Definition & {
    readonly kind: "histogram"
    readonly boundaries: ReadonlyArray<number>
  },
  attributes: Attributes
): Metric.Histogram<number> =>
  Metric.histogram(definition.name, {
    description: definition.description,
    attributes: withUnit(definition, attributes),
    boundaries: definition.boundaries
  })

/**
 * Metrics by one more label's value, each made when it is first asked for.
 *
 * @category constructors
 * @since 0.1.0
 */
export const by = <M>(make: (value: string) => M): ((value: string) => M) => {
  const known = new Map<string, M>()
  return (value) => {
    let found = known.get(value)
    if (found === undefined) known.set(value, (found = make(value)))
    return found
  }
}

/**
 * What is recorded of one operation at one deployment.
 *
 * @category models
 * @since 0.1.0
 */
export interface Series {
  readonly duration: Metric.Histogram<number>
  readonly durationOf: (error: string) => Metric.Histogram<number>
  readonly queueWait: Metric.Histogram<number>
  readonly serviceTime: Metric.Histogram<number>
  readonly firstPart: Metric.Histogram<number>
  readonly inputTokens: Metric.Histogram<number>
  readonly outputTokens: Metric.Histogram<number>
  readonly cost: Metric.Counter<number>
  readonly answered: Metric.Counter<number>
  readonly failed: (error: string) => Metric.Counter<number>
  readonly interrupted: Metric.Counter<number>
  readonly answeredDuration: Metric.Histogram<number>
  readonly failedDuration: Metric.Histogram<number>
  readonly interruptedDuration: Metric.Histogram<number>
  readonly retries: (error: string) => Metric.Counter<number>
  readonly hedgesWon: Metric.Counter<number>
  readonly hedgesLost: Metric.Counter<number>
  readonly hedgeCost: Metric.Counter<number>
  readonly rateLimited: Metric.Counter<number>
  readonly illFormed: Metric.Counter<number>
  readonly reused: (source: string) => Metric.Counter<number>
}

/**
 * The series of an operation at a deployment, or of requests for a model that there is not.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (operation: OperationName, at: Deployment | undefined): Series => {
  const request: Attributes = {
    [labels.operation]: operation,
    ...(at === undefined
      ? {}
      : { [labels.provider]: providerName(at.provider), [labels.model]: at.target.model })
  }
  const deployment: Attributes = at === undefined ? {} : { [labels.deployment]: at.id }
  const attempt: Attributes = { [labels.operation]: operation, ...deployment }
  const attempts = (outcome: string, error?: string) =>
    counter(metrics.attempts, {
      ...attempt,
      [labels.outcome]: outcome,
      ...(error === undefined ? {} : { [labels.error]: error })
    })
  const attemptDuration = (outcome: string) =>
    histogram(metrics.attemptDuration, { ...attempt, [labels.outcome]: outcome })
  return {
    duration: histogram(metrics.duration, request),
    durationOf: by((error) => histogram(metrics.duration, { ...request, [labels.error]: error })),
    queueWait: histogram(metrics.queueWait, request),
    serviceTime: histogram(metrics.serviceTime, request),
    firstPart: histogram(metrics.firstPart, request),
    inputTokens: histogram(metrics.tokens, { ...request, [labels.tokenType]: "input" }),
    outputTokens: histogram(metrics.tokens, { ...request, [labels.tokenType]: "output" }),
    cost: counter(metrics.cost, { ...request, ...deployment }),
    answered: attempts("answered"),
    failed: by((error) => attempts("failed", error)),
    interrupted: attempts("interrupted"),
    answeredDuration: attemptDuration("answered"),
    failedDuration: attemptDuration("failed"),
    interruptedDuration: attemptDuration("interrupted"),
    retries: by((error) => counter(metrics.retries, { ...attempt, [labels.error]: error })),
    hedgesWon: counter(metrics.hedges, { ...request, [labels.hedgeOutcome]: "won" }),
    hedgesLost: counter(metrics.hedges, { ...request, [labels.hedgeOutcome]: "lost" }),
    hedgeCost: counter(metrics.hedgeCost, request),
    rateLimited: counter(metrics.rateLimited, deployment),
    illFormed: counter(metrics.illFormed, deployment),
    reused: by((source) =>
      counter(metrics.reused, { [labels.operation]: operation, [labels.reuse]: source })
    )
  }
}
