// What is asked of the clients that are compared in rounds.

export interface Workload {
  readonly title: string
  readonly operation: "chat" | "stream" | "embed"
  /** Requests, streams or texts a round; and so many before the first, until the code is compiled. */
  readonly count: number
  readonly warmUp: number
  readonly concurrency: number
  /** Milliseconds an answer takes. */
  readonly latency?: number
  readonly isBase64?: boolean
  readonly peers: ReadonlyArray<string>
  /** What is compared: the CPU of the client for one operation, or the time of a round. */
  readonly figure: "cpuMicros" | "wallMillis"
  readonly unit: string
}

export const workloads: { readonly [name: string]: Workload } = {
  chat: {
    title: "Chat, 64 at once, no latency",
    operation: "chat",
    count: 3000,
    warmUp: 12_000,
    concurrency: 64,
    peers: ["undici", "fetch", "effect", "infermesh", "openai", "ai", "langchain"],
    figure: "cpuMicros",
    unit: "µs a request"
  },
  latency: {
    title: "Chat, 256 at once, answers after 50 ms",
    operation: "chat",
    count: 4000,
    warmUp: 8000,
    concurrency: 256,
    latency: 50,
    peers: ["undici", "infermesh", "openai"],
    figure: "wallMillis",
    unit: "ms a round"
  },
  "embed-base64": {
    title: "Embeddings of 1,536 dimensions, 32 a request, in base64",
    operation: "embed",
    count: 6400,
    warmUp: 12_800,
    concurrency: 8,
    isBase64: true,
    peers: ["undici", "infermesh", "openai"],
    figure: "cpuMicros",
    unit: "µs a vector"
  },
  "embed-floats": {
    title: "Embeddings of 1,536 dimensions, 32 a request, in JSON",
    operation: "embed",
    count: 3200,
    warmUp: 6400,
    concurrency: 8,
    peers: ["undici", "infermesh", "openai", "ai"],
    figure: "cpuMicros",
    unit: "µs a vector"
  },
  stream: {
    title: "100 streams of 500 chunks, all at once",
    operation: "stream",
    count: 100,
    warmUp: 300,
    concurrency: 100,
    peers: ["undici", "infermesh", "openai", "ai", "langchain"],
    figure: "cpuMicros",
    unit: "µs a chunk"
  }
}
