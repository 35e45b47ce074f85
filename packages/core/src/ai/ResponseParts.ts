/**
 * Our results and stream events as the response parts of `effect/ai`.
 *
 * What only the provider can read of its answer (the signatures of its reasoning, blocks of its own) goes over as the parts'
 * metadata, which `effect/ai` keeps in its prompts; so the next turn of a `Chat` gives it back.
 *
 * @since 0.1.0
 */
import type * as Prompt from "effect/ai/Prompt"
import type * as Response from "effect/ai/Response"
import * as Base64 from "effect/encoding/Base64"

import type { GenerateEvent } from "../inference/GenerateStream.ts"
import type { Choice, GenerationResult } from "../operation/Generate.ts"
import type { ToolCall } from "../operation/ToolCall.ts"
import type { TokenUsage } from "../operation/Usage.ts"
import { unfence } from "../output/JsonText.ts"
import * as Remembered from "./Remembered.ts"

type Content =
  | Response.TextPartEncoded
  | Response.ReasoningPartEncoded
  | Response.FilePartEncoded
  | Response.ToolCallPartEncoded

/**
 * The parts of a whole result. An answer in JSON is freed of what we tolerate around it: `effect/ai` reads the JSON alone.
 *
 * @category conversions
 * @since 0.1.0
 */
export const whole = (
  result: GenerationResult<unknown>,
  isJson: boolean
): Array<Response.PartEncoded> => {
  const [choice] = result.choices
  const parts = contentOf(choice).flatMap(toContent)
  const answer = isJson
    ? [
        ...parts.filter(({ type }) => type !== "text"),
        { type: "text" as const, text: unfence(choice.text) }
      ]
    : parts
  return [...answer.filter((part) => !isEmpty(part)), finish(result)]
}

/** A signature can come with no text; a text without either says nothing. */
const isEmpty = (part: Content): boolean =>
  part.type === "text" && part.text === "" && Object.keys(part.metadata ?? {}).length === 0

type Part = Prompt.AssistantMessagePart | Content

/** The parts the provider gave, or what the choice says: reasoning that stood in the text is apart only there. */
const contentOf = (choice: Choice): ReadonlyArray<Part> => {
  const { content, reasoning, text, toolCalls } = choice
  const said = content?.map((part) => (part.type === "text" ? part.text : "")).join("")
  if (content !== undefined && said === text) return content
  return [
    ...(reasoning === undefined ? [] : [{ type: "reasoning" as const, text: reasoning }]),
    { type: "text", text },
    ...toolCalls.map(toolCall)
  ]
}

const toContent = (part: Part): Array<Content> => {
  const metadata = metadataOf(part)
  switch (part.type) {
    case "text":
      return [{ type: "text", text: part.text, metadata }]
    case "reasoning":
      return [{ type: "reasoning", text: part.text, metadata }]
    case "tool-call":
      return [{ type: "tool-call", id: part.id, name: part.name, params: part.params, metadata }]
    case "file":
      return fileOf(part)
    default:
      return []
  }
}

/** What lies elsewhere is no part of a response there. */
const fileOf = (
  part: Extract<Part, { readonly type: "file" }>
): Array<Response.FilePartEncoded> => {
  const { data, mediaType } = part
  if (data instanceof URL) return []
  const encoded = typeof data === "string" ? data : Base64.encode(data)
  return [{ type: "file", mediaType, data: encoded, metadata: metadataOf(part) }]
}

const metadataOf = (part: Part): Prompt.ProviderOptions => ("options" in part ? part.options : {})

const toolCall = (call: ToolCall): Response.ToolCallPartEncoded => ({
  type: "tool-call",
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
      retries: result.metrics.retries,
      repairs: result.metrics.repairs
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

// ---- streams

type Kind = "text" | "reasoning"

type CallDelta = Extract<GenerateEvent<unknown>, { readonly type: "tool-call-delta" }>

/**
 * Builds the conversion of one stream's events: deltas with the starts and ends around them that `effect/ai` expects, and the
 * tool calls whole at the end.
 *
 * **Details**: what the parts of the answer were, in which order, and what belongs to them beside their text is known only at
 * the end, and goes over as the metadata of the first block; `Remembered` takes it out of prompts again.
 *
 * @category constructors
 * @since 0.1.0
 */
export const streamed = (): ((
  event: GenerateEvent<unknown>
) => ReadonlyArray<Response.StreamPartEncoded>) => {
  const blocks = new Set<Kind>()
  const calls = new Map<number, string>()

  const textDelta = (id: Kind, delta: string) => {
    const isNew = !blocks.has(id)
    blocks.add(id)
    return [
      ...(isNew ? [{ type: `${id}-start` as const, id }] : []),
      { type: `${id}-delta` as const, id, delta }
    ]
  }

  const callDelta = ({ arguments: delta, id: given, index, name }: CallDelta) => {
    const known = calls.get(index)
    const id = known ?? given
    // A call without an id cannot be followed; it is whole at the end.
    if (id === undefined || id === "" || (known === undefined && name === undefined)) return []
    calls.set(index, id)
    return [
      ...(known === undefined && name !== undefined
        ? [{ type: "tool-params-start" as const, id, name }]
        : []),
      ...(delta === "" ? [] : [{ type: "tool-params-delta" as const, id, delta }])
    ]
  }

  const end = (result: GenerationResult<unknown>): Array<Response.StreamPartEncoded> => {
    const [choice] = result.choices
    const parts = contentOf(choice)
    const remembered = Remembered.metadata(choice)
    // There is always a block to remember by: an answer of nothing but calls gets an empty one.
    const isSilent = blocks.size === 0 && remembered !== undefined
    if (isSilent) blocks.add("reasoning")
    return [
      ...(isSilent ? [{ type: "reasoning-start" as const, id: "reasoning" }] : []),
      ...[...blocks].map((id, index) => ({
        type: `${id}-end` as const,
        id,
        metadata: (index === 0 ? remembered : undefined) ?? {}
      })),
      ...[...calls.values()].map((id) => ({ type: "tool-params-end" as const, id })),
      ...parts.flatMap(toContent).filter((part) => part.type === "tool-call"),
      finish(result)
    ]
  }

  return (event) => {
    if ("choice" in event && event.choice > 0) return []
    switch (event.type) {
      case "text-delta":
        return textDelta("text", event.text)
      case "reasoning-delta":
        return textDelta("reasoning", event.text)
      case "tool-call-delta":
        return callDelta(event)
      case "finish":
        return end(event.result)
      default:
        return []
    }
  }
}
