/**
 * What the endpoints of one deployment share: where they are, whom they ask, and how requests get there.
 *
 * @since 0.1.0
 */
import { publicUrl } from "@infermesh/core/provider/HttpFault"
import type { Answer, Target } from "@infermesh/core/provider/Provider"
import { AttemptError } from "@infermesh/core/provider/Provider"
import * as ResponseHeaders from "@infermesh/core/provider/ResponseHeaders"
import type { Exchange, Transport } from "@infermesh/core/provider/Transport"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as HttpBody from "effect/http/HttpBody"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Result from "effect/Result"

import type { Context } from "../ResponseBody.ts"
import type { Dialect } from "./Dialect.ts"

/**
 * A connected deployment, as its endpoints see it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Deployment {
  readonly dialect: Dialect
  readonly target: Target
  readonly transport: Transport
  /** A request to a path below the base URL, such as `/embeddings`, with the deployment's headers and without a body. */
  readonly post: (path: string) => HttpClientRequest.HttpClientRequest
}

/**
 * A request with its body, and the headers of the call.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withBody = (
  request: HttpClientRequest.HttpClientRequest,
  body: HttpBody.HttpBody,
  headers: { readonly [name: string]: string } | undefined
): HttpClientRequest.HttpClientRequest => {
  const ready = HttpClientRequest.setBody(request, body)
  return headers === undefined ? ready : HttpClientRequest.setHeaders(ready, headers)
}

/**
 * Sends a request and reads the response with good status; the answer and its failure know the id and the rate limits in
 * the response's headers.
 *
 * @category combinators
 * @since 0.1.0
 */
export const exchange = <A>(
  { target, transport }: Deployment,
  request: HttpClientRequest.HttpClientRequest,
  read: (
    exchange: Exchange,
    context: Context
  ) => Result.Result<Pick<Answer<A>, "value" | "usage" | "body">, AttemptError>
): Effect.Effect<Answer<A>, AttemptError> =>
  Effect.flatMap(transport.exchange(request), (response) =>
    Effect.flatMap(Clock.currentTimeMillis, (nowMillis) => {
      const { headers } = response
      const context = { model: target.model, url: publicUrl(request.url), headers, nowMillis }
      const known = {
        requestId: ResponseHeaders.requestId(headers),
        rateLimits: ResponseHeaders.rateLimits(headers, nowMillis)
      }
      return Effect.fromResult(
        Result.mapBoth(read(response, context), {
          onSuccess: (answer) => ({ ...answer, ...known }),
          onFailure: ({ outcome, reason, usage }) =>
            new AttemptError({ ...known, outcome, reason, usage })
        })
      )
    })
  )
