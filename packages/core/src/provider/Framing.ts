/**
 * Server-sent events: from the bytes of a streamed response to the `data` of its events.
 *
 * Bytes may be cut anywhere, inside a character or a line end. What the data means is the protocol's matter; names, ids and
 * retry hints of events are not used by any provider here and are passed over.
 *
 * **Source**: WHATWG HTML, section 9.2 "Server-sent events".
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"

import { AttemptError } from "./Provider.ts"

/** The most characters one event may have; a server that never ends an event must not fill our memory. */
const maxEventCharacters = 10 * 1024 * 1024

/**
 * Reads events out of pieces of bytes.
 *
 * @category models
 * @since 0.1.0
 */
export interface EventReader {
  /** The data of the events that these bytes complete; `undefined` when an event is too long. */
  readonly push: (bytes: Uint8Array) => ReadonlyArray<string> | undefined
  /** The data of an event that the end of the bytes completes. */
  readonly end: () => ReadonlyArray<string>
}

/**
 * Builds a reader for one response.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeReader = (): EventReader => {
  const decoder = new TextDecoder()
  let rest = ""
  let data: string | undefined
  let done: Array<string> = []
  const line = (text: string) => {
    if (text === "") {
      if (data !== undefined) done.push(data)
      data = undefined
    } else if (text.startsWith("data:")) {
      const value = text.startsWith("data: ") ? text.slice(6) : text.slice(5)
      data = data === undefined ? value : `${data}\n${value}`
    }
  }
  const read = (text: string, atEnd: boolean) => {
    rest = rest === "" ? text : rest + text
    let start = 0
    for (;;) {
      const newline = rest.indexOf("\n", start)
      if (newline === -1) break
      line(
        rest.charCodeAt(newline - 1) === 13
          ? rest.slice(start, newline - 1)
          : rest.slice(start, newline)
      )
      start = newline + 1
    }
    rest = rest.slice(start)
    if (atEnd) {
      if (rest !== "") line(rest.replace(/\r$/, ""))
      line("")
    }
    const events = done
    done = []
    return events
  }
  return {
    push: (bytes) => {
      const events = read(decoder.decode(bytes, { stream: true }), false)
      return rest.length + (data?.length ?? 0) > maxEventCharacters ? undefined : events
    },
    end: () => read(decoder.decode(), true)
  }
}

/**
 * The data of the events of a response, in order.
 *
 * @category combinators
 * @since 0.1.0
 */
export const events = (
  bytes: Stream.Stream<Uint8Array, AttemptError>
): Stream.Stream<string, AttemptError> =>
  Stream.transformPull(bytes, (pull) =>
    Effect.sync(() => {
      const reader = makeReader()
      let isEnded = false
      const given = (read: ReadonlyArray<string>): Events =>
        Arr.isReadonlyArrayNonEmpty(read) ? Effect.succeed(read) : next
      // All events that arrive together go on together: a fast model sends many in a packet.
      const next: Events = Effect.suspend(() => {
        if (isEnded) return Cause.done()
        return Effect.flatMap(pull, (pieces) => {
          const read: Array<string> = []
          for (const piece of pieces) {
            const some = reader.push(piece)
            if (some === undefined) return tooLong
            for (const event of some) read.push(event)
          }
          return given(read)
        })
      }).pipe(
        Pull.catchDone(() => {
          if (isEnded) return Cause.done()
          isEnded = true
          return given(reader.end())
        })
      )
      return next
    })
  )

type Events = Pull.Pull<Arr.NonEmptyReadonlyArray<string>, AttemptError>

const tooLong = Effect.fail(
  new AttemptError({
    reason: new AiError.InvalidResponseError({
      description: "an event of the stream is longer than 10 MiB"
    }),
    outcome: "unknown"
  })
)
