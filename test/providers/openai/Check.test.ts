import { assert, describe, it } from "@effect/vitest"
import * as OpenAi from "@infermesh/providers/openai/OpenAi"
import { Effect } from "effect"
import { HttpClient } from "effect/http"

import { fakeHttp, key, target } from "../FakeHttp.ts"

const check = (answer: () => Response) => {
  const { client, sent } = fakeHttp(answer)
  return Effect.gen(function* () {
    const provider = yield* OpenAi.provider(OpenAi.openai)
    const connection = yield* provider.connect(
      target({ apiBase: "http://gpu0:8000/v1", headers: { "x-team": "a" } })
    )
    const result = yield* Effect.result(connection.check ?? assert.fail("no check"))
    return { result, sent }
  }).pipe(Effect.provideService(HttpClient.HttpClient, client))
}

describe("the health check of a connection", () => {
  it.effect("asks for the list of models with the deployment's key and headers", () =>
    Effect.gen(function* () {
      const { result, sent } = yield* check(() => Response.json({ object: "list", data: [] }))
      assert.strictEqual(result._tag, "Success")
      assert.deepStrictEqual(
        sent.map(({ body, url }) => [url, body]),
        [["http://gpu0:8000/v1/models", undefined]]
      )
      assert.strictEqual(sent[0]?.headers["authorization"], `Bearer ${key}`)
      assert.strictEqual(sent[0]?.headers["x-team"], "a")
    })
  )

  it.effect("fails when the server does", () =>
    Effect.gen(function* () {
      const { result } = yield* check(() => new Response("starting", { status: 503 }))
      assert.strictEqual(
        result._tag === "Failure" ? result.failure.reason._tag : undefined,
        "InternalProviderError"
      )
    })
  )
})
