/**
 * A request for completions of text, read and checked.
 *
 * **Source**: OpenAI API reference, "Create completion" (legacy; read November 2026), and error bodies of the API.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"

import type { SimulatedRequest } from "./Exchange.ts"
import {
  array,
  boolean,
  type Check,
  decimal,
  integer,
  nullable,
  object,
  string,
  stringOr,
  struct
} from "./FieldCheck.ts"
import * as OpenAiBody from "./OpenAiBody.ts"
import { invalid } from "./OpenAiError.ts"
import { tokensOf } from "./TokenCount.ts"
import type { WireError } from "./Vendor.ts"
import type { ModelLimits } from "./WireFormat.ts"

/**
 * The parts of a request that shape its answer.
 *
 * **Units**: tokens.
 *
 * @category models
 * @since 0.1.0
 */
export interface CompletionRequest {
  readonly model: string
  /** Texts, or the ids of tokens as text. */
  readonly prompts: ReadonlyArray<{ readonly text: string; readonly tokens: number }>
  readonly promptTokens: number
  readonly maxTokens: number
  /** Choices given for each prompt. */
  readonly choices: number
  /** Choices made for each prompt. */
  readonly bestOf: number
  readonly stop: ReadonlyArray<string>
  readonly echo: boolean
  readonly stream: boolean
  readonly includeUsage: boolean
  /** How many alternatives per token; absent when log probabilities were not asked for. */
  readonly logprobs: number | undefined
}

/**
 * Reads and checks a request.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (
  source: SimulatedRequest,
  limits: ModelLimits
): Result.Result<CompletionRequest, WireError> => {
  const read = OpenAiBody.read(source, check, ["prompt"], limits)
  if (Result.isFailure(read)) return Result.fail(read.failure)
  const body = read.success as unknown as Body
  const prompts = listOf(body.prompt).map((item) =>
    typeof item === "string"
      ? { text: item, tokens: tokensOf(item) }
      : { text: item.join(" "), tokens: item.length }
  )
  const choices = body.n ?? 1
  const asked = {
    model: body.model,
    prompts,
    promptTokens: prompts.reduce((sum, { tokens }) => sum + tokens, 0),
    maxTokens: body.max_tokens ?? defaultMaxTokens,
    choices,
    bestOf: body.best_of ?? choices,
    stop: typeof body.stop === "string" ? [body.stop] : (body.stop ?? []),
    echo: body.echo ?? false,
    stream: body.stream ?? false,
    includeUsage: body.stream_options?.include_usage ?? false,
    logprobs: body.logprobs ?? undefined
  }
  const broken = combination(asked, body) ?? size(asked, limits)
  return broken === undefined ? Result.succeed(asked) : Result.fail(broken)
}

/** API reference, `max_tokens`: defaults to 16. */
const defaultMaxTokens = 16

interface Body {
  readonly model: string
  readonly prompt: string | ReadonlyArray<string | number | ReadonlyArray<number>>
  readonly best_of?: number | null
  readonly echo?: boolean | null
  readonly logprobs?: number | null
  readonly max_tokens?: number | null
  readonly n?: number | null
  readonly stop?: string | ReadonlyArray<string> | null
  readonly stream?: boolean | null
  readonly stream_options?: { readonly include_usage?: boolean } | null
}

const token = integer(0)
const promptItem: Check = (value, path) =>
  (typeof value === "number" ? token : stringOr(array(token, 1)))(value, path)

const check = struct({
  model: string(),
  prompt: stringOr(array(promptItem, 1)),
  best_of: nullable(integer(1, 20)),
  echo: nullable(boolean),
  frequency_penalty: nullable(decimal(-2, 2)),
  logit_bias: nullable(object),
  logprobs: nullable(integer(0, 5)),
  max_tokens: nullable(integer(0)),
  n: nullable(integer(1, 128)),
  presence_penalty: nullable(decimal(-2, 2)),
  seed: nullable(integer()),
  stop: nullable(stringOr(array(string(), 1, 4))),
  stream: nullable(boolean),
  stream_options: nullable(struct({ include_usage: boolean, include_obfuscation: boolean })),
  suffix: nullable(string()),
  temperature: nullable(decimal(0, 2)),
  top_p: nullable(decimal(0, 1)),
  user: string()
})

/** A list of numbers is one prompt in tokens. */
const listOf = (prompt: Body["prompt"]): ReadonlyArray<string | ReadonlyArray<number>> => {
  if (typeof prompt === "string") return [prompt]
  const ids = prompt.filter((item) => typeof item === "number")
  return ids.length > 0 ? [ids] : prompt.filter((item) => typeof item !== "number")
}

const combination = (request: CompletionRequest, body: Body): WireError | undefined => {
  const mixed = Array.isArray(body.prompt) && new Set(body.prompt.map(kindOf)).size > 1
  if (mixed) {
    return invalid(
      "Invalid 'prompt': expected a string, an array of strings, an array of tokens, or an array of token arrays.",
      "prompt"
    )
  }
  if (body.stream_options != null && !request.stream) {
    return invalid(
      "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
      "stream_options"
    )
  }
  if (request.bestOf < request.choices) {
    return invalid(
      "Invalid 'best_of': you must have 'n' less than or equal to 'best_of'.",
      "best_of"
    )
  }
  return request.stream && request.bestOf > request.choices
    ? invalid("Results cannot be streamed when 'best_of' is greater than 'n'.", "best_of")
    : undefined
}

const kindOf = (item: unknown): string => (Array.isArray(item) ? "array" : typeof item)

const size = (request: CompletionRequest, limits: ModelLimits): WireError | undefined => {
  const { maxTokens } = request
  const { contextWindow, maxOutputTokens } = limits
  if (maxOutputTokens !== undefined && maxTokens > maxOutputTokens) {
    return invalid(
      `max_tokens is too large: ${maxTokens}. This model supports at most ${maxOutputTokens} completion tokens, whereas you provided ${maxTokens}.`,
      "max_tokens",
      "invalid_value"
    )
  }
  const longest = Math.max(...request.prompts.map(({ tokens }) => tokens))
  const needed = longest + maxTokens
  if (contextWindow === undefined || needed <= contextWindow) return undefined
  return invalid(
    `This model's maximum context length is ${contextWindow} tokens, however you requested ${needed} tokens (${longest} in your prompt; ${maxTokens} for the completion). Please reduce your prompt; or completion length.`,
    null
  )
}
