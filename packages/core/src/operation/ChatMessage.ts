/**
 * OpenAI-style chat messages: what they may be, and what is wrong with one that cannot be.
 *
 * Fields that nothing here names are kept and sent on. How messages become a `Prompt` is in `Message`.
 *
 * @since 0.1.0
 */
import * as Prompt from "effect/ai/Prompt"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

import { InvalidInput } from "../Reason.ts"
import { firstIssue } from "./Issue.ts"

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
    file_id: Schema.optional(Schema.String),
    // Ours: where the file is, and its media type where nothing else tells it.
    file_url: Schema.optional(Schema.String),
    format: Schema.optional(Schema.String)
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

/**
 * A call in an assistant's message.
 *
 * @category models
 * @since 0.1.0
 */
export type ToolCallEntry = typeof ToolCallEntry.Type

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

const System = Schema.Struct({
  role: Schema.Literals(["system", "developer"]),
  content: Content,
  name: Schema.optional(Schema.String)
})

const User = Schema.Struct({
  role: Schema.Literal("user"),
  content: Content,
  name: Schema.optional(Schema.String)
})

const Assistant = Schema.Struct({
  role: Schema.Literal("assistant"),
  content: Schema.optional(Schema.NullOr(Content)),
  name: Schema.optional(Schema.String),
  refusal: Schema.optional(Schema.NullOr(Schema.String)),
  reasoning_content: Schema.optional(Schema.NullOr(Schema.String)),
  tool_calls: Schema.optional(Schema.Array(ToolCallEntry)),
  parts: Schema.optional(Schema.Array(Schema.toType(Prompt.AssistantMessagePart)))
}).check(saysSomething)

const Tool = Schema.Struct({
  role: Schema.Literal("tool"),
  content: Content,
  tool_call_id: Schema.String,
  is_error: Schema.optional(Schema.Boolean)
})

/**
 * One chat message, as OpenAI-compatible APIs write it.
 *
 * **Details**: an assistant message may lack `content` when it has `tool_calls`. Two fields are ours: `parts`, the answer as
 * `nextTurn` keeps it for the provider that gave it (it counts instead of the other fields), and `is_error` of a tool's result.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ChatMessage = Schema.Union([System, User, Assistant, Tool])

/**
 * One chat message, as OpenAI-compatible APIs write it.
 *
 * @category models
 * @since 0.1.0
 */
export type ChatMessage = typeof ChatMessage.Type

type Check = (value: unknown) => Result.Result<unknown, Schema.SchemaError>

/** By role and, for blocks, by type: a union's own message would list every shape of every role. */
const byRole: { readonly [role: string]: Check } = {
  system: Schema.decodeUnknownResult(System),
  developer: Schema.decodeUnknownResult(System),
  user: Schema.decodeUnknownResult(User),
  assistant: Schema.decodeUnknownResult(Assistant),
  tool: Schema.decodeUnknownResult(Tool)
}

const byType: { readonly [type: string]: Check } = {
  text: Schema.decodeUnknownResult(TextBlock),
  image_url: Schema.decodeUnknownResult(ImageBlock),
  input_audio: Schema.decodeUnknownResult(AudioBlock),
  file: Schema.decodeUnknownResult(FileBlock)
}

const otherBlock = Schema.decodeUnknownResult(OtherBlock)

/**
 * The first thing wrong with a list of messages, and where; `undefined` when nothing is.
 *
 * @category guards
 * @since 0.1.0
 */
export const fault = (messages: ReadonlyArray<unknown>): InvalidInput | undefined => {
  for (const [index, message] of messages.entries()) {
    const wrong = messageFault(message, `messages[${index}]`)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

const messageFault = (message: unknown, at: string): InvalidInput | undefined => {
  const isMessage = typeof message === "object" && message !== null
  const role = isMessage && "role" in message ? message.role : undefined
  const check = typeof role === "string" && Object.hasOwn(byRole, role) ? byRole[role] : undefined
  if (check === undefined) {
    return new InvalidInput({
      input: isMessage ? `${at}.role` : at,
      problem: isMessage
        ? `unknown role ${JSON.stringify(role) ?? "(none)"}`
        : "not a message object",
      hint: `Roles are ${Object.keys(byRole).join(", ")}`
    })
  }
  const decoded = check(message)
  if (Result.isSuccess(decoded)) return undefined
  const content = (message as { readonly content?: unknown }).content
  const inBlocks = Array.isArray(content) ? blocksFault(content, `${at}.content`) : undefined
  if (inBlocks !== undefined) return inBlocks
  const issue = firstIssue(decoded.failure.issue)
  return new InvalidInput({
    input: `${at}${issue.path}`,
    problem: issue.problem,
    hint: "A message is { role, content } with text or a list of content blocks"
  })
}

const blocksFault = (blocks: ReadonlyArray<unknown>, at: string): InvalidInput | undefined => {
  for (const [index, block] of blocks.entries()) {
    const type = (block as { readonly type?: unknown } | null | undefined)?.type
    const known = typeof type === "string" && Object.hasOwn(byType, type) ? byType[type] : undefined
    const decoded = (known ?? otherBlock)(block)
    if (Result.isSuccess(decoded)) continue
    const issue = firstIssue(decoded.failure.issue)
    return new InvalidInput({
      input: `${at}[${index}]${issue.path}`,
      problem: issue.problem,
      hint: `A block has a type, such as ${Object.keys(byType).join(", ")}, and what belongs to it`
    })
  }
  return undefined
}

/**
 * Whether a block is a text.
 *
 * @category guards
 * @since 0.1.0
 */
export const isText = (block: ContentBlock): block is typeof TextBlock.Type => block.type === "text"

/**
 * Whether a block is an image.
 *
 * @category guards
 * @since 0.1.0
 */
export const isImage = (block: ContentBlock): block is typeof ImageBlock.Type =>
  block.type === "image_url"

/**
 * Whether a block is a sound.
 *
 * @category guards
 * @since 0.1.0
 */
export const isAudio = (block: ContentBlock): block is typeof AudioBlock.Type =>
  block.type === "input_audio"

/**
 * Whether a block is a file.
 *
 * @category guards
 * @since 0.1.0
 */
export const isFile = (block: ContentBlock): block is typeof FileBlock.Type => block.type === "file"
