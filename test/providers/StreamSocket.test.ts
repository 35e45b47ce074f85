import type { IncomingMessage, ServerResponse } from "node:http"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

import { assert, describe, it } from "@effect/vitest"
import * as Client from "@infermesh/core/Client"
import * as Inference from "@infermesh/core/Inference"
import * as Pricing from "@infermesh/core/telemetry/Pricing"
import * as OpenAi from "@infermesh/providers/openai/OpenAi"
import { Effect, Fiber, Layer, Schema, Stream } from "effect"
import * as UndiciHttpClient from "infermesh/UndiciHttpClient"

/** A server on this machine that answers each request in turn as it is told. */
const serving = (...answers: ReadonlyArray<(response: ServerResponse) => void>) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly count: () => number; close: () => void }>(
      (resume) => {
        let count = 0
        const server = createServer((request: IncomingMessage, response) => {
          request.resume()
          request.on("end", () => {
            const answer = answers[Math.min(count++, answers.length - 1)]
            response.on("error", () => {})
            answer?.(response)
          })
        })
        server.listen(0, "127.0.0.1", () => {
          const { port } = server.address() as AddressInfo
          resume(
            Effect.succeed({
              url: `http://127.0.0.1:${port}/v1`,
              count: () => count,
              close: () => {
                server.closeAllConnections()
                server.close()
              }
            })
          )
        })
      }
    ),
    ({ close }) => Effect.sync(close)
  )

const events = (response: ServerResponse) =>
  response.writeHead(200, { "content-type": "text/event-stream" })

const delta = (content: string, more: object = {}) =>
  `data: ${JSON.stringify({ model: "m", choices: [{ index: 0, delta: { content }, ...more }] })}\n\n`

const usage = 'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n'
const done = `${delta("", { finish_reason: "stop" })}${usage}data: [DONE]\n\n`

const client = (apiBase: string) =>
  Client.layer({ model: "hosted_vllm/m", apiBase, maxRetries: 2, maxParallelRequests: 1 }).pipe(
    Layer.provide(OpenAi.layerCompatible),
    Layer.provide(Pricing.layerNone),
    Layer.provide(UndiciHttpClient.layer)
  )

/** Resolves when the response's connection is gone. */
const closing = () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { watch: (response: ServerResponse) => response.once("close", resolve), promise }
}

const texts = (parts: ReadonlyArray<Inference.GenerateEvent<unknown>>) =>
  parts.map((part) => (part.type === "text-delta" ? part.text : "")).join("")

const piece = delta("x".repeat(64 * 1024))
/** 128 MiB: more than all buffers between the server and a reader that stands still can hold. */
const pieces = 2048

/** Turns of the event loop without a drained socket after which a server is taken to stand still. */
const stillTurns = 2000

/** Writes as fast as the socket takes it, and says how far it got when it stands still or has written everything. */
const flooding = () => {
  const stalled = Promise.withResolvers<number>()
  let written = 0
  const start = (response: ServerResponse) => {
    events(response)
    const write = () => {
      while (written < pieces) {
        written++
        if (!response.write(piece)) return wait(response)
      }
      response.end(done)
      stalled.resolve(written)
    }
    const wait = (waiting: ServerResponse) => {
      let turns = 0
      let isDrained = false
      waiting.once("drain", () => {
        isDrained = true
        write()
      })
      const turn = () => {
        if (isDrained || waiting.destroyed) return
        if (++turns === stillTurns) stalled.resolve(written)
        else setImmediate(turn)
      }
      setImmediate(turn)
    }
    write()
  }
  return { start, stalled: stalled.promise, written: () => written }
}

