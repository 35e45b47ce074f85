/**
 * The only user of `HttpClient`: one HTTP exchange, with its network faults and bad statuses as reasons.
 *
 * It knows HTTP and no vendor: what a vendor means by an error body, its provider says (`classify`). It does not retry.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Stream from "effect/Stream"

import type { Fault } from "./HttpFault.ts"
import { networkError, statusError } from "./HttpFault.ts"
import type { AttemptError } from "./Provider.ts"
import type { Headers } from "./ResponseHeaders.ts"

/**
 * A vendor's reading of an error body.
 *
 * @category models
 * @since 0.1.0
 */
export type Classify = (status: number, body: string) => Fault

/**
 * A response with a good status: its headers and its whole text.
 *
 * @category models
 * @since 0.1.0
 */
export interface Exchange {
  readonly headers: Headers
  readonly text: string
}

/**
 * A response with a good status, whose body is still arriving.
 *
 * @category models
 * @since 0.1.0
 */
export interface StreamedExchange {
  readonly headers: Headers
  readonly bytes: Stream.Stream<Uint8Array, AttemptError>
}

/**
 * Sends the requests of one vendor; interruption closes the socket.
 *
 * @category models
 * @since 0.1.0
 */
export interface Transport {
  readonly exchange: (
    request: HttpClientRequest.HttpClientRequest
  ) => Effect.Effect<Exchange, AttemptError>
  readonly stream: (
    request: HttpClientRequest.HttpClientRequest
  ) => Effect.Effect<StreamedExchange, AttemptError>
}

/**
 * Builds the transport of one vendor over the `HttpClient` in context.
 *
 * **Details**: no trace headers go to providers and no span is made per HTTP attempt; the request's own span suffices.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (classify: Classify) {
  const client = yield* HttpClient.HttpClient
  const execute = (
    request: HttpClientRequest.HttpClientRequest
  ): Effect.Effect<HttpClientResponse.HttpClientResponse, AttemptError> =>
    client.execute(request).pipe(
      Effect.provideService(HttpClient.TracerDisabledWhen, always),
      Effect.provideService(HttpClient.TracerPropagationEnabled, false),
      Effect.catch(fail),
      Effect.filterOrElse(
        ({ status }) => status >= 200 && status < 300,
        (response) => refuse(response, classify)
      )
    )
  const transport: Transport = {
    exchange: (request) =>
      Effect.flatMap(execute(request), (response) =>
        Effect.map(Effect.catch(response.text, fail), (text) => ({
          headers: response.headers,
          text
        }))
      ),
    stream: (request) =>
      Effect.map(execute(request), (response) => ({
        headers: response.headers,
        bytes: Stream.mapError(response.stream, networkError)
      }))
  }
  return transport
})

const always = () => true

const fail = (error: HttpClientError.HttpClientError) => Effect.fail(networkError(error))

const refuse = (response: HttpClientResponse.HttpClientResponse, classify: Classify) =>
  // An error body that cannot be read is no reason to lose the status.
  Effect.flatMap(
    Effect.orElseSucceed(response.text, () => ""),
    (body) =>
      Effect.flatMap(Clock.currentTimeMillis, (nowMillis) =>
        Effect.fail(
          statusError({
            status: response.status,
            headers: response.headers,
            body,
            fault: classify(response.status, body),
            nowMillis
          })
        )
      )
  )
