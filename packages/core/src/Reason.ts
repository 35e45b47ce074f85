/**
 * Why a request failed, in our words.
 *
 * Where `effect/ai` has a reason class, that class is used, so `Effect.catchReason` works as its users know it; the classes
 * made here exist because `effect/ai` has none for them. A reason says whose fault it is, whether trying again can help
 * (`isRetryable`) and, where somebody said so, when (`retryAfter`). It is not the vendor's wording (the fault): provider
 * files translate that, and nothing above them looks at an HTTP status.
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"

import { TokenUsage } from "./operation/Usage.ts"

// ---- the caller's

/**
 * The input or an option is not usable; nothing was sent.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidInput extends Schema.TaggedError<InvalidInput>("@infermesh/core/InvalidInput")(
  "InvalidInput",
  {
    /** What was wrong, as the caller names it: `messages[2].role`, `maxTokens`. */
    input: Schema.String,
    problem: Schema.String,
    /** What to do about it. */
    hint: Schema.optional(Schema.String)
  }
) {
  readonly isRetryable = false
  override get message(): string {
    return `${this.input}: ${this.problem}${this.hint === undefined ? "" : `. ${this.hint}`}`
  }
}

/**
 * The provider of the chosen deployment cannot do what was asked; nothing was sent.
 *
 * @category errors
 * @since 0.1.0
 */
export class Unsupported extends Schema.TaggedError<Unsupported>("@infermesh/core/Unsupported")(
  "Unsupported",
  {
    provider: Schema.String,
    feature: Schema.String,
    hint: Schema.optional(Schema.String)
  }
) {
  readonly isRetryable = false
  override get message(): string {
    return `${this.provider} does not support ${this.feature}${this.hint === undefined ? "" : `. ${this.hint}`}`
  }
}

/**
 * The prompt and the asked-for output do not fit the model's context window.
 *
 * @category errors
 * @since 0.1.0
 */
export class ContextWindowExceeded extends Schema.TaggedError<ContextWindowExceeded>(
  "@infermesh/core/ContextWindowExceeded"
)("ContextWindowExceeded", {
  description: Schema.String,
  http: Schema.optional(AiError.HttpContext)
}) {
  readonly isRetryable = false
  override get message(): string {
    return `The prompt does not fit the model's context window; shorten it, lower maxTokens or use a model with a larger window. ${this.description}`
  }
}

/**
 * The provider does not know the model, or the key may not use it.
 *
 * @category errors
 * @since 0.1.0
 */
export class ModelNotFound extends Schema.TaggedError<ModelNotFound>(
  "@infermesh/core/ModelNotFound"
)("ModelNotFound", {
  model: Schema.String,
  description: Schema.String,
  http: Schema.optional(AiError.HttpContext)
}) {
  readonly isRetryable = false
  override get message(): string {
    return `Model '${this.model}' was not found; check its name and that the key may use it. ${this.description}`
  }
}

// ---- ours

/**
 * One attempt took longer than the per-attempt time-out.
 *
 * @category errors
 * @since 0.1.0
 */
export class TimedOut extends Schema.TaggedError<TimedOut>("@infermesh/core/TimedOut")("TimedOut", {
  timeout: Schema.Duration
}) {
  readonly isRetryable = true
  override get message(): string {
    return `No answer within ${seconds(this.timeout)}; raise 'timeout' or lower the load`
  }
}

/**
 * The request as a whole, with its waits and retries, took longer than its deadline.
 *
 * @category errors
 * @since 0.1.0
 */
export class DeadlineExceeded extends Schema.TaggedError<DeadlineExceeded>(
  "@infermesh/core/DeadlineExceeded"
)("DeadlineExceeded", {
  deadline: Schema.Duration,
  /** The reason of the last attempt that failed before the deadline, if one did. */
  lastReason: Schema.optional(Schema.String)
}) {
  readonly isRetryable = false
  override get message(): string {
    const last = this.lastReason === undefined ? "" : ` (last attempt: ${this.lastReason})`
    return `Not answered within the deadline of ${seconds(this.deadline)}${last}; raise 'deadline' or lower the load`
  }
}

/**
 * No deployment can take the request now.
 *
 * @category errors
 * @since 0.1.0
 */
export class NoDeployment extends Schema.TaggedError<NoDeployment>("@infermesh/core/NoDeployment")(
  "NoDeployment",
  {
    problem: Schema.String,
    retryAfter: Schema.optional(Schema.Duration)
  }
) {
  get isRetryable(): boolean {
    return this.retryAfter !== undefined
  }
  override get message(): string {
    return `No deployment can take the request: ${this.problem}`
  }
}

/**
 * The request needs more than a quota can ever give; it was refused at once instead of waiting for ever.
 *
 * @category errors
 * @since 0.1.0
 */
export class QuotaUnsatisfiable extends Schema.TaggedError<QuotaUnsatisfiable>(
  "@infermesh/core/QuotaUnsatisfiable"
)("QuotaUnsatisfiable", {
  /** The setting that is too small: `rpm`, `tpm`, `rpd`, `tpd`. */
  limit: Schema.String,
  /** How many requests or tokens that setting allows. */
  allowed: Schema.Finite,
  /** How many the request needs. */
  needed: Schema.Finite
}) {
  readonly isRetryable = false
  override get message(): string {
    return `The request needs ${this.needed} but '${this.limit}' allows ${this.allowed}, so it could never be sent; raise '${this.limit}', lower maxTokens or shorten the prompt`
  }
}

/**
 * Every model of a fallback chain has failed; why each did is in the error's `failures`.
 *
 * @category errors
 * @since 0.1.0
 */
