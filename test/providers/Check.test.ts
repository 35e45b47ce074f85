import { assert, describe, it } from "@effect/vitest"
import type { Provider } from "@infermesh/core/provider/Provider"
import * as Anthropic from "@infermesh/providers/anthropic/Anthropic"
import * as Gemini from "@infermesh/providers/gemini/Gemini"
import * as OpenAi from "@infermesh/providers/openai/OpenAi"
import { Effect } from "effect"
import { HttpClient } from "effect/http"

import { fakeHttp, key, target } from "./FakeHttp.ts"

const check = (
  provider: Effect.Effect<Provider, never, HttpClient.HttpClient>,
  answer: () => Response
) => {
  const { client, sent } = fakeHttp(answer)
  return Effect.gen(function* () {
    const { connect } = yield* provider
    const connection = yield* connect(
      target({ apiBase: "http://gpu0:8000/v1", headers: { "x-team": "a" } })
    )
    const result = yield* Effect.result(connection.check ?? assert.fail("no check"))
    return { result, sent }
  }).pipe(Effect.provideService(HttpClient.HttpClient, client))
}

const providers = {
  openai: {
    provider: OpenAi.provider(OpenAi.openai),
    path: "/models",
    header: ["authorization", `Bearer ${key}`]
  },
  anthropic: { provider: Anthropic.provider, path: "/models", header: ["x-api-key", key] },
  gemini: {
    provider: Gemini.provider,
    path: `/models/${target({}).model}`,
    header: ["x-goog-api-key", key]
  }
} as const

describe("the health check of a connection", () => {
  for (const [name, { header, path, provider }] of Object.entries(providers)) {
    it.effect(`asks what costs nothing, with the deployment's key and headers: ${name}`, () =>
      Effect.gen(function* () {
        const { result, sent } = yield* check(provider, () => Response.json({}))
        assert.strictEqual(result._tag, "Success")
        assert.deepStrictEqual(
          sent.map(({ body, method, url }) => [method, url, body]),
          [["GET", `http://gpu0:8000/v1${path}`, undefined]]
        )
        assert.strictEqual(sent[0]?.headers[header[0]], header[1])
        assert.strictEqual(sent[0]?.headers["x-team"], "a")
      })
    )

    it.effect(`fails when the server does: ${name}`, () =>
      Effect.gen(function* () {
        const { result } = yield* check(provider, () => new Response("starting", { status: 503 }))
        assert.strictEqual(
          result._tag === "Failure" ? result.failure.reason._tag : undefined,
          "InternalProviderError"
        )
      })
    )
  }
})
