/**
 * An `HttpClient` for many small requests: undici's dispatcher, and as little between it and the program as there can be.
 *
 * The default of `Infermesh.layer` and of the command. Any other `HttpClient` does as well; this one costs about half the CPU
 * of the stock ones. It makes no spans and sends no trace headers: the request's own span suffices, and providers have no use
 * for them. It follows no redirects, sets no time limits (the pipeline has both attempt timeouts and deadlines), and upgrades no
 * connections.
 *
 * @since 0.1.0
 */
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Effect from "effect/Effect"
import type * as Headers from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Url from "effect/http/Url"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { Agent, Dispatcher } from "undici"

import { IncomingBody } from "./internal/IncomingBody.ts"
import { UndiciResponse } from "./internal/UndiciResponse.ts"

/**
 * Settings of the client: those of undici's `Agent`.
 *
 * **Details**: `connections` is how many sockets there may be for each origin. Set it to the number of requests in flight at
 * once: with fewer, requests wait for sockets; without a number, undici opens more than it needs.
 *
 * @category models
 * @since 0.1.0
 */
export type Options = Omit<Agent.Options, "headersTimeout" | "bodyTimeout">

/**
 * A client over a dispatcher of one's own.
 *
 * **Errors**: `TransportError` before the head of a response, `DecodeError` within its body, `EncodeError` for a body that
 * cannot be sent, `InvalidUrlError` for a URL that is none.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (dispatcher: Dispatcher): HttpClient.HttpClient => {
  const addresses = new Map<string, Address>()
  return HttpClient.makeWith(
    (request) => Effect.flatMap(request, (ready) => exchange(dispatcher, addresses, ready)),
    Effect.succeed<HttpClientRequest>
  )
}

/**
 * A client with an agent of its own, closed with the scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeScoped = (
  options: Options = {}
): Effect.Effect<HttpClient.HttpClient, never, Scope.Scope> =>
  Effect.acquireRelease(
    // Loaded with the layer: a program that never sends has no use for it.
    Effect.map(
      Effect.promise(() => import("undici")),
      ({ Agent: make }) => new make(options)
    ),
    (agent) => Effect.promise(() => agent.destroy())
  ).pipe(Effect.map(make))

/**
 * The client, with as many sockets as are needed.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<HttpClient.HttpClient> = Layer.effect(
  HttpClient.HttpClient,
  makeScoped()
)

/**
 * The client with settings.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerOptions = (options: Options): Layer.Layer<HttpClient.HttpClient> =>
  Layer.effect(HttpClient.HttpClient, makeScoped(options))

/** Where a request goes, as undici wants it. */
interface Address {
  readonly origin: string
  readonly path: string
  readonly href: string
}

/** Deployments have few addresses; a program with more of them parses the rest each time. */
const mostAddresses = 1024

const addressOf = (
  addresses: Map<string, Address>,
  request: HttpClientRequest
): Address | HttpClientError.HttpClientError => {
  const isPlain = request.urlParams.params.length === 0 && Option.isNone(request.hash)
  const known = isPlain ? addresses.get(request.url) : undefined
  if (known !== undefined) return known
  const url = Url.make(request.url, request.urlParams, Option.getOrUndefined(request.hash))
  if (Result.isFailure(url)) {
    const reason = new HttpClientError.InvalidUrlError({ request, cause: url.failure })
    return new HttpClientError.HttpClientError({ reason })
  }
  const { hash, href, origin, pathname, search } = url.success
  const address = {
    origin,
    path: pathname + search,
    href: href.slice(0, href.length - hash.length)
  }
  if (isPlain && addresses.size < mostAddresses) addresses.set(request.url, address)
  return address
}

type Body = NonNullable<Dispatcher.DispatchOptions["body"]> | null

const exchange = (
  dispatcher: Dispatcher,
  addresses: Map<string, Address>,
  request: HttpClientRequest
): Effect.Effect<HttpClientResponse, HttpClientError.HttpClientError> => {
  const address = addressOf(addresses, request)
  if (address instanceof HttpClientError.HttpClientError) return Effect.fail(address)
  const { body, headers } = request
  switch (body._tag) {
    case "Empty":
      return send(dispatcher, request, address, null, headers)
    case "Uint8Array":
      return send(dispatcher, request, address, body.body, headers)
    case "Raw":
      return Effect.flatMap(rawBody(request, body.body), (raw) =>
        send(dispatcher, request, address, raw.body, raw.headers)
      )
    case "FormData":
      return Effect.flatMap(rawBody(request, body.formData), (form) =>
        send(dispatcher, request, address, form.body, form.headers)
      )
    case "Stream":
      return Effect.flatMap(NodeStream.toReadable(body.stream), (readable) =>
        send(dispatcher, request, address, readable, headers)
      )
  }
}

/** Forms and what else `fetch` takes become bytes by the platform, which also names their type. */
const rawBody = (
  request: HttpClientRequest,
  raw: unknown
): Effect.Effect<
  { readonly body: Body; readonly headers: Headers.Headers },
  HttpClientError.HttpClientError
> => {
  const { headers } = request
  if (typeof raw === "string" || raw instanceof Uint8Array) {
    return Effect.succeed({ body: raw, headers })
  }
  return Effect.tryPromise({
    try: async () => {
      const source = new Response(raw as ConstructorParameters<typeof Response>[0])
      const bytes = new Uint8Array(await source.arrayBuffer())
      const type = source.headers.get("content-type")
      return {
        body: bytes,
        headers: type === null ? headers : { ...headers, "content-type": type }
      }
    },
    catch: (cause) =>
      new HttpClientError.HttpClientError({
        reason: new HttpClientError.EncodeError({ request, cause })
      })
  })
}

const send = (
  dispatcher: Dispatcher,
  request: HttpClientRequest,
  { href, origin, path }: Address,
  body: Body,
  headers: Headers.Headers
): Effect.Effect<HttpClientResponse, HttpClientError.HttpClientError> =>
  Effect.callback((resume) => {
    let controller: Dispatcher.DispatchController | undefined
    let incoming: IncomingBody | undefined
    let isInterrupted = false
    const fail = (cause: unknown) => {
      if (isInterrupted) return
      const reason = new HttpClientError.TransportError({ request, cause })
      resume(Effect.fail(new HttpClientError.HttpClientError({ reason })))
    }
    try {
      dispatcher.dispatch(
        { origin, path, method: request.method, headers, body, headersTimeout: 0, bodyTimeout: 0 },
        {
          onRequestStart(started) {
            controller = started
            // It was still waiting for a socket: it is never sent.
            if (isInterrupted) started.abort(interrupted())
          },
          onResponseStart(started, status, received) {
            if (status < 200) return
            incoming = new IncomingBody(started)
            resume(Effect.succeed(new UndiciResponse(request, href, status, received, incoming)))
          },
          onResponseData(_, piece) {
            incoming?.push(piece)
          },
          onResponseEnd() {
            incoming?.end()
          },
          onResponseError(_, cause) {
            if (incoming === undefined) fail(cause)
            else incoming.fail(cause)
          }
        }
      )
    } catch (cause) {
      fail(cause)
    }
    return Effect.sync(() => {
      isInterrupted = true
      controller?.abort(interrupted())
    })
  })

const interrupted = () => new Error("the request was interrupted")
