/**
 * OpenAI-style chat messages, and their conversion to the `Prompt` of `effect/ai` that everything inside works on.
 *
 * The conversion happens once, at the edge, and loses nothing: what a `Prompt` has no field for travels in the `options` of
 * the message or part, under the key `openai`. It is not a wire format; the provider packages write those.
 *
 * @since 0.1.0
 */
import * as Prompt from "effect/ai/Prompt"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

import { InvalidInput } from "../Reason.ts"
import { firstIssue } from "./Issue.ts"
import type { ToolCall } from "./ToolCall.ts"

const TextBlock = Schema.Struct({ type: Schema.Literal("text"), text: Schema.String })

const ImageBlock = Schema.Struct({
  type: Schema.Literal("image_url"),
  image_url: Schema.Struct({ url: Schema.NonEmptyString, detail: Schema.optional(Schema.String) })
})

const AudioBlock = Schema.Struct({
  type: Schema.Literal("input_audio"),
  input_audio: Schema.Struct({ data: Schema.String, format: Schema.String })
})

const FileBlock = Schema.Struct({
  type: Schema.Literal("file"),
  file: Schema.Struct({
    filename: Schema.optional(Schema.String),
    file_data: Schema.optional(Schema.String),
    file_id: Schema.optional(Schema.String)
  })
})

/** Blocks of vendors' own types (`video_url`, …) pass through to a provider that speaks the same format. */
const OtherBlock = Schema.StructWithRest(
  Schema.Struct({
    type: Schema.String.check(
      Schema.makeFilter((type) => !["text", "image_url", "input_audio", "file"].includes(type))
    )
  }),
  [Schema.Record(Schema.String, Schema.Json)]
)

/**
 * One block of a message's content.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ContentBlock = Schema.Union([TextBlock, ImageBlock, AudioBlock, FileBlock, OtherBlock])

/**
 * One block of a message's content.
 *
 * @category models
 * @since 0.1.0
 */
export type ContentBlock = typeof ContentBlock.Type

const Content = Schema.Union([Schema.String, Schema.Array(ContentBlock)])

const ToolCallEntry = Schema.Struct({
  id: Schema.String,
  type: Schema.optional(Schema.Literal("function")),
  function: Schema.Struct({ name: Schema.String, arguments: Schema.optional(Schema.String) })
})

/** An assistant that neither said nor called anything has not answered. */
const saysSomething = Schema.makeFilter<{
  readonly content?: unknown
  readonly refusal?: unknown
  readonly tool_calls?: unknown
  readonly parts?: unknown
}>(({ content, parts, refusal, tool_calls: calls }) =>
  [content, refusal, calls, parts].some((field) => field !== undefined && field !== null)
    ? undefined
    : "it has neither content nor tool_calls"
)

/**
 * One chat message, as OpenAI-compatible APIs write it.
 *
 * **Details**: an assistant message may lack `content` when it has `tool_calls`. Two fields are ours: `parts`, the answer as
 * `nextTurn` keeps it for the provider that gave it (it counts instead of the other fields), and `is_error` of a tool's result.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ChatMessage = Schema.Union([
  Schema.Struct({
    role: Schema.Literals(["system", "developer"]),
    content: Content,
    name: Schema.optional(Schema.String)
  }),
  Schema.Struct({
    role: Schema.Literal("user"),
    content: Content,
    name: Schema.optional(Schema.String)
  }),
  Schema.Struct({
    role: Schema.Literal("assistant"),
    content: Schema.optional(Schema.NullOr(Content)),
    name: Schema.optional(Schema.String),
    refusal: Schema.optional(Schema.NullOr(Schema.String)),
    reasoning_content: Schema.optional(Schema.NullOr(Schema.String)),
    tool_calls: Schema.optional(Schema.Array(ToolCallEntry)),
    parts: Schema.optional(Schema.Array(Schema.toType(Prompt.AssistantMessagePart)))
  }).check(saysSomething),
  Schema.Struct({
    role: Schema.Literal("tool"),
    content: Content,
    tool_call_id: Schema.String,
    is_error: Schema.optional(Schema.Boolean)
  })
])

/**
 * One chat message, as OpenAI-compatible APIs write it.
 *
 * @category models
 * @since 0.1.0
 */
export type ChatMessage = typeof ChatMessage.Type

const checkMessages = Schema.decodeUnknownResult(Schema.Array(ChatMessage))

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
  const role = unknownRole(messages)
  if (role !== undefined) return Result.fail(role)
  const checked = checkMessages(messages)
  if (Result.isFailure(checked)) {
    const issue = firstIssue(checked.failure.issue)
    return Result.fail(
      new InvalidInput({
        input: `messages${issue.path}`,
        problem: issue.problem,
        hint: "A message is { role, content } with text or a list of content blocks"
      })
    )
  }
  const toolNames = new Map<string, string>()
  // The messages as given, not the decoded ones: those have lost the fields that no schema names.
  const given = messages as ReadonlyArray<ChatMessage>
  return Result.succeed(
    Prompt.fromMessages(given.map((message) => toPromptMessage(message, toolNames)))
  )
}

const roles = ["system", "developer", "user", "assistant", "tool"]

/** Named apart, because a union's own message would list every shape of every role. */
const unknownRole = (messages: ReadonlyArray<unknown>): InvalidInput | undefined => {
  const index = messages.findIndex(
    (message) =>
      !roles.includes((message as { readonly role?: string } | null | undefined)?.role ?? "")
  )
  if (index === -1) return undefined
  const message = messages[index]
  const isMessage = typeof message === "object" && message !== null
  return new InvalidInput({
    input: isMessage ? `messages[${index}].role` : `messages[${index}]`,
    problem: isMessage
      ? `unknown role ${JSON.stringify((message as { readonly role?: unknown }).role) ?? "(none)"}`
      : "not a message object",
    hint: `Roles are ${roles.join(", ")}`
  })
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

const blocks = (content: typeof Content.Type): ReadonlyArray<ContentBlock> =>
  typeof content === "string" ? [{ type: "text", text: content }] : content

const plainText = (content: ReadonlyArray<ContentBlock>): string =>
  content
    .map((block) => (isText(block) ? block.text : ""))
    .filter((text) => text !== "")
    .join("\n")

const isText = (block: ContentBlock): block is typeof TextBlock.Type => block.type === "text"
const isImage = (block: ContentBlock): block is typeof ImageBlock.Type => block.type === "image_url"
const isAudio = (block: ContentBlock): block is typeof AudioBlock.Type =>
  block.type === "input_audio"
const isFile = (block: ContentBlock): block is typeof FileBlock.Type => block.type === "file"

const toToolCall = ({ function: called, id }: typeof ToolCallEntry.Type): Prompt.ToolCallPart =>
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
  if (isText(block)) {
    return Prompt.makePart("text", { text: block.text, options: rest(block, ["type", "text"]) })
  }
  if (isImage(block)) {
    const { url, detail } = block.image_url
    return filePart(url, "image/*", detail === undefined ? {} : { openai: { detail } })
  }
  if (isAudio(block)) {
    return Prompt.makePart("file", {
      mediaType: `audio/${block.input_audio.format}`,
      data: block.input_audio.data,
      options: {}
    })
  }
  if (isFile(block)) {
    const { file_data: data, file_id: id, filename } = block.file
    const part = filePart(
      data ?? "",
      "application/octet-stream",
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
