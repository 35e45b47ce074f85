/**
 * A streamed answer of Anthropic's Messages API: events to parts as they arrive, and to the body that the whole response would
 * have had.
 *
 * The answer is read from that body as from any other (`MessagesProtocol`), so both say the same.
 *
 * **Source**: Claude documentation, "Streaming Messages" (read November 2026).
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
import { Count, nullish } from "../ResponseBody.ts"
import * as Fault from "./Fault.ts"
import type { Context } from "./MessagesProtocol.ts"
import {
  Block,
  Body,
  decode,
  parsedOrText,
  toChoice,
  usage,
  UsageBody
} from "./MessagesProtocol.ts"

// ---- stream events

const Event = Schema.Struct({
  type: nullish(Schema.String),
  index: Count,
  message: nullish(Body),
  content_block: nullish(Block),
  delta: nullish(Block),
  usage: nullish(UsageBody),
  error: Schema.optionalKey(Schema.Unknown)
})

const parseEvent = ResponseBody.reader("Anthropic event", Schema.decodeUnknownResult(Event))

const MessageDelta = Schema.decodeUnknownResult(
  Schema.Struct({ stop_reason: Body.fields.stop_reason, stop_details: Body.fields.stop_details })
)

// ---- state

/** A block that is arriving; the JSON of its input comes as text. */
interface OpenBlock {
  block: Record<string, unknown>
  input: string
}

/**
 * What has arrived of a stream: the response body it will have been.
 *
 * @category models
 * @since 0.1.0
 */
export interface State {
  body: Body
  /** By the index that the events give them; in the order of their arrival. */
  readonly blocks: Map<number, OpenBlock>
  ended: boolean
}

// ---- step

/**
 * The machine that reads the events of one stream.
 *
 * **Details**: events of types that nobody knew are passed over, as the API asks of its readers.
 *
 * @category decoding
 * @since 0.1.0
 */
export const machine = (context: Context): Machine<State> => ({
  start: () => ({ body: {}, blocks: new Map(), ended: false }),
  step: (state, data) =>
    // Servers that imitate this API end like those of OpenAI's.
    data === "[DONE]"
      ? nothing
      : Result.flatMap(parseEvent(data, context.url), ({ value }) => step(state, value, context)),
  end: (state) =>
    state.ended
      ? decode({ value: closed(state), json: undefined }, context)
      : Result.fail(ResponseBody.cut(context.url, "the connection ended before the stream did")),
  arrived: (state) => ({
    text: toChoice(closed(state).content ?? [], state.body, context.answerTool).text,
    usage: usage(state.body.usage)
  })
})

type Parts = ReadonlyArray<GenerationPart>

const nothing: Result.Result<Parts, AttemptError> = Result.succeed([])

const step = (
  state: State,
  event: typeof Event.Type,
  context: Context
): Result.Result<Parts, AttemptError> => {
  switch (event.type) {
    case "message_start":
      state.body = { ...state.body, ...event.message, content: [] }
      return nothing
    case "content_block_start": {
      const open: OpenBlock = { block: { ...event.content_block }, input: "" }
      state.blocks.set(event.index ?? state.blocks.size, open)
      return Result.succeed(started(open, state, context.answerTool))
    }
    case "content_block_delta": {
      const open = state.blocks.get(event.index ?? state.blocks.size - 1)
      return open === undefined || !isRecord(event.delta)
        ? nothing
        : Result.succeed(extended(open, event.delta, state, context.answerTool))
    }
    case "message_delta":
      return Result.map(
        Result.mapError(MessageDelta(event.delta ?? {}), (error) =>
          ResponseBody.invalid(`the stream's end cannot be read: ${error.message}`)
        ),
        (delta) => {
          state.body = { ...state.body, ...delta, usage: updated(state.body.usage, event.usage) }
          state.ended = state.ended || isText(delta.stop_reason)
          return []
        }
      )
    case "message_stop":
      state.ended = true
      return nothing
    case "error":
      return Result.fail(ResponseBody.inBand(event.error, Fault, context))
    default:
      return nothing
  }
}

type Usage = typeof UsageBody.Type

/** The later counts are totals, but they need not repeat all of the first. */
const updated = (known: Usage | null | undefined, later: Usage | null | undefined): Usage => ({
  ...known,
  ...Object.fromEntries(Object.entries(later ?? {}).filter(([, value]) => value !== null))
})

const text = (value: unknown): string => (isText(value) ? value : "")

const isText = (value: unknown): value is string => typeof value === "string"

/** The place of a tool's block among the tools' blocks. */
const callIndex = (state: State, open: OpenBlock, answerTool: string | undefined): number =>
  [...state.blocks.values()]
    .filter(({ block }) => block["type"] === "tool_use" && block["name"] !== answerTool)
    .indexOf(open)

const started = (open: OpenBlock, state: State, answerTool: string | undefined): Parts => {
  const { id, name, text: head, thinking, type } = open.block
  switch (type) {
    case "text":
      return text(head) === "" ? [] : [{ type: "text-delta", text: text(head), choice: 0 }]
    case "thinking":
      return text(thinking) === ""
        ? []
        : [{ type: "reasoning-delta", text: text(thinking), choice: 0 }]
    case "tool_use":
      return name === answerTool
        ? []
        : [
            {
              type: "tool-call-delta",
              choice: 0,
              index: callIndex(state, open, answerTool),
              id: text(id),
              name: text(name),
              arguments: ""
            }
          ]
    default:
      return []
  }
}

const extended = (
  open: OpenBlock,
  delta: Json,
  state: State,
  answerTool: string | undefined
): Parts => {
  const { block } = open
  if (delta["type"] === "input_json_delta") {
    const piece = text(delta["partial_json"])
    open.input += piece
    if (piece === "" || block["type"] !== "tool_use") return []
    return block["name"] === answerTool
      ? [{ type: "text-delta", text: piece, choice: 0 }]
      : [
          {
            type: "tool-call-delta",
            choice: 0,
            index: callIndex(state, open, answerTool),
            id: undefined,
            name: undefined,
            arguments: piece
          }
        ]
  }
  if (delta["type"] === "citations_delta") {
    const known = Array.isArray(block["citations"]) ? (block["citations"] as Array<unknown>) : []
    block["citations"] = [...known, delta["citation"]]
    return []
  }
  // Every other delta has the fields of its block: texts grow, other values are replaced.
  for (const [key, value] of Object.entries(delta)) {
    if (key === "type") continue
    const known = block[key]
    block[key] = isText(known) && isText(value) ? known + value : value
  }
  const piece = text(delta["type"] === "text_delta" ? delta["text"] : delta["thinking"])
  if (piece === "") return []
  return delta["type"] === "text_delta"
    ? [{ type: "text-delta", text: piece, choice: 0 }]
    : [{ type: "reasoning-delta", text: piece, choice: 0 }]
}

/** The body that the events so far make. */
const closed = ({ blocks, body }: State): Body => ({
  ...body,
  content: [...blocks.values()].map(closedBlock)
})

/** A call of the caller's tools keeps the model's own text; what the provider ran is sent back as a value. */
const closedBlock = ({ block, input }: OpenBlock): Json =>
  input === ""
    ? block
    : { ...block, input: block["type"] === "tool_use" ? input : parsedOrText(input) }
