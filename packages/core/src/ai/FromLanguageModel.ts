/**
 * Any `LanguageModel` of `effect/ai` as a provider: one more deployment behind our router, quotas and retries.
 *
 * It gives what a `LanguageModel` can: no options beyond the prompt and the tools. The form of an answer is told to it in words.
 * Tools are not run here, and by the foreign model neither.
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"
import type * as LanguageModel from "effect/ai/LanguageModel"
import * as Prompt from "effect/ai/Prompt"
import type * as Response from "effect/ai/Response"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

import type { Choice, FinishReason, GenerateRequest, Generation } from "../operation/Generate.ts"
import type { TokenUsage } from "../operation/Usage.ts"
import * as Usage from "../operation/Usage.ts"
import * as Instructions from "../output/Instructions.ts"
import * as Reasoning from "../output/Reasoning.ts"
import type { Answer, Connection, GenerationPart, Provider, Target } from "../provider/Provider.ts"
import { AttemptError } from "../provider/Provider.ts"
import { Unsupported } from "../Reason.ts"
import { SettingsError } from "../SettingsError.ts"
import { fromAiError } from "./AiErrors.ts"

/**
 * A provider that asks a language model.
 *
 * **Details**: register it with `Providers.layerAdd`; models are then written `name/anything`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (name: string, model: LanguageModel.LanguageModel): Provider => ({
  name,
  connect: (target) => {
    const modelId = target.model
    const setting = unusable(target)
    if (setting !== undefined) {
      return Effect.fail(
        new SettingsError({
          setting,
          problem: `the provider '${name}' is a LanguageModel of effect/ai, which has a connection of its own`,
          hint: "Set it where that LanguageModel is made"
        })
      )
    }
    const connection: Connection = {
      generate: (request) =>
        Effect.flatMap(question(name, request), (asked) =>
          Effect.mapBoth((model.generateText as Ask<Effect.Effect<Text, AiError.AiError>>)(asked), {
            onFailure: fromAiError,
            onSuccess: (response) => answer(modelId, response.content)
          })
        ),
      generateStream: (request) =>
        Stream.unwrap(
          Effect.map(question(name, request), (asked) =>
            streamed(
              modelId,
              (model.streamText as Ask<Stream.Stream<Response.AnyPart, AiError.AiError>>)(asked)
            )
          )
        )
    }
    return Effect.succeed(connection)
  }
})

/** The setting of a deployment that a language model has no place for; nothing is dropped in silence. */
const unusable = ({ apiBase, apiKey, extraBody, headers }: Target): string | undefined =>
  apiBase !== undefined
    ? "apiBase"
    : apiKey !== undefined
      ? "apiKey"
      : Object.keys(headers).length > 0
        ? "headers"
        : Object.keys(extraBody).length > 0
          ? "extraBody"
          : undefined

/** The tools are known only at run time, so the types that `effect/ai` derives from a toolkit say nothing here. */
type Ask<A> = (options: unknown) => A

interface Text {
  readonly content: ReadonlyArray<Response.AnyPart>
}

/** The request as `effect/ai` takes it; what it has no place for is refused, not dropped. */
const question = (name: string, asked: GenerateRequest) => {
  // Its own structured output wants a Schema, and all that is known here is the JSON Schema: so the model is told in words.
  const request = Instructions.inWords(asked)
  const option = Object.keys(request.options)[0]
  const feature =
    request.endpoint !== "chat_completion"
      ? `the ${request.endpoint} endpoint`
      : option === undefined
        ? undefined
        : `the option '${option}'`
  if (feature !== undefined) {
    return Effect.fail(
      new AttemptError({
        reason: new Unsupported({
          provider: name,
          feature,
          hint: "A LanguageModel of effect/ai takes a prompt and tools; set the rest in its own Config"
        }),
        outcome: "unsent"
      })
    )
  }
  return Effect.succeed({
    prompt: request.prompt,
    disableToolCallResolution: true as const,
    toolCallValidation: "deferred" as const,
    ...(request.tools.length === 0
      ? {}
      : {
          toolkit: Toolkit.make(
            ...request.tools.map(({ description, name: tool, parameters }) =>
              Tool.dynamic(tool, {
                ...(description === undefined ? {} : { description }),
                parameters
              })
            )
          ),
          toolChoice: request.toolChoice ?? ("auto" as const)
        })
  })
}

