/**
 * A simulator over HTTP: the socket around `@infermesh/core/testing/Simulator`.
 *
 * It stands on node:http itself, because it has to do what servers must not do: reset sockets, cut bodies, never answer.
 * It decides nothing; what a request is answered with is the simulator's matter.
 *
 * **Details**: connections are kept alive without a time-out. A client that goes away interrupts the handling of its request.
 * `GET /simulator/stats` gives the statistics as JSON and `POST /simulator/reset` forgets them, for other processes.
 *
 * @since 0.1.0
 */
import { Buffer } from "node:buffer"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"

import type { Simulator } from "@infermesh/core/testing/Simulator"
import type {
  ConnectionCut,
  SimulatedOutcome,
  SimulatedRequest
} from "@infermesh/core/testing/simulator/Exchange"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/**
 * The server cannot listen.
 *
 * @category errors
 * @since 0.1.0
 */
export class SimulatorServerError extends Schema.TaggedError<SimulatorServerError>(
  "infermesh/simulator/SimulatorServerError"
)("SimulatorServerError", {
  host: Schema.String,
  port: Schema.Int,
  cause: Schema.Defect()
}) {
  override get message(): string {
    const cause = this.cause instanceof Error ? this.cause.message : String(this.cause)
    return `The simulator cannot listen on ${this.host}:${this.port} (${cause}); choose another port or 0 for a free one`
  }
}

/**
 * What to serve, and where.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServeOptions {
  readonly simulator: Simulator
  /** Default 0: a free port. */
  readonly port?: number
  /** Default 127.0.0.1: this machine only. */
  readonly host?: string
}

/**
 * Serves a simulator until the scope closes; `url` is the origin, without the `/v1` of API base URLs.
 *
 * @category constructors
 * @since 0.1.0
 */
export const serve = Effect.fnUntraced(function* (
  options: ServeOptions
): Effect.fn.Return<{ readonly url: string }, SimulatorServerError, Scope.Scope> {
  const { host = "127.0.0.1", port = 0, simulator } = options
  const context = yield* Effect.context()
  const run = Effect.runForkWith(context)
  const fibers = new Set<Fiber.Fiber<void>>()

  const server = Http.createServer((message, response) => {
    read(message, (body) => {
      const request: SimulatedRequest = {
        method: message.method ?? "GET",
        path: message.url ?? "/",
        headers: message.headers as SimulatedRequest["headers"],
        body
      }
      const fiber = run(Effect.onError(answer(simulator, request, response), report(response)))
      fibers.add(fiber)
      fiber.addObserver(() => fibers.delete(fiber))
      // A write to a connection that is gone is no news: its close event says so.
      response.on("error", () => {})
      response.once("close", () => {
        // Nothing to interrupt after a response that was sent: the fiber has ended, or is about to.
        if (!response.writableFinished) fiber.interruptUnsafe()
      })
    })
  })
  server.keepAliveTimeout = 0
  server.requestTimeout = 0

  yield* Effect.acquireRelease(listen(server, host, port), () =>
    Effect.andThen(
      Effect.suspend(() => Fiber.interruptAll(fibers)),
      close(server)
    )
  )
  const address = server.address() as AddressInfo
  const name = address.family === "IPv6" ? `[${address.address}]` : address.address
  return { url: `http://${name}:${address.port}` }
})

const listen = (
  server: Http.Server,
  host: string,
  port: number
): Effect.Effect<void, SimulatorServerError> =>
  Effect.callback((resume) => {
    const onError = (cause: Error) =>
      resume(Effect.fail(new SimulatorServerError({ host, port, cause })))
    server.once("error", onError)
    server.listen(port, host, () => {
      server.off("error", onError)
      resume(Effect.void)
    })
  })

const close = (server: Http.Server): Effect.Effect<void> =>
  Effect.callback((resume) => {
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })

/** Collects the body: text, or bytes where it is a form. A client that goes away meanwhile sent no request. */
const read = (
  message: Http.IncomingMessage,
  onBody: (body: SimulatedRequest["body"]) => void
): void => {
  if (message.headers["content-type"]?.startsWith("multipart/") === true) {
    const chunks: Array<Uint8Array> = []
    message.on("data", (chunk: Uint8Array) => chunks.push(chunk))
    message.once("end", () => onBody(join(chunks)))
    return
  }
  message.setEncoding("utf8")
  let text = ""
  message.on("data", (chunk: string) => {
    text += chunk
  })
  message.once("end", () => onBody(text))
}

const join = (chunks: ReadonlyArray<Uint8Array>): Uint8Array => {
  const bytes = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0))
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}

/** A defect is a bug of the simulator: it is logged, and its client is not left waiting. */
const report =
  (response: Http.ServerResponse) =>
  (cause: Cause.Cause<never>): Effect.Effect<void> => {
    if (Cause.hasInterruptsOnly(cause)) return Effect.void
    return Effect.andThen(
      Effect.logError("The simulator failed", cause),
      Effect.sync(() => response.destroy())
    )
  }

const answer = (
  simulator: Simulator,
  request: SimulatedRequest,
  response: Http.ServerResponse
): Effect.Effect<void> => {
  if (request.path === "/simulator/stats" && request.method === "GET") {
    return Effect.map(simulator.stats, (stats) => {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(stats))
    })
  }
  if (request.path === "/simulator/reset" && request.method === "POST") {
    return Effect.map(simulator.reset, () => {
      response.writeHead(204).end()
    })
  }
  return Effect.flatMap(simulator.handle(request), (outcome) => send(response, outcome))
}

const send = (response: Http.ServerResponse, outcome: SimulatedOutcome): Effect.Effect<void> => {
  switch (outcome._tag) {
    case "Hang":
      return outcome.wait
    case "Reset":
      return Effect.sync(() => {
        response.socket?.resetAndDestroy()
      })
    case "Truncated":
      return Effect.sync(() => {
        const { body, declaredBytes, headers, status } = outcome
        response.writeHead(status, { ...headers, "content-length": declaredBytes })
        response.write(body, () => response.socket?.destroy())
      })
    case "Response": {
      const { body, headers, status } = outcome
      if (typeof body !== "string") {
        response.writeHead(status, headers)
        return sendStream(response, body)
      }
      return Effect.sync(() => {
        // Without a length Node would send the body in chunks, which is more work on both sides.
        const length = Buffer.byteLength(body)
        response.writeHead(status, { ...headers, "content-length": length }).end(body)
      })
    }
  }
}

/** Sends each array of chunks at once, no faster than the client reads; cuts the connection where the body says so. */
const sendStream = (
  response: Http.ServerResponse,
  body: Stream.Stream<Uint8Array, ConnectionCut>
): Effect.Effect<void> =>
  body.pipe(
    Stream.runForEachArray((chunks) => {
      response.cork()
      let roomLeft = true
      for (const chunk of chunks) roomLeft = response.write(chunk)
      response.uncork()
      return roomLeft ? Effect.void : drained(response)
    }),
    Effect.matchEffect({
      onSuccess: () =>
        Effect.sync(() => {
          response.end()
        }),
      onFailure: () =>
        Effect.andThen(
          flushed(response),
          Effect.sync(() => response.socket?.destroy())
        )
    })
  )

const drained = (response: Http.ServerResponse): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const onDrain = () => resume(Effect.void)
    response.once("drain", onDrain)
    return Effect.sync(() => response.off("drain", onDrain))
  })

/** Waits until what was written has left the process, so that a cut loses nothing that was to be sent. */
const flushed = (response: Http.ServerResponse): Effect.Effect<void> =>
  Effect.callback((resume) => {
    response.write("", () => resume(Effect.void))
  })
