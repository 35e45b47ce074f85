// What the server answers, and what is asked.

/** A thousand characters, as a prompt of a few paragraphs has. */
export const prompt = "Summarise the following text in one sentence. ".padEnd(1000, "lorem ipsum ")

/** The answer of the model: JSON, so that structured output has something to read. */
export const answerText = JSON.stringify({ summary: "It is about nothing. ".repeat(12), score: 7 })

export const chatBody = JSON.stringify({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1_700_000_000,
  model: "gpt-4.1-mini",
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: answerText, refusal: null },
      logprobs: null,
      finish_reason: "stop"
    }
  ],
  usage: {
    prompt_tokens: 220,
    completion_tokens: 64,
    total_tokens: 284,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 }
  },
  service_tier: "default",
  system_fingerprint: "fp_1"
})

export const dimensions = 1536
const vector = Array.from({ length: dimensions }, (_, index) => Math.fround(Math.sin(index) / 40))
const base64 = Buffer.from(Float32Array.from(vector).buffer).toString("base64")

export const embeddingBody = (count: number, isBase64: boolean): string =>
  JSON.stringify({
    object: "list",
    data: Array.from({ length: count }, (_, index) => ({
      object: "embedding",
      index,
      embedding: isBase64 ? base64 : vector
    })),
    model: "text-embedding-3-small",
    usage: { prompt_tokens: count * 8, total_tokens: count * 8 }
  })

export const chunkCount = 500

const chunk = (delta: object, finish: string | null) =>
  `data: ${JSON.stringify({
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1_700_000_000,
    model: "gpt-4.1-mini",
    service_tier: "default",
    system_fingerprint: "fp_1",
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }]
  })}\n\n`

export const streamChunks: ReadonlyArray<string> = [
  ...Array.from({ length: chunkCount }, (_, index) => chunk({ content: ` word${index}` }, null)),
  chunk({}, "stop"),
  "data: [DONE]\n\n"
]
