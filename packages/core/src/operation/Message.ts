/**
 * From OpenAI-style chat messages to the `Prompt` of `effect/ai` that everything inside works on.
 *
 * The conversion happens once, at the edge, and loses nothing: what a `Prompt` has no field for travels in the `options` of
 * the message or part, under the key `openai`. It is not a wire format; the provider packages write those. What messages may
 * be is in `ChatMessage`.
 *
 * @since 0.1.0
 */
import * as Prompt from "effect/ai/Prompt"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"

import { InvalidInput } from "../Reason.ts"
import type { ChatMessage, ContentBlock } from "./ChatMessage.ts"
import * as ChatMessageModule from "./ChatMessage.ts"
import type { ToolCall } from "./ToolCall.ts"

export type { ChatMessage, ContentBlock } from "./ChatMessage.ts"

/**
 * A prompt of one user message.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromText = (text: string): Prompt.Prompt =>
  Prompt.fromMessages([
    Prompt.makeMessage("user", {
      content: [Prompt.makePart("text", { text, options: {} })],
      options: {}
    })
  ])

/**
 * Converts OpenAI-style messages; fails with what is wrong and where.
 *
 * @category constructors
 * @since 0.1.0
 */
export const toPrompt = (
  messages: ReadonlyArray<unknown>
): Result.Result<Prompt.Prompt, InvalidInput> => {
  if (messages.length === 0) {
    return Result.fail(
      new InvalidInput({
        input: "messages",
        problem: "the message list is empty",
        hint: 'Give at least one message, such as { role: "user", content: "…" }'
      })
    )
  }
  const fault = ChatMessageModule.fault(messages)
  if (fault !== undefined) return Result.fail(fault)
  const toolNames = new Map<string, string>()
  // The messages as given, not the decoded ones: those have lost the fields that no schema names.
  const given = messages as ReadonlyArray<ChatMessage>
  return Result.succeed(
    Prompt.fromMessages(given.map((message) => toPromptMessage(message, toolNames)))
  )
}

type Json = Schema.Json
type Options = Prompt.ProviderOptions

/** The fields a `Prompt` has no place for, kept under the vendor's key. */
const rest = (value: object, known: ReadonlyArray<string>): Options => {
  const extra = Object.entries(value).filter(
    ([key, field]) => !known.includes(key) && field !== undefined
  )
  return extra.length === 0 ? {} : { openai: Object.fromEntries<Json>(extra) }
}

const toPromptMessage = (message: ChatMessage, toolNames: Map<string, string>): Prompt.Message => {
  switch (message.role) {
    case "system":
    case "developer": {
      const known = message.role === "system" ? ["role"] : []
      return Prompt.makeMessage("system", {
        content: typeof message.content === "string" ? message.content : plainText(message.content),
        options: rest(message, typeof message.content === "string" ? [...known, "content"] : known)
      })
    }
    case "user":
      return Prompt.makeMessage("user", {
        content: blocks(message.content).map(toPart),
        options: rest(message, ["role", "content"])
      })
    case "assistant": {
      const calls = message.tool_calls ?? []
      for (const call of calls) toolNames.set(call.id, call.function.name)
      if (message.parts !== undefined) {
        for (const part of message.parts) {
          if (part.type === "tool-call") toolNames.set(part.id, part.name)
        }
        return Prompt.makeMessage("assistant", {
          content: message.parts,
          options: rest(message, assistantFields)
        })
      }
      const content: Array<Prompt.AssistantMessagePart> = []
      if (message.reasoning_content) {
        content.push(Prompt.makePart("reasoning", { text: message.reasoning_content, options: {} }))
      }
      if (message.content !== undefined && message.content !== null) {
        content.push(...blocks(message.content).map(toPart))
      }
      content.push(...calls.map(toToolCall))
      return Prompt.makeMessage("assistant", {
        content,
        options: rest(message, assistantFields)
      })
    }
    case "tool":
      return Prompt.makeMessage("tool", {
        content: [
          Prompt.makePart("tool-result", {
            id: message.tool_call_id,
            name: toolNames.get(message.tool_call_id) ?? "",
            isFailure: message.is_error ?? false,
            result:
              typeof message.content === "string" ? message.content : plainText(message.content),
            providerExecuted: false,
            options: {}
          })
        ],
        options: rest(message, [
          "role",
          "tool_call_id",
          "is_error",
          ...(typeof message.content === "string" ? ["content"] : [])
        ])
      })
  }
}

const assistantFields = ["role", "content", "tool_calls", "reasoning_content", "parts"]

const blocks = (content: string | ReadonlyArray<ContentBlock>): ReadonlyArray<ContentBlock> =>
  typeof content === "string" ? [{ type: "text", text: content }] : content

const plainText = (content: ReadonlyArray<ContentBlock>): string =>
  content
    .map((block) => (ChatMessageModule.isText(block) ? block.text : ""))
    .filter((text) => text !== "")
    .join("\n")

const toToolCall = ({
  function: called,
  id
}: ChatMessageModule.ToolCallEntry): Prompt.ToolCallPart =>
  toolCallPart({ id, name: called.name, arguments: called.arguments })

/**
 * The part of a prompt that a tool call is.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toolCallPart = ({ arguments: source = "", id, name }: ToolCall): Prompt.ToolCallPart =>
  Prompt.makePart("tool-call", {
    id,
    name,
    params: parsedOrText(source),
    providerExecuted: false,
    // The model's own spelling is sent back as it was: a re-written JSON text would miss the provider's prompt cache.
    options: { openai: { arguments: source } }
  })

const parsedOrText = (source: string): unknown => {
  try {
    return JSON.parse(source)
  } catch {
    return source
  }
}

const toPart = (block: ContentBlock): Prompt.TextPart | Prompt.FilePart => {
  if (ChatMessageModule.isText(block)) {
    return Prompt.makePart("text", { text: block.text, options: rest(block, ["type", "text"]) })
  }
  if (ChatMessageModule.isImage(block)) {
    const { url, detail } = block.image_url
    return filePart(url, "image/*", detail === undefined ? {} : { openai: { detail } })
  }
  if (ChatMessageModule.isAudio(block)) {
    return Prompt.makePart("file", {
      mediaType: `audio/${block.input_audio.format}`,
      data: block.input_audio.data,
      options: {}
    })
  }
  if (ChatMessageModule.isFile(block)) {
    const { file_data: data, file_id: id, file_url: url, filename, format } = block.file
    const part = filePart(
      data ?? url ?? "",
      format ?? "application/octet-stream",
      id === undefined ? {} : { openai: { file_id: id } }
    )
    return filename === undefined ? part : Prompt.makePart("file", { ...part, fileName: filename })
  }
  // A vendor's own block: carried whole, and written back by providers that speak the same format.
  return Prompt.makePart("file", {
    mediaType: "application/octet-stream",
    data: "",
    options: { openai: { block: block as unknown as { [key: string]: Json } } }
  })
}

const dataUrl = /^data:([^;,]*)(?:;[^,]*)?;base64,/i

const filePart = (source: string, mediaType: string, options: Options): Prompt.FilePart => {
  const inline = dataUrl.exec(source)
  if (inline !== null) {
    return Prompt.makePart("file", {
      mediaType: inline[1] === "" || inline[1] === undefined ? mediaType : inline[1],
      data: source.slice(inline[0].length),
      options
    })
  }
  const url = URL.parse(source)
  return Prompt.makePart("file", { mediaType, data: url ?? source, options })
}
