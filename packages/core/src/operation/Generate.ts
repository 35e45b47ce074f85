/**
 * Text generation: the input a caller gives, the request a provider gets and the result the caller receives.
 *
 * It sends nothing. `Inference` turns input into request, a provider turns request into `Generation`, and the pipeline
 * completes that to a `GenerationResult`.
 *
 * @since 0.1.0
 */
import type * as Prompt from "effect/ai/Prompt"
import type * as JsonSchema from "effect/JsonSchema"

import type { EndpointType, ModelOptions } from "./GenerateOptions.ts"
import type { ChatMessage } from "./Message.ts"
import type { RequestMetrics } from "./Timing.ts"
import type { ToolCall, ToolChoice, ToolDefinition } from "./ToolCall.ts"
import type { TokenUsage } from "./Usage.ts"

export type { EndpointType } from "./GenerateOptions.ts"

/**
 * Input of the `responses` endpoint as its API takes it: `input`, `instructions` and every other field, passed on.
 *
 * **Details**: options of the client and of the call win over fields that say the same, because quotas and the reading of the
 * answer go by the options. `model` and `stream` are no fields of an input and are refused.
 *
 * @category models
 * @since 0.1.0
 */
export interface ResponsesInput {
  readonly input: string | ReadonlyArray<{ readonly [key: string]: unknown }>
  readonly instructions?: string | undefined
  readonly [field: string]: unknown
}

/**
 * What a generation can be asked with: plain text (one user message), chat messages, an `effect/ai` prompt, or an input of
 * the Responses API for that endpoint.
 *
 * @category models
 * @since 0.1.0
 */
export type GenerateInput = string | ReadonlyArray<ChatMessage> | Prompt.Prompt | ResponsesInput

/**
 * Why a model stopped, in the words of `effect/ai`.
 *
 * @category models
 * @since 0.1.0
 */
export type FinishReason =
  | "stop"
  | "length"
  | "content-filter"
  | "tool-calls"
  | "error"
  | "pause"
  | "other"
  | "unknown"

/**
 * The form the answer must have, as a provider needs it.
 *
 * @category models
 * @since 0.1.0
 */
export interface OutputShape {
  /** Letters, digits, `_` and `-`, at most 64. */
  readonly name: string
  /** An object, for providers that enforce schemas. */
  readonly jsonSchema: JsonSchema.JsonSchema
  /** Whether the schema keeps the rules of the providers' strict mode. */
  readonly strict: boolean
  /**
   * An object that says the same as JSON is usually written, for models that are only told: optional fields may be absent,
   * tuples are lists, records are objects. Default: `jsonSchema`. Answers of either form are read.
   */
  readonly plainSchema?: JsonSchema.JsonSchema | undefined
}

/**
 * A validated generation request, as providers receive it.
 *
 * @category models
 * @since 0.1.0
 */
export interface GenerateRequest {
  readonly endpoint: EndpointType
  /** The input as a prompt; for `text_completion` one user message whose text is the prompt, to be sent verbatim. */
  readonly prompt: Prompt.Prompt
  /** The input as the Responses API takes it, where the caller gave it so; it is sent instead of `prompt`. */
  readonly responsesInput: ResponsesInput | undefined
  readonly options: ModelOptions
  readonly output: OutputShape | undefined
  readonly tools: ReadonlyArray<ToolDefinition>
  readonly toolChoice: ToolChoice | undefined
}

/**
 * One of the answers of a generation.
 *
 * @category models
 * @since 0.1.0
 */
export interface Choice {
  readonly text: string
  /** The model's disclosed reasoning, inline `<think>` blocks included. */
  readonly reasoning?: string | undefined
  /** The model's own words for refusing to answer. */
  readonly refusal?: string | undefined
  readonly toolCalls: ReadonlyArray<ToolCall>
  readonly finishReason: FinishReason
  /** The provider's log-probabilities, as it sent them. */
  readonly logprobs?: unknown
  /**
   * The answer as prompt parts, for the next turn: an assistant message of these gives the provider back what the other
   * fields cannot hold, such as the signatures of its reasoning. Absent where the provider has nothing of the kind.
   */
  readonly content?: ReadonlyArray<Prompt.AssistantMessagePart> | undefined
}

/**
 * What a provider understood of an answer.
 *
 * @category models
 * @since 0.1.0
 */
export interface Generation {
  /** The model that answered, as the provider names it. */
  readonly modelId: string
  /** At least one choice, in the provider's order. */
  readonly choices: readonly [Choice, ...ReadonlyArray<Choice>]
}

/**
 * The result of a generation.
 *
 * **Details**: the text, reasoning, tool calls and finish reason are those of the first choice; `choices` has them all.
 * `String(result)` is the text. `outputParsed` has the type of the `output` schema, and is `undefined` when none was given.
 *
 * **Units**: `cost` in USD, absent when the price of the model is unknown.
 *
 * @category models
 * @since 0.1.0
 */
export class GenerationResult<A = undefined> {
  readonly modelId: string
  readonly outputText: string
  readonly outputParsed: A
  readonly reasoning: string | undefined
  readonly tokenUsage: TokenUsage | undefined
  readonly finishReason: FinishReason
  readonly toolCalls: ReadonlyArray<ToolCall>
  readonly choices: readonly [Choice, ...ReadonlyArray<Choice>]
  readonly requestId: string | undefined
  readonly cost: number | undefined
  readonly metrics: RequestMetrics
  /** The response body, parsed; only when `rawResponse: true` was asked for. */
  readonly rawResponse: unknown

  constructor(fields: {
    readonly generation: Generation
    readonly outputParsed: A
    readonly tokenUsage: TokenUsage | undefined
    readonly requestId: string | undefined
    readonly cost: number | undefined
    readonly metrics: RequestMetrics
    readonly rawResponse: unknown
  }) {
    const first = fields.generation.choices[0]
    this.modelId = fields.generation.modelId
    this.outputText = first.text
    this.outputParsed = fields.outputParsed
    this.reasoning = first.reasoning
    this.tokenUsage = fields.tokenUsage
    this.finishReason = first.finishReason
    this.toolCalls = first.toolCalls
    this.choices = fields.generation.choices
    this.requestId = fields.requestId
    this.cost = fields.cost
    this.metrics = fields.metrics
    this.rawResponse = fields.rawResponse
  }

  toString(): string {
    return this.outputText
  }
}
