/**
 * A response object and its items as JSON.
 *
 * **Source**: recorded responses of the API (keys and their order).
 *
 * @since 0.1.0
 */
import type { Body } from "./OpenAiResponsesBody.ts"
import type { OutputItem } from "./OpenAiResponsesOutput.ts"
import type { ResponsesRequest } from "./OpenAiResponsesRequest.ts"
import type { AnswerContext } from "./WireFormat.ts"

/**
 * What changes in a response object while the response is made.
 *
 * @category models
 * @since 0.1.0
 */
export interface Envelope {
  readonly status: "in_progress" | "completed" | "incomplete" | "failed"
  readonly incomplete?: string | undefined
  readonly error?: { readonly code: string; readonly message: string }
  readonly output: ReadonlyArray<object>
  readonly usage?: object
  /** Whether the payer is named, as in responses that are not streamed. */
  readonly billing?: boolean
}

/**
 * The response object.
 *
 * @category encoding
 * @since 0.1.0
 */
export const envelope = (
  { body, effort }: ResponsesRequest,
  context: AnswerContext,
  state: Envelope
): object => ({
  id: `resp_${context.id}`,
  object: "response",
  created_at: context.createdSeconds,
  status: state.status,
  background: body["background"] ?? false,
  ...(state.billing === true && { billing: { payer: "developer" } }),
  error: state.error ?? null,
  incomplete_details: state.incomplete === undefined ? null : { reason: state.incomplete },
  instructions: body.instructions ?? null,
  max_output_tokens: body.max_output_tokens ?? null,
  max_tool_calls: body["max_tool_calls"] ?? null,
  model: body.model,
  output: state.output,
  parallel_tool_calls: body.parallel_tool_calls ?? true,
  previous_response_id: body.previous_response_id ?? null,
  prompt_cache_key: body["prompt_cache_key"] ?? null,
  prompt_cache_retention: body["prompt_cache_retention"] ?? null,
  reasoning: { effort: effort ?? null, summary: body.reasoning?.summary ?? null },
  safety_identifier: body["safety_identifier"] ?? null,
  // Which tier it was is known in the end.
  service_tier: state.status === "in_progress" ? (body["service_tier"] ?? "auto") : "default",
  store: body["store"] ?? true,
  temperature: body["temperature"] ?? 1,
  text: { format: formatOf(body), verbosity: body.text?.verbosity ?? "medium" },
  tool_choice: body.tool_choice ?? "auto",
  tools: (body.tools ?? []).map((tool) =>
    tool.type === "function"
      ? Object.assign({ type: tool.type }, tool, { strict: tool.strict ?? true })
      : tool
  ),
  top_logprobs: body["top_logprobs"] ?? 0,
  top_p: body["top_p"] ?? 1,
  truncation: body.truncation ?? "disabled",
  usage: state.usage ?? null,
  user: body["user"] ?? null,
  metadata: body["metadata"] ?? {}
})

const formatOf = ({ text }: Body): object => {
  const format = text?.format
  if (format?.type !== "json_schema") return { type: format?.type ?? "text" }
  return {
    type: format.type,
    description: format.description ?? null,
    name: format.name,
    schema: format.schema,
    strict: format.strict ?? false
  }
}

/**
 * An item of the output; as it begins, empty, where `begun` is set.
 *
 * @category encoding
 * @since 0.1.0
 */
export const writeItem = (item: OutputItem, begun = false): object => {
  switch (item.type) {
    case "reasoning":
      return {
        id: item.id,
        type: item.type,
        ...(item.encryptedContent !== undefined && { encrypted_content: item.encryptedContent }),
        summary:
          begun || item.summary === undefined ? [] : [{ type: "summary_text", text: item.summary }]
      }
    case "message":
      return {
        id: item.id,
        type: item.type,
        status: statusOf(item.complete, begun),
        content: begun ? [] : [writePart(item.kind, item.text)],
        role: "assistant"
      }
    case "call": {
      const { input, kind, letters, name } = item.call
      const custom = kind === "custom"
      return {
        id: item.id,
        type: custom ? "custom_tool_call" : "function_call",
        status: statusOf(item.complete, begun),
        [custom ? "input" : "arguments"]: begun ? "" : input,
        call_id: `call_${letters}`,
        name
      }
    }
  }
}

const statusOf = (complete: boolean, begun: boolean): string =>
  begun ? "in_progress" : complete ? "completed" : "incomplete"

/**
 * A part of a message.
 *
 * @category encoding
 * @since 0.1.0
 */
export const writePart = (kind: "output_text" | "refusal", text: string): object =>
  kind === "refusal"
    ? { type: kind, refusal: text }
    : { type: kind, annotations: [], logprobs: [], text }
