// What the project wants, and what bench:check allows: a little above what was measured when the gate was set, so that noise
// passes and a change that costs something does not.
import type { Goal } from "./measure.ts"

export const goals = {
  chat: {
    what: "chat with everything on, CPU against the bare pool",
    goal: 2,
    gate: 3.1,
    unit: "×"
  },
  chatOpenai: { what: "the same against `openai`", goal: 1 / 3, gate: 0.75, unit: "×" },
  chatAi: { what: "the same against the AI SDK", goal: 1 / 4, gate: 0.55, unit: "×" },
  latency: {
    what: "256 at once at 50 ms, time against the bare pool",
    goal: 1.25,
    gate: 2.1,
    unit: "×"
  },
  embedBase64: {
    what: "embeddings in base64, CPU against the bare pool with base64",
    goal: 1.5,
    gate: 2.5,
    unit: "×"
  },
  embedFloats: {
    what: "the same against the bare pool with JSON floats",
    goal: 0.5,
    gate: 0.9,
    unit: "×"
  },
  stream: {
    what: "streaming, CPU against a reader written by hand",
    goal: 1.5,
    gate: 3,
    unit: "×"
  },
  reservation: {
    what: "a reservation of four limits of two accounts",
    goal: 5,
    gate: 10,
    unit: "µs"
  },
  choice: { what: "a choice among 1,000 deployments", goal: 20, gate: 40, unit: "µs" },
  streamed: {
    what: "a batch of 200,000 in a stream, memory grown",
    goal: 50,
    gate: 60,
    unit: "MB"
  },
  collected: { what: "a collected result beyond its text", goal: 1500, gate: 1800, unit: "bytes" },
  thousands: { what: "10,000 requests with storms and crashes", goal: 5, gate: 12, unit: "s" },
  help: {
    what: "`infermesh --help`, beyond two starts of Node",
    goal: 250,
    gate: 400,
    unit: "ms"
  },
  bundle: { what: "the smallest program in a bundle, zipped", goal: 90, gate: 160, unit: "kB" }
} as const satisfies { readonly [name: string]: Goal }

export type GoalName = keyof typeof goals
