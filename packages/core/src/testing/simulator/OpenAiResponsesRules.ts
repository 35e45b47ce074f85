/**
 * What the fields of a request to the Responses API have to do with one another, with its size and with the model.
 *
 * **Source**: OpenAI API reference and its error responses (read November 2026).
 *
 * @since 0.1.0
 */
import { invalid } from "./OpenAiError.ts"
import { type Body, type Item, ownTools } from "./OpenAiResponsesBody.ts"
import * as OpenAiStrictSchema from "./OpenAiStrictSchema.ts"
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
): WireError | undefined =>
  combination(body) ?? dialogue(body) ?? strictness(body) ?? size(body, inputTokens, limits)

const combination = (body: Body): WireError | undefined => {
  const { previous_response_id: previous, text, tool_choice: choice } = body
  const sources = ["input", "previous_response_id", "prompt", "conversation"]
  if (sources.every((source) => body[source] == null)) {
    return invalid(
      "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must be provided.",
      "input",
      "missing_required_parameter"
    )
  }
  if (previous != null && !previous.startsWith("resp")) {
    return invalid(
      `Invalid 'previous_response_id': '${previous}'. Expected an ID that begins with 'resp'.`,
      "previous_response_id",
      "invalid_value"
    )
  }
  if (body.stream_options != null && body.stream !== true) {
    return invalid(
      "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
      "stream_options"
    )
  }
  const named = typeof choice === "string" ? undefined : choice?.name
  if (named !== undefined && !ownTools(body).some(({ name }) => name === named)) {
    return invalid(`Tool choice '${named}' not found in 'tools' parameter.`, "tool_choice")
  }
  if (
    text?.format?.type === "json_object" &&
    !/json/i.test(JSON.stringify([body.instructions, body.input]))
  ) {
    return invalid(
      "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
      "input"
    )
  }
  return undefined
}

/** Every result answers a call before it, and every call has its result; unless an earlier response holds the rest. */
const dialogue = ({ input, previous_response_id: previous }: Body): WireError | undefined => {
  if (typeof input === "string" || input === undefined || previous != null) return undefined
  const called = new Set<string>()
  const answered = new Set<string>()
  for (const { call_id: id, type } of input) {
    if (id === undefined) continue
    if (isCall(type)) called.add(id)
    else if (isResult(type) && !called.has(id)) return uncalled(type, id)
    else answered.add(id)
  }
  const open = [...called].find((id) => !answered.has(id))
  return open === undefined
    ? undefined
    : invalid(`No tool output found for function call ${open}.`, "input")
}

const isCall = (type: Item["type"]) => type === "function_call" || type === "custom_tool_call"
const isResult = (type: Item["type"]) =>
  type === "function_call_output" || type === "custom_tool_call_output"

const uncalled = (type: Item["type"], id: string): WireError =>
  invalid(
    `No tool call found for ${type === "function_call_output" ? "function" : "custom tool"} call output with call_id ${id}.`,
    "input"
  )

const strictness = (body: Body): WireError | undefined => {
  const format = body.text?.format
  if (format?.type === "json_schema" && format.strict === true) {
    const problem = OpenAiStrictSchema.problem(format.schema)
    if (problem !== undefined) {
      return invalid(
        `Invalid schema for response_format '${format.name}': ${problem}`,
        "text.format.schema",
        "invalid_json_schema"
      )
    }
  }
  for (const [index, { name, parameters, strict, type }] of (body.tools ?? []).entries()) {
    if (type !== "function" || strict !== true) continue
    const problem = OpenAiStrictSchema.problem(parameters)
    if (problem !== undefined) {
      return invalid(
        `Invalid schema for function '${name}': ${problem}`,
        `tools[${index}].parameters`,
        "invalid_function_parameters"
      )
    }
  }
  return undefined
}

const size = (body: Body, inputTokens: number, limits: ModelLimits): WireError | undefined => {
  const asked = body.max_output_tokens
  const { contextWindow, maxOutputTokens } = limits
  if (asked != null && maxOutputTokens !== undefined && asked > maxOutputTokens) {
    return invalid(
      `max_output_tokens is too large: ${asked}. This model supports at most ${maxOutputTokens} completion tokens, whereas you provided ${asked}.`,
      "max_output_tokens",
      "invalid_value"
    )
  }
  // The input has to leave room for one token; with truncation its beginning is dropped instead.
  const fits = contextWindow === undefined || inputTokens < contextWindow
  return fits || body.truncation === "auto"
    ? undefined
    : invalid(
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
        "input",
        "context_length_exceeded"
      )
}
