/**
 * A vendor with an API like OpenAI's as a provider: this file connects its `Dialect` to HTTP.
 *
 * What goes over the wire is in the protocols of the endpoints. OpenAI itself is one such vendor (`OpenAi`), the others are in
 * the `vendor` folder.
 *
 * @since 0.1.0
 */
import type { EndpointType, GenerateRequest, Generation } from "@infermesh/core/operation/Generate"
import * as Framing from "@infermesh/core/provider/Framing"
import { publicUrl } from "@infermesh/core/provider/HttpFault"
import type {
  Answer,
  Connection,
  GenerationPart,
  Provider,
  Target
} from "@infermesh/core/provider/Provider"
import { AttemptError } from "@infermesh/core/provider/Provider"
import * as Providers from "@infermesh/core/provider/Providers"
import type { Headers } from "@infermesh/core/provider/ResponseHeaders"
import * as ResponseHeaders from "@infermesh/core/provider/ResponseHeaders"
import * as Transport from "@infermesh/core/provider/Transport"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"

import { access, address } from "../Connect.ts"
import { merge, unsupported } from "../RequestBody.ts"
import type { Context } from "../ResponseBody.ts"
import * as ChatProtocol from "./ChatProtocol.ts"
import * as CompletionProtocol from "./CompletionProtocol.ts"
import type { Dialect } from "./Dialect.ts"
import * as EmbedEndpoint from "./EmbedEndpoint.ts"
import { withBody } from "./Endpoint.ts"
import * as Fault from "./Fault.ts"
import type { GenerateProtocol } from "./GenerateProtocol.ts"
import * as ResponsesProtocol from "./ResponsesProtocol.ts"
import * as TranscriptionEndpoint from "./TranscriptionEndpoint.ts"

/** How each endpoint is spoken to; which of them a vendor has, its dialect says. */
const protocols: { readonly [E in EndpointType]?: GenerateProtocol } = {
  chat_completion: ChatProtocol.protocol,
  text_completion: CompletionProtocol.protocol,
  responses: ResponsesProtocol.protocol
}

/**
 * The provider of a dialect, over the `HttpClient` in context.
 *
 * @category constructors
 * @since 0.1.0
 */
export const provider = (dialect: Dialect): Effect.Effect<Provider, never, HttpClient.HttpClient> =>
  Effect.map(HttpClient.HttpClient, (client) => ({
    name: dialect.name,
    aliases: dialect.aliases,
    connect: (target) =>
      Effect.provideService(connect(dialect, target), HttpClient.HttpClient, client)
  }))

/**
 * A vendor alone.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  dialect: Dialect
): Layer.Layer<Providers.Providers, never, HttpClient.HttpClient> =>
  Providers.layer(Effect.map(provider(dialect), (one) => [one]))

/** A request that is ready to go, and how its response is read. */
interface Prepared {
  readonly request: HttpClientRequest.HttpClientRequest
  readonly protocol: GenerateProtocol
}

const connect = Effect.fnUntraced(function* (dialect: Dialect, target: Target) {
  const found = yield* access(dialect, target)
  const transport = yield* Transport.make(Fault.classify(target.model))
  // Built once per endpoint: what all its requests share.
  const post = (path: string) =>
    HttpClientRequest.post(address(found, path)).pipe(
      HttpClientRequest.setHeaders({
        accept: "application/json",
        ...target.headers,
        ...keyHeader(dialect, found.key)
      })
    )
  const endpoints = new Map(
    (dialect.endpoints ?? defaultEndpoints).flatMap((endpoint) => {
      const protocol = protocols[endpoint]
      return protocol === undefined ? [] : [[endpoint, { protocol, base: post(protocol.path) }]]
    })
  )
  // The model's name has the last word of the deployment's own fields: it is what the deployment is.
  const fixed = { ...merge(dialect.body ?? {}, target.extraBody), model: target.model }
  const prepare = (
    request: GenerateRequest,
    isStream: boolean
  ): Result.Result<Prepared, AttemptError> => {
    const endpoint = endpoints.get(request.endpoint)
    if (endpoint === undefined) return Result.fail(lacks(dialect, request.endpoint, endpoints))
    const { base, protocol } = endpoint
    return Result.map(protocol.encode(request, dialect), (encoded) => {
      const asked = merge(fixed, encoded)
      const body = isStream ? merge(asked, protocol.streamFields(dialect)) : asked
      return {
        protocol,
        request: withBody(
          base,
          HttpBody.text(JSON.stringify(body), "application/json"),
          request.options.headers
        )
      }
    })
  }
  const context = (request: HttpClientRequest.HttpClientRequest, headers: Headers) =>
    Effect.map(Clock.currentTimeMillis, (nowMillis): Context => ({
      model: target.model,
      url: publicUrl(request.url),
      headers,
      nowMillis
    }))
  const deployment = { dialect, target, transport, post }
  const connection: Connection = {
    generate: (asked) =>
      Effect.flatMap(Effect.fromResult(prepare(asked, false)), ({ protocol, request }) =>
        Effect.flatMap(transport.exchange(request), ({ headers, text }) =>
          Effect.flatMap(context(request, headers), (known) =>
            Effect.fromResult(Result.mapError(protocol.answer(text, known), identified(known)))
          )
        )
      ),
    generateStream: (asked) =>
      Stream.unwrap(
        Effect.flatMap(Effect.fromResult(prepare(asked, true)), ({ protocol, request }) =>
          Effect.flatMap(transport.stream(request), ({ bytes, headers }) =>
            Effect.map(
              context(request, headers),
              (known): Stream.Stream<GenerationPart | Answer<Generation>, AttemptError> =>
                Stream.mapError(protocol.stream(Framing.events(bytes), known), identified(known))
            )
          )
        )
      ),
    // The list of models: every server of this kind has it, and no model works for it.
    check: Effect.asVoid(transport.exchange(HttpClientRequest.setMethod(post("/models"), "GET"))),
    ...EmbedEndpoint.make(deployment),
    ...TranscriptionEndpoint.make(deployment)
  }
  return connection
})

const defaultEndpoints: ReadonlyArray<EndpointType> = ["chat_completion"]

const lacks = (
  { name }: Dialect,
  endpoint: EndpointType,
  endpoints: ReadonlyMap<EndpointType, unknown>
): AttemptError => {
  const others = [...endpoints.keys()].join(", ")
  return unsupported(
    name,
    `the ${endpoint} endpoint`,
    others === "" ? "It generates no text" : `It has ${others}`
  )
}

const keyHeader = (
  dialect: Dialect,
  key: Redacted.Redacted | undefined
): { readonly [name: string]: string } => {
  if (key === undefined) return {}
  return dialect.keyHeader === "api-key"
    ? { "api-key": Redacted.value(key) }
    : { authorization: `Bearer ${Redacted.value(key)}` }
}

/** A response that could not be read has an id and rate limits all the same. */
const identified =
  ({ headers, nowMillis }: Context) =>
  ({ outcome, rateLimits, reason, requestId, usage }: AttemptError): AttemptError =>
    new AttemptError({
      reason,
      outcome,
      requestId: requestId ?? ResponseHeaders.requestId(headers),
      rateLimits: rateLimits ?? ResponseHeaders.rateLimits(headers, nowMillis),
      usage
    })
