/**
 * `effect/ai`'s `LanguageModel` on top of `Inference`: existing programs with toolkits and chats run through our router, quotas
 * and retries without a change.
 *
 * `effect/ai` builds the response and runs the tools; each of its provider calls is one request here. What its calls cannot
 * say (temperature, time-outs, …) is said by the reference `RequestOptions`.
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"
import * as LanguageModel from "effect/ai/LanguageModel"
import * as OpenAiStructuredOutput from "effect/ai/OpenAiStructuredOutput"
import type * as Response from "effect/ai/Response"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

import type { GenerateOptions } from "../inference/GenerateInputs.ts"
import type { GenerateEvent } from "../inference/GenerateStream.ts"
import { Inference } from "../inference/InferenceService.ts"
import type { InferenceError } from "../InferenceError.ts"
import type { Choice, GenerationResult } from "../operation/Generate.ts"
import type { ToolCall } from "../operation/ToolCall.ts"
import type { TokenUsage } from "../operation/Usage.ts"
import { unfence } from "../output/JsonText.ts"
import { toAiError } from "./AiErrors.ts"

/**
 * Options of the requests that a `LanguageModel` program makes.
 *
 * @category references
 * @since 0.1.0
 */
export const RequestOptions = Context.Reference<
  Omit<GenerateOptions<never>, "output" | "tools" | "toolChoice">
>("@infermesh/core/ai/AsLanguageModel/RequestOptions", { defaultValue: () => ({}) })

/**
 * The language model that `Inference` is.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<LanguageModel.LanguageModel, never, Inference> = Layer.effect(
  LanguageModel.LanguageModel,
  Effect.gen(function* () {
    const inference = yield* Inference
    return yield* LanguageModel.make({
      generateText: (options) =>
        Effect.flatMap(asked(options, "generateText"), (request) =>
          Effect.mapBoth(inference.generate(options.prompt, request), {
            onFailure: (error: InferenceError) => toAiError(error, "generateText"),
            onSuccess: (result) => parts(result, options.responseFormat.type === "json")
          })
        ),
      streamText: (options) =>
        Stream.unwrap(
          Effect.map(asked(options, "streamText"), (request) =>
            streamed(inference.generateStream(options.prompt, request))
          )
        ),
      codecTransformer: OpenAiStructuredOutput.toCodecOpenAI
    })
  })
)

/** Our options for a call: those of `RequestOptions`, the tools, and the form of the answer. */
const asked = Effect.fnUntraced(function* (
  { responseFormat, toolChoice, tools }: LanguageModel.ProviderOptions,
  method: string
) {
  const request = yield* RequestOptions
  const chosenTools = tools.length === 0 ? {} : { tools, toolChoice: mode(toolChoice) }
  if (responseFormat.type === "text") return { ...request, ...chosenTools }
  const output = yield* Effect.mapError(outputOf(responseFormat), (reason) =>
    AiError.make({ module: "infermesh", method, reason })
  )
  return { ...request, ...chosenTools, output }
})

type Output = { readonly [key: string]: unknown }

/** The wire form of a schema and its validator are costly to make, and asked for on every call. */
const outputs = new WeakMap<object, { readonly name: string; readonly output: Output }>()

/** `effect/ai` decodes the answer itself; the provider only has to be told its form. */
const outputOf = ({
  objectName,
  schema
}: Extract<LanguageModel.ProviderOptions["responseFormat"], { readonly type: "json" }>) =>
  Effect.try({
    try: (): Output => {
      const known = outputs.get(schema)
      if (known?.name === objectName) return known.output
      const { jsonSchema } = OpenAiStructuredOutput.toCodecOpenAI(
        schema as Schema.Codec<unknown, unknown>
      )
      const output = {
        type: "json_schema",
        json_schema: { name: objectName, schema: jsonSchema, strict: true }
      }
      outputs.set(schema, { name: objectName, output })
      return output
    },
    catch: (cause) =>
      new AiError.UnsupportedSchemaError({
        description: cause instanceof Error ? cause.message : "it has no JSON Schema"
      })
  })

