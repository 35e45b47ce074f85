/**
 * A streamed answer of OpenAI's Responses API: events to parts as they arrive, and to the response object that they end in.
 *
 * The last event holds that object whole, and the answer is read from it as from any other response (`ResponsesOutput`). Where
 * it comes without its items, those that the events before have built take their place.
 *
 * **Details**: a stream is one response; what follows its end is not read. Refusals and the provider's own items have no parts
 * and are in the answer.
 *
 * **Source**: OpenAI API reference, "Streaming events" of responses (read November 2026).
 *
 * @since 0.1.0
 */
import type { AttemptError, GenerationPart } from "@infermesh/core/provider/Provider"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

import type { Machine } from "../PartStream.ts"
import type { Json } from "../RequestBody.ts"
import { isRecord } from "../RequestBody.ts"
import * as ResponseBody from "../ResponseBody.ts"
import * as Fault from "./Fault.ts"
import * as ResponsesOutput from "./ResponsesOutput.ts"

// ---- stream events

/** An event: its type, and what events of that type have. */
const parseEvent = ResponseBody.reader(
  "event of a response",
  Schema.decodeUnknownResult(Schema.Record(Schema.String, Schema.Unknown))
)

const readResponse = Schema.decodeUnknownResult(ResponsesOutput.Body)

/**
 * An event whose response object is whole says all that it has to say: a server was recorded that leaves out the brace after
 * it, and a connection may be cut there.
 */
const read = (data: string, url: string): Result.Result<Json, AttemptError> => {
  const event = parseEvent(data, url)
  if (Result.isFailure(event) && event.failure.reason._tag === "NetworkError") {
    const closed = parseEvent(`${data}}`, url)
    if (Result.isSuccess(closed) && isRecord(closed.success.value["response"])) {
      return Result.succeed(closed.success.value)
    }
  }
  return Result.map(event, ({ value }) => value)
}

/** Which text of an item a piece goes on. */
interface Place {
  readonly list: "content" | "summary"
  /** The field of the event that counts the texts of the list. */
  readonly index: "content_index" | "summary_index"
  /** The type of block that holds the text. */
  readonly type: string
}

/** The events that bring a piece of a text; that the text is whole `response.output_item.done` says for all of an item. */
const places: { readonly [type: string]: Place } = {
  "response.output_text.delta": {
    list: "content",
    index: "content_index",
    type: "output_text"
  },
  "response.refusal.delta": { list: "content", index: "content_index", type: "refusal" },
  "response.reasoning_text.delta": {
    list: "content",
    index: "content_index",
    type: "reasoning_text"
  },
  "response.reasoning_summary_text.delta": {
    list: "summary",
    index: "summary_index",
    type: "summary_text"
  }
}

// ---- state

interface OpenText {
  readonly list: Place["list"]
  readonly position: number
  readonly type: string
  text: string
}

/** An item that is arriving. */
interface OpenItem {
  item: Json
  /** Whether `item` is all of it; until then its texts are beside it. */
  whole: boolean
  readonly texts: Array<OpenText>
  /** Arguments or input of a call. */
  input: string
}

/**
 * What has arrived of a stream.
 *
 * @category models
 * @since 0.1.0
 */
export interface State {
  body: ResponsesOutput.Body
  /** The last response object, as it came. */
  json: unknown
  /** By the index that the events give them; in the order of their arrival. */
  readonly items: Map<number, OpenItem>
  /** The text of reasoning that was handed out last. */
  thought: OpenText | undefined
  ended: boolean
}

// ---- step

/**
 * The machine that reads the events of one stream.
 *
 * **Details**: events of types that nobody knew are passed over.
 *
 * @category decoding
 * @since 0.1.0
 */
export const machine = (context: ResponseBody.Context): Machine<State> => ({
  start: () => ({
    body: {},
    json: undefined,
    items: new Map(),
    thought: undefined,
    ended: false
  }),
  step: (state, data) =>
    state.ended || data === "[DONE]"
      ? nothing
      : Result.flatMap(read(data, context.url), (event) => step(state, event, context)),
  end: (state) =>
    state.ended
      ? ResponsesOutput.decode({ value: closed(state), json: state.json }, context)
      : Result.fail(ResponseBody.cut(context.url, "the connection ended before the stream did")),
  arrived: (state) => {
    const body = closed(state)
    return {
      text: ResponsesOutput.toChoice(body.output ?? [], body).text,
      usage: ResponsesOutput.usage(body)
    }
  }
})

type Parts = ReadonlyArray<GenerationPart>
type Step = Result.Result<Parts, AttemptError>

const nothing: Step = Result.succeed([])

const step = (state: State, event: Json, context: ResponseBody.Context): Step => {
  switch (event["type"]) {
    case "response.created":
    case "response.queued":
    case "response.in_progress":
      return told(state, event)
    case "response.completed":
      return told(state, event, "completed")
    case "response.incomplete":
      return told(state, event, "incomplete")
    case "response.failed":
      return Result.flatMap(told(state, event, "failed"), () =>
        Result.fail(ResponsesOutput.failure(state.body, context))
      )
    case "error":
    case undefined:
      return failed(event, context)
    default:
      return Result.succeed(extended(state, event))
  }
}

