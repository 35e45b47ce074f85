/**
 * The simulator in process: an `HttpClient` whose network is a function.
 *
 * No socket, no promise and no real time: everything waits on the Clock, so it runs under TestClock. What a dropped
 * connection looks like is what the real clients make of it: a `TransportError` before the response's head, a `DecodeError`
 * within its body.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Cookies from "effect/http/Cookies"
import * as Headers from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as UrlParams from "effect/http/UrlParams"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import { pipeArguments } from "effect/Pipeable"
import type * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

import type { SimulatedOutcome, SimulatedRequest } from "./Exchange.ts"
import { connectionCut } from "./Exchange.ts"

/**
 * A server that answers requests.
 *
 * @category models
 * @since 0.1.0
 */
export type Handle = (request: SimulatedRequest) => Effect.Effect<SimulatedOutcome>

/**
 * A client whose requests go to the server that `route` gives for their URL.
 *
 * **Errors**: a `TransportError` (connection refused) where `route` gives none.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (route: (url: URL) => Handle | undefined): HttpClient.HttpClient =>
  HttpClient.make((request, url) => {
    const handle = route(url)
    if (handle === undefined) {
      return Effect.fail(transportError(request, `connect ECONNREFUSED ${url.host}`))
    }
    return bodyOf(request).pipe(
      Effect.flatMap(({ body, contentType }) =>
        handle({
          method: request.method,
          path: url.pathname + url.search,
          headers:
            contentType === undefined
              ? request.headers
              : { ...request.headers, "content-type": contentType },
          body
        })
      ),
      Effect.flatMap((outcome) => receive(request, url, outcome))
    )
  })

const transportError = (request: HttpClientRequest.HttpClientRequest, description: string) =>
  new HttpClientError.HttpClientError({
    reason: new HttpClientError.TransportError({ request, description })
  })

const receive = (
  request: HttpClientRequest.HttpClientRequest,
  url: URL,
  outcome: SimulatedOutcome
): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError> => {
  switch (outcome._tag) {
    case "Hang":
      return outcome.wait
    case "Reset":
      return Effect.fail(transportError(request, "read ECONNRESET"))
    case "Truncated": {
      const headers = { ...outcome.headers, "content-length": String(outcome.declaredBytes) }
      const sent = Stream.succeed(new TextEncoder().encode(outcome.body))
      const body = Stream.concat(sent, Stream.fail(connectionCut))
      return Effect.succeed(new Response(request, url, outcome.status, headers, body))
    }
    case "Response":
      return Effect.succeed(
        new Response(request, url, outcome.status, outcome.headers, outcome.body)
      )
  }
}

/** The body as text, or as bytes where it is a form; a `FormData` is written as multipart, which chooses the boundary. */
const bodyOf = (
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<
  { readonly body: string | Uint8Array; readonly contentType?: string },
  HttpClientError.HttpClientError
> => {
  const { body } = request
  switch (body._tag) {
    case "Empty":
      return Effect.succeed({ body: "" })
    case "Uint8Array":
      return Effect.succeed({ body: received(request, body.body) })
    case "Raw":
      return typeof body.body === "string"
        ? Effect.succeed({ body: body.body })
        : written(request, new globalThis.Response(body.body as BodyInit))
    case "FormData":
      return written(request, new globalThis.Response(body.formData))
    case "Stream":
      return Stream.mkUint8Array(body.stream).pipe(
        Effect.mapBoth({
          onSuccess: (bytes) => ({ body: received(request, bytes) }),
          onFailure: (cause) =>
            new HttpClientError.HttpClientError({
              reason: new HttpClientError.EncodeError({ request, cause })
            })
        })
      )
  }
}

const received = (
  { headers }: HttpClientRequest.HttpClientRequest,
  bytes: Uint8Array
): string | Uint8Array =>
  headers["content-type"]?.startsWith("multipart/") === true
    ? bytes
    : new TextDecoder().decode(bytes)

const written = (request: HttpClientRequest.HttpClientRequest, source: globalThis.Response) =>
  Effect.map(
    Effect.tryPromise({
      try: () => source.arrayBuffer(),
      catch: (cause) =>
        new HttpClientError.HttpClientError({
          reason: new HttpClientError.EncodeError({ request, cause })
        })
    }),
    (buffer) => {
      const contentType = source.headers.get("content-type")
      const body = new Uint8Array(buffer)
      return contentType === null ? { body } : { body, contentType }
    }
  )

/** A response over a text or a stream, read without leaving Effect. */
class Response extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpIncomingMessage.TypeId] = HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId] = HttpClientResponse.TypeId
  readonly request: HttpClientRequest.HttpClientRequest
  readonly url: string
  readonly status: number
  readonly headers: Headers.Headers
  readonly remoteAddress = Option.none<string>()
  readonly cookies = Cookies.empty
  readonly text: Effect.Effect<string, HttpClientError.HttpClientError>
  readonly stream: Stream.Stream<Uint8Array, HttpClientError.HttpClientError>

  constructor(
    request: HttpClientRequest.HttpClientRequest,
    url: URL,
    status: number,
    headers: { readonly [name: string]: string },
    body: string | Stream.Stream<Uint8Array, unknown>
  ) {
    super()
    this.request = request
    this.url = url.href.split("#")[0] ?? ""
    this.status = status
    this.headers = Headers.fromRecordUnsafe(headers)
    if (typeof body === "string") {
      this.text = Effect.succeed(body)
      this.stream = Stream.fromEffect(Effect.sync(() => new TextEncoder().encode(body)))
    } else {
      this.stream = Stream.mapError(body, () => this.broken("terminated: other side closed"))
      // A body arrives once; who reads it again gets what arrived.
      this.text = Effect.runSync(
        Effect.cached(
          Effect.map(Stream.mkUint8Array(this.stream), (bytes) => new TextDecoder().decode(bytes))
        )
      )
    }
  }

  private broken(description: string, cause?: unknown) {
    return new HttpClientError.HttpClientError({
      reason: new HttpClientError.DecodeError({
        request: this.request,
        response: this,
        description,
        cause
      })
    })
  }

  private read<A>(decode: (text: string) => A): Effect.Effect<A, HttpClientError.HttpClientError> {
    return Effect.flatMap(this.text, (text) =>
      Effect.try({
        try: () => decode(text),
        catch: (cause) => this.broken("the body cannot be decoded", cause)
      })
    )
  }

  get json(): Effect.Effect<Schema.Json, HttpClientError.HttpClientError> {
    return this.read((text): Schema.Json => (text === "" ? null : JSON.parse(text)))
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, HttpClientError.HttpClientError> {
    return this.read((text) => UrlParams.fromInput(new URLSearchParams(text)))
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, HttpClientError.HttpClientError> {
    return this.read((text) => new TextEncoder().encode(text).buffer)
  }

  get formData(): Effect.Effect<FormData, HttpClientError.HttpClientError> {
    return Effect.fail(this.broken("the simulator answers with no forms"))
  }

  get upgrade(): HttpClientResponse.HttpClientResponse["upgrade"] {
    return Effect.fail(
      new HttpClientError.HttpClientError({
        reason: new HttpClientError.StatusCodeError({
          request: this.request,
          response: this,
          description: "the simulator upgrades no connection"
        })
      })
    )
  }

  toJSON(): unknown {
    return HttpIncomingMessage.inspect(this, {
      _id: "@infermesh/core/testing/SimulatedHttpClient/Response",
      request: this.request.toJSON(),
      status: this.status
    })
  }

  pipe() {
    return pipeArguments(this, arguments)
  }
}
