/**
 * POST /audio/transcriptions of one deployment.
 *
 * What goes over the wire is in `TranscriptionProtocol`. The audio goes from its source to the socket as the socket takes it;
 * an attempt that is interrupted closes both, and the next one reads the source from its start.
 *
 * @since 0.1.0
 */
import type { TranscribeRequest } from "@infermesh/core/operation/Transcribe"
import type { Connection } from "@infermesh/core/provider/Provider"
import { AttemptError } from "@infermesh/core/provider/Provider"
import type { InvalidInput } from "@infermesh/core/Reason"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Stream from "effect/Stream"

import * as MultipartBody from "../MultipartBody.ts"
import { unsupported } from "../RequestBody.ts"
import type { Deployment } from "./Endpoint.ts"
import { exchange, withBody } from "./Endpoint.ts"
import * as TranscriptionProtocol from "./TranscriptionProtocol.ts"

/**
 * What the endpoint adds to a connection: nothing where the vendor has none.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (deployment: Deployment): Pick<Connection, "transcribe"> => {
  const { dialect, target } = deployment
  if (dialect.transcriptions === false) return {}
  // Subtitles and plain texts are no JSON.
  const base = HttpClientRequest.accept(deployment.post("/audio/transcriptions"), "*/*")
  const transcribe = Effect.fnUntraced(function* (request: TranscribeRequest) {
    const { responseFormat = "json" } = request.options
    if (dialect.transcriptFormats?.includes(responseFormat) === false) {
      return yield* unsupported(
        dialect.name,
        `transcripts as '${responseFormat}'`,
        `It writes ${dialect.transcriptFormats.join(", ")}`
      )
    }
    const asked = TranscriptionProtocol.encode(request, target.model, target.extraBody)
    const audio = watched(request)
    const body = yield* MultipartBody.make(MultipartBody.fields(asked), audio.source)
    return yield* Effect.mapError(
      exchange(deployment, withBody(base, body, request.options.headers), ({ text }, context) =>
        TranscriptionProtocol.decode(text, asked, context)
      ),
      audio.explain
    )
  })
  return { transcribe }
}

/** The audio, with a memory of its own failure: of that the client under us sees only a connection that ended. */
const watched = ({ audio }: TranscribeRequest) => {
  let failure: InvalidInput | undefined
  return {
    source: {
      ...audio,
      bytes: Stream.tapError(audio.bytes, (reason) =>
        Effect.sync(() => {
          failure = reason
        })
      )
    },
    explain: (error: AttemptError): AttemptError =>
      failure === undefined
        ? error
        : // Some of it may have arrived, and the request be counted; nothing can have been transcribed.
          new AttemptError({ reason: failure, outcome: "refused" })
  }
}