describe("a streamed answer over a real socket", () => {
  it.live("holds the server back while its reader stands still, and gives all of it then", () =>
    Effect.gen(function* () {
      const flood = flooding()
      const { url } = yield* serving(flood.start)
      let stalledAt = 0
      let length = 0
      yield* Inference.generateStream("x").pipe(
        Stream.runForEach((part) =>
          Effect.gen(function* () {
            if (part.type !== "text-delta") return
            length += part.text.length
            if (stalledAt === 0) stalledAt = yield* Effect.promise(() => flood.stalled)
          })
        ),
        Effect.provide(client(url))
      )
      assert.isBelow(stalledAt, pieces / 2)
      assert.strictEqual(flood.written(), pieces)
      assert.strictEqual(length, pieces * 64 * 1024)
    }).pipe(Effect.scoped)
  )

  const endings: ReadonlyArray<
    readonly [
      string,
      (
        stream: Stream.Stream<unknown, unknown, Inference.Inference>
      ) => Effect.Effect<unknown, unknown, Inference.Inference>
    ]
  > = [
    ["its reader has enough", (stream) => Stream.runDrain(Stream.take(stream, 1))],
    [
      "its reader is interrupted",
      (stream) =>
        Effect.gen(function* () {
          const { promise, resolve } = Promise.withResolvers<void>()
          const reading = Stream.runForEach(stream, () => Effect.sync(resolve))
          const fiber = yield* Effect.forkChild(reading)
          yield* Effect.promise(() => promise)
          yield* Fiber.interrupt(fiber)
        })
    ],
    [
      "its reader fails",
      (stream) => Effect.flip(Stream.runForEach(stream, () => Effect.fail("no")))
    ]
  ]
  for (const [why, read] of endings) {
    it.live(`closes its connection when ${why}, and frees its slot`, () =>
      Effect.gen(function* () {
        const closed = closing()
        const { url } = yield* serving(
          (response) => {
            closed.watch(response)
            events(response).write(delta("a"))
          },
          (response) => events(response).end(delta("b") + done)
        )
        yield* Effect.gen(function* () {
          yield* read(Inference.generateStream("x"))
          yield* Effect.promise(() => closed.promise)
          // There is one slot only.
          assert.strictEqual(texts(yield* Stream.runCollect(Inference.generateStream("x"))), "b")
        }).pipe(Effect.provide(client(url)))
      }).pipe(Effect.scoped)
    )
  }

  const breaks: ReadonlyArray<readonly [string, (response: ServerResponse) => void, RegExp]> = [
    [
      "an error within the stream",
      (response) => response.end('data: {"error":{"message":"out of memory","code":500}}\n\n'),
      /The provider failed.*out of memory/
    ],
    ["a cut connection", (response) => void setImmediate(() => response.destroy()), /connection/],
    ["an end before the end", (response) => response.end(), /ended before the stream did/],
    [
      "an event that is no JSON",
      (response) => response.end("data: {nonsense\n\n"),
      /cut short|JSON/
    ]
  ]
  for (const [what, end, message] of breaks) {
    it.live(`fails typed with text and usage so far at ${what}, and is not tried again`, () =>
      Effect.gen(function* () {
        const { count, url } = yield* serving((response) => {
          events(response).write(delta("Hel") + delta("lo") + usage, () => end(response))
        })
        const seen: Array<Inference.GenerateEvent<unknown>> = []
        const error = yield* Inference.generateStream("x").pipe(
          Stream.runForEach((part) => Effect.sync(() => seen.push(part))),
          Effect.flip,
          Effect.provide(client(url))
        )
        assert.strictEqual(texts(seen), "Hello")
        const { reason } = error
        if (reason._tag !== "StreamInterrupted") return assert.fail(reason._tag)
        assert.deepStrictEqual([reason.text, reason.usage?.totalTokens], ["Hello", 5])
        assert.match(reason.description, message)
        assert.strictEqual(count(), 1)
      }).pipe(Effect.scoped)
    )
  }

  it.live("is tried again before its first part, also where it had begun", () =>
    Effect.gen(function* () {
      const { count, url } = yield* serving(
        (response) =>
          events(response).write('data: {"model":"m","choices":[]}\n\n', () => response.destroy()),
        (response) => events(response).end(delta("good") + done)
      )
      const parts = yield* Stream.runCollect(Inference.generateStream("x")).pipe(
        Effect.provide(client(url))
      )
      assert.deepStrictEqual([texts(parts), count()], ["good", 2])
      const finish = parts.at(-1)
      assert.strictEqual(finish?.type === "finish" ? finish.result.metrics.retries : 0, 1)
    }).pipe(Effect.scoped)
  )

  it.live("shows structured output as it grows", () =>
    Effect.gen(function* () {
      const answer = '{"name":"Ada","points":[1,2]}'
      const { url } = yield* serving((response) =>
        events(response).end([...answer].map((char) => delta(char)).join("") + done)
      )
      const output = Schema.Struct({ name: Schema.String, points: Schema.Array(Schema.Int) })
      const parts = yield* Stream.runCollect(Inference.generateStream("x", { output })).pipe(
        Effect.provide(client(url))
      )
      const partials = parts.flatMap((part) => (part.type === "partial" ? [part.value] : []))
      assert.deepStrictEqual(partials[0], {})
      assert.deepInclude(partials, { name: "Ad" })
      assert.deepInclude(partials, { name: "Ada", points: [1] })
      const finish = parts.at(-1)
      assert.deepStrictEqual(finish?.type === "finish" ? finish.result.outputParsed : undefined, {
        name: "Ada",
        points: [1, 2]
      })
    }).pipe(Effect.scoped)
  )
})
