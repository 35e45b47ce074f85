import { createHash, randomBytes } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { connect } from "node:net"

import { assert, describe, it } from "@effect/vitest"
import type { Layer } from "effect"
import { Deferred, Effect, Fiber, Schema, Stream } from "effect"
import { HttpBody, HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
import * as UndiciHttpClient from "infermesh/UndiciHttpClient"

import { bodyOf, formOf, serve } from "../providers/Loopback.ts"

type Handle = (incoming: IncomingMessage, response: ServerResponse) => void | Promise<void>

/** A program with the client and the address of a server that answers so. */
const against = <A, E>(
  handle: Handle,
  program: (url: string) => Effect.Effect<A, E, HttpClient.HttpClient>,
  layer: Layer.Layer<HttpClient.HttpClient> = UndiciHttpClient.layer
) => Effect.scoped(Effect.flatMap(serve(handle), program)).pipe(Effect.provide(layer))

const post = (url: string, body: HttpBody.HttpBody) =>
  HttpClient.execute(HttpClientRequest.setBody(HttpClientRequest.post(url), body))

const bodies: ReadonlyArray<readonly [string, HttpBody.HttpBody, string, string | undefined]> = [
  ["none", HttpBody.empty, "", undefined],
  ["text", HttpBody.text("ä😀", "text/plain"), "ä😀", "6"],
  ["bytes", HttpBody.uint8Array(new TextEncoder().encode("abc")), "abc", "3"],
  ["text of its own", HttpBody.raw("raw"), "raw", "3"],
  ["a Blob", HttpBody.raw(new Blob(["of", " parts"])), "of parts", "8"],
  [
    "a stream",
    HttpBody.stream(Stream.make("one ", "two").pipe(Stream.encodeText), "text/plain"),
    "one two",
    "7"
  ]
]

describe("the HttpClient over undici", () => {
  for (const [what, body, text, length] of bodies) {
    it.live(`sends a body: ${what}`, () => {
      const seen: Array<unknown> = []
      return against(
        async (incoming, response) => {
          seen.push(incoming.method, String(await bodyOf(incoming)))
          seen.push(
            incoming.headers["content-length"] === "0"
              ? undefined
              : incoming.headers["content-length"]
          )
          response.end("ok")
        },
        (url) =>
          Effect.gen(function* () {
            const response = yield* post(url, body)
            assert.deepStrictEqual([response.status, yield* response.text], [200, "ok"])
            assert.deepStrictEqual(seen, ["POST", text, length])
          })
      )
    })
  }

  it.live("sends a form with its files, and its type with their boundary", () => {
    const content = new Uint8Array(randomBytes(200_000))
    let form = new FormData()
    return against(
      async (incoming, response) => {
        form = await formOf(incoming)
        response.end()
      },
      (url) =>
        Effect.gen(function* () {
          const given = new FormData()
          given.set("model", "m")
          given.set("file", new File([content], "a b.wav", { type: "audio/wav" }))
          yield* Effect.flatMap(post(url, HttpBody.formData(given)), (response) => response.text)
          const file = form.get("file")
          if (!(file instanceof File)) return assert.fail("there is no file")
          const bytes = new Uint8Array(yield* Effect.promise(() => file.arrayBuffer()))
          const hash = (one: Uint8Array) => createHash("sha256").update(one).digest("hex")
          assert.deepStrictEqual(
            [form.get("model"), file.name, file.type, hash(bytes)],
            ["m", "a b.wav", "audio/wav", hash(content)]
          )
        })
    )
  })

  it.live("gives address, status, headers and cookies, and its body in every form", () =>
    against(
      (incoming, response) => {
        response.writeHead(201, {
          "content-type": "application/json",
          "x-seen": `${incoming.url} ${String(incoming.headers["x-own"])}`,
          "set-cookie": ["a=1", "b=2"]
        })
        response.end('{"name":"ä"}')
      },
      (url) =>
        Effect.gen(function* () {
          const request = HttpClientRequest.get(`${url}/models#part`, {
            headers: { "x-own": "1" }
          }).pipe(HttpClientRequest.setUrlParam("limit", "2 3"))
          const ask = HttpClient.execute(request)
          const response = yield* ask
          assert.deepStrictEqual([response.status, response.url], [201, `${url}/models?limit=2+3`])
          assert.strictEqual(response.headers["x-seen"], "/v1/models?limit=2+3 1")
          assert.deepStrictEqual(Object.keys(response.cookies.cookies), ["a", "b"])
          assert.deepStrictEqual(yield* response.json, { name: "ä" })
          // A body that was read is still there for who reads it again.
          assert.strictEqual(yield* response.text, '{"name":"ä"}')
          const Named = Schema.Struct({ name: Schema.String })
          const named = yield* Effect.flatMap(ask, HttpClientResponse.schemaBodyJson(Named))
          assert.deepStrictEqual(named, { name: "ä" })
          const bytes = yield* Effect.flatMap(ask, (one) => one.arrayBuffer)
          assert.strictEqual(new TextDecoder().decode(bytes), '{"name":"ä"}')
          const pieces = yield* Effect.flatMap(ask, (one) =>
            Stream.mkString(Stream.decodeText(one.stream))
          )
          assert.strictEqual(pieces, '{"name":"ä"}')
        })
    )
  )

  it.live("reads characters that are cut between pieces, and leaves a byte-order mark out", () =>
    against(
      async (_, response) => {
        for (const byte of Buffer.from('\uFEFF{"a":"ä😀"}')) {
          response.write(Buffer.of(byte))
          await new Promise(setImmediate)
        }
        response.end()
      },
      (url) =>
        Effect.gen(function* () {
          const response = yield* HttpClient.get(url)
          assert.deepStrictEqual(yield* response.json, { a: "ä😀" })
        })
    )
  )

  it.live("gives the body of an error status, too", () =>
    against(
      (_, response) => {
        response.writeHead(503, { "retry-after": "1" }).end("later")
      },
      (url) =>
        Effect.gen(function* () {
          const response = yield* HttpClient.get(url)
          assert.deepStrictEqual(
            [response.status, response.headers["retry-after"], yield* response.text],
            [503, "1", "later"]
          )
        })
    )
  )

  it.live("does not follow a redirect", () =>
    against(
      (_, response) => {
        response.writeHead(307, { location: "http://elsewhere.invalid/" }).end()
      },
      (url) => Effect.map(HttpClient.get(url), ({ status }) => assert.strictEqual(status, 307))
    )
  )

  it.live("uses a connection again, and no more of them than it may", () => {
    const sockets = new Set<unknown>()
    return against(
      (incoming, response) => {
        sockets.add(incoming.socket)
        response.end("ok")
      },
      (url) =>
        Effect.gen(function* () {
          const ask = Effect.flatMap(HttpClient.get(url), (response) => response.text)
          yield* Effect.forEach(Array.from({ length: 40 }), () => ask, { concurrency: 8 })
          assert.isAtMost(sockets.size, 2)
        }),
      UndiciHttpClient.layerOptions({ connections: 2 })
    )
  })

  const breaks: ReadonlyArray<readonly [string, Handle, string]> = [
    ["before its head", (incoming) => incoming.socket.destroy(), "TransportError"],
    [
      "within its body",
      (_, response) => {
        response.writeHead(200, { "content-length": "100" })
        response.write("half", () => response.destroy())
      },
      "DecodeError"
    ],
    [
      "within its chunks",
      (_, response) => {
        response.write("half", () => response.destroy())
      },
      "DecodeError"
    ]
  ]
  for (const [where, handle, tag] of breaks) {
    it.live(`fails with a typed error when the connection breaks ${where}, whole or streamed`, () =>
      against(handle, (url) =>
        Effect.gen(function* () {
          for (const read of [
            (response: HttpClientResponse.HttpClientResponse) => response.text,
            (response: HttpClientResponse.HttpClientResponse) => Stream.runDrain(response.stream)
          ]) {
            const error = yield* Effect.flip(Effect.flatMap(HttpClient.get(url), read))
            assert.strictEqual(error.reason._tag, tag)
          }
        })
      )
    )
  }

  it.live("fails with a typed error where nobody listens, and where the address is none", () =>
    Effect.gen(function* () {
      const closed = yield* Effect.scoped(serve(() => {}))
      assert.strictEqual((yield* Effect.flip(HttpClient.get(closed))).reason._tag, "TransportError")
      const none = yield* Effect.flip(HttpClient.get("http://[half/v1"))
      assert.strictEqual(none.reason._tag, "InvalidUrlError")
    }).pipe(Effect.provide(UndiciHttpClient.layer))
  )

  it.live("fails when the stream that is sent fails", () =>
    against(
      (incoming, response) => {
        incoming
          .on("error", () => {})
          .resume()
          .on("end", () => response.end())
      },
      (url) =>
        Effect.gen(function* () {
          const half = Stream.concat(
            Stream.encodeText(Stream.make("half")),
            Stream.fail(new Error("the disk is gone"))
          )
          const error = yield* Effect.flip(post(url, HttpBody.stream(half, "text/plain")))
          assert.strictEqual(error.reason._tag, "TransportError")
        })
    )
  )

  const interruptions: ReadonlyArray<
    readonly [
      string,
      Handle,
      (response: HttpClientResponse.HttpClientResponse) => Effect.Effect<unknown, unknown>
    ]
  > = [
    ["before the head", () => {}, () => Effect.void],
    [
      "within a body that is read whole",
      (_, response) => {
        response.write("half")
      },
      (response) => response.text
    ],
    [
      "within a body that is streamed",
      (_, response) => {
        response.write("half")
      },
      (response) => Stream.runDrain(response.stream)
    ]
  ]
  for (const [where, handle, read] of interruptions) {
    it.live(`closes the socket when it is interrupted ${where}`, () =>
      Effect.gen(function* () {
        const arrived = yield* Deferred.make<void>()
        const gone = yield* Deferred.make<void>()
        yield* against(
          (incoming, response) => {
            incoming.socket.once("close", () => Effect.runFork(Deferred.succeed(gone, undefined)))
            Effect.runFork(Deferred.succeed(arrived, undefined))
            return handle(incoming, response)
          },
          (url) =>
            Effect.gen(function* () {
              const fiber = yield* Effect.forkChild(Effect.flatMap(HttpClient.get(url), read))
              yield* Deferred.await(arrived)
              yield* Fiber.interrupt(fiber)
              yield* Deferred.await(gone)
            })
        )
      })
    )
  }

  it.live("never sends what was interrupted while it waited for a connection", () => {
    const seen: Array<string | undefined> = []
    let release = () => {}
    return against(
      (incoming, response) => {
        seen.push(incoming.url)
        if (incoming.url?.endsWith("/first") === true) release = () => void response.end("ok")
        else response.end("ok")
      },
      (url) =>
        Effect.gen(function* () {
          const ask = (path: string) =>
            Effect.flatMap(HttpClient.get(url + path), (response) => response.text)
          const first = yield* Effect.forkChild(ask("/first"), { startImmediately: true })
          while (seen.length === 0) yield* Effect.promise(() => new Promise(setImmediate))
          const second = yield* Effect.forkChild(ask("/second"), { startImmediately: true })
          yield* Fiber.interrupt(second)
          const third = yield* Effect.forkChild(ask("/third"), { startImmediately: true })
          release()
          assert.deepStrictEqual([yield* Fiber.join(first), yield* Fiber.join(third)], ["ok", "ok"])
          assert.deepStrictEqual(seen, ["/v1/first", "/v1/third"])
        }),
      UndiciHttpClient.layerOptions({ connections: 1 })
    )
  })

  it.live("closes its connections with its scope", () =>
    Effect.gen(function* () {
      const gone = yield* Deferred.make<void>()
      const url = yield* serve((incoming, response) => {
        incoming.socket.once("close", () => Effect.runFork(Deferred.succeed(gone, undefined)))
        response.end("ok")
      })
      yield* Effect.flatMap(HttpClient.get(url), (response) => response.text).pipe(
        Effect.provide(UndiciHttpClient.layer)
      )
      yield* Deferred.await(gone)
      // The server is still there: it was the client that left.
      const socket = connect(Number(new URL(url).port), "127.0.0.1")
      yield* Effect.promise(() => new Promise((resolve) => socket.once("connect", resolve)))
      socket.destroy()
    }).pipe(Effect.scoped)
  )
})
