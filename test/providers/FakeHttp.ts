import type { Target } from "@infermesh/core/provider/Provider"
import { Effect, Redacted } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"

export interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: { readonly [name: string]: string | undefined }
  readonly body: unknown
}

/** A client that answers every request in one way and keeps what was sent. */
export const fakeHttp = (answer: () => Response) => {
  const sent: Array<Sent> = []
  const client = HttpClient.make((request, url) =>
    Effect.sync(() => {
      const { body, headers } = request
      sent.push({
        method: request.method,
        url: url.href,
        headers: { ...headers },
        body:
          body._tag === "Uint8Array" ? JSON.parse(new TextDecoder().decode(body.body)) : undefined
      })
      return HttpClientResponse.fromWeb(request, answer())
    })
  )
  return { client, sent }
}

export const key = "sk-planted-1234567890"

export const target = (settings: Partial<Target> = {}): Target => ({
  model: "m",
  apiBase: undefined,
  apiKey: Redacted.make(key),
  headers: {},
  extraBody: {},
  ...settings
})
