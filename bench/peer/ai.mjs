import { createOpenAI } from "@ai-sdk/openai"
import { embedMany, generateText, streamText } from "ai"

import { prompt } from "../answers.ts"
import { pool, texts } from "../Peer.ts"

export const make = (base) => {
  const openai = createOpenAI({ apiKey: "key", baseURL: base })
  const model = openai.chat("m")
  return {
    chat: (count, concurrency) =>
      pool(count, concurrency, async () => {
        const { text } = await generateText({ model, prompt })
        return text.length > 0 ? 1 : 0
      }),
    stream: (count, concurrency) =>
      pool(count, concurrency, async () => {
        let chunks = 0
        for await (const _ of streamText({ model, prompt }).textStream) chunks++
        return chunks
      }),
    embed: (count, concurrency) =>
      pool(count / texts.length, concurrency, async () => {
        const { embeddings } = await embedMany({
          model: openai.textEmbeddingModel("m"),
          values: texts
        })
        return embeddings.length
      })
  }
}
