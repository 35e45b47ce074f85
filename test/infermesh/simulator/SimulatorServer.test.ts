import { type IncomingMessage, request as httpRequest } from "node:http"
import { createServer, type AddressInfo } from "node:net"

import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Simulator from "@infermesh/core/testing/Simulator"
import type { SimulatorSettings, SimulatorStats } from "@infermesh/core/testing/Simulator"
import { Effect, Fiber, Logger, Schedule, Stream } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import { serve } from "infermesh/simulator/SimulatorServer"

const body = { model: "gpt-test", messages: [{ role: "user", content: "Hello" }] }

const start = Effect.fnUntraced(function* (settings: SimulatorSettings = {}) {
  const simulator = yield* Simulator.make(settings)
  const { url } = yield* serve({ simulator })
  return { simulator, url }
})

const post = (url: string, extra: object = {}) =>
  HttpClientRequest.post(`${url}/v1/chat/completions`).pipe(
    HttpClientRequest.bodyJsonUnsafe({ ...body, ...extra })
  )

/** Asks the simulator itself until it has seen what the test waits for; another connection's end takes its time. */
const until = (simulator: Simulator.Simulator, seen: (stats: SimulatorStats) => boolean) =>
  simulator.stats.pipe(Effect.repeat({ until: seen, schedule: Schedule.spaced(1) }))

