/**
 * A streamed chat or text completion: events to parts as they arrive, and to the body that the whole response would have had.
 *
 * The answer is read from that body as from any other (`ChatAnswer`), so a stream says the same as a whole response.
 *
 * **Details**: a stream has ended when it says so (`[DONE]`) or when all its choices have; servers that never say it are read
 * too. Usage comes with the last choice, in an event of its own, or in every event.
 *
 * @since 0.1.0
 */
import type { AttemptError, GenerationPart } from "@infermesh/core/provider/Provider"
import * as Result from "effect/Result"

import type { Machine } from "../PartStream.ts"
import { joinLists } from "../PartStream.ts"
import type { Json } from "../RequestBody.ts"
import * as ResponseBody from "../ResponseBody.ts"
import type { Body, Call, ChoiceBody, MessageBody } from "./ChatAnswer.ts"
import {
  callsOf,
  decode,
  failure,
  parse,
  readCall,
  reasoningOf,
  textOf,
  toChoice,
  usage
} from "./ChatAnswer.ts"
import type { Piece, Splitter } from "./InlineReasoning.ts"
import * as InlineReasoning from "./InlineReasoning.ts"

// ---- state

/** A call that is arriving. */
interface OpenCall {
  /** As the server counts. */
  readonly index: number
  call: Call
}

interface OpenChoice {
  text: string
  reasoning: string
  refusal: string
  finish: string | undefined
  logprobs: Json | undefined
  readonly details: Array<Json>
  readonly calls: Array<OpenCall>
  readonly splitter: Splitter
}

/**
 * What has arrived of a stream: the response body it will have been.
 *
 * @category models
 * @since 0.1.0
 */
export interface State {
  body: Body
  /** By their index. */
  readonly choices: Map<number, OpenChoice>
  ended: boolean
}

// ---- step

/**
 * The machine that reads the events of one stream.
 *
 * @category decoding
 * @since 0.1.0
 */
export const machine = (context: ResponseBody.Context): Machine<State> => ({
  start: () => ({ body: {}, choices: new Map(), ended: false }),
  step: (state, data) =>
    data === "[DONE]"
      ? Result.succeed(done(state))
      : Result.flatMap(parse(data, context.url), ({ value }) => step(state, value, context)),
  end: (state) =>
    isEnded(state)
      ? decode({ value: closed(state), json: undefined }, context)
      : Result.fail(ResponseBody.cut(context.url, "the connection ended before the stream did")),
  arrived: (state) => {
    const [first] = closed(state).choices ?? []
    return { text: first === undefined ? "" : toChoice(first).text, usage: usage(state.body) }
  }
})

type Parts = ReadonlyArray<GenerationPart>

const step = (
  state: State,
  body: Body,
  context: ResponseBody.Context
): Result.Result<Parts, AttemptError> => {
  const failed = failure(body, context)
  if (failed !== undefined) return Result.fail(failed)
  const { choices, id, model } = body
  // Azure's first event has empty names, and events before the last no usage.
  state.body = {
    id: id || (state.body.id ?? null),
    model: model || (state.body.model ?? null),
    usage: body.usage ?? body.x_groq?.usage ?? state.body.usage ?? null
  }
  const parts: Array<GenerationPart> = []
  for (const [position, choice] of (choices ?? []).entries()) {
    collect(state, choice.index ?? position, choice, parts)
  }
  return Result.succeed(parts)
}

const openChoice = (state: State, index: number): OpenChoice => {
  let open = state.choices.get(index)
  if (open === undefined) {
    open = {
      text: "",
      reasoning: "",
      refusal: "",
      finish: undefined,
      logprobs: undefined,
      details: [],
      calls: [],
      splitter: InlineReasoning.make()
    }
    state.choices.set(index, open)
  }
  return open
}

