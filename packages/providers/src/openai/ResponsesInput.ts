/**
 * From a `Prompt` to the input items of OpenAI's Responses API.
 *
 * What an answer left under `options.openai.item` of its parts (`ResponsesOutput`) goes back with them, so that a conversation
 * goes on with the provider's own items: reasoning with its `encrypted_content`, ids, `phase`. Parts of one item that follow
 * each other become that item again.
 *
 * **Details**: reasoning without such an item is another provider's, which this API does not take, and stays behind.
 *
 * **Source**: OpenAI API reference, "Create a model response", `input` (read November 2026).
 *
 * @since 0.1.0
 */
import * as Message from "@infermesh/core/operation/Message"
import { AttemptError } from "@infermesh/core/provider/Provider"
import type * as Prompt from "effect/ai/Prompt"
import * as Result from "effect/Result"

import * as Media from "../Media.ts"
import type { Json } from "../RequestBody.ts"
import { isRecord, unsupported } from "../RequestBody.ts"

const api = "the responses endpoint"

/**
 * The items of a prompt; fails for a part that the API has no form for.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (prompt: Prompt.Prompt): Result.Result<ReadonlyArray<Json>, AttemptError> => {
  const items: Array<Json> = []
  const customCalls = new Set<string>()
  for (const message of prompt.content) {
    const more = toItems(message, customCalls)
    if (more instanceof AttemptError) return Result.fail(more)
    items.push(...more)
  }
  return Result.succeed(items)
}

/** What an answer, or a message in OpenAI's format, brought in and a `Prompt` has no field for. */
const openai = (options: Prompt.ProviderOptions): Json => {
  const given = options["openai"]
  return isRecord(given) ? given : {}
}

const toItems = (
  message: Prompt.Message,
  customCalls: Set<string>
): ReadonlyArray<Json> | AttemptError => {
  const kept = openai(message.options)
  if (kept["name"] !== undefined && message.role !== "tool") {
    return unsupported(api, "a message's 'name'", "Write the name into the text")
  }
  switch (message.role) {
    case "system": {
      const content = keptBlocks(kept) ?? message.content
      if (content instanceof AttemptError) return content
      return [{ role: kept["role"] === "developer" ? "developer" : "system", content }]
    }
    case "user": {
      const content = inputContent(message.content)
      return content instanceof AttemptError ? content : [{ role: "user", content }]
    }
    case "assistant":
      return outputItems(message.content, kept, customCalls)
    case "tool":
      return toolResults(message.content, kept, customCalls)
  }
}

/** A list of blocks was kept as it came where the message of a `Prompt` has only one text. */
const keptBlocks = ({ content }: Json): ReadonlyArray<Json> | AttemptError | undefined => {
  if (!Array.isArray(content)) return undefined
  const read = Message.toPrompt([{ role: "user", content }])
  const [message] = Result.isSuccess(read) ? read.success.content : []
  return message?.role === "user" ? blocks(message.content) : undefined
}

// ---- what the caller says

const inputContent = (
  parts: ReadonlyArray<Prompt.UserMessagePart>
): string | ReadonlyArray<Json> | AttemptError => {
  const [first] = parts
  return parts.length === 1 && first?.type === "text" && first.options["openai"] === undefined
    ? first.text
    : blocks(parts)
}

const blocks = (
  parts: ReadonlyArray<Prompt.TextPart | Prompt.FilePart>
): ReadonlyArray<Json> | AttemptError => {
  const list: Array<Json> = []
  for (const part of parts) {
    const block =
      part.type === "text"
        ? { type: "input_text", text: part.text, ...openai(part.options) }
        : fileBlock(part)
    if (block instanceof AttemptError) return block
    list.push(block)
  }
  return list
}

const fileBlock = (part: Prompt.FilePart): Json | AttemptError => {
  const { block, detail, file_id: fileId } = openai(part.options)
  if (isRecord(block)) {
    const type = String(block["type"])
    return type.startsWith("input_")
      ? block
      : unsupported(api, `content blocks of type '${type}'`, "Use the chat endpoint")
  }
  const mediaType = Media.mediaType(part)
  const isImage = mediaType.startsWith("image/")
  if (mediaType.startsWith("audio/") || mediaType.startsWith("video/")) {
    return unsupported(api, `files of type ${mediaType}`, "Use the chat endpoint")
  }
  const more = isImage && detail !== undefined ? { detail } : {}
  if (fileId !== undefined) {
    return { type: isImage ? "input_image" : "input_file", file_id: fileId, ...more }
  }
  const url = Media.address(part.data)
  if (isImage) {
    return { type: "input_image", image_url: url ?? dataUrl(part, mediaType), ...more }
  }
  return url === undefined
    ? {
        type: "input_file",
        filename: part.fileName ?? defaultName(mediaType),
        file_data: dataUrl(part, mediaType)
      }
    : { type: "input_file", file_url: url }
}

const dataUrl = ({ data }: Prompt.FilePart, mediaType: string): string => {
  const exact = mediaType === "image/*" ? "image/jpeg" : mediaType
  return `data:${exact};base64,${Media.base64(data as string | Uint8Array)}`
}

/** The API wants a name with the data of a file, and reads the type from its ending. */
const defaultName = (mediaType: string): string => {
  const subtype = mediaType.slice(mediaType.indexOf("/") + 1)
  return `file.${subtype === "plain" ? "txt" : subtype}`
}

// ---- what the model said

