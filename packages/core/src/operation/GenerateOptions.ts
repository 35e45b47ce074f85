/**
 * What a caller may set on a generation: the options most providers share, by one name each, and `extraBody` for the rest.
 *
 * A provider that does not know an option refuses the request; nothing is dropped in silence. Per-call options win over the
 * client's defaults, field by field.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"

import { ExtraBody } from "./ExtraBody.ts"

const Positive = Schema.Int.check(Schema.isGreaterThan(0))
const Penalty = Schema.Finite.check(Schema.isBetween({ minimum: -2, maximum: 2 }))

/**
 * Which of a provider's generation endpoints is used.
 *
 * **Details**: `chat_completion` is the default and what every provider has. `text_completion` is the legacy endpoint of base
 * models and takes a plain string. `responses` is OpenAI's Responses API.
 *
 * @category schemas
 * @since 0.1.0
 */
export const EndpointType = Schema.Literals(["chat_completion", "text_completion", "responses"])

/**
 * Which of a provider's generation endpoints is used.
 *
 * @category models
 * @since 0.1.0
 */
export type EndpointType = typeof EndpointType.Type

/**
 * The model options of a generation.
 *
 * **Units**: `maxTokens` in tokens of output, per choice.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ModelOptions = Schema.Struct({
  temperature: Schema.optional(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 2 }))),
  topP: Schema.optional(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))),
  topK: Schema.optional(Positive),
  maxTokens: Schema.optional(Positive),
  stop: Schema.optional(Schema.Union([Schema.String, Schema.Array(Schema.String)])),
  seed: Schema.optional(Schema.Int),
  /** How many answers to the one prompt. */
  n: Schema.optional(Positive),
  presencePenalty: Schema.optional(Penalty),
  frequencyPenalty: Schema.optional(Penalty),
  logprobs: Schema.optional(Schema.Boolean),
  topLogprobs: Schema.optional(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20 }))),
  /** Known values are `none`, `minimal`, `low`, `medium`, `high`; vendors add their own. */
  reasoningEffort: Schema.optional(Schema.NonEmptyString),
  serviceTier: Schema.optional(Schema.NonEmptyString),
  user: Schema.optional(Schema.String),
  metadata: Schema.optional(Schema.Record(Schema.String, Schema.String)),
  /** Further fields of the request body, sent as they are; they win over the fields above. */
  extraBody: Schema.optional(ExtraBody),
  /** Further HTTP headers of the request. */
  headers: Schema.optional(Schema.Record(Schema.String, Schema.String))
})

/**
 * The model options of a generation.
 *
 * @category models
 * @since 0.1.0
 */
export type ModelOptions = typeof ModelOptions.Type

/**
 * How a provider is told the form of an answer: in its own way, chosen by what it can (a schema it enforces, any JSON object,
 * a tool); in words, by a system message with the JSON Schema; or not at all, because the prompt says it.
 *
 * **Details**: the answer is read and checked in each of them. `prompt` and `none` are for endpoints that have no structured
 * output, or whose own does harm.
 *
 * @category schemas
 * @since 0.1.0
 */
export const OutputMode = Schema.Literals(["provider", "prompt", "none"])

/**
 * How a provider is told the form of an answer.
 *
 * @category models
 * @since 0.1.0
 */
export type OutputMode = typeof OutputMode.Type

/**
 * The options about answers that have a form.
 *
 * @category schemas
 * @since 0.1.0
 */
export const OutputOptions = Schema.Struct({
  /** Default `provider`. */
  outputMode: Schema.optional(OutputMode),
  /**
   * How often an answer that does not fit its `output` goes back to the model with what is wrong. Each time is a request of its
   * own, within the same deadline; the result's usage and cost are those of all its answers. Streams are not repaired: their
   * text has been handed out. Default 0.
   */
  maxRepairs: Schema.optional(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10 })))
})

/**
 * The options about answers that have a form.
 *
 * @category models
 * @since 0.1.0
 */
export type OutputOptions = typeof OutputOptions.Type

/**
 * The options that a client may give to all its generations.
 *
 * @category schemas
 * @since 0.1.0
 */
export const DefaultOptions = Schema.Struct({
  ...ModelOptions.fields,
  ...OutputOptions.fields,
  endpoint: Schema.optional(EndpointType)
})

/**
 * The options that a client may give to all its generations.
 *
 * @category models
 * @since 0.1.0
 */
export type DefaultOptions = typeof DefaultOptions.Type

/**
 * The time limits of one request.
 *
 * @category models
 * @since 0.1.0
 */
export interface TimeOptions {
  /** Longest time for one attempt. Default: the client's, ten minutes. */
  readonly timeout?: Duration.Input | undefined
  /** Longest time for the whole request with its waits and retries. Default: the client's, none. */
  readonly deadline?: Duration.Input | undefined
}