/** The tools of a `oneOf` are already the only ones given. */
const mode = (choice: LanguageModel.ToolChoice<string>) =>
  typeof choice === "string"
    ? choice
    : "tool" in choice
      ? { tool: choice.tool }
      : (choice.mode ?? "auto")

const parts = (result: GenerationResult<unknown>, isJson: boolean): Array<Response.PartEncoded> => [
  ...content(result.choices[0], isJson),
  finish(result)
]

const content = (choice: Choice, isJson: boolean): Array<Response.PartEncoded> => {
  // `effect/ai` reads JSON and nothing else; what we tolerate around it is taken off for it.
  const text = isJson ? unfence(choice.text) : choice.text
  return [
    ...(choice.reasoning === undefined
      ? []
      : [{ type: "reasoning" as const, text: choice.reasoning }]),
    ...(text === "" ? [] : [{ type: "text" as const, text }]),
    ...choice.toolCalls.map(toolCall)
  ]
}

const toolCall = (call: ToolCall) => ({
  type: "tool-call" as const,
  id: call.id,
  name: call.name,
  params: parsed(call.arguments ?? "{}")
})

/** Arguments that are no JSON go on as text: `effect/ai` checks them against the tool and says what is wrong. */
const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const finish = (result: GenerationResult<unknown>): Response.FinishPartEncoded => ({
  type: "finish",
  reason: result.finishReason,
  usage: usage(result.tokenUsage),
  metadata: {
    infermesh: {
      deployment: result.metrics.deployment ?? null,
      requestId: result.requestId ?? null,
      cost: result.cost ?? null,
      retries: result.metrics.retries
    }
  }
})

const usage = (counts: TokenUsage | undefined): Response.FinishPartEncoded["usage"] => ({
  inputTokens: {
    total: counts?.promptTokens,
    cacheRead: counts?.cachedTokens,
    cacheWrite: counts?.cacheWriteTokens,
    uncached:
      counts === undefined
        ? undefined
        : counts.promptTokens - (counts.cachedTokens ?? 0) - (counts.cacheWriteTokens ?? 0)
  },
  outputTokens: { total: counts?.completionTokens, reasoning: counts?.reasoningTokens }
})

const textId = "text"
const reasoningId = "reasoning"

/** Deltas with the starts and ends around them that `effect/ai` expects; tool calls whole, at the end. */
const streamed = (
  events: Stream.Stream<GenerateEvent<unknown>, InferenceError>
): Stream.Stream<Response.StreamPartEncoded, AiError.AiError> =>
  Stream.suspend(() => {
    const open = new Set<string>()
    const start = (id: string): Array<Response.StreamPartEncoded> => {
      if (open.has(id)) return []
      open.add(id)
      return [{ type: id === textId ? "text-start" : "reasoning-start", id }]
    }
    const convert = (event: GenerateEvent<unknown>): Array<Response.StreamPartEncoded> => {
      switch (event.type) {
        case "text-delta":
          return event.choice > 0
            ? []
            : [...start(textId), { type: "text-delta", id: textId, delta: event.text }]
        case "reasoning-delta":
          return event.choice > 0
            ? []
            : [
                ...start(reasoningId),
                { type: "reasoning-delta", id: reasoningId, delta: event.text }
              ]
        case "finish":
          return [
            ...[...open].map((id) => ({
              type: id === textId ? ("text-end" as const) : ("reasoning-end" as const),
              id
            })),
            ...event.result.toolCalls.map(toolCall),
            finish(event.result)
          ]
        default:
          return []
      }
    }
    return events.pipe(
      Stream.mapError((error) => toAiError(error, "streamText")),
      Stream.map(convert),
      Stream.flattenIterable
    )
  })
