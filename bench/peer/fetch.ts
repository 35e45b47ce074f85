import { prompt } from "../answers.ts"
import type { Peer } from "../Peer.ts"
import { pool } from "../Peer.ts"

export const make = (base: string): Peer => ({
  chat: (count, concurrency) =>
    pool(count, concurrency, async () => {
      const response = await fetch(`${base}/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer key" },
        body: JSON.stringify({ model: "m", messages: [{ role: "user", content: prompt }] })
      })
      const answer = (await response.json()) as { choices: [{ message: { content: string } }] }
      return answer.choices[0].message.content.length > 0 ? 1 : 0
    })
})
