import { execFileSync, spawn } from "node:child_process"
import { createHash, randomBytes } from "node:crypto"
import { createReadStream } from "node:fs"
import type { IncomingMessage } from "node:http"

import { NodeFileSystem, NodeStream } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import type { ClientSettings } from "@infermesh/core/Client"
import * as Client from "@infermesh/core/Client"
import * as Inference from "@infermesh/core/Inference"
import * as Pricing from "@infermesh/core/telemetry/Pricing"
import * as OpenAi from "@infermesh/providers/openai/OpenAi"
import { Deferred, Effect, Fiber, FileSystem, Layer, Redacted, Stream } from "effect"
import * as fc from "fast-check"
import * as UndiciHttpClient from "infermesh/UndiciHttpClient"

import { bodyOf, formOf, serve } from "../Loopback.ts"

const key = "sk-planted-1234567890"

/** The whole pipeline over real HTTP and real files. */
const client = (apiBase: string, settings: Partial<ClientSettings> = {}) =>
  Client.layer({ model: "openai/m", apiBase, apiKey: Redacted.make(key), ...settings }).pipe(
    Layer.provide(OpenAi.layer.pipe(Layer.provide(UndiciHttpClient.layer))),
    Layer.provide(Pricing.layerNone),
    Layer.provideMerge(NodeFileSystem.layer)
  )

const base64 = (numbers: ReadonlyArray<number>): string =>
  Buffer.from(Float32Array.from(numbers).buffer).toString("base64")

const embeddings = (vectors: ReadonlyArray<ReadonlyArray<number>>) =>
  JSON.stringify({
    model: "m-2",
    data: vectors.map((vector, index) => ({ index, embedding: base64(vector) })),
    usage: { prompt_tokens: 3, total_tokens: 3 }
  })

const hash = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

const hashOfFile = async (incoming: IncomingMessage): Promise<string> => {
  const file = (await formOf(incoming)).get("file")
  return file instanceof File ? hash(new Uint8Array(await file.arrayBuffer())) : "no file"
}

const audioFile = (content: Uint8Array, name = "a talk.wav") =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const path = `${yield* files.makeTempDirectoryScoped()}/${name}`
    yield* files.writeFile(path, content)
    return path
  })