const answer = (model: string, parts: ReadonlyArray<Response.AnyPart>): Answer<Generation> => {
  let finishReason: FinishReason = "unknown"
  let usage: TokenUsage | undefined
  let modelId = model
  let requestId: string | undefined
  for (const part of parts) {
    if (part.type === "response-metadata") {
      modelId = part.modelId ?? modelId
      requestId = part.id ?? requestId
    } else if (part.type === "finish") {
      finishReason = part.reason
      usage = usageOf(part.usage)
    }
  }
  return {
    value: { modelId, choices: [{ ...choiceOf(parts), finishReason }] },
    usage,
    requestId,
    rateLimits: undefined,
    body: parts
  }
}

/** The answer as `effect/ai` would remember it, whole or streamed, with what its provider needs for the next turn. */
const choiceOf = (parts: ReadonlyArray<Response.AnyPart>): Omit<Choice, "finishReason"> => {
  const message = Prompt.fromResponseParts(parts).content.find(({ role }) => role === "assistant")
  const content = message?.role === "assistant" ? message.content : []
  return {
    text: content.map((part) => (part.type === "text" ? part.text : "")).join(""),
    reasoning: Reasoning.join(content.map((part) => (part.type === "reasoning" ? part.text : ""))),
    toolCalls: content.flatMap((part) =>
      part.type === "tool-call" && !part.providerExecuted
        ? [{ id: part.id, name: part.name, arguments: JSON.stringify(part.params) }]
        : []
    ),
    content
  }
}

const usageOf = ({ inputTokens, outputTokens }: Response.Usage): TokenUsage | undefined =>
  inputTokens.total === undefined && outputTokens.total === undefined
    ? undefined
    : Usage.make({
        promptTokens: inputTokens.total ?? 0,
        completionTokens: outputTokens.total ?? 0,
        cachedTokens: inputTokens.cacheRead,
        cacheWriteTokens: inputTokens.cacheWrite,
        reasoningTokens: outputTokens.reasoning
      })

const streamed = (
  modelId: string,
  parts: Stream.Stream<Response.AnyPart, AiError.AiError>
): Stream.Stream<GenerationPart | Answer<Generation>, AttemptError> =>
  Stream.suspend(() => {
    const seen: Array<Response.AnyPart> = []
    let calls = 0
    return parts.pipe(
      Stream.mapError(fromAiError),
      Stream.tap((part) => (part.type === "error" ? Effect.fail(inBand(part.error)) : Effect.void)),
      Stream.map((part): ReadonlyArray<GenerationPart> => {
        seen.push(part)
        switch (part.type) {
          case "text-delta":
            return [{ type: "text-delta", text: part.delta, choice: 0 }]
          case "reasoning-delta":
            return [{ type: "reasoning-delta", text: part.delta, choice: 0 }]
          case "tool-call":
            return [
              {
                type: "tool-call-delta",
                choice: 0,
                index: calls++,
                id: part.id,
                name: part.name,
                arguments: JSON.stringify(part.params)
              }
            ]
          default:
            return []
        }
      }),
      Stream.flattenIterable,
      Stream.concat(Stream.fromEffect(Effect.sync(() => answer(modelId, seen))))
    )
  })

/** A failure that came as a part of the stream; it ends the answer like any other. */
const inBand = (error: unknown): AttemptError =>
  AiError.isAiError(error)
    ? fromAiError(error)
    : new AttemptError({
        reason: new AiError.InternalProviderError({
          description: error instanceof Error ? error.message : "the stream carried an error"
        }),
        outcome: "unknown"
      })
