/**
 * A request to the Messages API, read: what of it the answer depends on.
 *
 * Its checks are in `AnthropicFields` (one field) and `AnthropicRules` (several).
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"

import type { OutputKind } from "./AnswerText.ts"
import { invalid, word } from "./AnthropicError.ts"
import * as AnthropicFields from "./AnthropicFields.ts"
import type { Block, Body } from "./AnthropicFields.ts"
import * as AnthropicRules from "./AnthropicRules.ts"
import { Fingerprint } from "./Draw.ts"
import type { SimulatedRequest } from "./Exchange.ts"
import * as JsonBody from "./JsonBody.ts"
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
export interface MessagesRequest {
  readonly model: string
  readonly hash: number
  readonly inputTokens: number
  readonly maxTokens: number
  /** Whether the context window ends before `max_tokens` do. */
  readonly contextEnds: boolean
  readonly stop: ReadonlyArray<string>
  readonly stream: boolean
  readonly output: OutputKind
  readonly calls: ReadonlyArray<ToolCall.Tool>
  /** The most tokens to think with; none when absent. */
  readonly thinkingBudget: number | undefined
  /** Whether the thoughts are told. */
  readonly thoughtsShown: boolean
}

/** Claude documentation, "Versions". */
const versions = new Set(["2023-06-01", "2023-01-01"])

/**
 * Reads and checks a request.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (
  source: SimulatedRequest,
  limits: ModelLimits
): Result.Result<MessagesRequest, WireError> => {
  const version = source.headers["anthropic-version"]
  if (version === undefined) return Result.fail(invalid("anthropic-version: header is required"))
  if (!versions.has(version)) {
    return Result.fail(invalid(`anthropic-version: "${version}" is not a valid version`))
  }
  const json = JsonBody.read(source)
  if (json === undefined) return Result.fail(invalid("The request body is not valid JSON"))
  const inBeta = source.headers["anthropic-beta"] !== undefined
  const wrong = (inBeta ? AnthropicFields.betaCheck : AnthropicFields.check)(json, "")
  if (wrong !== undefined) return Result.fail(word(wrong))
  const refused = limits.unsupportedParameters.find((name) => json[name] != null)
  if (refused !== undefined)
    return Result.fail(invalid(`\`${refused}\` is deprecated for this model.`))
  const body = json as unknown as Body
  const input = measure(body)
  const broken = AnthropicRules.firstBroken(body, input.tokens, limits)
  if (broken !== undefined) return Result.fail(broken)
  const room = (limits.contextWindow ?? Number.POSITIVE_INFINITY) - input.tokens
  return Result.succeed({
    model: body.model,
    hash: input.hash,
    inputTokens: input.tokens,
    maxTokens: Math.min(body.max_tokens, room),
    contextEnds: room < body.max_tokens,
    stop: body.stop_sequences ?? [],
    stream: body.stream ?? false,
    output: outputOf(body),
    calls: callsOf(body),
    thinkingBudget: thinkingBudget(body),
    thoughtsShown: body.thinking?.display !== "omitted"
  })
}

/** The same counts as for chat: 4 around each message, 3 that open the answer, 85 for what is not text. */
const tokensPerMessage = 4
const tokensForAnswer = 3
const tokensPerPart = 85

const measure = (body: Body): { readonly hash: number; readonly tokens: number } => {
  const print = new Fingerprint().add(body.model)
  let tokens = tokensForAnswer
  const count = (content: string | ReadonlyArray<Block>): void => {
    tokens += tokensPerMessage
    for (const block of typeof content === "string" ? [{ type: "text", text: content }] : content) {
      const text = block.text ?? JSON.stringify(block)
      print.add(text)
      const opaque = block.type === "image" || block.type === "document"
      tokens += opaque ? tokensPerPart : tokensOf(text)
    }
  }
  if (body.system != null) count(body.system)
  for (const { content, role } of body.messages) {
    print.add(role)
    count(content)
  }
  if (body.tools != null && body.tools.length > 0) tokens += tokensOf(JSON.stringify(body.tools))
  return { hash: print.value, tokens }
}

const outputOf = (body: Body): OutputKind => {
  const format = body.output_config?.format ?? body.output_format
  return format == null ? "text" : { schema: format.schema }
}

const callsOf = (body: Body): ReadonlyArray<ToolCall.Tool> => {
  const { tool_choice: choice } = body
  const last = body.messages.at(-1)
  return ToolCall.choose({
    tools: (body.tools ?? []).flatMap(({ input_schema: parameters, name, type = "custom" }) =>
      type === "custom" || type === null ? [{ kind: "function" as const, name, parameters }] : []
    ),
    mode: choice?.type === "none" ? "none" : choice?.type === "any" ? "required" : "auto",
    named: choice?.type === "tool" ? choice.name : undefined,
    allowed: undefined,
    lastWords: last?.role === "user" ? JSON.stringify(last.content) : undefined,
    parallel: choice?.disable_parallel_tool_use !== true
  })
}

const thinkingBudget = ({ max_tokens: most, thinking }: Body): number | undefined =>
  thinking === undefined || thinking.type === "disabled"
    ? undefined
    : (thinking.budget_tokens ?? most)
