/**
 * OpenAI, and every vendor and server with an API like it, as providers.
 *
 * A vendor is a `Dialect`; this file connects one to HTTP. What goes over the wire is in `ChatProtocol` and `ChatStream`.
 *
 * @since 0.1.0
 */
import type { GenerateRequest, Generation } from "@infermesh/core/operation/Generate"
import * as Framing from "@infermesh/core/provider/Framing"
import { publicUrl } from "@infermesh/core/provider/HttpFault"
import type {
  Answer,
  AttemptError,
  Connection,
  Provider,
  Target
} from "@infermesh/core/provider/Provider"
import * as Providers from "@infermesh/core/provider/Providers"
import * as ResponseHeaders from "@infermesh/core/provider/ResponseHeaders"
import type { Exchange } from "@infermesh/core/provider/Transport"
import * as Transport from "@infermesh/core/provider/Transport"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"

import { access } from "../Connect.ts"
import * as Vendors from "../vendor/Vendors.ts"
import * as ChatProtocol from "./ChatProtocol.ts"
import * as ChatStream from "./ChatStream.ts"
import type { Dialect } from "./Dialect.ts"
import * as Fault from "./Fault.ts"

/**
 * OpenAI's own dialect.
 *
 * **Source**: OpenAI API reference; `max_tokens` is deprecated there, and refused by its reasoning models.
 *
 * @category dialects
 * @since 0.1.0
 */
export const openai: Dialect = {
  name: "openai",
  apiBase: "https://api.openai.com/v1",
  keyVariables: ["OPENAI_API_KEY"],
  maxTokensField: "max_completion_tokens"
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
    connect: (target) =>
      Effect.provideService(connect(dialect, target), HttpClient.HttpClient, client)
  }))

/**
 * OpenAI alone: `openai/…`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Providers.Providers, never, HttpClient.HttpClient> =
  Providers.layer(Effect.map(provider(openai), (one) => [one]))

/**
 * OpenAI and all vendors and servers with an API like it: `openai/…`, `hosted_vllm/…`, `groq/…` and the rest of `Vendors`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerCompatible: Layer.Layer<Providers.Providers, never, HttpClient.HttpClient> =
  Providers.layer(Effect.forEach([openai, ...Vendors.all], provider))

const connect = Effect.fnUntraced(function* (dialect: Dialect, target: Target) {
  const { baseUrl, key } = yield* access(dialect, target)
  const transport = yield* Transport.make(Fault.classify(target.model))
  const url = `${baseUrl}/chat/completions`
  // Built once: what all requests of the deployment share.
  const base = HttpClientRequest.post(url).pipe(
    HttpClientRequest.setHeaders({
      accept: "application/json",
      ...target.headers,
      ...keyHeader(dialect, key)
    })
  )
  const prepare = (
    request: GenerateRequest,
    more: { readonly [key: string]: unknown }
  ): Result.Result<HttpClientRequest.HttpClientRequest, AttemptError> => {
    if (request.endpoint !== "chat_completion") {
      return Result.fail(ChatProtocol.refuse(dialect.name, `the ${request.endpoint} endpoint`))
    }
    return Result.map(ChatProtocol.encode(request, dialect), (encoded) => {
      const body = HttpBody.text(
        JSON.stringify({ model: target.model, ...target.extraBody, ...encoded, ...more }),
        "application/json"
      )
      const ready = HttpClientRequest.setBody(base, body)
      const { headers } = request.options
      return headers === undefined ? ready : HttpClientRequest.setHeaders(ready, headers)
    })
  }
  const connection: Connection = {
    generate: (request) => {
      const prepared = prepare(request, {})
      return Result.isFailure(prepared)
        ? Effect.fail(prepared.failure)
        : Effect.flatMap(transport.exchange(prepared.success), (exchange) =>
            Effect.fromResult(answer(exchange, target.model, url))
          )
    },
    generateStream: (request) => {
      const usage = dialect.streamUsage === false ? {} : { stream_options: { include_usage: true } }
      const prepared = prepare(request, { stream: true, ...usage })
      if (Result.isFailure(prepared)) return Stream.fail(prepared.failure)
      return Stream.unwrap(
        Effect.map(transport.stream(prepared.success), ({ bytes, headers }) =>
          ChatStream.decode(Framing.events(bytes), {
            model: target.model,
            url: publicUrl(url),
            headers
          })
        )
      )
    },
    // The list of models: every server of this dialect has it, and no model works for it.
    check: transport
      .exchange(
        base.pipe(HttpClientRequest.setMethod("GET"), HttpClientRequest.setUrl(`${baseUrl}/models`))
      )
      .pipe(Effect.asVoid)
  }
  return connection
})

const keyHeader = (
  dialect: Dialect,
  key: Redacted.Redacted | undefined
): { readonly [name: string]: string } => {
  if (key === undefined) return {}
  return dialect.keyHeader === "api-key"
    ? { "api-key": Redacted.value(key) }
    : { authorization: `Bearer ${Redacted.value(key)}` }
}

const answer = (
  exchange: Exchange,
  model: string,
  url: string
): Result.Result<Answer<Generation>, AttemptError> =>
  Result.flatMap(ChatProtocol.parse(exchange.text, publicUrl(url)), (body) =>
    body.error !== undefined && body.error !== null && (body.choices ?? []).length === 0
      ? Result.fail(ChatStream.inBand(body.error, { model, headers: exchange.headers }))
      : Result.map(ChatProtocol.decode(body, model), (value) => ({
          value,
          usage: ChatProtocol.usage(body),
          requestId: ResponseHeaders.requestId(exchange.headers) ?? body.id ?? undefined,
          rateLimits: ResponseHeaders.rateLimits(exchange.headers),
          body
        }))
  )
