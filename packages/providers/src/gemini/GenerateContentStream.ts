/**
 * A streamed answer of Gemini: events to parts as they arrive, and to the body that the whole response would have had.
 *
 * Each event is a response body of its own with the parts that are new. The answer is read from the body they make together
 * (`GenerateContentProtocol`), so a stream says the same as a whole response.
 *
 * **Source**: Gemini API reference, "streamGenerateContent" (v1beta, read November 2026).
 *
 * @since 0.1.0
 */
import type { AttemptError, GenerationPart } from "@infermesh/core/provider/Provider"
import * as Result from "effect/Result"

import type { Machine } from "../PartStream.ts"
import type { Json } from "../RequestBody.ts"
import { isRecord } from "../RequestBody.ts"
import * as ResponseBody from "../ResponseBody.ts"
import * as Fault from "./Fault.ts"
import type { Body, Candidate } from "./GenerateContentProtocol.ts"
import { decode, ownId, parse, readCall, toChoice, usage } from "./GenerateContentProtocol.ts"

// ---- state

interface OpenCandidate {
  /** What events say again and again, the last time. */
  latest: Candidate
  readonly parts: Array<Json>
  calls: number
}

/**
 * What has arrived of a stream: the response body it will have been.
 *
 * @category models
 * @since 0.1.0
 */
export interface State {
  body: Body
  /** By their index; in the order of their arrival. */
  readonly candidates: Map<number, OpenCandidate>
}

// ---- step

/**
 * The machine that reads the events of one stream.
 *
 * @category decoding
 * @since 0.1.0
 */
export const machine = (context: ResponseBody.Context): Machine<State> => ({
  start: () => ({ body: {}, candidates: new Map() }),
  step: (state, data) =>
    Result.flatMap(parse(data, context.url), ({ value }) => step(state, value, context)),
  end: (state) =>
    isEnded(state)
      ? decode({ value: closed(state), json: undefined }, context)
      : Result.fail(ResponseBody.cut(context.url, "the connection ended before the stream did")),
  arrived: (state) => {
    const [first] = closed(state).candidates ?? []
    return {
      text: first === undefined ? "" : toChoice(first, "").text,
      usage: usage(state.body)
    }
  }
})

const step = (
  state: State,
  body: Body,
  context: ResponseBody.Context
): Result.Result<ReadonlyArray<GenerationPart>, AttemptError> => {
  if (body.error !== undefined && body.error !== null) {
    return Result.fail(ResponseBody.inBand(body.error, Fault, context))
  }
  const { candidates, ...rest } = body
  state.body = { ...state.body, ...rest }
  const parts: Array<GenerationPart> = []
  for (const [position, candidate] of (candidates ?? []).entries()) {
    const choice = candidate.index ?? position
    const open = openCandidate(state, choice)
    open.latest = { ...open.latest, ...candidate, ...logprobs(open.latest, candidate) }
    for (const part of candidate.content?.parts ?? []) {
      const one = identified(part, choice, open, state.body.responseId ?? "")
      const delta = toDelta(one, choice, open)
      add(open.parts, one)
      if (delta !== undefined) parts.push(delta)
    }
  }
  return Result.succeed(parts)
}

const openCandidate = (state: State, index: number): OpenCandidate => {
  let open = state.candidates.get(index)
  if (open === undefined) {
    open = { latest: { index }, parts: [], calls: 0 }
    state.candidates.set(index, open)
  }
  return open
}

/** Log-probabilities come for the new tokens only: the lists of the events are one list. */
const logprobs = (known: Candidate, later: Candidate): Pick<Candidate, "logprobsResult"> => {
  const before = known.logprobsResult
  const after = later.logprobsResult
  if (before === null || before === undefined) return {}
  if (after === null || after === undefined) return { logprobsResult: before }
  const joined = Object.entries(after).map(([name, value]) => {
    const first = before[name]
    return [name, Array.isArray(first) && Array.isArray(value) ? [...first, ...value] : value]
  })
  return { logprobsResult: Object.fromEntries(joined) as Json }
}

/** A text goes on where the last one stopped, but a signature stays with the part it came with. */
const add = (parts: Array<Json>, part: Json) => {
  const last = parts.at(-1)
  if (
    last !== undefined &&
    typeof last["text"] === "string" &&
    typeof part["text"] === "string" &&
    last["thought"] === part["thought"] &&
    last["thoughtSignature"] === undefined &&
    part["thoughtSignature"] === undefined
  ) {
    parts[parts.length - 1] = { ...last, text: last["text"] + part["text"] }
  } else parts.push(part)
}

/** A call that has no id gets one when it arrives, so that its part and the answer name it alike. */
const identified = (part: Json, choice: number, open: OpenCandidate, responseId: string): Json => {
  const { functionCall: call } = part
  return isRecord(call) && typeof call["id"] !== "string"
    ? { ...part, functionCall: { ...call, id: ownId(responseId, choice, open.calls) } }
    : part
}

const toDelta = (part: Json, choice: number, open: OpenCandidate): GenerationPart | undefined => {
  const call = isRecord(part["functionCall"]) ? readCall(part["functionCall"]) : undefined
  if (call !== undefined && Result.isSuccess(call)) {
    const { args, id, name } = call.success
    return {
      type: "tool-call-delta",
      choice,
      index: open.calls++,
      id: id ?? undefined,
      name: name ?? undefined,
      arguments: JSON.stringify(args ?? {})
    }
  }
  const { text, thought } = part
  if (typeof text !== "string" || text === "") return undefined
  return thought === true
    ? { type: "reasoning-delta", text, choice }
    : { type: "text-delta", text, choice }
}

/** Every candidate says why it stopped; a prompt that was blocked has none. */
const isEnded = ({ body, candidates }: State): boolean =>
  candidates.size === 0
    ? typeof body.promptFeedback?.blockReason === "string"
    : [...candidates.values()].every(({ latest }) => typeof latest.finishReason === "string")

/** The body that the events so far make. */
const closed = ({ body, candidates }: State): Body => ({
  ...body,
  candidates: [...candidates.entries()]
    .toSorted(([left], [right]) => left - right)
    .map(([, open]) => closedCandidate(open))
})

const closedCandidate = ({ latest, parts }: OpenCandidate): Candidate => ({
  ...latest,
  content: { parts }
})
