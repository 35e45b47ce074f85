/**
 * The events of a streamed response, numbered from zero.
 *
 * **Source**: OpenAI API reference, "Streaming events", and recorded streams of the API (keys, their order, `obfuscation` in
 * the deltas).
 *
 * @since 0.1.0
 */
import type { Envelope } from "./OpenAiResponsesJson.ts"
import { writeItem, writePart } from "./OpenAiResponsesJson.ts"
import type { OutputItem } from "./OpenAiResponsesOutput.ts"
import type { ResponsesRequest } from "./OpenAiResponsesRequest.ts"
import { pieces } from "./TokenCount.ts"
import type { WireError } from "./Vendor.ts"
import type { AnswerContext } from "./WireFormat.ts"

type Write = (state: Envelope) => object

const begun: Envelope = { status: "in_progress", output: [] }

/**
 * All events of a response that ends as it should.
 *
 * @category encoding
 * @since 0.1.0
 */
export const make = (
  request: ResponsesRequest,
  context: AnswerContext,
  items: ReadonlyArray<OutputItem>,
  write: Write,
  ended: Envelope
): ReadonlyArray<string> => {
  const events: Array<string> = []
  const emit: Emit = (type, fields) => {
    events.push(event(type, events.length, fields))
  }
  const padding = context.draw("obfuscation", 0)
  const obfuscation = () =>
    request.includeObfuscation ? { obfuscation: padding.letters(padding.between(2, 16)) } : {}
  emit("response.created", { response: write(begun) })
  emit("response.in_progress", { response: write(begun) })
  for (const [index, item] of items.entries()) {
    emit("response.output_item.added", { output_index: index, item: writeItem(item, true) })
    writers[item.type](item as never, { item_id: item.id, output_index: index }, emit, obfuscation)
    emit("response.output_item.done", { output_index: index, item: writeItem(item) })
  }
  emit(`response.${ended.status}`, { response: write(ended) })
  return events
}

/**
 * The events that follow after so many others, when the server fails then.
 *
 * @category encoding
 * @since 0.1.0
 */
export const failure = (
  { code, message, param, type }: WireError,
  sent: number,
  write: Write
): ReadonlyArray<string> => {
  const error = { code: code ?? type, message }
  return [
    event("error", sent, { error: { type, ...error, param } }),
    event("response.failed", sent + 1, { response: write({ status: "failed", output: [], error }) })
  ]
}

const event = (type: string, number: number, fields: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: number, ...fields })}\n\n`

type Emit = (type: string, fields: object) => void
type Writer<T extends OutputItem["type"]> = (
  item: Extract<OutputItem, { readonly type: T }>,
  at: { readonly item_id: string; readonly output_index: number },
  emit: Emit,
  obfuscation: () => object
) => void

const writers: { readonly [T in OutputItem["type"]]: Writer<T> } = {
  reasoning: ({ summary }, at, emit, obfuscation) => {
    if (summary === undefined) return
    const position = { ...at, summary_index: 0 }
    const part = (text: string) => ({ ...position, part: { type: "summary_text", text } })
    emit("response.reasoning_summary_part.added", part(""))
    for (const delta of pieces(summary)) {
      emit("response.reasoning_summary_text.delta", { ...position, delta, ...obfuscation() })
    }
    emit("response.reasoning_summary_text.done", { ...position, text: summary })
    emit("response.reasoning_summary_part.done", part(summary))
  },
  message: ({ kind, text }, at, emit, obfuscation) => {
    const position = { ...at, content_index: 0 }
    // Only text has log probabilities.
    const logprobs = kind === "output_text" ? { logprobs: [] } : {}
    emit("response.content_part.added", { ...position, part: writePart(kind, "") })
    for (const delta of pieces(text)) {
      emit(`response.${kind}.delta`, { ...position, delta, ...logprobs, ...obfuscation() })
    }
    const said = kind === "output_text" ? { text } : { refusal: text }
    emit(`response.${kind}.done`, { ...position, ...said, ...logprobs })
    emit("response.content_part.done", { ...position, part: writePart(kind, text) })
  },
  call: ({ call }, at, emit, obfuscation) => {
    const custom = call.kind === "custom"
    const name = custom ? "response.custom_tool_call_input" : "response.function_call_arguments"
    for (const delta of pieces(call.input))
      emit(`${name}.delta`, { ...at, delta, ...obfuscation() })
    emit(`${name}.done`, { ...at, [custom ? "input" : "arguments"]: call.input })
  }
}
