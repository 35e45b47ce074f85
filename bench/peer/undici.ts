// The bare pool: what a request costs at least. Everything is a ratio to this.
import { Agent, request } from "undici"

import { prompt } from "../answers.ts"
import type { Peer } from "../Peer.ts"
import { pool, texts } from "../Peer.ts"

export const make = (base: string, connections: number, isBase64: boolean): Peer => {
  const dispatcher = new Agent({ connections })
  const post = (path: string, body: object) =>
    request(base + path, {
      method: "POST",
      dispatcher,
      headers: { "content-type": "application/json", authorization: "Bearer key" },
      body: JSON.stringify(body)
    })
  const messages = [{ role: "user", content: prompt }]
  return {
    chat: (count, concurrency) =>
      pool(count, concurrency, async () => {
        const { body } = await post("/chat/completions", { model: "m", messages })
        const answer = (await body.json()) as { choices: [{ message: { content: string } }] }
        return answer.choices[0].message.content.length > 0 ? 1 : 0
      }),
    // As one writes a reader of server-sent events by hand.
    stream: (count, concurrency) =>
      pool(count, concurrency, async () => {
        const { body } = await post("/chat/completions", { model: "m", messages, stream: true })
        let chunks = 0
        let rest = ""
        body.setEncoding("utf8")
        for await (const piece of body) {
          const lines = (rest + String(piece)).split("\n")
          rest = lines.pop() ?? ""
          for (const line of lines) {
            if (!line.startsWith("data: ") || line === "data: [DONE]") continue
            const event = JSON.parse(line.slice(6)) as {
              choices: [{ delta: { content?: string } }]
            }
            if (event.choices[0].delta.content !== undefined) chunks++
          }
        }
        return chunks
      }),
    embed: (count, concurrency) =>
      pool(count / texts.length, concurrency, async () => {
        const { body } = await post("/embeddings", {
          model: "m",
          input: texts,
          ...(isBase64 ? { encoding_format: "base64" } : {})
        })
        const { data } = (await body.json()) as {
          data: Array<{ embedding: string | Array<number> }>
        }
        let vectors = 0
        for (const { embedding } of data) {
          const vector =
            typeof embedding === "string"
              ? new Float32Array(new Uint8Array(Buffer.from(embedding, "base64")).buffer)
              : embedding
          if (vector.length > 0) vectors++
        }
        return vectors
      })
  }
}
