import { createServer } from "node:http"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

import { Effect } from "effect"

/** A real server on the loopback, and its base URL; what is still open is cut when the scope closes. */
export const serve = (
  handle: (incoming: IncomingMessage, response: ServerResponse) => void | Promise<void>
) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(
        () =>
          new Promise<ReturnType<typeof createServer>>((resolve) => {
            const server = createServer((incoming, response) => void handle(incoming, response))
            server.listen(0, "127.0.0.1", () => resolve(server))
          })
      ),
      (server) =>
        Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
    ),
    (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  )

/** The whole body of a request; rejects when the client breaks it off. */
export const bodyOf = async (incoming: IncomingMessage): Promise<Buffer<ArrayBuffer>> => {
  const pieces: Array<Buffer> = []
  for await (const piece of incoming) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}

/** The form in a request, read by the platform's own parser. */
export const formOf = async (incoming: IncomingMessage): Promise<FormData> => {
  const body = await bodyOf(incoming)
  const headers = { "content-type": incoming.headers["content-type"] ?? "" }
  return new Response(body, { headers }).formData()
}
