/**
 * From a `Prompt` to the messages of OpenAI's chat API, losing nothing that such messages brought in.
 *
 * @since 0.1.0
 */
import { AttemptError } from "@infermesh/core/provider/Provider"
import { Unsupported } from "@infermesh/core/Reason"
import type * as Prompt from "effect/ai/Prompt"
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"

type Json = { readonly [key: string]: unknown }

/**
 * The messages of a prompt; fails for a part that the chat API has no block for.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (prompt: Prompt.Prompt): Result.Result<ReadonlyArray<Json>, AttemptError> => {
  const messages: Array<Json> = []
  for (const message of prompt.content) {
    const kept = openai(message.options)
    switch (message.role) {
      case "system":
        messages.push({ role: "system", content: message.content, ...kept })
        break
      case "user": {
        const content = userContent(message.content)
        if (Result.isFailure(content)) return Result.fail(content.failure)
        messages.push({ role: "user", content: content.success, ...kept })
        break
      }
      case "assistant":
        messages.push({ role: "assistant", ...assistant(message.content), ...kept })
        break
      case "tool":
        for (const part of message.content) {
          if (part.type !== "tool-result") continue
          const content =
            typeof part.result === "string" ? part.result : JSON.stringify(part.result)
          messages.push({ role: "tool", tool_call_id: part.id, content, ...kept })
        }
        break
    }
  }
  return Result.succeed(messages)
}

/** What messages in OpenAI's format brought in and a `Prompt` has no field for. */
const openai = (options: Prompt.ProviderOptions): Json => {
  const kept = options["openai"]
  return typeof kept === "object" && kept !== null && !Array.isArray(kept) ? (kept as Json) : {}
}

const userContent = (
  parts: ReadonlyArray<Prompt.UserMessagePart>
): Result.Result<string | ReadonlyArray<Json>, AttemptError> => {
  const [first] = parts
  if (parts.length === 1 && first?.type === "text" && first.options["openai"] === undefined) {
    return Result.succeed(first.text)
  }
  const blocks: Array<Json> = []
  for (const part of parts) {
    const block = toBlock(part)
    if (block instanceof AttemptError) return Result.fail(block)
    blocks.push(block)
  }
  return Result.succeed(blocks)
}

const toBlock = (part: Prompt.UserMessagePart): Json | AttemptError => {
  const kept = openai(part.options)
  if (part.type === "text") return { type: "text", text: part.text, ...kept }
  const { block, detail, file_id: fileId } = kept
  if (typeof block === "object" && block !== null) return block as Json
  if (part.mediaType.startsWith("image/")) {
    const url = dataUrl(part.data, part.mediaType === "image/*" ? "image/jpeg" : part.mediaType)
    return { type: "image_url", image_url: detail === undefined ? { url } : { url, detail } }
  }
  if (part.mediaType.startsWith("audio/") && !(part.data instanceof URL)) {
    const subtype = part.mediaType.slice("audio/".length)
    const format = subtype === "mpeg" ? "mp3" : subtype.replace(/^x-/, "")
    return { type: "input_audio", input_audio: { data: base64(part.data), format } }
  }
  if (fileId !== undefined) return { type: "file", file: { file_id: fileId } }
  if (part.data instanceof URL) {
    return new AttemptError({
      reason: new Unsupported({
        provider: "The chat API",
        feature: `a web address of type ${part.mediaType}`,
        hint: "Give the file's bytes"
      }),
      outcome: "unsent"
    })
  }
  const named = part.fileName === undefined ? {} : { filename: part.fileName }
  return { type: "file", file: { ...named, file_data: dataUrl(part.data, part.mediaType) } }
}

const base64 = (data: string | Uint8Array): string =>
  typeof data === "string" ? data : Base64.encode(data)

const dataUrl = (data: string | Uint8Array | URL, mediaType: string): string =>
  data instanceof URL ? data.href : `data:${mediaType};base64,${base64(data)}`

const assistant = (parts: ReadonlyArray<Prompt.AssistantMessagePart>): Json => {
  const texts: Array<string> = []
  const calls: Array<Json> = []
  let reasoning: string | undefined
  for (const part of parts) {
    switch (part.type) {
      case "text":
        texts.push(part.text)
        break
      case "reasoning":
        reasoning = (reasoning ?? "") + part.text
        break
      case "tool-call": {
        const source = openai(part.options)["arguments"]
        calls.push({
          id: part.id,
          type: "function",
          function: {
            name: part.name,
            arguments: typeof source === "string" ? source : JSON.stringify(part.params)
          }
        })
        break
      }
    }
  }
  return {
    ...(texts.length === 0 && calls.length > 0 ? {} : { content: texts.join("") }),
    ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
    ...(calls.length === 0 ? {} : { tool_calls: calls })
  }
}
