/**
 * What the fields of a request to the Messages API have to do with one another, with its size and with the model.
 *
 * **Source**: Claude documentation, "Messages", "Tool use", "Extended thinking", "Structured outputs" (read November 2026),
 * and error bodies of the API.
 *
 * @since 0.1.0
 */
import { invalid } from "./AnthropicError.ts"
import type { Block, Body, Message } from "./AnthropicFields.ts"
import * as AnthropicSchema from "./AnthropicSchema.ts"
import type { WireError } from "./Vendor.ts"
import type { ModelLimits } from "./WireFormat.ts"

/**
 * The first rule a request breaks, or `undefined`.
 *
 * @category guards
 * @since 0.1.0
 */
export const firstBroken = (
  body: Body,
  inputTokens: number,
  limits: ModelLimits
): WireError | undefined => {
  const message =
    dialogue(body.messages) ??
    results(body.messages) ??
    thinking(body) ??
    tools(body) ??
    schemas(body) ??
    size(body, inputTokens, limits)
  return message === undefined ? undefined : invalid(message)
}

const blocksOf = ({ content }: Message): ReadonlyArray<Block> =>
  typeof content === "string" ? [{ type: "text", text: content }] : content

const dialogue = (messages: ReadonlyArray<Message>): string | undefined => {
  const [first] = messages
  if (first === undefined) return "messages: at least one message is required"
  if (first.role !== "user") return 'messages: first message must use the "user" role'
  for (const [index, message] of messages.entries()) {
    const optional = index === messages.length - 1 && message.role === "assistant"
    if (message.content.length === 0 && !optional) {
      return `messages.${index}: all messages must have non-empty content except for the optional final assistant message`
    }
    for (const { text, type } of message.content === "" ? [] : blocksOf(message)) {
      if (type !== "text" || text === undefined) continue
      if (text === "") return "messages: text content blocks must be non-empty"
      if (text.trim() === "")
        return "messages: text content blocks must contain non-whitespace text"
    }
  }
  const last = messages.at(-1)
  const said = last?.role === "assistant" ? blocksOf(last).at(-1)?.text : undefined
  return said !== undefined && /\s$/.test(said)
    ? "messages: final assistant content cannot end with trailing whitespace"
    : undefined
}

/** Every result stands in the message after its call, and every call has its result there. */
const results = (messages: ReadonlyArray<Message>): string | undefined => {
  let open: ReadonlyArray<string> = []
  for (const [index, message] of messages.entries()) {
    const blocks = blocksOf(message)
    const ids = new Set<string>()
    for (const [position, { tool_use_id: id, type }] of blocks.entries()) {
      if (type !== "tool_result" || id === undefined) continue
      if (!open.includes(id)) {
        return `messages.${index}.content.${position}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`
      }
      ids.add(id)
    }
    const unanswered = open.filter((id) => !ids.has(id))
    if (unanswered.length > 0) return withoutResult(index - 1, unanswered)
    open = blocks.flatMap(({ id, type }) => (type === "tool_use" && id !== undefined ? [id] : []))
  }
  return open.length > 0 ? withoutResult(messages.length - 1, open) : undefined
}

const withoutResult = (index: number, ids: ReadonlyArray<string>): string =>
  `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${ids.join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`

const thinking = (body: Body): string | undefined => {
  const { thinking: thought } = body
  if (thought === undefined || thought.type === "disabled") return undefined
  if (thought.budget_tokens !== undefined && thought.budget_tokens >= body.max_tokens) {
    return "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size"
  }
  if (body.temperature != null && body.temperature !== 1) {
    return "`temperature` may only be set to 1 when thinking is enabled or in adaptive mode. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#important-considerations-when-using-extended-thinking"
  }
  const forced = body.tool_choice?.type === "any" || body.tool_choice?.type === "tool"
  return forced ? "Thinking may not be enabled when tool_choice forces tool use." : undefined
}

const tools = ({ tool_choice: choice, tools: list }: Body): string | undefined => {
  if (choice === undefined) return undefined
  if (list == null || list.length === 0) {
    return "tool_choice may only be specified while providing tools."
  }
  return choice.type === "tool" && !list.some(({ name }) => name === choice.name)
    ? `tool_choice.tool: Tool '${choice.name}' not found in provided tools`
    : undefined
}

const schemas = (body: Body): string | undefined => {
  const format = body.output_config?.format ?? body.output_format
  const problem = format == null ? undefined : AnthropicSchema.problem(format.schema)
  if (problem !== undefined) {
    const path = body.output_config?.format == null ? "output_format" : "output_config.format"
    return `${path}.schema: ${problem}`
  }
  for (const [index, { input_schema: schema, strict }] of (body.tools ?? []).entries()) {
    const wrong = strict === true ? AnthropicSchema.problem(schema) : undefined
    if (wrong !== undefined) return `tools.${index}.custom.input_schema: ${wrong}`
  }
  return undefined
}

const size = (body: Body, inputTokens: number, limits: ModelLimits): string | undefined => {
  const { contextWindow, maxOutputTokens } = limits
  const { max_tokens: asked, model } = body
  if (maxOutputTokens !== undefined && asked > maxOutputTokens) {
    return `max_tokens: ${asked} > ${maxOutputTokens}, which is the maximum allowed number of output tokens for ${model}`
  }
  return contextWindow !== undefined && inputTokens > contextWindow
    ? `prompt is too long: ${inputTokens} tokens > ${contextWindow} maximum`
    : undefined
}
