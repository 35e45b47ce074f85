/**
 * Every metric of the library, in one table: its name, kind, unit and labels, and what it says.
 *
 * Names that OpenTelemetry's conventions for generative AI have are theirs, all others begin with `infermesh.`. Nothing is
 * recorded here (`Recorder`, `Gauges`). The table in `docs/observability.md` is this one; a test compares them.
 *
 * **Gotchas**: no label holds what callers send or name, such as prompts, users or callers: labels are made of settings and of
 * the library's own words, so that the number of series stays small.
 *
 * **Source**: OpenTelemetry semantic conventions 1.41, "Generative AI metrics" (names, attributes and bucket boundaries).
 *
 * @since 0.1.0
 */

/**
 * The labels of metrics, by what they hold.
 *
 * @category constants
 * @since 0.1.0
 */
export const labels = {
  /** `chat`, `text_completion`, `embeddings` or `transcription`. */
  operation: "gen_ai.operation.name",
  provider: "gen_ai.provider.name",
  /** The model's name at the provider; where no deployment was reached, of the one it would usually be. */
  model: "gen_ai.request.model",
  /** `input` or `output`. */
  tokenType: "gen_ai.token.type",
  /** The tag of the reason, `interrupted`, or `_OTHER` for a defect; absent for what succeeded. */
  error: "error.type",
  /** The deployment's label, or its model string where it has none. */
  deployment: "infermesh.deployment",
  /** `answered`, `failed` or `interrupted`. */
  outcome: "infermesh.attempt.outcome",
  /** The model that is asked instead, by its name in the client. */
  fallback: "infermesh.fallback.model",
  /** `won` or `lost`. */
  hedgeOutcome: "infermesh.hedge.outcome",
  /** What ran out, as the failure's message calls it: `client money`. */
  budget: "infermesh.budget",
  /** `cache` or `coalesced`. */
  reuse: "infermesh.reuse.source",
  /** The setting, such as `rpm`. */
  limit: "infermesh.quota.name",
  /** `healthy`, `paused`, `open` or `half-open`. */
  health: "infermesh.deployment.state"
} as const

/**
 * The name of a label.
 *
 * @category models
 * @since 0.1.0
 */
export type Label = (typeof labels)[keyof typeof labels]

/**
 * One metric.
 *
 * @category models
 * @since 0.1.0
 */
export interface Definition {
  readonly name: string
  readonly kind: "counter" | "gauge" | "histogram"
  /** In UCUM: `s`, `USD`, or what is counted in braces. */
  readonly unit: string
  readonly labels: ReadonlyArray<Label>
  readonly description: string
  /** Upper bounds of a histogram's buckets. */
  readonly boundaries?: ReadonlyArray<number>
}

/** The conventions' boundaries for durations, and three more: with its waits, a request of a batch takes minutes. */
const seconds = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84,
  327.68, 655.36
]

/** The conventions' boundaries for tokens. */
const tokens = [
  1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216,
  67_108_864
]

const ofRequest = [labels.operation, labels.provider, labels.model]
const ofAttempt = [labels.operation, labels.deployment]

/**
 * Every metric, by its name in the code.
 *
 * @category constants
 * @since 0.1.0
 */
