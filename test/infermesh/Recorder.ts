import type { IncomingMessage } from "node:http"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

import { Effect } from "effect"

export interface Asked {
  readonly path: string
  readonly authorization: string | undefined
  /** The parsed body; of a form its text. */
  readonly body: Readonly<Record<string, unknown>>
  readonly text: string
}

export interface Reply {
  readonly status?: number
  readonly body: unknown
}

const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }

const read = async (request: IncomingMessage): Promise<string> => {
  const pieces: Array<Buffer> = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString("latin1")
}

const parsed = (text: string): Readonly<Record<string, unknown>> => {
  try {
    return JSON.parse(Buffer.from(text, "latin1").toString())
  } catch {
    return {}
  }
}

/** The last text of a chat request. */
export const promptOf = ({ body }: Asked): string =>
  (body["messages"] as ReadonlyArray<{ readonly content: string }>).at(-1)?.content ?? ""

const usual = ({ body, path }: Asked): Reply => {
  if (path.endsWith("/embeddings")) {
    const input = body["input"] as ReadonlyArray<string>
    const data = input.map((text, index) => ({ index, embedding: [text.length, 1, 0] }))
    return { body: { model: "m", data, usage: { prompt_tokens: 3, total_tokens: 3 } } }
  }
  if (path.endsWith("/transcriptions")) {
    const segments = [{ start: 0, end: 1.5, text: "hello" }]
    return { body: { text: "hello", duration: 1.5, language: "en", segments } }
  }
  const text = path.endsWith("/completions") && !path.includes("chat")
  const choice = text
    ? { index: 0, text: "yes", finish_reason: "stop" }
    : { index: 0, message: { role: "assistant", content: "yes" }, finish_reason: "stop" }
  return { body: { id: "r", model: body["model"] ?? "m", choices: [choice], usage } }
}

/** A provider that keeps what it is asked, and answers as it is told; `undefined` means the usual answer. */
export const recorder = Effect.fnUntraced(function* (
  answer: (asked: Asked) => Reply | undefined | Promise<Reply | undefined> = () => undefined
) {
  const asked: Array<Asked> = []
  const server = createServer(async (request, response) => {
    const text = await read(request)
    const one = {
      path: request.url ?? "",
      authorization: request.headers.authorization,
      body: parsed(text),
      text
    }
    asked.push(one)
    const { body, status = 200 } = (await answer(one)) ?? usual(one)
    response.writeHead(status, { "content-type": "application/json" })
    response.end(JSON.stringify(body))
  })
  yield* Effect.acquireRelease(
    Effect.promise(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))),
    () =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
  )
  const { port } = server.address() as AddressInfo
  return { asked, base: `http://127.0.0.1:${port}/v1` }
})
