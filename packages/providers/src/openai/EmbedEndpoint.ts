/**
 * POST /embeddings of one deployment.
 *
 * What goes over the wire is in `EmbedProtocol`.
 *
 * @since 0.1.0
 */
import type { Connection } from "@infermesh/core/provider/Provider"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as Result from "effect/Result"

import * as EmbedProtocol from "./EmbedProtocol.ts"
import type { Deployment } from "./Endpoint.ts"
import { exchange, withBody } from "./Endpoint.ts"

/**
 * What the endpoint adds to a connection: nothing where the vendor has none.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (deployment: Deployment): Pick<Connection, "embed" | "embedLimits"> => {
  const { dialect, target } = deployment
  if (dialect.embeddings === false) return {}
  const base = deployment.post("/embeddings")
  return {
    ...(dialect.embedLimits !== undefined && { embedLimits: dialect.embedLimits }),
    embed: (request) =>
      Effect.flatMap(
        Effect.fromResult(EmbedProtocol.encode(request, dialect, target.model, target.extraBody)),
        (asked) => {
          const body = HttpBody.text(JSON.stringify(asked), "application/json")
          return exchange(
            deployment,
            withBody(base, body, request.options.headers),
            ({ text }, context) =>
              Result.flatMap(EmbedProtocol.parse(text, context.url), (read) =>
                EmbedProtocol.decode(read, asked, request.texts.length, context)
              )
          )
        }
      )
  }
}