describe("embeddings over real HTTP", () => {
  it.live("sends one request with the key and all headers, and reads its answer", () =>
    Effect.gen(function* () {
      const sent: Array<unknown> = []
      const apiBase = yield* serve(async (incoming, response) => {
        const body = await bodyOf(incoming)
        const { authorization, "content-type": type, own, shared } = incoming.headers
        sent.push([incoming.method, incoming.url, authorization, type, own, shared])
        sent.push(JSON.parse(String(body)))
        response
          .writeHead(200, { "x-request-id": "req-1", "x-ratelimit-remaining-requests": "9" })
          .end(
            embeddings([
              [1, 2],
              [3, 4]
            ])
          )
      })
      const result = yield* Inference.embed(["a", "b"], {
        headers: { own: "1" },
        rawResponse: true
      }).pipe(Effect.provide(client(apiBase, { headers: { shared: "2" } })))
      assert.deepStrictEqual(result.embeddings, [Float32Array.of(1, 2), Float32Array.of(3, 4)])
      assert.deepStrictEqual(
        [result.modelId, result.requestId, result.tokenUsage?.totalTokens],
        ["m-2", "req-1", 3]
      )
      assert.deepStrictEqual(
        result.rawResponse,
        JSON.parse(
          embeddings([
            [1, 2],
            [3, 4]
          ])
        )
      )
      assert.deepStrictEqual(sent, [
        ["POST", "/v1/embeddings", `Bearer ${key}`, "application/json", "1", "2"],
        { model: "m", input: ["a", "b"], encoding_format: "base64" }
      ])
    }).pipe(Effect.scoped)
  )

  it("gives the same however the answer is chunked, and a typed failure however it is cut", async () => {
    const body = Buffer.from(
      embeddings([
        [1, 2],
        [3, 4]
      ])
    )
    let pieces: ReadonlyArray<Buffer> = []
    const property = Effect.gen(function* () {
      const apiBase = yield* serve((incoming, response) => {
        incoming.resume().on("end", () => {
          response.writeHead(200, { "content-length": String(body.length) })
          const write = ([piece, ...rest]: ReadonlyArray<Buffer>): void => {
            if (piece === undefined) response.destroy()
            else response.write(piece, () => setImmediate(write, rest))
          }
          write(pieces)
        })
      })
      // Every second answer fails: a breaker would leave the server alone for seconds.
      const health = { failureShare: 1 }
      const context = yield* Layer.build(client(apiBase, { maxRetries: 0, health }))
      const embed = Effect.provideContext(Inference.embed(["a", "b"]), context)
      const position = fc.integer({ min: 1, max: body.length - 1 })
      yield* Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(fc.array(position, { maxLength: 8 }), position, async (cuts, end) => {
            const at = [...new Set([0, ...cuts, body.length])].toSorted(
              (left, right) => left - right
            )
            pieces = at.slice(1).map((to, index) => body.subarray(at[index], to))
            const whole = await Effect.runPromise(embed)
            assert.deepStrictEqual(whole.embeddings[1], Float32Array.of(3, 4))
            pieces = [body.subarray(0, end)]
            const { reason } = await Effect.runPromise(Effect.flip(embed))
            assert.strictEqual(reason._tag, "NetworkError")
          }),
          { numRuns: 40 }
        )
      )
    })
    await Effect.runPromise(Effect.scoped(property))
  })

  const faults: ReadonlyArray<readonly [status: number, body: string, tag: string]> = [
    [401, `{"error":{"message":"Incorrect API key: ${key}"}}`, "AuthenticationError"],
    [404, '{"error":{"code":"model_not_found","message":"no such model"}}', "ModelNotFound"],
    [429, '{"error":{"code":"insufficient_quota"}}', "QuotaExhaustedError"],
    [400, '{"error":{"param":"dimensions","message":"too many"}}', "InvalidRequestError"],
    [500, "<html>oh</html>", "InternalProviderError"],
    [200, '{"choices":[]}', "InvalidResponseError"],
    [
      200,
      embeddings([
        [1, Number.NaN],
        [1, 2]
      ]),
      "InvalidResponseError"
    ],
    [200, embeddings([[], []]), "InvalidResponseError"],
    [200, embeddings([[1], [1, 2]]), "InvalidResponseError"]
  ]
  it.live("gives every fault its reason, with the id of the request and without the key", () =>
    Effect.gen(function* () {
      for (const [status, body, tag] of faults) {
        const apiBase = yield* serve((incoming, response) => {
          incoming.resume().on("end", () => {
            response.writeHead(status, { "x-request-id": "req-1" }).end(body)
          })
        })
        const error = yield* Effect.flip(Inference.embed(["a", "b"])).pipe(
          Effect.provide(client(apiBase, { maxRetries: 0 }))
        )
        assert.deepStrictEqual([error.reason._tag, error.requestId], [tag, "req-1"], body)
        assert.notInclude(error.message + JSON.stringify(error), key)
      }
    }).pipe(Effect.scoped)
  )
})

