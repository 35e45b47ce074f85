/**
 * A request to the Responses API, read: what of it the answer depends on.
 *
 * Its checks are in `OpenAiResponsesFields` (one field) and `OpenAiResponsesRules` (several).
 *
 * **Gotchas**: nothing is stored. `previous_response_id` is accepted and adds nothing to the prompt; a background response is
 * there at once.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"

import type { OutputKind } from "./AnswerText.ts"
import { Fingerprint } from "./Draw.ts"
import type { SimulatedRequest } from "./Exchange.ts"
import * as OpenAiBody from "./OpenAiBody.ts"
import { type Body, type Item, ownTools } from "./OpenAiResponsesBody.ts"
import * as OpenAiResponsesFields from "./OpenAiResponsesFields.ts"
import * as OpenAiResponsesRules from "./OpenAiResponsesRules.ts"
import { tokensOf } from "./TokenCount.ts"
import * as ToolCall from "./ToolCall.ts"
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
export interface ResponsesRequest {
  /** The body as it came, which the answer repeats in part. */
  readonly body: Body
  readonly hash: number
  readonly inputTokens: number
  /** `Infinity` without a limit. */
  readonly maxTokens: number
  readonly output: OutputKind
  readonly calls: ReadonlyArray<ToolCall.Tool>
  /** How hard the model thinks before it answers; not at all when absent. */
  readonly effort: string | undefined
  readonly encrypted: boolean
  readonly includeObfuscation: boolean
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
): Result.Result<ResponsesRequest, WireError> => {
  const read = OpenAiBody.read(source, OpenAiResponsesFields.check, [], limits)
  if (Result.isFailure(read)) return Result.fail(read.failure)
  const body = read.success as unknown as Body
  const input = measure(body)
  const broken = OpenAiResponsesRules.firstBroken(body, input.tokens, limits)
  if (broken !== undefined) return Result.fail(broken)
  const room = Math.max(1, (limits.contextWindow ?? Number.POSITIVE_INFINITY) - input.tokens)
  return Result.succeed({
    body,
    hash: input.hash,
    inputTokens: input.tokens,
    maxTokens: Math.min(
      body.max_output_tokens ?? Number.POSITIVE_INFINITY,
      limits.maxOutputTokens ?? Number.POSITIVE_INFINITY,
      room
    ),
    output: outputOf(body),
    calls: callsOf(body),
    effort: effortOf(body),
    encrypted: body.include?.includes("reasoning.encrypted_content") ?? false,
    includeObfuscation: body.stream_options?.include_obfuscation ?? true
  })
}

const itemsOf = ({ input }: Body): ReadonlyArray<Item> =>
  typeof input === "string" ? [{ role: "user", content: input }] : (input ?? [])

/** The same counts as for chat: 4 around each item, 3 that open the answer, 85 for an image or a file. */
const tokensPerItem = 4
const tokensForAnswer = 3
const tokensPerPart = 85

const measure = (body: Body): { readonly hash: number; readonly tokens: number } => {
  const print = new Fingerprint().add(body.model)
  let tokens = tokensForAnswer
  const count = (text: string): void => {
    print.add(text)
    tokens += tokensOf(text)
  }
  if (body.instructions != null) {
    tokens += tokensPerItem
    count(body.instructions)
  }
  for (const item of itemsOf(body)) {
    tokens += tokensPerItem
    print.add(item.role ?? item.type ?? "")
    if (typeof item.content === "string") {
      count(item.content)
    } else if (item.content === undefined) {
      count(JSON.stringify(item))
    } else {
      for (const part of item.content) {
        if (part.text !== undefined) count(part.text)
        else {
          print.add(JSON.stringify(part))
          tokens += tokensPerPart
        }
      }
    }
  }
  if (body.tools !== undefined && body.tools.length > 0) {
    tokens += tokensOf(JSON.stringify(body.tools))
  }
  return { hash: print.value, tokens }
}

const outputOf = ({ text }: Body): OutputKind => {
  switch (text?.format?.type) {
    case "json_schema":
      return { schema: text.format.schema ?? {} }
    case "json_object":
      return "object"
    default:
      return "text"
  }
}

const callsOf = (body: Body): ReadonlyArray<ToolCall.Tool> => {
  const choice = body.tool_choice ?? "auto"
  const demand = typeof choice === "string" ? undefined : choice
  const last = itemsOf(body).at(-1)
  return ToolCall.choose({
    tools: ownTools(body),
    mode:
      choice === "none"
        ? "none"
        : choice === "required" || demand?.mode === "required"
          ? "required"
          : "auto",
    named: demand?.name,
    allowed: demand?.tools?.map(({ name }) => name ?? ""),
    lastWords: last?.role === "user" ? JSON.stringify(last.content) : undefined,
    parallel: body.parallel_tool_calls !== false
  })
}

/** Models that reason do so unless told not to; others where they are told to. */
const effortOf = ({ model, reasoning }: Body): string | undefined => {
  const effort = reasoning?.effort ?? (reasons(model) || reasoning != null ? "medium" : "none")
  return effort === "none" ? undefined : effort
}

const reasons = (model: string): boolean => /^(?:o\d|gpt-5)/.test(model)
