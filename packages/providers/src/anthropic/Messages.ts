/**
 * From a `Prompt` to the `system` and `messages` of Anthropic's API.
 *
 * Messages of one side that follow each other become one, because the results of parallel tool calls must stand together. What
 * a part has under `options.anthropic` (`cache_control`, `citations`, a signature, …) goes into its block; so does the
 * `cache_control` of OpenAI-style blocks.
 *
 * **Details**: reasoning without a signature is another provider's, which this API does not take, and stays behind.
 *
 * **Source**: Claude documentation, "Messages" and "Extended thinking" (read November 2026).
 *
 * @since 0.1.0
 */
import { AttemptError } from "@infermesh/core/provider/Provider"
import type * as Prompt from "effect/ai/Prompt"
import * as Result from "effect/Result"

import * as Media from "../Media.ts"
import type { Json } from "../RequestBody.ts"
import { isRecord, unsupported } from "../RequestBody.ts"

/**
 * The conversation as the API takes it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Conversation {
  readonly system: string | ReadonlyArray<Json> | undefined
  readonly messages: ReadonlyArray<Json>
}

const provider = "anthropic"

/**
 * The conversation of a prompt; fails for a part that the API has no block for.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (prompt: Prompt.Prompt): Result.Result<Conversation, AttemptError> => {
  const system: Array<Json> = []
  const messages: Array<{ readonly role: string; readonly content: Array<Json> }> = []
  for (const message of prompt.content) {
    if (message.role === "system" && messages.length === 0) {
      system.push(...systemBlocks(message))
      continue
    }
    const blocks = toBlocks(message)
    if (blocks instanceof AttemptError) return Result.fail(blocks)
    const role = message.role === "tool" ? "user" : message.role
    const last = messages.at(-1)
    if (last?.role === role) last.content.push(...blocks)
    else messages.push({ role, content: [...blocks] })
  }
  return Result.succeed({ system: shortened(system), messages: messages.filter(hasContent) })
}

/** An assistant message can come to nothing: reasoning of another provider alone. */
const hasContent = ({ content }: { readonly content: ReadonlyArray<Json> }): boolean =>
  content.length > 0

/** One plain text needs no list around it. */
const shortened = (blocks: ReadonlyArray<Json>): Conversation["system"] => {
  const [first] = blocks
  if (first === undefined) return undefined
  const { text, type, ...more } = first
  return blocks.length === 1 && type === "text" && Object.keys(more).length === 0
    ? (text as string)
    : blocks
}

const toBlocks = (message: Prompt.Message): ReadonlyArray<Json> | AttemptError => {
  if (message.role === "system") return systemBlocks(message)
  const { name, refusal } = openai(message.options)
  if (name !== undefined && message.role !== "tool") {
    return unsupported(provider, "a message's 'name'", "Write the name into the text")
  }
  const blocks: Array<Json> = []
  for (const part of message.content) {
    const block = toBlock(part)
    if (block instanceof AttemptError) return block
    if (block !== undefined) blocks.push(block)
  }
  if (typeof refusal === "string" && refusal !== "" && blocks.length === 0) {
    blocks.push({ type: "text", text: refusal })
  }
  return withMessageOptions(blocks, message.options)
}

/** What is said of a message as a whole (a cache breakpoint) is said on its last block. */
const withMessageOptions = (
  blocks: ReadonlyArray<Json>,
  options: Prompt.ProviderOptions
): ReadonlyArray<Json> => {
  const given = anthropic(options)
  const last = blocks.at(-1)
  return last === undefined || Object.keys(given).length === 0
    ? blocks
    : [...blocks.slice(0, -1), { ...last, ...given }]
}

/** What the caller gave for this API. */
const anthropic = (options: Prompt.ProviderOptions): Json => {
  const given = options["anthropic"]
  return isRecord(given) ? given : {}
}

/** What messages in OpenAI's format brought in and a `Prompt` has no field for. */
const openai = (options: Prompt.ProviderOptions): Json => {
  const given = options["openai"]
  return isRecord(given) ? given : {}
}

const extras = (options: Prompt.ProviderOptions): Json => {
  const cache = openai(options)["cache_control"]
  return {
    ...(cache === undefined ? undefined : { cache_control: cache }),
    ...anthropic(options)
  }
}

const systemBlocks = (message: Prompt.SystemMessage): ReadonlyArray<Json> => {
  const given = openai(message.options)["content"]
  // A list of blocks was kept as it came, because a system message of a `Prompt` is one text.
  const blocks = Array.isArray(given) ? given.filter(isTextBlock) : []
  return withMessageOptions(
    blocks.length > 0 ? blocks : [{ type: "text", text: message.content }],
    message.options
  )
}