/** What the response object of an event says; one on the way is not needed. */
const told = (state: State, { response = {} }: Json, end?: string): Step => {
  const body = readResponse(response)
  if (Result.isSuccess(body)) {
    state.body = { ...state.body, ...(end === undefined ? {} : { status: end }), ...body.success }
    state.json = response
    state.ended = end !== undefined
  } else if (end !== undefined) {
    return Result.fail(
      ResponseBody.invalid(
        `the stream's response object cannot be read: ${body.failure.message.replaceAll(/\s+/g, " ")}`
      )
    )
  }
  return nothing
}

/** An error stands in a field, or is the event itself; an event without a type is one only where it has the field. */
const failed = (event: Json, context: ResponseBody.Context): Step => {
  const { code, error, message, param, type } = event
  if (error !== undefined && error !== null) {
    return Result.fail(ResponseBody.inBand(error, Fault, context))
  }
  return type === undefined
    ? nothing
    : Result.fail(ResponseBody.inBand({ code, message, param }, Fault, context))
}

const text = (value: unknown): string => (typeof value === "string" ? value : "")

const count = (value: unknown, otherwise: number): number =>
  typeof value === "number" ? value : otherwise

const extended = (state: State, event: Json): Parts => {
  const { delta, item, output_index: index, type } = event
  const isDone = type === "response.output_item.done"
  if (isDone || type === "response.output_item.added") {
    return isRecord(item) ? taken(state, count(index, state.items.size), item, isDone) : []
  }
  const open = state.items.get(count(index, state.items.size - 1))
  if (open === undefined || open.whole) return []
  const place = places[text(type)]
  if (place !== undefined) {
    const { index: field, list, type: kind } = place
    return grown(state, open, openText(open, list, count(event[field], 0), kind), text(delta))
  }
  return type === "response.function_call_arguments.delta" ||
    type === "response.custom_tool_call_input.delta"
    ? called(state, open, text(delta))
    : []
}

/** An item as it begins or as it is whole; what it says beyond the pieces before it is a piece too. */
const taken = (state: State, index: number, item: Json, whole: boolean): Parts => {
  const parts: Array<GenerationPart> = []
  const known = state.items.get(index)
  const open = known ?? { item, whole, texts: [], input: "" }
  state.items.set(index, open)
  Object.assign(open, { item, whole })
  if (ResponsesOutput.isCall(item)) {
    const { arguments: source, id, name } = ResponsesOutput.toToolCall(item)
    if (known === undefined) parts.push(callPart(state, open, "", { id, name }))
    parts.push(...called(state, open, beyond(open.input, source ?? "")))
  }
  for (const list of ["summary", "content"] as const) {
    for (const [position, block] of blocksOf(item, list).entries()) {
      const one = openText(open, list, position, text(block["type"]))
      parts.push(...grown(state, open, one, beyond(one.text, text(block[textField(one)]))))
    }
  }
  return parts
}

const blocksOf = (item: Json, list: Place["list"]): ReadonlyArray<Json> => {
  const blocks = item[list]
  return Array.isArray(blocks) ? blocks.filter(isRecord) : []
}

const textField = ({ type }: OpenText): string => (type === "refusal" ? "refusal" : "text")

const beyond = (known: string, later: string): string =>
  later.startsWith(known) ? later.slice(known.length) : ""

const openText = (
  open: OpenItem,
  list: Place["list"],
  position: number,
  type: string
): OpenText => {
  const known = open.texts.find((one) => one.list === list && one.position === position)
  if (known !== undefined) return known
  const made = { list, position, type, text: "" }
  open.texts.push(made)
  return made
}

const grown = (state: State, { item }: OpenItem, open: OpenText, piece: string): Parts => {
  if (piece === "") return []
  open.text += piece
  if (item["type"] === "reasoning") {
    // As in the answer, a blank line between one text of reasoning and the next.
    const isNext = state.thought !== undefined && state.thought !== open
    state.thought = open
    return [{ type: "reasoning-delta", text: isNext ? `\n\n${piece}` : piece, choice: 0 }]
  }
  return item["type"] === "message" && open.type === "output_text"
    ? [{ type: "text-delta", text: piece, choice: 0 }]
    : []
}

const called = (state: State, open: OpenItem, piece: string): Parts => {
  if (piece === "" || !ResponsesOutput.isCall(open.item)) return []
  open.input += piece
  return [callPart(state, open, piece)]
}

const callPart = (
  state: State,
  open: OpenItem,
  piece: string,
  named?: { readonly id: string; readonly name: string }
): GenerationPart => ({
  type: "tool-call-delta",
  choice: 0,
  index: [...state.items.values()].filter(({ item }) => ResponsesOutput.isCall(item)).indexOf(open),
  id: named?.id,
  name: named?.name,
  arguments: piece
})

/** The response object that the events so far make. */
const closed = ({ body, ended, items }: State): ResponsesOutput.Body =>
  ended && (body.output ?? []).length > 0
    ? body
    : {
        ...body,
        output: [...items.entries()]
          .toSorted(([left], [right]) => left - right)
          .map(([, open]) => closedItem(open))
      }

const closedItem = (open: OpenItem): Json => {
  const { item, texts, whole } = open
  if (whole) return item
  const blocks = (list: Place["list"]) =>
    texts
      .filter((one) => one.list === list)
      .toSorted((left, right) => left.position - right.position)
      .map((one) => ({ type: one.type, [textField(one)]: one.text }))
  switch (item["type"]) {
    case "message":
      return { ...item, content: blocks("content") }
    case "reasoning":
      return { ...item, summary: blocks("summary"), content: blocks("content") }
    case "function_call":
      return { ...item, arguments: open.input }
    case "custom_tool_call":
      return { ...item, input: open.input }
    default:
      return item
  }
}
