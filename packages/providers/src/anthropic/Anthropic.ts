/**
 * Anthropic as a provider: `anthropic/…` models, by its Messages API.
 *
 * This file connects a deployment to HTTP. What goes over the wire is in `MessagesProtocol`. The API makes no embeddings and
 * transcribes nothing, so a connection has neither.
 *
 * **Details**: other servers with this API are reached by `apiBase`, given up to and with its version: `https://…/v1`.
 *
 * @since 0.1.0
 */
import type { GenerateRequest } from "@infermesh/core/operation/Generate"
import * as Framing from "@infermesh/core/provider/Framing"
import { publicUrl } from "@infermesh/core/provider/HttpFault"
import type { AttemptError, Connection, Provider, Target } from "@infermesh/core/provider/Provider"
import * as Providers from "@infermesh/core/provider/Providers"
import type { Headers } from "@infermesh/core/provider/ResponseHeaders"
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
import { unsupported } from "../RequestBody.ts"
import * as Fault from "./Fault.ts"
import * as MessagesProtocol from "./MessagesProtocol.ts"
import * as MessagesStream from "./MessagesStream.ts"

/** Source: Claude documentation, "API overview" (read November 2026). */
const vendor: Vendor = {
  name: "anthropic",
  apiBase: "https://api.anthropic.com/v1",
  aliases: ["claude"],
  keyVariables: ["ANTHROPIC_API_KEY"]
}

/** The version of the API that is spoken here; `headers` of a deployment may name another. */
const version = "2023-06-01"

/**
 * Anthropic over the `HttpClient` in context.
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
 * Anthropic alone: `anthropic/…`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Providers.Providers, never, HttpClient.HttpClient> =
  Providers.layer(Effect.map(provider, (one) => [one]))

interface Prepared {
  readonly request: HttpClientRequest.HttpClientRequest
  readonly answerTool: string | undefined
}

const connect = Effect.fnUntraced(function* (target: Target) {
  const found = yield* access(vendor, target)
  const { key } = found
  const transport = yield* Transport.make(Fault.classify(target.model))
  const url = address(found, "/messages")
  const withHeaders = HttpClientRequest.setHeaders({
    accept: "application/json",
    "anthropic-version": version,
    ...target.headers,
    ...(key === undefined ? {} : { "x-api-key": Redacted.value(key) })
  })
  // Built once: what all requests of the deployment share.
  const base = withHeaders(HttpClientRequest.post(url))
  // Source: Claude documentation, "List Models".
  const models = withHeaders(HttpClientRequest.get(address(found, "/models")))
  const prepare = (
    request: GenerateRequest,
    stream: boolean
  ): Result.Result<Prepared, AttemptError> => {
    if (request.endpoint !== "chat_completion") {
      return Result.fail(unsupported(vendor.name, `the ${request.endpoint} endpoint`))
    }
    return Result.map(
      MessagesProtocol.encode(request, target.model),
      ({ answerTool, body: encoded }) => {
        const whole = MessagesProtocol.complete(target.model, target.extraBody, encoded)
        const body = HttpBody.text(
          JSON.stringify(stream ? { ...whole, stream: true } : whole),
          "application/json"
        )
        const ready = HttpClientRequest.setBody(base, body)
        const { headers } = request.options
        return {
          request: headers === undefined ? ready : HttpClientRequest.setHeaders(ready, headers),
          answerTool
        }
      }
    )
  }
  const context = (headers: Headers, answerTool: string | undefined) =>
    Effect.map(Clock.currentTimeMillis, (nowMillis) => ({
      model: target.model,
      url: publicUrl(url),
      headers,
      nowMillis,
      answerTool
    }))
  const connection: Connection = {
    generate: (request) =>
      Effect.flatMap(Effect.fromResult(prepare(request, false)), (prepared) =>
        Effect.flatMap(transport.exchange(prepared.request), ({ headers, text }) =>
          Effect.flatMap(context(headers, prepared.answerTool), (known) =>
            Effect.fromResult(
              Result.flatMap(MessagesProtocol.parse(text, known.url), (body) =>
                MessagesProtocol.decode(body, known)
              )
            )
          )
        )
      ),
    generateStream: (request) =>
      Stream.unwrap(
        Effect.flatMap(Effect.fromResult(prepare(request, true)), (prepared) =>
          Effect.flatMap(transport.stream(prepared.request), ({ bytes, headers }) =>
            Effect.map(context(headers, prepared.answerTool), (known) =>
              PartStream.decode(Framing.events(bytes), MessagesStream.machine(known))
            )
          )
        )
      ),
    check: Effect.asVoid(transport.exchange(models))
  }
  return connection
})