const isTextBlock = (block: unknown): block is Json => isRecord(block) && block["type"] === "text"

type Part = Exclude<Prompt.Message, Prompt.SystemMessage>["content"][number]

/** One block; `undefined` for a part that has nothing to say to this API. */
const toBlock = (part: Part): Json | AttemptError | undefined => {
  switch (part.type) {
    case "text":
      // The API refuses empty text blocks.
      return part.text === ""
        ? undefined
        : { type: "text", text: part.text, ...extras(part.options) }
    case "file":
      return fileBlock(part)
    case "reasoning":
      return reasoningBlock(part)
    case "tool-call":
      return toolUse(part)
    case "tool-result":
      return toolResult(part)
    case "tool-approval-request":
    case "tool-approval-response":
      return undefined
  }
}

/** Blocks of the API's own that OpenAI-style messages may hold. */
const ownBlocks = new Set(["image", "document", "search_result", "container_upload"])

const fileBlock = (part: Prompt.FilePart): Json | AttemptError => {
  const { block, ...more } = extras(part.options)
  if (isRecord(block)) return block
  const { block: foreign, file_id: fileId } = openai(part.options)
  if (isRecord(foreign)) {
    return ownBlocks.has(String(foreign["type"]))
      ? foreign
      : unsupported(provider, `content blocks of type '${String(foreign["type"])}'`)
  }
  const mediaType = Media.mediaType(part)
  const isImage = mediaType.startsWith("image/")
  const type = isImage ? "image" : "document"
  const title = isImage || part.fileName === undefined ? {} : { title: part.fileName }
  const source =
    fileId === undefined ? fileSource(part, mediaType) : { type: "file", file_id: fileId }
  return source instanceof AttemptError ? source : { type, source, ...title, ...more }
}

const fileSource = (part: Prompt.FilePart, mediaType: string): Json | AttemptError => {
  const url = Media.address(part.data)
  const isText = mediaType.startsWith("text/") || mediaType === "application/json"
  if (!mediaType.startsWith("image/") && mediaType !== "application/pdf" && !isText) {
    // A web address without a type is left to the API: it reads PDFs.
    return url !== undefined && mediaType === "application/octet-stream"
      ? { type: "url", url }
      : unsupported(
          provider,
          `files of type ${mediaType}`,
          "It takes images, PDF documents and plain text"
        )
  }
  if (url !== undefined) {
    return isText
      ? unsupported(provider, "a web address of a text", "Give the text itself")
      : { type: "url", url }
  }
  const data = part.data as string | Uint8Array
  if (!isText) {
    const exact = mediaType === "image/*" ? "image/jpeg" : mediaType
    return { type: "base64", media_type: exact, data: Media.base64(data) }
  }
  const text = Media.text(data)
  return text === undefined
    ? unsupported(provider, "a text file whose data is no base64", "Give base64 or bytes")
    : { type: "text", media_type: "text/plain", data: text }
}

const reasoningBlock = (part: Prompt.ReasoningPart): Json | undefined => {
  const { data, signature, type } = anthropic(part.options)
  if (type === "redacted_thinking") return { type, data }
  return signature === undefined ? undefined : { type: "thinking", thinking: part.text, signature }
}

const toolUse = (part: Prompt.ToolCallPart): Json | AttemptError => {
  const input = part.params === "" || part.params === undefined ? {} : part.params
  if (!isRecord(input)) {
    return unsupported(
      provider,
      `a call of tool '${part.name}' whose arguments are no JSON object`,
      "Leave the broken call out of the messages"
    )
  }
  return { type: "tool_use", id: part.id, name: part.name, input, ...extras(part.options) }
}

const toolResult = (part: Prompt.ToolResultPart): Json | AttemptError => {
  const content = part.modelOutput === undefined ? resultText(part.result) : []
  if (typeof content !== "string") {
    for (const output of part.modelOutput ?? []) {
      const block = toBlock(output)
      if (block instanceof AttemptError) return block
      if (block !== undefined) content.push(block)
    }
  }
  return {
    type: "tool_result",
    tool_use_id: part.id,
    content,
    ...(part.isFailure ? { is_error: true } : undefined),
    ...extras(part.options)
  }
}

const resultText = (result: unknown): string | Array<Json> =>
  typeof result === "string" ? result : (JSON.stringify(result) ?? "")
