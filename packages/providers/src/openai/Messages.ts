/**
 * From a `Prompt` to the messages of OpenAI's chat API, losing nothing that such messages brought in.
 *
 * **Details**: what a message or a part brought in and a `Prompt` has no field for is under `options.openai`, and goes back as it
 * came. How the reasoning of earlier answers goes back, the `Dialect` says; where the API has no place for it, it stays behind,
 * and so do calls that another provider ran itself, whose outcome is in its text.
 *
 * **Source**: OpenAI API reference, "Create chat completion", `messages` (read November 2026).
 *
 * @since 0.1.0
 */
import { AttemptError } from "@infermesh/core/provider/Provider"
import type * as Prompt from "effect/ai/Prompt"
import * as Result from "effect/Result"

import * as Media from "../Media.ts"
import type { Json } from "../RequestBody.ts"
import { isRecord, unsupported } from "../RequestBody.ts"
import type { Dialect } from "./Dialect.ts"

/**
 * The messages of a prompt; fails for a part that the chat API has no block for.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (
  prompt: Prompt.Prompt,
  dialect: Dialect
): Result.Result<ReadonlyArray<Json>, AttemptError> => {
  const messages: Array<Json> = []
  for (const message of prompt.content) {
    const kept = openai(message.options)
    if (kept["name"] !== undefined && dialect.messageNames === false) {
      return Result.fail(
        unsupported(dialect.name, "a message's 'name'", "Write the name into the text")
      )
    }
    switch (message.role) {
      case "system":
        messages.push({ role: "system", content: message.content, ...kept })
        break
      case "user": {
        const content = userContent(message.content)
        if (content instanceof AttemptError) return Result.fail(content)
        messages.push({ role: "user", content, ...kept })
        break
      }
      case "assistant": {
        const fields = assistant(message.content, dialect)
        if (fields instanceof AttemptError) return Result.fail(fields)
        messages.push({ role: "assistant", ...fields, ...kept })
        break
      }
      case "tool":
        for (const part of message.content) {
          if (part.type !== "tool-result") continue
          const content =
            typeof part.result === "string" ? part.result : JSON.stringify(part.result ?? null)
          messages.push({ role: "tool", tool_call_id: part.id, content, ...kept })
        }
        break
    }
  }
  return Result.succeed(messages)
}

/** What messages in OpenAI's format, or its answers, brought in and a `Prompt` has no field for. */
const openai = (options: Prompt.ProviderOptions): Json => {
  const kept = options["openai"]
  return isRecord(kept) ? kept : {}
}

const api = "The chat endpoint"

// ---- user

const userContent = (
  parts: ReadonlyArray<Prompt.UserMessagePart>
): string | ReadonlyArray<Json> | AttemptError => {
  const [first] = parts
  if (parts.length === 1 && first?.type === "text" && first.options["openai"] === undefined) {
    return first.text
  }
  const blocks: Array<Json> = []
  for (const part of parts) {
    const block = toBlock(part)
    if (block instanceof AttemptError) return block
    blocks.push(block)
  }
  return blocks
}

const toBlock = (part: Prompt.UserMessagePart): Json | AttemptError => {
  const kept = openai(part.options)
  if (part.type === "text") return { type: "text", text: part.text, ...kept }
  const { block, detail, file_id: fileId } = kept
  if (isRecord(block)) return block
  if (fileId !== undefined) return { type: "file", file: { file_id: fileId } }
  const mediaType = Media.mediaType(part)
  const address = Media.address(part.data)
  if (mediaType.startsWith("image/")) {
    const url = address ?? dataUrl(part.data, mediaType === "image/*" ? "image/jpeg" : mediaType)
    return { type: "image_url", image_url: detail === undefined ? { url } : { url, detail } }
  }
  if (address !== undefined) {
    return unsupported(api, `a web address of type ${mediaType}`, "Give the file's bytes")
  }
  if (mediaType.startsWith("audio/")) {
    const subtype = mediaType.slice("audio/".length)
    const format = subtype === "mpeg" ? "mp3" : subtype.replace(/^x-/, "")
    return { type: "input_audio", input_audio: { data: base64(part.data), format } }
  }
  const named = part.fileName === undefined ? {} : { filename: part.fileName }
  return { type: "file", file: { ...named, file_data: dataUrl(part.data, mediaType) } }
}

/** A URL that is no web address holds the bytes itself. */
const base64 = (data: Prompt.FilePart["data"]): string =>
  data instanceof URL ? data.href.replace(/^[^,]*,/, "") : Media.base64(data)

const dataUrl = (data: Prompt.FilePart["data"], mediaType: string): string =>
  data instanceof URL ? data.href : `data:${mediaType};base64,${base64(data)}`

// ---- assistant

const assistant = (
  parts: ReadonlyArray<Prompt.AssistantMessagePart>,
  dialect: Dialect
): Json | AttemptError => {
  const blocks: Array<Json> = []
  const calls: Array<Json> = []
  const thoughts: Array<string> = []
  const details: Array<unknown> = []
  for (const part of parts) {
    const kept = openai(part.options)
    switch (part.type) {
      case "text":
        blocks.push({ type: "text", text: part.text })
        break
      case "reasoning":
        if (part.text !== "") thoughts.push(part.text)
        if (Array.isArray(kept["reasoning_details"])) details.push(...kept["reasoning_details"])
        break
      case "file":
        if (isRecord(kept["block"])) blocks.push(kept["block"])
        else if (part.data instanceof URL || part.data.length > 0) {
          return unsupported(api, "a file in an answer", "Put it into a message of the user's")
        }
        break
      case "tool-call":
        if (!part.providerExecuted) calls.push(toCall(part, kept))
        break
    }
  }
  const reasoning = reasoningFields(thoughts.join("\n\n"), details, dialect)
  const content = [...(reasoning.blocks ?? []), ...blocks]
  return {
    ...(content.length === 0 && calls.length > 0 ? {} : { content: shortened(content) }),
    ...reasoning.fields,
    ...(calls.length === 0 ? {} : { tool_calls: calls })
  }
}

/** Texts alone need no list around them. */
const shortened = (blocks: ReadonlyArray<Json>): string | ReadonlyArray<Json> =>
  blocks.every(({ type }) => type === "text") ? blocks.map(({ text }) => text).join("") : blocks

const reasoningFields = (
  text: string,
  details: ReadonlyArray<unknown>,
  { reasoning: place }: Dialect
): { readonly fields?: Json; readonly blocks?: ReadonlyArray<Json> } => {
  if (place === "reasoning_details" && details.length > 0) {
    return { fields: { reasoning_details: details } }
  }
  if (place === undefined || text === "") return {}
  return place === "thinking"
    ? { blocks: [{ type: "thinking", thinking: [{ type: "text", text }] }] }
    : { fields: { [place === "reasoning_details" ? "reasoning" : place]: text } }
}

const toCall = ({ id, name, params }: Prompt.ToolCallPart, kept: Json): Json => {
  const { arguments: source, call, type } = kept
  const input = typeof source === "string" ? source : JSON.stringify(params ?? {})
  return {
    ...(isRecord(call) ? call : {}),
    id,
    ...(type === "custom"
      ? { type, custom: { name, input } }
      : { type: "function", function: { name, arguments: input } })
  }
}
