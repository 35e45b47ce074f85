/**
 * A response of undici as `effect/http` knows responses; nothing of it is read or converted before somebody asks.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Cookies from "effect/http/Cookies"
import * as Headers from "effect/http/Headers"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as UrlParams from "effect/http/UrlParams"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import { pipeArguments } from "effect/Pipeable"
import type * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

import type { IncomingBody } from "./IncomingBody.ts"

type Raw = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

/**
 * A response whose body is still arriving.
 *
 * @category models
 * @since 0.1.0
 */
export class UndiciResponse
  extends Inspectable.Class
  implements HttpClientResponse.HttpClientResponse
{
  readonly [HttpIncomingMessage.TypeId] = HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId] = HttpClientResponse.TypeId
  readonly request: HttpClientRequest
  readonly url: string
  readonly status: number
  readonly #raw: Raw
  readonly #body: IncomingBody
  #headers: Headers.Headers | undefined

  constructor(
    request: HttpClientRequest,
    url: string,
    status: number,
    headers: Raw,
    body: IncomingBody
  ) {
    super()
    this.request = request
    this.url = url
    this.status = status
    this.#raw = headers
    this.#body = body
  }

  get headers(): Headers.Headers {
    return (this.#headers ??= Headers.fromInput(this.#raw))
  }

  get cookies(): Cookies.Cookies {
    const header = this.#raw["set-cookie"]
    return header === undefined ? Cookies.empty : Cookies.fromSetCookie(header)
  }

  get remoteAddress(): Option.Option<string> {
    return Option.none()
  }

  get text(): Effect.Effect<string, HttpClientError.HttpClientError> {
    return Effect.mapBoth(this.#body.whole, {
      onFailure: (cause) => this.#broken(cause),
      onSuccess: textOf
    })
  }

  get json(): Effect.Effect<Schema.Json, HttpClientError.HttpClientError> {
    return this.#parsed((text): Schema.Json => (text === "" ? null : JSON.parse(text)))
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, HttpClientError.HttpClientError> {
    return this.#parsed((text) => UrlParams.fromInput(new URLSearchParams(text)))
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, HttpClientError.HttpClientError> {
    return Effect.mapBoth(this.#body.whole, {
      onFailure: (cause) => this.#broken(cause),
      onSuccess: (bytes) => new Uint8Array(bytes).buffer
    })
  }

  get formData(): Effect.Effect<FormData, HttpClientError.HttpClientError> {
    const type = this.headers["content-type"]
    return Effect.flatMap(this.arrayBuffer, (bytes) =>
      Effect.tryPromise({
        try: () =>
          new Response(
            bytes,
            type === undefined ? {} : { headers: { "content-type": type } }
          ).formData(),
        catch: (cause) => this.#broken(cause)
      })
    )
  }

  get stream(): Stream.Stream<Uint8Array, HttpClientError.HttpClientError> {
    const { cancel, pull } = this.#body
    return Stream.fromPull(Effect.succeed(pull)).pipe(
      Stream.mapError((cause) => this.#broken(cause)),
      Stream.ensuring(cancel)
    )
  }

  get upgrade(): HttpClientResponse.HttpClientResponse["upgrade"] {
    const reason = new HttpClientError.StatusCodeError({
      request: this.request,
      response: this,
      description: "this client upgrades no connection"
    })
    return Effect.fail(new HttpClientError.HttpClientError({ reason }))
  }

  toJSON(): unknown {
    return HttpIncomingMessage.inspect(this, {
      _id: "infermesh/UndiciHttpClient/Response",
      request: this.request.toJSON(),
      status: this.status
    })
  }

  pipe() {
    return pipeArguments(this, arguments)
  }

  #parsed<A>(parse: (text: string) => A): Effect.Effect<A, HttpClientError.HttpClientError> {
    return Effect.flatMap(this.text, (text) =>
      Effect.try({ try: () => parse(text), catch: (cause) => this.#broken(cause) })
    )
  }

  #broken(cause: unknown): HttpClientError.HttpClientError {
    const reason = new HttpClientError.DecodeError({ request: this.request, response: this, cause })
    return new HttpClientError.HttpClientError({ reason })
  }
}

/** Without the byte-order mark that some servers put first. */
const textOf = (bytes: Buffer): string => {
  const text = bytes.toString("utf8")
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}
