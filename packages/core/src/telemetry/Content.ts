/**
 * What was asked and answered, in the form that OpenTelemetry's conventions have for it.
 *
 * It is recorded only where `CaptureContent` says so: prompts and answers may hold what must not leave the program. Files are
 * told by their media type alone.
 *
 * **Source**: OpenTelemetry semantic conventions 1.41, JSON schemas of `gen_ai.input.messages` and `gen_ai.output.messages`.
 *
 * @since 0.1.0
 */
import type * as Prompt from "effect/ai/Prompt"
import * as Context from "effect/Context"
import { formatJson } from "effect/Formatter"

import type { Choice, GenerateRequest } from "../operation/Generate.ts"

/**
 * Whether spans of generations carry the prompt, the answer and the provider's words for a failure. Default: they do not.
 *
 * @category references
 * @since 0.1.0
 */
export const CaptureContent = Context.Reference<boolean>(
  "@infermesh/core/telemetry/CaptureContent",
  { defaultValue: () => false }
)

/**
 * The messages that were sent, as JSON text.
 *
 * @category conversions
 * @since 0.1.0
 */
export const input = ({ prompt, responsesInput }: GenerateRequest): string =>
  responsesInput === undefined
    ? formatJson(
        prompt.content.map((message) => ({
          role: message.role,
          parts: message.role === "system" ? [text(message.content)] : message.content.map(part)
        }))
      )
    : // It is in the provider's own form already.
      formatJson({ instructions: responsesInput.instructions, input: responsesInput.input })

/**
 * The answers, as JSON text.
 *
 * @category conversions
 * @since 0.1.0
 */
export const output = (choices: ReadonlyArray<Choice>): string =>
  formatJson(
    choices.map((choice) => ({
      role: "assistant",
      parts: [
        ...(choice.reasoning === undefined ? [] : [reasoning(choice.reasoning)]),
        ...(choice.text === "" ? [] : [text(choice.text)]),
        ...(choice.refusal === undefined ? [] : [text(choice.refusal)]),
        ...choice.toolCalls.map((call) => ({ type: "tool_call", ...call }))
      ],
      finish_reason: choice.finishReason
    }))
  )

const text = (content: string) => ({ type: "text", content })

const reasoning = (content: string) => ({ type: "reasoning", content })

const part = (one: Prompt.Part) => {
  switch (one.type) {
    case "text":
      return text(one.text)
    case "reasoning":
      return reasoning(one.text)
    case "file":
      return { type: "file", mime_type: one.mediaType }
    case "tool-call":
      return { type: "tool_call", id: one.id, name: one.name, arguments: one.params }
    case "tool-result":
      return { type: "tool_call_response", id: one.id, response: one.result }
    default:
      return { type: one.type }
  }
}
