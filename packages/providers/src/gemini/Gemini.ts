/**
 * Google's Gemini API as a provider: `gemini/…` models, for text and embeddings.
 *
 * This file connects a deployment to HTTP. What goes over the wire is in `GenerateContentProtocol` and `EmbedProtocol`. The
 * key travels in a header, never in the URL, where logs of others would keep it.
 *
 * **Details**: `gemini/gemini-3-pro` is `models/gemini-3-pro`; a name with a slash (`gemini/tunedModels/mine`) is taken as it
 * is. Other servers with this API are reached by `apiBase`, given up to and with its version: `https://…/v1beta`.
 *
 * @since 0.1.0
 */
import type { Embeddings, EmbedRequest } from "@infermesh/core/operation/Embed"
import type { GenerateRequest } from "@infermesh/core/operation/Generate"
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
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"

import type { Vendor } from "../Connect.ts"
import { access, address } from "../Connect.ts"
import * as PartStream from "../PartStream.ts"
import type { Json } from "../RequestBody.ts"
import { merge, unsupported } from "../RequestBody.ts"
import * as EmbedProtocol from "./EmbedProtocol.ts"
import * as Fault from "./Fault.ts"
import * as GenerateContentProtocol from "./GenerateContentProtocol.ts"
import * as GenerateContentStream from "./GenerateContentStream.ts"

/** Source: Gemini API documentation, "API keys" and "API versions" (read November 2026). */
const vendor: Vendor = {
  name: "gemini",
  apiBase: "https://generativelanguage.googleapis.com/v1beta",
  aliases: ["google", "vertex"],
  keyVariables: ["GEMINI_API_KEY", "GOOGLE_API_KEY"]
}

/**
 * Gemini over the `HttpClient` in context.
 *
 * @category constructors
 * @since 0.1.0
 */
export const provider: Effect.Effect<Provider, never, HttpClient.HttpClient> = Effect.map(
  HttpClient.HttpClient,
  (client) => ({
    name: vendor.name,
    aliases: vendor.aliases,
    connect: (target) => Effect.provideService(connect(target), HttpClient.HttpClient, client)
  })
)

/**
 * Gemini alone: `gemini/…`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Providers.Providers, never, HttpClient.HttpClient> =
  Providers.layer(Effect.map(provider, (one) => [one]))

const connect = Effect.fnUntraced(function* (target: Target) {
  const found = yield* access(vendor, target)
  const { baseUrl, key } = found
  const transport = yield* Transport.make(Fault.classify(target.model))
  const resource = target.model.includes("/") ? target.model : `models/${target.model}`
  // Each part by itself: what stands in a name must not end the path.
  const path = resource.split("/").map(encodeURIComponent).join("/")
  const withHeaders = HttpClientRequest.setHeaders({
    accept: "application/json",
    ...target.headers,
    ...(key === undefined ? {} : { "x-goog-api-key": Redacted.value(key) })
  })
  // Built once per method: what all requests of the deployment share.
  const base = (method: string) =>
    withHeaders(HttpClientRequest.post(address(found, `/${path}:${method}`)))
  // Source: Gemini API documentation, "models.get".
  const model = withHeaders(HttpClientRequest.get(address(found, `/${path}`)))
  const bases = {
    generateContent: base("generateContent"),
    streamGenerateContent: base("streamGenerateContent?alt=sse"),
    embedContent: base("embedContent"),
    batchEmbedContents: base("batchEmbedContents")
  }
  const ready = (
    method: keyof typeof bases,
    body: Json,
    headers: { readonly [name: string]: string } | undefined
  ): HttpClientRequest.HttpClientRequest => {
    const request = HttpClientRequest.setBody(
      bases[method],
      HttpBody.text(JSON.stringify(body), "application/json")
    )
    return headers === undefined ? request : HttpClientRequest.setHeaders(request, headers)
  }
  const prepare = (
    request: GenerateRequest,
    method: "generateContent" | "streamGenerateContent"
  ): Effect.Effect<HttpClientRequest.HttpClientRequest, AttemptError> =>
    request.endpoint === "chat_completion"
      ? Effect.fromResult(
          Result.map(GenerateContentProtocol.encode(request, target.model), (encoded) =>
            ready(method, merge(target.extraBody, encoded), request.options.headers)
          )
        )
      : Effect.fail(unsupported(vendor.name, `the ${request.endpoint} endpoint`))
  const context = (headers: ResponseHeaders.Headers) =>
    Effect.map(Clock.currentTimeMillis, (nowMillis) => ({
      model: target.model,
      url: publicUrl(`${baseUrl}/${path}`),
      headers,
      nowMillis
    }))
  const connection: Connection = {
    generate: (request) =>
      Effect.flatMap(prepare(request, "generateContent"), (prepared) =>
        Effect.flatMap(transport.exchange(prepared), ({ headers, text }) =>
          Effect.flatMap(context(headers), (known) =>
            Effect.fromResult(
              Result.flatMap(GenerateContentProtocol.parse(text, known.url), (read) =>
                GenerateContentProtocol.decode(read, known)
              )
            )
          )
        )
      ),
    generateStream: (request) =>
      Stream.unwrap(
        Effect.flatMap(prepare(request, "streamGenerateContent"), (prepared) =>
          Effect.flatMap(transport.stream(prepared), ({ bytes, headers }) =>
            Effect.map(context(headers), (known) =>
              PartStream.decode(Framing.events(bytes), GenerateContentStream.machine(known))
            )
          )
        )
      ),
    embed: (request) =>
      Effect.flatMap(
        Effect.fromResult(EmbedProtocol.encode(request, resource, target.extraBody)),
        ({ body, method }) =>
          Effect.flatMap(
            transport.exchange(ready(method, body, request.options.headers)),
            (exchange) =>
              Effect.fromResult(
                embedded(exchange, request, target.model, publicUrl(`${baseUrl}/${path}`))
              )
          )
      ),
    embedLimits: EmbedProtocol.limits,
    check: Effect.asVoid(transport.exchange(model))
  }
  return connection
})

const embedded = (
  { headers, text }: Exchange,
  { texts }: EmbedRequest,
  model: string,
  url: string
): Result.Result<Answer<Embeddings>, AttemptError> =>
  Result.flatMap(EmbedProtocol.parse(text, url), ({ json, value: body }) =>
    Result.map(EmbedProtocol.decode(body, texts.length, model), (value) => ({
      value,
      usage: EmbedProtocol.usage(body),
      requestId: ResponseHeaders.requestId(headers),
      rateLimits: ResponseHeaders.rateLimits(headers),
      body: json
    }))
  )