describe("serve", () => {
  it.live("answers over HTTP as the simulator does in process", () =>
    Effect.gen(function* () {
      const { simulator, url } = yield* start({ quota: { rpm: 10 } })
      const client = yield* HttpClient.HttpClient
      const response = yield* client.execute(post(url))
      assert.strictEqual(response.status, 200)
      assert.strictEqual(response.headers["content-type"], "application/json")
      assert.strictEqual(response.headers["x-ratelimit-remaining-requests"], "9")
      const text = yield* response.text
      assert.strictEqual(
        response.headers["content-length"],
        String(new TextEncoder().encode(text).length)
      )
      const inProcess = yield* HttpClient.execute(post("http://any.test")).pipe(
        Effect.flatMap((response) => response.json),
        Effect.provide(Simulator.layerHttpClient(() => simulator))
      )
      const choices = (completion: unknown) => (completion as { choices: unknown }).choices
      assert.deepStrictEqual(choices(JSON.parse(text)), choices(inProcess))

      const wrong = yield* client.execute(post(url, { n: 0 }))
      assert.strictEqual(wrong.status, 400)
      const models = yield* client.get(`${url}/v1/models`)
      assert.deepStrictEqual(yield* models.json, { object: "list", data: [] })
    }).pipe(Effect.provide(NodeHttpClient.layerUndici), Effect.scoped)
  )

  it.live("takes the bytes of a form as they are", () =>
    Effect.gen(function* () {
      const { simulator, url } = yield* start()
      const form = new FormData()
      form.append("model", "whisper-1")
      // Bytes that are no text, and that would change on the way through one.
      form.append(
        "file",
        new Blob([Uint8Array.from({ length: 5000 }, (_, index) => index)]),
        "a.mp3"
      )
      const ask = (origin: string) =>
        HttpClient.execute(
          HttpClientRequest.post(`${origin}/v1/audio/transcriptions`).pipe(
            HttpClientRequest.bodyFormData(form)
          )
        ).pipe(Effect.flatMap((response) => response.json))
      const served = yield* ask(url)
      const inProcess = yield* ask("http://any.test").pipe(
        Effect.provide(Simulator.layerHttpClient(() => simulator))
      )
      assert.deepStrictEqual(served, inProcess)
      assert.isString((served as { text: string }).text)
    }).pipe(Effect.provide(NodeHttpClient.layerUndici), Effect.scoped)
  )

  it.live("keeps connections open from request to request", () =>
    Effect.gen(function* () {
      const { simulator, url } = yield* start()
      const sockets = new Set<number>()
      yield* Effect.gen(function* () {
        const { http: agent } = yield* NodeHttpClient.HttpAgent
        for (let index = 0; index < 5; index++) {
          const port = yield* Effect.callback<number, Error>((resume) => {
            const request = httpRequest(
              `${url}/v1/chat/completions`,
              { method: "POST", agent },
              (response) => {
                const { localPort = 0 } = response.socket
                response.resume().once("end", () => resume(Effect.succeed(localPort)))
              }
            )
            request.once("error", (error) => resume(Effect.fail(error)))
            request.end(JSON.stringify(body))
          })
          sockets.add(port)
        }
      }).pipe(Effect.provide(NodeHttpClient.layerAgentOptions({ keepAlive: true, maxSockets: 1 })))
      assert.strictEqual(sockets.size, 1)
      assert.strictEqual((yield* simulator.stats).answered, 5)
    }).pipe(Effect.scoped)
  )

  it.live("streams events, with the same text as the whole answer", () =>
    Effect.gen(function* () {
      const { simulator, url } = yield* start({
        latency: { kind: "constant", millis: 0, perOutputTokenMillis: 0.1 }
      })
      const client = yield* HttpClient.HttpClient
      const whole = (yield* (yield* client.execute(post(url))).json) as {
        choices: [{ message: { content: string } }]
      }
      const response = yield* client.execute(post(url, { stream: true }))
      assert.strictEqual(response.headers["content-type"], "text/event-stream; charset=utf-8")
      const text = yield* response.text
      const pieces = [...text.matchAll(/"content":("(?:[^"\\]|\\.)*")/g)].map(
        ([, piece]) => JSON.parse(piece ?? "") as string
      )
      assert.strictEqual(pieces.join(""), whole.choices[0].message.content)
      assert.isTrue(text.endsWith("data: [DONE]\n\n"))
      const stats = yield* until(simulator, ({ inFlight }) => inFlight === 0)
      assert.deepInclude(stats, { answered: 2, aborted: 0 })
    }).pipe(Effect.provide(NodeHttpClient.layerUndici), Effect.scoped)
  )

  it.live("goes no faster than a client that reads slowly", () =>
    Effect.gen(function* () {
      // The answer is far larger than the buffers of a socket, so the server cannot be done before it is read.
      const { simulator, url } = yield* start({ outputTokens: { min: 120_000, max: 120_000 } })
      yield* Effect.gen(function* () {
        let paused: IncomingMessage | undefined
        let mayRead = false
        const fiber = yield* Effect.forkChild(
          Effect.callback<number, Error>((resume) => {
            const request = httpRequest(
              `${url}/v1/chat/completions`,
              { method: "POST" },
              (response) => {
                let length = 0
                response.pause()
                response.on("data", (chunk: Uint8Array) => {
                  length += chunk.length
                })
                response.once("end", () => resume(Effect.succeed(length)))
                paused = response
                if (mayRead) response.resume()
              }
            )
            request.once("error", (error) => resume(Effect.fail(error)))
            request.end(JSON.stringify({ ...body, stream: true }))
          })
        )
        yield* until(simulator, ({ requests }) => requests === 1)
        assert.deepInclude(yield* simulator.stats, { inFlight: 1, answered: 0 })
        mayRead = true
        paused?.resume()
        assert.isAbove(yield* Fiber.join(fiber), 20_000_000)
        yield* until(simulator, ({ inFlight }) => inFlight === 0)
      })
      assert.deepInclude(yield* simulator.stats, { inFlight: 0, answered: 1, aborted: 0 })
    }).pipe(Effect.scoped)
  )

  it.live("resets the connection, and the next request is answered", () =>
    Effect.gen(function* () {
      const { url } = yield* start({ script: ["reset"] })
      const send = Effect.tryPromise(() =>
        fetch(`${url}/v1/chat/completions`, { method: "POST", body: JSON.stringify(body) })
      )
      const { cause } = yield* Effect.flip(send)
      assert.strictEqual(((cause as Error).cause as { readonly code?: string }).code, "ECONNRESET")
      assert.strictEqual((yield* send).status, 200)
    }).pipe(Effect.scoped)
  )

  it.live("sends less than it promised and cuts the connection", () =>
    Effect.gen(function* () {
      const { simulator, url } = yield* start({ script: ["truncated", "truncated"] })
      const client = yield* HttpClient.HttpClient
      const whole = yield* client.execute(post(url))
      assert.strictEqual(whole.status, 200)
      const received: Array<Uint8Array> = []
      const error = yield* Effect.flip(
        Stream.runForEach(whole.stream, (chunk) => Effect.sync(() => received.push(chunk)))
      )
      assert.strictEqual(error.reason._tag, "DecodeError")
      const length = received.reduce((sum, chunk) => sum + chunk.length, 0)
      assert.isAbove(length, 0)
      assert.isBelow(length, Number(whole.headers["content-length"]))

      const streamed = yield* client.execute(post(url, { stream: true }))
      const texts: Array<string> = []
      const cut = yield* Effect.flip(
        Stream.runForEach(Stream.decodeText(streamed.stream), (text) =>
          Effect.sync(() => texts.push(text))
        )
      )
      assert.strictEqual(cut._tag, "HttpClientError")
      assert.include(texts.join(""), "chat.completion.chunk")
      assert.notInclude(texts.join(""), "[DONE]")
      assert.deepInclude(yield* simulator.stats, { answered: 0, aborted: 0 })
    }).pipe(Effect.provide(NodeHttpClient.layerUndici), Effect.scoped)
  )

  it.live("notices clients that go away: while it thinks, hangs, streams or stalls", () =>
    Effect.gen(function* () {
      const { simulator, url } = yield* start({
        latency: { kind: "constant", millis: 3_600_000 },
        script: ["answer"]
      })
      const fast = yield* start({
        latency: { kind: "constant", millis: 0, perOutputTokenMillis: 1_000_000 },
        script: ["hang", "stalled", "answer"]
      })
      const client = yield* HttpClient.HttpClient
      const thinking = yield* Effect.forkChild(client.execute(post(url)))
      yield* until(simulator, ({ inFlight }) => inFlight === 1)
      yield* Fiber.interrupt(thinking)
      yield* until(simulator, ({ aborted, inFlight }) => aborted === 1 && inFlight === 0)

      let requests = 0
      for (const stream of [false, true, true]) {
        const fiber = yield* Effect.forkChild(
          Effect.flatMap(client.execute(post(fast.url, { stream })), (response) => response.text)
        )
        requests++
        yield* until(fast.simulator, (stats) => stats.inFlight === 1 && stats.requests === requests)
        yield* Fiber.interrupt(fiber)
        yield* until(fast.simulator, (stats) => stats.aborted === requests && stats.inFlight === 0)
      }
      assert.strictEqual((yield* fast.simulator.stats).answered, 0)
    }).pipe(Effect.provide(NodeHttpClient.layerUndici), Effect.scoped)
  )

  it.live("gives its statistics to other processes, and forgets them when told to", () =>
    Effect.gen(function* () {
      const { simulator, url } = yield* start({ script: ["internal"] })
      const client = yield* HttpClient.HttpClient
      yield* client.execute(post(url))
      const stats = yield* client.get(`${url}/simulator/stats`)
      assert.strictEqual(yield* stats.text, JSON.stringify(yield* simulator.stats))
      assert.deepStrictEqual((yield* simulator.stats).faults, { internal: 1 })
      assert.strictEqual((yield* client.post(`${url}/simulator/reset`)).status, 204)
      assert.strictEqual((yield* simulator.stats).requests, 0)
    }).pipe(Effect.provide(NodeHttpClient.layerUndici), Effect.scoped)
  )

  it.live("frees its port when the scope closes, whoever is still waiting", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ script: ["hang"] })
      const url = yield* Effect.scoped(
        Effect.gen(function* () {
          const { url } = yield* serve({ simulator })
          const client = yield* HttpClient.HttpClient
          yield* Effect.forkChild(Effect.ignore(client.execute(post(url))))
          yield* until(simulator, ({ inFlight }) => inFlight === 1)
          return url
        })
      )
      const { aborted, inFlight } = yield* simulator.stats
      assert.deepStrictEqual({ aborted, inFlight }, { aborted: 1, inFlight: 0 })
      const again = yield* serve({ simulator, port: Number(new URL(url).port) })
      assert.strictEqual(again.url, url)
    }).pipe(Effect.provide(NodeHttpClient.layerUndici), Effect.scoped)
  )

  it.live("drops the connection of a request that meets a bug of the simulator", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const logged: Array<unknown> = []
      const logger = Logger.make(({ message }) => {
        logged.push(message)
      })
      const broken = { ...simulator, handle: () => Effect.die(new Error("a bug")) }
      const { url } = yield* serve({ simulator: broken }).pipe(
        Effect.provide(Logger.layer([logger]))
      )
      const client = yield* HttpClient.HttpClient
      const error = yield* Effect.flip(client.execute(post(url)))
      assert.strictEqual(error.reason._tag, "TransportError")
      assert.strictEqual(logged.length, 1)
    }).pipe(Effect.provide(NodeHttpClient.layerUndici), Effect.scoped)
  )

  it.live("says so when the port is taken", () =>
    Effect.gen(function* () {
      const taken = yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const server = createServer().listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      )
      const { port } = taken.address() as AddressInfo
      const simulator = yield* Simulator.make()
      const error = yield* Effect.flip(serve({ simulator, port }))
      assert.strictEqual(error._tag, "SimulatorServerError")
      assert.match(error.message, /^The simulator cannot listen on 127\.0\.0\.1:\d+ \(.*EADDRINUSE/)
    }).pipe(Effect.scoped)
  )
})
