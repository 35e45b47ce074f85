// A server that is cheap enough not to be what is measured: it reads no more of a request than where it ends, and writes
// answers that were made beforehand. `node bench/server.ts` prints its port.
//
// Paths begin with how many milliseconds an answer takes: /50/v1/chat/completions.
import { createServer } from "node:net"
import type { Socket } from "node:net"
import process from "node:process"

import { chatBody, embeddingBody, streamChunks } from "./answers.ts"

const head = (type: string, length?: number) =>
  `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\nx-request-id: req_1\r\nx-ratelimit-limit-requests: 1000000\r\nx-ratelimit-remaining-requests: 999999\r\nx-ratelimit-reset-requests: 1ms\r\n${
    length === undefined ? "transfer-encoding: chunked" : `content-length: ${length}`
  }\r\n\r\n`

const whole = (body: string) => {
  const bytes = Buffer.from(body)
  return Buffer.concat([Buffer.from(head("application/json", bytes.length)), bytes])
}

const chat = whole(chatBody)
const embeddings = new Map<string, Buffer>()
const embeddingAnswer = (count: number, isBase64: boolean) => {
  const key = `${count} ${isBase64}`
  const known = embeddings.get(key) ?? whole(embeddingBody(count, isBase64))
  embeddings.set(key, known)
  return known
}

const streamHead = Buffer.from(head("text/event-stream"))
const chunks = streamChunks.map((text) => {
  const bytes = Buffer.from(text)
  return Buffer.concat([
    Buffer.from(`${bytes.length.toString(16)}\r\n`),
    bytes,
    Buffer.from("\r\n")
  ])
})
const last = Buffer.from("0\r\n\r\n")
/** As many chunks as arrive together from a model that is fast. */
const chunksAWrite = 5

const stream = (socket: Socket) => {
  socket.write(streamHead)
  const write = (from: number) => {
    if (socket.destroyed) return
    socket.write(Buffer.concat(chunks.slice(from, from + chunksAWrite)))
    if (from + chunksAWrite < chunks.length) setImmediate(write, from + chunksAWrite)
    else socket.write(last)
  }
  write(0)
}

const answer = (socket: Socket, path: string, body: Buffer) => {
  const respond = () => {
    if (path.includes("/embeddings")) {
      const { encoding_format: format, input } = JSON.parse(String(body)) as {
        readonly encoding_format?: string
        readonly input: string | ReadonlyArray<string>
      }
      socket.write(
        embeddingAnswer(typeof input === "string" ? 1 : input.length, format === "base64")
      )
    } else if (body.includes('"stream":true')) stream(socket)
    else socket.write(chat)
  }
  const millis = Number(/^\/(\d+)\//.exec(path)?.[1] ?? 0)
  if (millis === 0) respond()
  else setTimeout(respond, millis)
}

const server = createServer((socket) => {
  socket.setNoDelay(true)
  socket.on("error", () => {})
  let pending = Buffer.alloc(0)
  socket.on("data", (piece) => {
    pending = pending.length === 0 ? piece : Buffer.concat([pending, piece])
    for (;;) {
      const end = pending.indexOf("\r\n\r\n")
      if (end < 0) return
      const lines = pending.toString("latin1", 0, end)
      const length = Number(/content-length: *(\d+)/i.exec(lines)?.[1] ?? 0)
      if (pending.length < end + 4 + length) return
      const body = pending.subarray(end + 4, end + 4 + length)
      answer(socket, lines.slice(lines.indexOf(" ") + 1, lines.indexOf(" HTTP")), body)
      pending = pending.subarray(end + 4 + length)
    }
  })
})
server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  console.log(typeof address === "object" ? address?.port : address)
})
process.stdin.resume().on("end", () => process.exit(0))