const collect = (
  state: State,
  choice: number,
  event: ChoiceBody,
  parts: Array<GenerationPart>
): void => {
  const open = openChoice(state, choice)
  // Some servers send a whole message as the one event of a stream.
  const delta = event.delta ?? event.message ?? {}
  open.logprobs = joinLists(open.logprobs, event.logprobs ?? undefined)
  open.refusal += delta.refusal ?? ""
  for (const detail of delta.reasoning_details ?? []) addDetail(open.details, detail)
  const reasoning = reasoningOf(delta)
  if (reasoning !== "") {
    open.reasoning += reasoning
    parts.push({ type: "reasoning-delta", text: reasoning, choice })
  }
  const text = textOf(event, delta)
  open.text += text
  parts.push(...placed(open.splitter.push(text), choice))
  for (const [position, call] of callsOf(delta).entries()) {
    parts.push(called(open, choice, call, position))
  }
  if (event.finish_reason) {
    open.finish = event.finish_reason
    parts.push(...placed(open.splitter.end(), choice))
  }
}

const placed = (pieces: ReadonlyArray<Piece>, choice: number): Parts =>
  pieces.map(({ text, type }) => ({ type, text, choice }))

const done = (state: State): Parts => {
  state.ended = true
  return [...state.choices].flatMap(([choice, { splitter }]) => placed(splitter.end(), choice))
}

/** A detail goes on where the last one stopped, if it is of the same kind and place. */
const addDetail = (details: Array<Json>, detail: Json): void => {
  const last = details.at(-1)
  if (last === undefined || last["type"] !== detail["type"] || last["index"] !== detail["index"]) {
    details.push(detail)
    return
  }
  const merged: Record<string, unknown> = { ...last }
  for (const [name, value] of Object.entries(detail)) {
    const known = merged[name]
    const grows = name === "text" || name === "summary" || name === "data"
    if (grows && typeof known === "string" && typeof value === "string")
      merged[name] = known + value
    else if (value !== null && value !== undefined) merged[name] = value
  }
  details[details.length - 1] = merged
}

const called = (
  open: OpenChoice,
  choice: number,
  delta: Json,
  position: number
): GenerationPart => {
  const index = typeof delta["index"] === "number" ? delta["index"] : position
  const piece = readCall(delta)
  let known = open.calls.findLast((one) => one.index === index)
  // Servers that count every call as the first tell them apart by their ids.
  if (known === undefined || isAnother(known.call, piece)) {
    known = { index, call: { ...piece, id: "", name: "", source: undefined } }
    open.calls.push(known)
  }
  const { call } = known
  const isNamed = call.name === "" && piece.name !== ""
  const isIdentified = call.id === "" && piece.id !== ""
  known.call = {
    id: call.id || piece.id,
    name: call.name || piece.name,
    source: piece.source === undefined ? call.source : (call.source ?? "") + piece.source,
    isCustom: call.isCustom || piece.isCustom,
    more: { ...call.more, ...piece.more }
  }
  return {
    type: "tool-call-delta",
    choice,
    index: open.calls.indexOf(known),
    id: isIdentified ? piece.id : undefined,
    name: isNamed ? piece.name : undefined,
    arguments: piece.source ?? ""
  }
}

/** The pieces of a call repeat neither its id nor its name, or both, or (older vLLM) come each with a new id and no name. */
const isAnother = (call: Call, piece: Call): boolean =>
  call.id !== "" && piece.id !== "" && call.id !== piece.id && call.name !== "" && piece.name !== ""

const isEnded = ({ choices, ended }: State): boolean =>
  ended || (choices.size > 0 && [...choices.values()].every(({ finish }) => finish !== undefined))

/** The body that the events so far make. */
const closed = ({ body, choices }: State): Body => ({
  ...body,
  choices: [...choices.entries()]
    .toSorted(([left], [right]) => left - right)
    .map(([index, open]) => ({
      index,
      message: message(open),
      finish_reason: open.finish ?? null,
      logprobs: open.logprobs ?? null
    }))
})

const message = (open: OpenChoice): MessageBody => ({
  content: open.text,
  refusal: open.refusal,
  reasoning_content: open.reasoning,
  reasoning_details: open.details,
  tool_calls: open.calls.map(({ call: { id, isCustom, more, name, source } }) => ({
    ...more,
    id,
    ...(isCustom ? { custom: { name, input: source } } : { function: { name, arguments: source } })
  }))
})
