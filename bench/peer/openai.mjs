import OpenAI from "openai"

import { prompt } from "../answers.ts"
import { pool, texts } from "../Peer.ts"

export const make = (base, _connections, isBase64) => {
  const client = new OpenAI({ apiKey: "key", baseURL: base, maxRetries: 2 })
  const messages = [{ role: "user", content: prompt }]
  return {
    chat: (count, concurrency) =>
      pool(count, concurrency, async () => {
        const { choices } = await client.chat.completions.create({ model: "m", messages })
        return choices[0].message.content.length > 0 ? 1 : 0
      }),
    stream: (count, concurrency) =>
      pool(count, concurrency, async () => {
        let chunks = 0
        const stream = await client.chat.completions.create({ model: "m", messages, stream: true })
        for await (const { choices } of stream) if (choices[0]?.delta.content) chunks++
        return chunks
      }),
    embed: (count, concurrency) =>
      pool(count / texts.length, concurrency, async () => {
        const { data } = await client.embeddings.create({
          model: "m",
          input: texts,
          ...(isBase64 ? {} : { encoding_format: "float" })
        })
        return data.length
      })
  }
}
