/**
 * A request for content, read: what of it the answer depends on.
 *
 * Its checks are in `GeminiFields` (one field) and `GeminiRules` (several).
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"

import type { OutputKind } from "./AnswerText.ts"
import { Fingerprint } from "./Draw.ts"
import type { SimulatedRequest } from "./Exchange.ts"
import { broken, unreadable, word } from "./GeminiError.ts"
import * as GeminiFields from "./GeminiFields.ts"
import type { Body, Content } from "./GeminiFields.ts"
import * as GeminiHttp from "./GeminiHttp.ts"
import * as GeminiNames from "./GeminiNames.ts"
import * as GeminiRules from "./GeminiRules.ts"
import * as GeminiSchema from "./GeminiSchema.ts"
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
export interface ContentRequest {
  readonly model: string
  readonly hash: number
  readonly promptTokens: number
  /** `Infinity` without a limit; thoughts are among them. */
  readonly maxTokens: number
  readonly candidates: number
  readonly stop: ReadonlyArray<string>
  readonly output: OutputKind
  readonly calls: ReadonlyArray<ToolCall.Tool>
  /** The most tokens to think with; 0 where the model does not think. */
  readonly thinkingBudget: number
  readonly thoughtsShown: boolean
  /** Whether the parts of an answer are signed, as those of Gemini 3 are. */
  readonly signed: boolean
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
): Result.Result<ContentRequest, WireError> => {
  const read = JsonBody.read(source)
  if (read === undefined) return Result.fail(unreadable)
  const json = GeminiNames.normalise(read) as { readonly [name: string]: unknown }
  const wrong = GeminiFields.check(json, "")
  if (wrong !== undefined) return Result.fail(word(wrong, GeminiRules.message))
  const body = json as unknown as Body
  const { generationConfig: config = {} } = body
  const refused = limits.unsupportedParameters.find((name) => name in config)
  if (refused !== undefined) {
    const path = `generation_config.${refused}`
    return Result.fail(broken(GeminiRules.message, path, "is not supported by this model."))
  }
  const { model } = GeminiHttp.target(source)
  const prompt = measure(body, model)
  const rule = GeminiRules.firstBroken(body, model, prompt.tokens, limits)
  if (rule !== undefined) return Result.fail(rule)
  return Result.succeed({
    model,
    hash: prompt.hash,
    promptTokens: prompt.tokens,
    maxTokens: Math.min(
      config.maxOutputTokens ?? Number.POSITIVE_INFINITY,
      limits.maxOutputTokens ?? Number.POSITIVE_INFINITY,
      Math.max(1, (limits.contextWindow ?? Number.POSITIVE_INFINITY) - prompt.tokens)
    ),
    candidates: config.candidateCount ?? 1,
    stop: config.stopSequences ?? [],
    output: outputOf(body),
    calls: callsOf(body),
    thinkingBudget: thinkingBudget(body, model),
    thoughtsShown: config.thinkingConfig?.includeThoughts ?? false,
    signed: /gemini-[3-9]/.test(model)
  })
}

/** Source: Gemini API documentation, "Image understanding": 258 tokens for an image or a tile of one. */
const tokensPerMedia = 258

const measure = (body: Body, model: string): { readonly hash: number; readonly tokens: number } => {
  const print = new Fingerprint().add(model)
  let tokens = 0
  const count = ({ parts = [], role = "user" }: Content): void => {
    print.add(role)
    for (const part of parts) {
      const text = part.text ?? JSON.stringify(part)
      print.add(text)
      const media = part.inlineData !== undefined || part.fileData !== undefined
      tokens += media ? tokensPerMedia : tokensOf(text)
    }
  }
  if (body.systemInstruction !== undefined) count(body.systemInstruction)
  for (const content of body.contents) count(content)
  if (body.tools !== undefined && body.tools.length > 0) {
    tokens += tokensOf(JSON.stringify(body.tools))
  }
  return { hash: print.value, tokens }
}

const outputOf = ({ generationConfig: config = {} }: Body): OutputKind => {
  if (config.responseJsonSchema !== undefined) return { schema: config.responseJsonSchema }
  if (config.responseSchema !== undefined) {
    return { schema: GeminiSchema.toJsonSchema(config.responseSchema) }
  }
  return config.responseMimeType === "application/json" ? "object" : "text"
}

const callsOf = (body: Body): ReadonlyArray<ToolCall.Tool> => {
  const { allowedFunctionNames, mode } = body.toolConfig?.functionCallingConfig ?? {}
  const last = body.contents.at(-1)
  const ownWords = last?.role !== "model" && last?.parts?.every((part) => "text" in part) === true
  return ToolCall.choose({
    tools: (body.tools ?? [])
      .flatMap(({ functionDeclarations = [] }) => functionDeclarations)
      .map(({ name, parameters, parametersJsonSchema }) => ({
        kind: "function",
        name,
        parameters: parametersJsonSchema ??
          GeminiSchema.toJsonSchema(parameters) ?? { type: "object", properties: {} }
      })),
    mode: mode === "NONE" ? "none" : mode === "ANY" ? "required" : "auto",
    named: undefined,
    allowed: allowedFunctionNames,
    lastWords: ownWords ? JSON.stringify(last?.parts) : undefined,
    parallel: true
  })
}

/** Tokens of a thought, at most, where nothing is said about it. */
const usualThought = 64

/** Models from 2.5 on think unless told not to; `-1` leaves it to them. */
const thinkingBudget = ({ generationConfig }: Body, model: string): number => {
  const thinks = /gemini-(?:2\.5|[3-9])/.test(model)
  const { thinkingBudget: budget = thinks ? -1 : 0 } = generationConfig?.thinkingConfig ?? {}
  return budget < 0 ? usualThought : Math.min(budget, usualThought)
}
