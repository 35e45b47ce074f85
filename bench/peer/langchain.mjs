import { ChatOpenAI } from "@langchain/openai"

import { prompt } from "../answers.ts"
import { pool } from "../Peer.ts"

export const make = (base) => {
  const model = new ChatOpenAI({
    model: "gpt-4.1-mini",
    apiKey: "key",
    configuration: { baseURL: base }
  })
  return {
    chat: (count, concurrency) =>
      pool(count, concurrency, async () => {
        const { content } = await model.invoke(prompt)
        return content.length > 0 ? 1 : 0
      }),
    stream: (count, concurrency) =>
      pool(count, concurrency, async () => {
        let chunks = 0
        for await (const { content } of await model.stream(prompt)) if (content.length > 0) chunks++
        return chunks
      })
  }
}
