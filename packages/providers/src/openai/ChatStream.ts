/**
 * A streamed chat completion: events to parts as they arrive, and the whole answer at the end.
 *
 * The state is one object per stream, changed by each event; the whole answer is read from it the same way as from a whole
 * response, so both say the same.
 *
 * @since 0.1.0
 */
import type { Choice, Generation } from "@infermesh/core/operation/Generate"
import type { TokenUsage } from "@infermesh/core/operation/Usage"
import { statusError } from "@infermesh/core/provider/HttpFault"
import type { Answer, GenerationPart } from "@infermesh/core/provider/Provider"
import { AttemptError } from "@infermesh/core/provider/Provider"
import type { Headers } from "@infermesh/core/provider/ResponseHeaders"
import * as ResponseHeaders from "@infermesh/core/provider/ResponseHeaders"
import { explain, StreamInterrupted } from "@infermesh/core/Reason"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"

import type { MessageBody } from "./ChatProtocol.ts"
import * as ChatProtocol from "./ChatProtocol.ts"
import * as Fault from "./Fault.ts"

interface OpenChoice {
  text: string
  reasoning: string
  refusal: string | undefined
  finish: string | undefined
  readonly calls: Array<{ id: string; name: string; arguments: string }>
}

interface State {
  readonly choices: Array<OpenChoice>
  modelId: string
  id: string | undefined
  usage: TokenUsage | undefined
  started: boolean
  ended: boolean
}

/**
 * Parts and answer of a stream of events.
 *
 * **Errors**: before the first part as for a whole response; after it `StreamInterrupted`, with the text and usage so far.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (
  events: Stream.Stream<string, AttemptError>,
  context: { readonly model: string; readonly url: string; readonly headers: Headers }
): Stream.Stream<GenerationPart | Answer<Generation>, AttemptError> =>
  Stream.suspend(() => {
    const state: State = {
      choices: [],
      modelId: context.model,
      id: undefined,
      usage: undefined,
      started: false,
      ended: false
    }
    return events.pipe(
      Stream.mapEffect((data) => step(state, data, context)),
      Stream.flattenIterable,
      Stream.concat(Stream.unwrap(Effect.sync(() => end(state, context)))),
      Stream.mapError((error) => (state.started ? interrupted(state, error) : error))
    )
  })

const none: ReadonlyArray<GenerationPart> = []

const step = (
  state: State,
  data: string,
  context: { readonly model: string; readonly url: string; readonly headers: Headers }
): Effect.Effect<ReadonlyArray<GenerationPart>, AttemptError> => {
  if (data === "[DONE]") {
    state.ended = true
    return Effect.succeed(none)
  }
  const parsed = ChatProtocol.parse(data, context.url)
  if (Result.isFailure(parsed)) return Effect.fail(parsed.failure)
  const body = parsed.success
  if (body.error !== undefined && body.error !== null)
    return Effect.fail(inBand(body.error, context))
  state.modelId = body.model ?? state.modelId
  state.id = body.id ?? state.id
  state.usage = ChatProtocol.usage(body) ?? state.usage
  const parts: Array<GenerationPart> = []
  for (const [position, choice] of (body.choices ?? []).entries()) {
    const index = choice.index ?? position
    const open = openChoice(state, index)
    open.finish = choice.finish_reason ?? open.finish
    collect(open, index, choice.delta ?? {}, parts)
  }
  if (parts.length > 0) state.started = true
  return Effect.succeed(parts)
}

const openChoice = (state: State, index: number): OpenChoice => {
  let open = state.choices[index]
  if (open === undefined) {
    open = { text: "", reasoning: "", refusal: undefined, finish: undefined, calls: [] }
    state.choices[index] = open
  }
  return open
}

const collect = (
  open: OpenChoice,
  choice: number,
  delta: MessageBody,
  parts: Array<GenerationPart>
) => {
  const reasoning = ChatProtocol.structuredReasoning(delta)
  if (reasoning !== undefined && reasoning !== "") {
    open.reasoning += reasoning
    parts.push({ type: "reasoning-delta", text: reasoning, choice })
  }
  const text = ChatProtocol.contentText(delta)
  if (text !== "") {
    open.text += text
    parts.push({ type: "text-delta", text, choice })
  }
  if (delta.refusal !== undefined && delta.refusal !== null)
    open.refusal = (open.refusal ?? "") + delta.refusal
  for (const [position, call] of (delta.tool_calls ?? []).entries()) {
    const index = call.index ?? position
    const known = (open.calls[index] ??= { id: "", name: "", arguments: "" })
    const source = call.function?.arguments
    const piece =
      source === undefined || source === null
        ? ""
        : typeof source === "string"
          ? source
          : JSON.stringify(source)
    known.id = call.id ?? known.id
    known.name += call.function?.name ?? ""
    known.arguments += piece
    parts.push({
      type: "tool-call-delta",
      choice,
      index,
      id: call.id ?? undefined,
      name: call.function?.name ?? undefined,
      arguments: piece
    })
  }
}

const end = (
  state: State,
  context: { readonly headers: Headers }
): Stream.Stream<Answer<Generation>, AttemptError> => {
  const [first, ...others] = state.choices.map(toChoice)
  // A stream whose end never came was cut, however whole its text looks.
  if (
    first === undefined ||
    !(state.ended || state.choices.some(({ finish }) => finish !== undefined))
  ) {
    return Stream.fail(broken("the connection ended before the stream did"))
  }
  return Stream.succeed({
    value: { modelId: state.modelId, choices: [first, ...others] },
    usage: state.usage,
    requestId: ResponseHeaders.requestId(context.headers) ?? state.id,
    rateLimits: ResponseHeaders.rateLimits(context.headers),
    body: undefined
  })
}

const toChoice = (open: OpenChoice): Choice =>
  ChatProtocol.toChoice(
    {
      content: open.text,
      reasoning_content: open.reasoning,
      ...(open.refusal === undefined ? {} : { refusal: open.refusal }),
      tool_calls: open.calls.map(({ arguments: source, id, name }) => ({
        id,
        function: { name, arguments: source }
      }))
    },
    open.finish,
    undefined
  )

/**
 * An error that came with status 200, which means what it means as a response of its own.
 *
 * @category decoding
 * @since 0.1.0
 */
export const inBand = (
  error: unknown,
  context: { readonly model: string; readonly headers: Headers }
): AttemptError => {
  const status = Fault.statusOf(error)
  const body = JSON.stringify({ error })
  return statusError({
    status,
    headers: context.headers,
    body,
    fault: Fault.classify(context.model)(status, body),
    nowMillis: 0
  })
}

const broken = (description: string) =>
  new AttemptError({ reason: new StreamInterrupted({ description, text: "" }), outcome: "unknown" })

const interrupted = (state: State, error: AttemptError): AttemptError =>
  new AttemptError({
    reason: new StreamInterrupted({
      description:
        error.reason._tag === "StreamInterrupted"
          ? error.reason.description
          : explain(error.reason),
      text: state.choices[0]?.text ?? "",
      usage: state.usage
    }),
    outcome: "unknown",
    requestId: error.requestId,
    usage: state.usage
  })
