/**
 * How an answer travels: at which pace, and how its connection or its body breaks on the way.
 *
 * What the answer says is settled by then, and so are quota and errors with a status.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"

import type { Draw } from "./Draw.ts"
import * as EventStream from "./EventStream.ts"
import type { ConnectionCut, SimulatedOutcome } from "./Exchange.ts"
import type { FaultKind } from "./Fault.ts"
import type { Statistics } from "./Statistics.ts"
import { utf8Length } from "./TokenCount.ts"
import type { WireError } from "./Vendor.ts"
import type { WireAnswer, WireStream } from "./WireFormat.ts"

/**
 * What becomes of one request, and how long it takes until the response's head.
 *
 * **Units**: whole milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reply {
  readonly waitMillis: number
  readonly outcome: SimulatedOutcome
  /** Whether the outcome is the whole of an answer; a streamed body counts itself when it ends. */
  readonly answered: boolean
}

/**
 * An answer on its way.
 *
 * @category models
 * @since 0.1.0
 */
export interface Delivery {
  readonly answer: WireAnswer
  readonly stream: boolean
  readonly fault: FaultKind | undefined
  /** What the server says when it fails within a stream. */
  readonly serverError: WireError
  readonly statistics: Statistics
  /** The headers of a response that took so many milliseconds. */
  readonly headers: (processingMillis: number) => { readonly [name: string]: string }
  readonly firstByteMillis: number
  readonly perOutputTokenMillis: number
  /** Where within a stream a fault strikes. */
  readonly draw: () => Draw
}

/**
 * The content type of a JSON body.
 *
 * @category constants
 * @since 0.1.0
 */
export const jsonType = "application/json"

const eventStreamType = "text/event-stream; charset=utf-8"

/** What a gateway in front of the server sends when it has lost its way. */
const gatewayPage =
  "<html><head><title>Bad gateway</title></head><body>upstream error</body></html>"

/** An event that breaks off within its JSON, eight characters after its beginning. */
const broken = (event: string): string => event.replace(/(data: .{8})[^]*/, "$1\n\n")

/**
 * Sends an answer on its way.
 *
 * @category combinators
 * @since 0.1.0
 */
export const deliver = (delivery: Delivery): Reply => {
  const { fault, firstByteMillis, statistics } = delivery
  switch (fault) {
    case "reset":
      return { waitMillis: firstByteMillis, outcome: { _tag: "Reset" }, answered: false }
    case "hang": {
      const wait = Effect.onInterrupt(Effect.never, () => Effect.sync(() => statistics.abort()))
      return {
        waitMillis: 0,
        outcome: { _tag: "Hang", wait: present(statistics, wait) },
        answered: false
      }
    }
    default: {
      const stream = delivery.stream ? delivery.answer.stream : undefined
      return stream === undefined ? deliverBody(delivery) : deliverEvents(delivery, stream)
    }
  }
}

const endingOf = (fault: FaultKind | undefined): EventStream.Ending =>
  fault === "truncated" ? "cut" : fault === "stalled" ? "stalled" : "complete"

const deliverBody = (delivery: Delivery): Reply => {
  const { answer, fault, firstByteMillis, perOutputTokenMillis, statistics } = delivery
  const waitMillis = firstByteMillis + Math.round(perOutputTokenMillis * answer.completionTokens)
  const headers = {
    "content-type": answer.contentType ?? jsonType,
    ...delivery.headers(waitMillis)
  }
  const response = { _tag: "Response", status: 200 } as const
  if (fault === "malformed") {
    const outcome = {
      ...response,
      headers: { ...headers, "content-type": "text/html" },
      body: gatewayPage
    }
    return { waitMillis, outcome, answered: true }
  }
  const body = answer.body()
  const ending = endingOf(fault)
  if (ending === "complete") {
    return { waitMillis, outcome: { ...response, headers, body }, answered: true }
  }
  const half = body.slice(0, Math.floor(body.length / 2))
  const declaredBytes = utf8Length(body)
  if (ending === "cut") {
    const outcome = { _tag: "Truncated", status: 200, headers, body: half, declaredBytes } as const
    return { waitMillis, outcome, answered: false }
  }
  const promised = { ...headers, "content-length": String(declaredBytes) }
  const stalled = send(statistics, [half], 0, ending, false)
  return { waitMillis, outcome: { ...response, headers: promised, body: stalled }, answered: false }
}

const deliverEvents = (delivery: Delivery, stream: WireStream): Reply => {
  const { fault, firstByteMillis, perOutputTokenMillis, statistics } = delivery
  const headers = { "content-type": eventStreamType, ...delivery.headers(firstByteMillis) }
  const events = strike(delivery, stream)
  const counts = fault !== "streamError"
  const body = send(statistics, events, perOutputTokenMillis, endingOf(fault), counts)
  const outcome = { _tag: "Response", status: 200, headers, body } as const
  return { waitMillis: firstByteMillis, outcome, answered: false }
}

/** The events that are really sent: up to where the fault strikes, somewhere after the first. */
const strike = (delivery: Delivery, stream: WireStream): ReadonlyArray<string> => {
  const events = stream.events()
  const at = (): number =>
    Math.min(events.length - 1, delivery.draw().between(1, Math.max(1, events.length - 2)))
  switch (delivery.fault) {
    case "truncated":
    case "stalled":
      return events.slice(0, at())
    case "streamError": {
      const sent = at()
      return [...events.slice(0, sent), ...stream.failure(delivery.serverError, sent)]
    }
    case "malformed": {
      const position = at()
      return events.with(position, broken(events[position] ?? ""))
    }
    default:
      return events
  }
}

/** A body that counts itself: in flight while it is sent, then answered, cut by us, or given up by the client. */
const send = (
  statistics: Statistics,
  texts: ReadonlyArray<string>,
  paceMillis: number,
  ending: EventStream.Ending,
  counts: boolean
): Stream.Stream<Uint8Array, ConnectionCut> =>
  Stream.suspend(() => {
    let complete = false
    const onComplete = () => {
      complete = true
    }
    statistics.enter()
    return Stream.onExit(EventStream.make({ texts, paceMillis, ending, onComplete }), (exit) =>
      Effect.sync(() => {
        statistics.leave()
        const cutByUs = ending === "cut" && Exit.hasFails(exit)
        if (!complete && !cutByUs) statistics.abort()
        if (complete && counts) statistics.answer()
      })
    )
  })

/** Counts as in flight while it runs. */
const present = <A, E>(statistics: Statistics, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.suspend(() => {
    statistics.enter()
    return Effect.ensuring(
      effect,
      Effect.sync(() => statistics.leave())
    )
  })
