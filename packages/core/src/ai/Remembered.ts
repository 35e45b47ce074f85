/**
 * The parts of a streamed answer, remembered in the prompt of an `effect/ai` program until the next turn.
 *
 * `effect/ai` puts an answer's message together from what was streamed, and has no place for what came beside the texts:
 * several blocks of reasoning, each with its signature, blocks without any text, and their order. So the answer's own `content`
 * travels as metadata of one of its parts, and takes the place of those parts when the prompt comes back.
 *
 * @since 0.1.0
 */
import * as Prompt from "effect/ai/Prompt"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

import type { Choice } from "../operation/Generate.ts"

const key = "infermesh"

/**
 * The metadata that remembers an answer; `undefined` where its texts and calls say all.
 *
 * @category constructors
 * @since 0.1.0
 */
export const metadata = ({ content }: Choice): Prompt.ProviderOptions | undefined =>
  content === undefined || !content.some(isMore)
    ? undefined
    : // Parts are plain data; what has no JSON in them (undefined) says nothing.
      { [key]: { content: JSON.parse(JSON.stringify(content)) as Schema.Json } }

const isMore = (part: Prompt.AssistantMessagePart): boolean =>
  part.type === "file" || ("options" in part && Object.keys(part.options).length > 0)

/**
 * A prompt with the answers in it as they were given.
 *
 * @category conversions
 * @since 0.1.0
 */
export const restored = (prompt: Prompt.Prompt): Prompt.Prompt =>
  prompt.content.some((message) => rememberedIn(message) !== undefined)
    ? Prompt.fromMessages(prompt.content.map(restore))
    : prompt

const restore = (message: Prompt.Message): Prompt.Message => {
  const content = rememberedIn(message)
  if (message.role !== "assistant" || content === undefined) return message
  // What `effect/ai` itself put beside the answer stays.
  const others = message.content.filter(
    ({ type }) => type === "tool-result" || type === "tool-approval-request"
  )
  return Prompt.makeMessage("assistant", {
    content: [...content, ...others],
    options: message.options
  })
}

const read = Schema.decodeUnknownResult(Schema.Array(Schema.toType(Prompt.AssistantMessagePart)))

const rememberedIn = (
  message: Prompt.Message
): ReadonlyArray<Prompt.AssistantMessagePart> | undefined => {
  if (message.role !== "assistant") return undefined
  for (const part of message.content) {
    const ours = "options" in part ? part.options[key] : undefined
    if (typeof ours !== "object" || ours === null || !("content" in ours)) continue
    const content = read(ours["content"])
    if (Result.isSuccess(content)) return content.success
  }
  return undefined
}
