import { createServer } from "node:http"
import type { ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import type { Target } from "@infermesh/core/provider/Provider"
import { explain } from "@infermesh/core/Reason"
import * as OpenAi from "@infermesh/providers/openai/OpenAi"
import { ConfigProvider, Duration, Effect, Fiber, Queue, Redacted, Stream } from "effect"

import { target } from "../FakeHttp.ts"
import { request } from "../Request.ts"

/** A real server that answers every request in one way. */
const serving = (answer: (response: ServerResponse, body: string) => void) =>
  Effect.acquireRelease(
    Effect.promise(
      () =>
        new Promise<{ readonly base: string; readonly close: () => void }>((resolve) => {
          const server = createServer((incoming, response) => {
            let body = ""
            incoming.on("data", (piece) => (body += String(piece)))
            incoming.on("end", () => answer(response, body))
          })
          server.listen(0, "127.0.0.1", () => {
            const { port } = server.address() as AddressInfo
            resolve({ base: `http://127.0.0.1:${port}/v1`, close: () => server.close() })
          })
        })
    ),
    ({ close }) => Effect.sync(close)
  )

const key = "sk-planted-1234567890"

const ask = Effect.fnUntraced(function* (target: Partial<Target>) {
  const provider = yield* OpenAi.provider(OpenAi.openai)
  const connection = yield* provider.connect({
    model: "m",
    apiBase: undefined,
    apiKey: Redacted.make(key),
    headers: {},
    extraBody: {},
    ...target
  })
  return yield* connection.generate!(request())
})

describe("over real HTTP", () => {
  const faults: ReadonlyArray<
    readonly [
      name: string,
      answer: (response: ServerResponse) => void,
      tag: string,
      outcome: string
    ]
  > = [
    [
      "a refused key",
      (response) =>
        response.writeHead(401).end(`{"error":{"message":"Incorrect API key: ${key}"}}`),
      "AuthenticationError",
      "refused"
    ],
    [
      "a rate limit",
      (response) =>
        response
          .writeHead(429, { "retry-after": "7" })
          .end('{"error":{"code":"rate_limit_exceeded"}}'),
      "RateLimitError",
      "refused"
    ],
    [
      "a spent account",
      (response) => response.writeHead(429).end('{"error":{"code":"insufficient_quota"}}'),
      "QuotaExhaustedError",
      "refused"
    ],
    [
      "too long a prompt",
      (response) =>
        response
          .writeHead(400)
          .end('{"error":{"code":"context_length_exceeded","message":"maximum context length"}}'),
      "ContextWindowExceeded",
      "refused"
    ],
    [
      "an unknown model",
      (response) => response.writeHead(404).end('{"error":{"code":"model_not_found"}}'),
      "ModelNotFound",
      "refused"
    ],
    [
      "refused content",
      (response) => response.writeHead(400).end('{"error":{"code":"content_filter"}}'),
      "ContentPolicyError",
      "refused"
    ],
    [
      "an HTML page",
      (response) => response.writeHead(502).end("<html><h1>Bad gateway</h1></html>"),
      "InternalProviderError",
      "unknown"
    ],
    [
      "no JSON",
      (response) => response.writeHead(200).end("hello"),
      "InvalidResponseError",
      "unknown"
    ],
    [
      "no choices",
      (response) => response.writeHead(200).end('{"model":"m","choices":[]}'),
      "InvalidResponseError",
      "unknown"
    ],
    [
      "an error with status 200",
      (response) => response.writeHead(200).end('{"error":{"code":429,"message":"slow down"}}'),
      "RateLimitError",
      "refused"
    ],
    [
      "JSON cut short",
      (response) => response.writeHead(200).end('{"model":"m","choi'),
      "NetworkError",
      "unknown"
    ],
    [
      "a connection cut in the body",
      (response) => {
        response.writeHead(200, { "content-length": "1000" })
        response.write('{"model":')
        setImmediate(() => response.destroy())
      },
      "NetworkError",
      "unknown"
    ]
  ]
  for (const [name, answer, tag, outcome] of faults) {
    it.live(`gives ${name} its reason, and repeats no key`, () =>
      Effect.gen(function* () {
        const { base } = yield* serving(answer)
        const error = yield* Effect.flip(ask({ apiBase: base }))
        assert.strictEqual(error._tag, "AttemptError")
        if (error._tag !== "AttemptError") return
        assert.deepStrictEqual([error.reason._tag, error.outcome], [tag, outcome])
        assert.notInclude(explain(error.reason) + JSON.stringify(error.reason), key)
        if (error.reason._tag === "RateLimitError" && error.reason.retryAfter !== undefined) {
          assert.strictEqual(Duration.toSeconds(error.reason.retryAfter), 7)
        }
      }).pipe(Effect.scoped, Effect.provide(NodeHttpClient.layerUndici))
    )
  }

  it.live("knows that a refused connection was never sent", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(ask({ apiBase: "http://127.0.0.1:9/v1" }))
      assert.strictEqual(error._tag === "AttemptError" ? error.outcome : "", "unsent")
    }).pipe(Effect.provide(NodeHttpClient.layerUndici))
  )

  it.live("streams parts, and fails typed with the text so far when the connection is cut", () =>
    Effect.gen(function* () {
      const { base } = yield* serving((response) => {
        response.writeHead(200, { "content-type": "text/event-stream" })
        response.write('data: {"model":"m","choices":[{"index":0,"delta":{"content":"Hel"}}]}\n\n')
        setTimeout(() => response.destroy(), 30)
      })
      const provider = yield* OpenAi.provider(OpenAi.openai)
      const connection = yield* provider.connect({
        model: "m",
        apiBase: base,
        apiKey: undefined,
        headers: {},
        extraBody: {}
      })
      const seen: Array<unknown> = []
      const error = yield* Effect.flip(
        Stream.runForEach(connection.generateStream!(request()), (part) =>
          Effect.sync(() => seen.push(part))
        )
      )
      assert.deepStrictEqual(seen, [{ type: "text-delta", text: "Hel", choice: 0 }])
      assert.strictEqual(error.reason._tag === "StreamInterrupted" ? error.reason.text : "", "Hel")
    }).pipe(Effect.scoped, Effect.provide(NodeHttpClient.layerUndici))
  )

  it.live("closes the socket of an answer that is given up, whole or streamed", () =>
    Effect.gen(function* () {
      const began = yield* Queue.unbounded<"began" | "closed">()
      const { base } = yield* serving((response, body) => {
        response.on("close", () => Queue.offerUnsafe(began, "closed"))
        if (body.includes('"stream":true')) {
          response.writeHead(200, { "content-type": "text/event-stream" })
          response.write('data: {"model":"m","choices":[]}\n\n')
        }
        Queue.offerUnsafe(began, "began")
      })
      const provider = yield* OpenAi.provider(OpenAi.openai)
      const { generate, generateStream } = yield* provider.connect(target({ apiBase: base }))
      for (const ask of [generate!(request()), Stream.runDrain(generateStream!(request()))]) {
        const fiber = yield* Effect.forkChild(ask)
        assert.strictEqual(yield* Queue.take(began), "began")
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(yield* Queue.take(began), "closed")
      }
    }).pipe(Effect.scoped, Effect.provide(NodeHttpClient.layerUndici))
  )

  it.effect("reads the key from the environment, and says which variable is missing", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(ask({ apiKey: undefined }))
      assert.strictEqual(
        error.message,
        "apiKey: there is no key for openai. Set OPENAI_API_KEY in the environment"
      )
      const base = yield* Effect.flip(ask({ apiBase: "ftp://user:pass@h/v1" }))
      assert.match(base.message, /^apiBase: .* is no http or https URL/)
      assert.notInclude(base.message, "pass")
    }).pipe(
      Effect.provide([
        NodeHttpClient.layerUndici,
        ConfigProvider.layer(ConfigProvider.fromEnvRecord({}))
      ])
    )
  )
})