/** An item that is put together from parts. */
interface OpenItem {
  readonly type: "message" | "reasoning"
  /** Its fields beside the texts. */
  readonly own: Json
  readonly blocks: ReadonlyArray<Json>
}

const outputItems = (
  parts: ReadonlyArray<Prompt.AssistantMessagePart>,
  { phase, refusal }: Json,
  customCalls: Set<string>
): ReadonlyArray<Json> | AttemptError => {
  const message: Json = phase === undefined ? {} : { phase }
  const items: Array<Json | OpenItem> = []
  for (const part of parts) {
    const item = outputItem(part, message, customCalls)
    if (item instanceof AttemptError) return item
    if (item !== undefined) append(items, item)
  }
  if (typeof refusal === "string" && refusal !== "") {
    const block = outputBlock(refusal, { type: "refusal" })
    append(items, { type: "message", own: message, blocks: [block] })
  }
  return items.map((item) => (isOpen(item) ? closed(item) : item))
}

const outputItem = (
  part: Prompt.AssistantMessagePart,
  message: Json,
  customCalls: Set<string>
): Json | OpenItem | AttemptError | undefined => {
  const { item, part: block } = openai(part.options)
  const own = isRecord(item) ? item : undefined
  switch (part.type) {
    case "text":
      // An empty text of the caller's says nothing.
      return part.text === "" && own === undefined
        ? undefined
        : { type: "message", own: own ?? message, blocks: [outputBlock(part.text, block)] }
    case "reasoning":
      return own === undefined || !isKnown(own)
        ? undefined
        : { type: "reasoning", own, blocks: [reasoningBlock(part.text, block)] }
    case "tool-call":
      return toolCall(part, own, customCalls)
    case "tool-result":
      return toolResult(part, {}, customCalls)
    case "file":
      return own ?? unsupported(api, `files of type ${part.mediaType} in an assistant's message`)
    case "tool-approval-request":
      return undefined
  }
}

/** Parts are of one item where its fields are the same. */
const append = (items: Array<Json | OpenItem>, item: Json | OpenItem) => {
  const last = items.at(-1)
  if (
    isOpen(last) &&
    isOpen(item) &&
    last.type === item.type &&
    JSON.stringify(last.own) === JSON.stringify(item.own)
  ) {
    items[items.length - 1] = { ...last, blocks: [...last.blocks, ...item.blocks] }
  } else items.push(item)
}

const isOpen = (item: Json | OpenItem | undefined): item is OpenItem =>
  item !== undefined && "blocks" in item && "own" in item

/** Reasoning is told by its id or by its encrypted content; the text of its summary alone is not it. */
const isKnown = ({ encrypted_content: encrypted, id }: Json): boolean =>
  typeof id === "string" || typeof encrypted === "string"

const outputBlock = (text: string, block: unknown): Json => {
  const { type = "output_text", ...more } = isRecord(block) ? block : {}
  return type === "refusal"
    ? { type, refusal: text, ...more }
    : { type, ...(text === "" && type !== "output_text" ? {} : { text }), ...more }
}

const reasoningBlock = (text: string, block: unknown): Json => ({
  type: "summary_text",
  text,
  ...(isRecord(block) ? block : {})
})

const closed = ({ blocks: given, own, type }: OpenItem): Json => {
  if (type === "message") {
    const [first] = given
    const isPlain =
      given.length === 1 && first?.["type"] === "output_text" && Object.keys(own).length === 0
    const content = isPlain ? first["text"] : given
    return isPlain ? { role: "assistant", content } : { type, role: "assistant", ...own, content }
  }
  const texts = given.filter((block) => block["text"] !== "")
  const content = texts.filter((block) => block["type"] !== "summary_text")
  return {
    type,
    ...own,
    summary: texts.filter((block) => block["type"] === "summary_text"),
    ...(content.length === 0 ? {} : { content })
  }
}

const toolCall = (
  part: Prompt.ToolCallPart,
  own: Json | undefined,
  customCalls: Set<string>
): Json => {
  const { arguments: source } = openai(part.options)
  const written = typeof source === "string" ? source : argumentsText(part.params)
  if (own?.["type"] === "custom_tool_call") {
    customCalls.add(part.id)
    return { ...own, call_id: part.id, name: part.name, input: written }
  }
  return {
    ...own,
    type: "function_call",
    call_id: part.id,
    name: part.name,
    arguments: written
  }
}

const argumentsText = (params: unknown): string => JSON.stringify(params ?? {})

// ---- what the tools answered

const toolResults = (
  parts: ReadonlyArray<Prompt.ToolMessagePart>,
  kept: Json,
  customCalls: Set<string>
): ReadonlyArray<Json> | AttemptError => {
  const items: Array<Json> = []
  for (const part of parts) {
    if (part.type !== "tool-result") continue
    const item = toolResult(part, kept, customCalls)
    if (item instanceof AttemptError) return item
    items.push(item)
  }
  return items
}

const toolResult = (
  part: Prompt.ToolResultPart,
  kept: Json,
  customCalls: Set<string>
): Json | AttemptError => {
  const output =
    part.modelOutput === undefined
      ? (keptBlocks(kept) ?? resultText(part.result))
      : blocks(part.modelOutput)
  if (output instanceof AttemptError) return output
  return {
    type: customCalls.has(part.id) ? "custom_tool_call_output" : "function_call_output",
    call_id: part.id,
    output
  }
}

const resultText = (result: unknown): string =>
  typeof result === "string" ? result : (JSON.stringify(result) ?? "")
