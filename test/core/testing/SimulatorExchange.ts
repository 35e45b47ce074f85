/** Requests to a simulator and what the tests read from its answers. */
import type {
  SimulatedOutcome,
  SimulatedRequest,
  SimulatedResponse,
  Simulator
} from "@infermesh/core/testing/Simulator"
import { Effect, Stream } from "effect"

export interface ChatBody {
  readonly model?: string
  readonly messages?: unknown
  readonly [field: string]: unknown
}

/** A request of one user message; `body` adds or replaces fields. */
export const chat = (prompt: string, body: ChatBody = {}) =>
  post({ model: "gpt-test", messages: [{ role: "user", content: prompt }], ...body })

export const post = (body: unknown, headers: Record<string, string> = {}) =>
  postTo("/v1/chat/completions", body, headers)

export const postTo = (path: string, body: unknown, headers: Record<string, string> = {}) => ({
  method: "POST",
  path,
  headers,
  body: typeof body === "string" ? body : JSON.stringify(body)
})

export const get = (path: string) => ({ method: "GET", path, headers: {}, body: "" })

export const isResponse = (outcome: SimulatedOutcome): SimulatedResponse => {
  if (outcome._tag !== "Response") throw new Error(`not a response but ${outcome._tag}`)
  return outcome
}

export interface Completion {
  readonly id: string
  readonly model: string
  readonly choices: ReadonlyArray<{
    readonly index: number
    readonly message: {
      readonly content: string | null
      readonly refusal: string | null
      readonly tool_calls?: ReadonlyArray<{
        readonly id: string
        readonly type: string
        readonly function: { readonly name: string; readonly arguments: string }
      }>
    }
    readonly logprobs: {
      readonly content: ReadonlyArray<{ token: string; top_logprobs: ReadonlyArray<unknown> }>
    } | null
    readonly finish_reason: string
  }>
  readonly usage: {
    readonly prompt_tokens: number
    readonly completion_tokens: number
    readonly total_tokens: number
  }
}

export interface ErrorBody {
  readonly error: {
    readonly message: string
    readonly type: string
    readonly param: string | null
    readonly code: string | null
  }
}

/** The parsed body of a response that is not streamed. */
export const json = (response: SimulatedResponse): unknown => {
  if (typeof response.body !== "string") throw new Error("the body is a stream")
  return JSON.parse(response.body)
}

export const completionOf = (response: SimulatedResponse) => json(response) as Completion
export const errorOf = (response: SimulatedResponse) => (json(response) as ErrorBody).error

export const respond = (simulator: Simulator, request: SimulatedRequest) =>
  Effect.map(simulator.handle(request), isResponse)

export const complete = (simulator: Simulator, request: ReturnType<typeof post>) =>
  Effect.map(respond(simulator, request), completionOf)

/** The text a prompt is answered with. */
export const textOf = (simulator: Simulator, prompt: string, body: ChatBody = {}) =>
  Effect.map(
    complete(simulator, chat(prompt, body)),
    ({ choices }) => choices[0]?.message.content ?? ""
  )

/** The whole text of a body. */
export const read = (response: SimulatedResponse) =>
  typeof response.body === "string"
    ? Effect.succeed(response.body)
    : Stream.runCollect(response.body.pipe(Stream.decodeText())).pipe(
        Effect.map((parts) => parts.join(""))
      )

/** The payloads of the events of a stream. */
export const events = (text: string): ReadonlyArray<string> =>
  text
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => event.replace(/^(?:event: .*\n)?data: /, ""))

/** The values of the events of a stream. */
export const values = <A>(response: SimulatedResponse) =>
  Effect.map(read(response), (text) =>
    events(text)
      .filter((payload) => payload !== "[DONE]")
      .map((payload) => JSON.parse(payload) as A)
  )