export class FallbacksExhausted extends Schema.TaggedError<FallbacksExhausted>(
  "@infermesh/core/FallbacksExhausted"
)("FallbacksExhausted", {
  /** The models that were asked, in order. */
  models: Schema.Array(Schema.String),
  /** Why the last one failed. */
  last: Schema.String
}) {
  readonly isRetryable = false
  override get message(): string {
    return `None of ${this.models.length} models answered (${this.models.join(", ")}); the last one: ${this.last}`
  }
}

/**
 * A budget of money or tokens is used up; nothing more is sent.
 *
 * @category errors
 * @since 0.1.0
 */
export class BudgetExceeded extends Schema.TaggedError<BudgetExceeded>(
  "@infermesh/core/BudgetExceeded"
)("BudgetExceeded", {
  budget: Schema.String,
  limit: Schema.Finite,
  spent: Schema.Finite
}) {
  readonly isRetryable = false
  override get message(): string {
    return `The ${this.budget} budget of ${this.limit} has too little left for another attempt (${this.spent} spent); raise it to go on`
  }
}

// ---- the network's

/**
 * A stream broke after its first part; what had arrived is here, because it was paid for.
 *
 * @category errors
 * @since 0.1.0
 */
export class StreamInterrupted extends Schema.TaggedError<StreamInterrupted>(
  "@infermesh/core/StreamInterrupted"
)("StreamInterrupted", {
  description: Schema.String,
  /** The text that had arrived. */
  text: Schema.String,
  usage: Schema.optional(TokenUsage)
}) {
  readonly isRetryable = false
  override get message(): string {
    return `The stream broke after ${this.text.length} characters: ${this.description}`
  }
}

/**
 * Every reason a request can fail with.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Reason = Schema.Union([
  AiError.RateLimitError,
  AiError.QuotaExhaustedError,
  AiError.AuthenticationError,
  AiError.ContentPolicyError,
  AiError.InvalidRequestError,
  AiError.InvalidResponseError,
  AiError.InternalProviderError,
  AiError.NetworkError,
  AiError.StructuredOutputError,
  AiError.UnsupportedSchemaError,
  AiError.UnknownError,
  InvalidInput,
  Unsupported,
  ContextWindowExceeded,
  ModelNotFound,
  TimedOut,
  DeadlineExceeded,
  NoDeployment,
  QuotaUnsatisfiable,
  FallbacksExhausted,
  BudgetExceeded,
  StreamInterrupted
])

/**
 * Every reason a request can fail with.
 *
 * @category models
 * @since 0.1.0
 */
export type Reason = typeof Reason.Type

/**
 * When to try again, where the provider or a pause of ours said so.
 *
 * @category getters
 * @since 0.1.0
 */
export const retryAfter = (reason: Reason): Duration.Duration | undefined => {
  if ("retryAfter" in reason) return reason.retryAfter
  if (reason._tag !== "InternalProviderError") return undefined
  const ours = reason.metadata["infermesh"]
  const millis =
    typeof ours === "object" && ours !== null && "retryAfterMillis" in ours
      ? ours["retryAfterMillis"]
      : undefined
  return typeof millis === "number" ? Duration.millis(millis) : undefined
}

/**
 * One line that says what happened and what to do, without secrets.
 *
 * **Details**: the classes of `effect/ai` word their messages over several lines or without advice; this is the wording
 * users of infermesh meet.
 *
 * @category getters
 * @since 0.1.0
 */
export const explain = (reason: Reason): string => {
  switch (reason._tag) {
    case "RateLimitError":
      return `The provider's rate limit was hit${reason.retryAfter === undefined ? "" : `, retry after ${seconds(reason.retryAfter)}`}; lower rpm/tpm or maxParallelRequests${body(reason.http)}`
    case "QuotaExhaustedError":
      return `The account's quota or credit is used up; check plan and billing at the provider${body(reason.http)}`
    case "AuthenticationError":
      return `The provider refused the key (${reason.kind}); check the key and its environment variable${tail(reason.description)}`
    case "ContentPolicyError":
      return `The provider refused the content; change the prompt${tail(reason.description)}`
    case "InvalidRequestError":
      return `The provider refused the request as invalid${reason.parameter === undefined ? "" : ` (parameter '${reason.parameter}')`}${tail(reason.description)}`
    case "InvalidResponseError":
      return `The answer is not what the endpoint should send; check the base URL and that it speaks this format${tail(reason.description)}`
    case "InternalProviderError":
      return `The provider failed; try again later${tail(reason.description)}`
    case "NetworkError":
      return `Could not reach the provider or the connection broke; check the base URL and the network${tail(reason.description)} (${reason.method} ${reason.url})`
    case "StructuredOutputError":
      return `The answer does not fit the output schema${tail(reason.description)}`
    case "UnsupportedSchemaError":
      return `The output schema cannot be sent to the provider; simplify it${tail(reason.description)}`
    case "UnknownError":
      return `The provider answered with an unknown error${tail(reason.description)}${body(reason.http)}`
    default:
      return oneLine(reason.message)
  }
}

/** Longest part of a vendor's text that goes into a message, in characters. */
const maxDetailCharacters = 300

const oneLine = (text: string): string => {
  const line = text.replaceAll(/\s+/g, " ").trim()
  return line.length > maxDetailCharacters * 2 ? `${line.slice(0, maxDetailCharacters * 2)}…` : line
}

const tail = (text: string | undefined): string =>
  text === undefined || text === "" ? "" : `: ${oneLine(text).slice(0, maxDetailCharacters)}`

const body = (http: typeof AiError.HttpContext.Type | undefined): string => tail(http?.body)

const seconds = (duration: Duration.Duration): string =>
  `${Number((Duration.toMillis(duration) / 1000).toFixed(3))} s`