describe("transcriptions over real HTTP", () => {
  it.live("sends a file as a form: its base name, its type, its bytes, its exact length", () =>
    Effect.gen(function* () {
      const content = randomBytes(1_000_003)
      let headers: IncomingMessage["headers"] = {}
      let form = new FormData()
      const apiBase = yield* serve(async (incoming, response) => {
        ;({ headers } = incoming)
        form = await formOf(incoming)
        response
          .writeHead(200, { "x-request-id": "req-1", "content-type": "application/json" })
          .end('{"text":"hello","language":"english","duration":1.5}')
      })
      yield* Effect.gen(function* () {
        const path = yield* audioFile(content)
        const result = yield* Inference.transcribe(path, {
          language: "en",
          prompt: 'say "ä"\r\n',
          temperature: 0.5,
          responseFormat: "verbose_json",
          timestampGranularities: ["segment", "word"],
          headers: { own: "1" },
          extraBody: { include: ["logprobs"], stream: false, chunking_strategy: { type: "x" } }
        })
        assert.deepStrictEqual(
          [result.text, result.language, result.durationSeconds, result.requestId],
          ["hello", "english", 1.5, "req-1"]
        )
      }).pipe(Effect.provide(client(apiBase)))
      assert.deepStrictEqual(
        [...form].map(([name, value]) => [name, typeof value === "string" ? value : value.name]),
        [
          ["model", "m"],
          ["language", "en"],
          ["prompt", 'say "ä"\r\n'],
          ["temperature", "0.5"],
          ["response_format", "verbose_json"],
          ["timestamp_granularities[]", "segment"],
          ["timestamp_granularities[]", "word"],
          ["include[]", "logprobs"],
          ["stream", "false"],
          ["chunking_strategy[type]", "x"],
          ["file", "a talk.wav"]
        ]
      )
      const file = form.get("file")
      if (!(file instanceof File)) return assert.fail("there is no file")
      const bytes = new Uint8Array(yield* Effect.promise(() => file.arrayBuffer()))
      assert.deepStrictEqual([file.type, hash(bytes)], ["audio/wav", hash(content)])
      assert.isAbove(Number(headers["content-length"]), content.length)
      assert.deepStrictEqual(
        [headers.authorization, headers["own"], headers["transfer-encoding"]],
        [`Bearer ${key}`, "1", undefined]
      )
    }).pipe(Effect.scoped)
  )

  it.live("sends bytes, Blobs and streams, these in chunks because nobody knows their length", () =>
    Effect.gen(function* () {
      const content = new Uint8Array(randomBytes(100_000))
      const seen: Array<readonly [boolean, string]> = []
      const apiBase = yield* serve(async (incoming, response) => {
        seen.push([incoming.headers["content-length"] !== undefined, await hashOfFile(incoming)])
        response.end('{"text":"hello"}')
      })
      const pieces = Stream.make(content.subarray(0, 7), content.subarray(7))
      yield* Effect.forEach([content, new Blob([content]), pieces], (input) =>
        Inference.transcribe(input)
      ).pipe(Effect.provide(client(apiBase)))
      const sum = hash(content)
      assert.deepStrictEqual(seen, [
        [true, sum],
        [true, sum],
        [false, sum]
      ])
    }).pipe(Effect.scoped)
  )

  it.live("reads the source from its start again when it is tried again", () =>
    Effect.gen(function* () {
      const content = randomBytes(300_000)
      const arrived: Array<string> = []
      const apiBase = yield* serve(async (incoming, response) => {
        arrived.push(await hashOfFile(incoming))
        if (arrived.length % 2 === 0) response.end('{"text":"hello"}')
        else response.writeHead(503, { "retry-after-ms": "1" }).end()
      })
      yield* Effect.gen(function* () {
        const path = yield* audioFile(content)
        for (const input of [path, new Blob([content]), Stream.make(new Uint8Array(content))]) {
          const result = yield* Inference.transcribe(input)
          assert.deepStrictEqual([result.text, result.metrics.retries], ["hello", 1])
        }
      }).pipe(Effect.provide(client(apiBase)))
      assert.deepStrictEqual(arrived, Array(6).fill(hash(content)))
    }).pipe(Effect.scoped)
  )

  it.live("closes the socket and the source when it is interrupted in the middle", () =>
    Effect.gen(function* () {
      const arriving = yield* Deferred.make<void>()
      const cut = yield* Deferred.make<void>()
      const closed = yield* Deferred.make<void>()
      const apiBase = yield* serve((incoming) => {
        incoming.on("error", () => {})
        incoming.once("close", () => Effect.runSync(Deferred.succeed(cut, undefined)))
        incoming.once("data", () => Effect.runSync(Deferred.succeed(arriving, undefined)))
      })
      const endless = Stream.forever(Stream.succeed(new Uint8Array(10_000))).pipe(
        Stream.ensuring(Deferred.succeed(closed, undefined))
      )
      // The client outlives the request: it is not its end that closes the socket.
      const context = yield* Layer.build(client(apiBase))
      const fiber = yield* Effect.forkChild(
        Effect.provideContext(Inference.transcribe(endless, { maxBytes: Infinity }), context)
      )
      yield* Deferred.await(arriving)
      yield* Fiber.interrupt(fiber)
      yield* Deferred.await(cut)
      yield* Deferred.await(closed)
    }).pipe(Effect.scoped)
  )

  it.live("breaks the upload off at the first byte above the limit, and says which limit", () =>
    Effect.gen(function* () {
      const cut = yield* Deferred.make<void>()
      let requests = 0
      const apiBase = yield* serve((incoming) => {
        requests++
        incoming.resume().on("error", () => {})
        incoming.once("close", () => Effect.runSync(Deferred.succeed(cut, undefined)))
      })
      const endless = Stream.forever(Stream.succeed(new Uint8Array(10_000)))
      const error = yield* Effect.flip(Inference.transcribe(endless, { maxBytes: 25_000 })).pipe(
        Effect.provide(client(apiBase))
      )
      yield* Deferred.await(cut)
      assert.strictEqual(error.reason._tag, "InvalidInput")
      assert.match(error.message, /the audio has 30000 bytes, more than the 25000 allowed/)
      assert.deepStrictEqual([error.attempts, requests], [1, 1])
    }).pipe(Effect.scoped)
  )

  it.live.skipIf(process.platform === "win32")(
    "keeps the limit for a pipe that is given as a stream, and refuses its path",
    () =>
      Effect.gen(function* () {
        const apiBase = yield* serve((incoming) => {
          incoming.resume().on("error", () => {})
        })
        yield* Effect.gen(function* () {
          const files = yield* FileSystem.FileSystem
          const pipe = `${yield* files.makeTempDirectoryScoped()}/pipe.wav`
          execFileSync("mkfifo", [pipe])
          const byPath = yield* Effect.flip(Inference.transcribe(pipe))
          assert.match(byPath.message, /it is not a regular file \(FIFO\)/)
          yield* Effect.acquireRelease(
            Effect.sync(() =>
              spawn("dd", ["if=/dev/zero", `of=${pipe}`, "bs=1000", "count=200"], {
                stdio: "ignore"
              })
            ),
            (writer) => Effect.sync(() => writer.kill("SIGKILL"))
          )
          const bytes = NodeStream.fromReadable({ evaluate: () => createReadStream(pipe) })
          const error = yield* Effect.flip(
            Inference.transcribe(bytes, { fileName: "a.wav", maxBytes: 100_000 })
          )
          assert.match(error.message, /more than the 100000 allowed/)
        }).pipe(Effect.provide(client(apiBase)))
      }).pipe(Effect.scoped)
  )

  it.live("knows a file that vanishes before it is read, and does not try again", () =>
    Effect.gen(function* () {
      const apiBase = yield* serve((incoming) => {
        incoming.resume().on("error", () => {})
      })
      const files = yield* FileSystem.FileSystem
      const path = yield* audioFile(randomBytes(10))
      const look: FileSystem.FileSystem = {
        ...files,
        stream: (name, options) =>
          Stream.unwrap(Effect.as(Effect.orDie(files.remove(path)), files.stream(name, options)))
      }
      const layer = Client.layer({ model: "openai/m", apiBase }).pipe(
        Layer.provide(OpenAi.layer.pipe(Layer.provide(UndiciHttpClient.layer))),
        Layer.provide(Pricing.layerNone),
        Layer.provide(Layer.succeed(FileSystem.FileSystem, look))
      )
      const error = yield* Effect.flip(Inference.transcribe(path)).pipe(Effect.provide(layer))
      assert.match(error.message, /there is no such file/)
      assert.deepStrictEqual([error.reason._tag, error.attempts], ["InvalidInput", 1])
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )

  it.live("hears a server that answers before the file has arrived", () =>
    Effect.gen(function* () {
      const apiBase = yield* serve((incoming, response) => {
        incoming.on("error", () => {})
        response
          .writeHead(401, { "content-type": "application/json" })
          .end('{"error":{"message":"no such key"}}')
      })
      const error = yield* Effect.flip(Inference.transcribe(new Uint8Array(20_000_000))).pipe(
        Effect.provide(client(apiBase, { maxRetries: 0 }))
      )
      assert.strictEqual(error.reason._tag, "AuthenticationError")
    }).pipe(Effect.scoped)
  )

  const faults: ReadonlyArray<readonly [status: number, body: string, tag: string, RegExp]> = [
    [
      400,
      '{"error":{"message":"response_format \'srt\' is not compatible with model \'m\'","param":"response_format","code":"unsupported_value"}}',
      "InvalidRequestError",
      /parameter 'response_format'.*not compatible/
    ],
    [
      413,
      '{"error":{"message":"Maximum content size limit (26214400) exceeded"}}',
      "InvalidRequestError",
      /Maximum content size/
    ],
    [429, '{"error":{"code":"rate_limit_exceeded"}}', "RateLimitError", /rate limit/],
    [200, '{"segments":[]}', "InvalidResponseError", /has no text/],
    [200, '{"text":"hel', "NetworkError", /cut short/]
  ]
  it.live("gives every fault its reason", () =>
    Effect.gen(function* () {
      for (const [status, body, tag, message] of faults) {
        const apiBase = yield* serve((incoming, response) => {
          incoming.resume().on("end", () => {
            response.writeHead(status, { "content-type": "application/json" }).end(body)
          })
        })
        const error = yield* Effect.flip(Inference.transcribe(new Uint8Array(100))).pipe(
          Effect.provide(client(apiBase, { maxRetries: 0 }))
        )
        assert.strictEqual(error.reason._tag, tag)
        assert.match(error.message, message)
      }
    }).pipe(Effect.scoped)
  )
})