export const metrics = {
  duration: {
    name: "gen_ai.client.operation.duration",
    kind: "histogram",
    unit: "s",
    labels: [...ofRequest, labels.error],
    description: "Requests from the call to its result, with their waits and all their attempts",
    boundaries: seconds
  },
  tokens: {
    name: "gen_ai.client.token.usage",
    kind: "histogram",
    unit: "{token}",
    labels: [...ofRequest, labels.tokenType],
    description: "Tokens that providers report, for each attempt that used some",
    boundaries: tokens
  },
  firstPart: {
    name: "gen_ai.client.operation.time_to_first_chunk",
    kind: "histogram",
    unit: "s",
    labels: ofRequest,
    description: "Streamed answers, from sending the attempt to its first part",
    boundaries: seconds
  },
  queueWait: {
    name: "infermesh.request.queue_wait",
    kind: "histogram",
    unit: "s",
    labels: ofRequest,
    description:
      "Time of a request that was not spent in attempts: for slots, for quota, between attempts",
    boundaries: seconds
  },
  serviceTime: {
    name: "infermesh.request.service_time",
    kind: "histogram",
    unit: "s",
    labels: ofRequest,
    description: "Time of a request that was spent in attempts, failed ones included",
    boundaries: seconds
  },
  cost: {
    name: "infermesh.request.cost",
    kind: "counter",
    unit: "USD",
    labels: [...ofRequest, labels.deployment],
    description: "Cost of the answers whose price is known"
  },
  reused: {
    name: "infermesh.request.reused",
    kind: "counter",
    unit: "{request}",
    labels: [labels.operation, labels.reuse],
    description: "Requests that were given an answer that was there already or on its way"
  },
  attempts: {
    name: "infermesh.attempts",
    kind: "counter",
    unit: "{attempt}",
    labels: [...ofAttempt, labels.outcome, labels.error],
    description: "Attempts that have ended"
  },
  attemptDuration: {
    name: "infermesh.attempt.duration",
    kind: "histogram",
    unit: "s",
    labels: [...ofAttempt, labels.outcome],
    description: "Attempts from sending to their end",
    boundaries: seconds
  },
  retries: {
    name: "infermesh.retries",
    kind: "counter",
    unit: "{attempt}",
    labels: [...ofAttempt, labels.error],
    description:
      "Attempts that were sent because one of the same model had failed, by what it failed with"
  },
  fallbacks: {
    name: "infermesh.fallbacks",
    kind: "counter",
    unit: "{attempt}",
    labels: [labels.operation, labels.fallback, labels.error],
    description: "First attempts at a further model, by what the one before it failed with"
  },
  hedges: {
    name: "infermesh.hedges",
    kind: "counter",
    unit: "{attempt}",
    labels: [...ofRequest, labels.hedgeOutcome],
    description: "Second attempts that were sent because the first took long"
  },
  hedgeCost: {
    name: "infermesh.hedge.cost",
    kind: "counter",
    unit: "USD",
    labels: ofRequest,
    description:
      "What attempts that lost against another may have cost, where limits or budgets need an estimate"
  },
  rateLimited: {
    name: "infermesh.rate_limit.refusals",
    kind: "counter",
    unit: "{attempt}",
    labels: [labels.deployment],
    description: "Attempts that a provider refused because of a rate limit"
  },
  illFormed: {
    name: "infermesh.rate_limit.ill_formed_headers",
    kind: "counter",
    unit: "{header}",
    labels: [labels.deployment],
    description: "Rate limit headers that could not be understood, and were ignored"
  },
  budgetRefused: {
    name: "infermesh.budget.refusals",
    kind: "counter",
    unit: "{attempt}",
    labels: [labels.budget],
    description: "Attempts that were not sent because a budget has too little left"
  },
  waiting: {
    name: "infermesh.client.waiting",
    kind: "gauge",
    unit: "{attempt}",
    labels: [],
    description: "Attempts in the line"
  },
  inFlight: {
    name: "infermesh.client.in_flight",
    kind: "gauge",
    unit: "{attempt}",
    labels: [],
    description: "Attempts that have been sent and have not ended"
  },
  slots: {
    name: "infermesh.client.slots",
    kind: "gauge",
    unit: "{slot}",
    labels: [],
    description: "Attempts that may be in flight at once; absent without a limit"
  },
  quotaUsed: {
    name: "infermesh.client.quota.used",
    kind: "gauge",
    unit: "1",
    labels: [labels.limit],
    description: "Use of the client's own limits, in what the limit counts"
  },
  quotaLimit: {
    name: "infermesh.client.quota.limit",
    kind: "gauge",
    unit: "1",
    labels: [labels.limit],
    description: "The client's own limits that are in force, in what the limit counts"
  },
  deploymentInFlight: {
    name: "infermesh.deployment.in_flight",
    kind: "gauge",
    unit: "{attempt}",
    labels: [labels.deployment],
    description: "Attempts that have been sent to a deployment and have not ended"
  },
  deploymentSlots: {
    name: "infermesh.deployment.slots",
    kind: "gauge",
    unit: "{slot}",
    labels: [labels.deployment],
    description: "Attempts that may be in flight at a deployment at once; absent without a limit"
  },
  deploymentHealth: {
    name: "infermesh.deployment.health",
    kind: "gauge",
    unit: "1",
    labels: [labels.deployment, labels.health],
    description: "1 for the state that a deployment is in, 0 for the others"
  },
  deploymentQuotaUsed: {
    name: "infermesh.deployment.quota.used",
    kind: "gauge",
    unit: "1",
    labels: [labels.deployment, labels.limit],
    description: "Use of a deployment's limits, learned ones included, in what the limit counts"
  },
  deploymentQuotaLimit: {
    name: "infermesh.deployment.quota.limit",
    kind: "gauge",
    unit: "1",
    labels: [labels.deployment, labels.limit],
    description:
      "A deployment's limits that are in force, learned ones included, in what the limit counts"
  }
} as const satisfies Record<string, Definition>

/**
 * Every metric, in the order of the documentation.
 *
 * @category constants
 * @since 0.1.0
 */
export const table: ReadonlyArray<Definition> = Object.values(metrics)

const byName = new Map(table.map((definition) => [definition.name, definition]))

/**
 * The name of a metric as Prometheus users expect it, with its unit and `_total` behind: for `metricNameMapper` of
 * `PrometheusMetrics`, which adds neither. Names that are not the library's stay as they are.
 *
 * **Source**: OpenTelemetry specification, "Prometheus and OpenMetrics compatibility", metric metadata.
 *
 * @category formatting
 * @since 0.1.0
 */
export const prometheusName = (name: string): string => {
  const definition = byName.get(name)
  if (definition === undefined) return name
  const { kind, unit } = definition
  const suffix = unit === "s" ? "_seconds" : unit === "USD" ? "_usd" : ""
  return `${name}${suffix}${kind === "counter" ? "_total" : ""}`
}
