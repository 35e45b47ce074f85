/**
 * What the fields of a chat completions request have to do with one another, with the prompt's size and with the model.
 *
 * **Source**: OpenAI API reference and its error responses (read November 2026).
 *
 * @since 0.1.0
 */
import { isObject } from "./FieldCheck.ts"
import type { Body, Message, Tool } from "./OpenAiChatFields.ts"
import { invalid } from "./OpenAiError.ts"
import * as OpenAiStrictSchema from "./OpenAiStrictSchema.ts"
import type { WireError } from "./Vendor.ts"
import type { ModelLimits } from "./WireFormat.ts"

/**
 * The first rule a request breaks, or `undefined`.
 *
 * **Details**: `json` is the same body with all its fields; `promptTokens` its size.
 *
 * @category guards
 * @since 0.1.0
 */
export const firstBroken = (
  request: Body,
  json: { readonly [name: string]: unknown },
  promptTokens: number,
  limits: ModelLimits
): WireError | undefined =>
  combination(request, json) ??
  dialogue(request.messages) ??
  strictness(request) ??
  size(request, promptTokens, limits)

/**
 * The name of the tool that `tool_choice` demands, if it names one.
 *
 * @category getters
 * @since 0.1.0
 */
export const chosenName = (choice: Body["tool_choice"]): string | undefined =>
  isObject(choice) ? (choice.function?.name ?? choice.custom?.name) : undefined

/**
 * The name of a tool of either kind.
 *
 * @category getters
 * @since 0.1.0
 */
export const toolName = (tool: Tool): string => (tool.function ?? tool.custom)?.name ?? ""

const combination = (
  request: Body,
  json: { readonly [name: string]: unknown }
): WireError | undefined => {
  if (request.tools === undefined) {
    for (const field of ["tool_choice", "parallel_tool_calls"]) {
      if (json[field] !== undefined) {
        return invalid(
          `Invalid value for '${field}': '${field}' is only allowed when 'tools' are specified.`,
          field
        )
      }
    }
  }
  if (request.stream_options != null && request.stream !== true) {
    return invalid(
      "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
      "stream_options"
    )
  }
  if (request.top_logprobs != null && request.logprobs !== true) {
    return invalid(
      "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
      "top_logprobs"
    )
  }
  if (request.max_tokens != null && request.max_completion_tokens != null) {
    return invalid(
      "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
      "max_tokens"
    )
  }
  const named = chosenName(request.tool_choice)
  if (named !== undefined && request.tools?.some((tool) => toolName(tool) === named) !== true) {
    return invalid(`Tool choice '${named}' not found in 'tools' parameter.`, "tool_choice")
  }
  if (
    request.response_format?.type === "json_object" &&
    !/json/i.test(JSON.stringify(request.messages))
  ) {
    return invalid(
      "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
      "messages"
    )
  }
  return undefined
}

/** Every tool message answers a call of the assistant message before it, and every call is answered. */
const dialogue = (messages: ReadonlyArray<Message>): WireError | undefined => {
  let open: Array<string> = []
  for (const [index, { role, tool_call_id, tool_calls }] of messages.entries()) {
    if (role === "tool") {
      if (tool_call_id === undefined || !open.includes(tool_call_id)) {
        return invalid(
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
          `messages.[${index}].role`
        )
      }
      open = open.filter((id) => id !== tool_call_id)
      continue
    }
    if (open.length > 0) return unanswered(open, index)
    open = (tool_calls ?? []).map((call) => call.id)
  }
  return open.length > 0 ? unanswered(open, messages.length) : undefined
}

const unanswered = (ids: ReadonlyArray<string>, index: number): WireError =>
  invalid(
    `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${ids.join(", ")}`,
    `messages.[${index}].role`
  )

const strictness = (request: Body): WireError | undefined => {
  const format = request.response_format?.json_schema
  if (format?.strict === true) {
    const problem = OpenAiStrictSchema.problem(format.schema)
    if (problem !== undefined) {
      const message = `Invalid schema for response_format '${format.name}': ${problem}`
      return invalid(message, "response_format")
    }
  }
  for (const [index, { function: tool }] of (request.tools ?? []).entries()) {
    if (tool?.strict !== true) continue
    const problem = OpenAiStrictSchema.problem(tool.parameters)
    if (problem !== undefined) {
      return invalid(
        `Invalid schema for function '${tool.name}': ${problem}`,
        `tools[${index}].function.parameters`,
        "invalid_function_parameters"
      )
    }
  }
  return undefined
}

const size = (request: Body, promptTokens: number, limits: ModelLimits): WireError | undefined => {
  const field = request.max_completion_tokens == null ? "max_tokens" : "max_completion_tokens"
  const asked = request[field] ?? undefined
  const { contextWindow, maxOutputTokens } = limits
  if (asked !== undefined && maxOutputTokens !== undefined && asked > maxOutputTokens) {
    return invalid(
      `${field} is too large: ${asked}. This model supports at most ${maxOutputTokens} completion tokens, whereas you provided ${asked}.`,
      field,
      "invalid_value"
    )
  }
  // Without a limit asked for, the prompt has to leave room for one token.
  const needed = promptTokens + (asked ?? 1)
  if (contextWindow === undefined || needed <= contextWindow) return undefined
  const what =
    asked === undefined
      ? `your messages resulted in ${promptTokens} tokens. Please reduce the length of the messages.`
      : `you requested ${needed} tokens (${promptTokens} in the messages, ${asked} in the completion). Please reduce the length of the messages or completion.`
  return invalid(
    `This model's maximum context length is ${contextWindow} tokens. However, ${what}`,
    "messages",
    "context_length_exceeded"
  )
}
