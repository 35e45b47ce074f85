import { assert } from "@effect/vitest"
import type { GenerateRequest } from "@infermesh/core/operation/Generate"
import * as Message from "@infermesh/core/operation/Message"
import type { AttemptError } from "@infermesh/core/provider/Provider"
import { Result } from "effect"

export const request = (more: Partial<GenerateRequest> = {}): GenerateRequest => ({
  endpoint: "chat_completion",
  prompt: Message.fromText("hi"),
  responsesInput: undefined,
  options: {},
  output: undefined,
  tools: [],
  toolChoice: undefined,
  ...more
})

export const prompt = (messages: ReadonlyArray<unknown>) =>
  Result.getOrThrow(Message.toPrompt(messages))

/** What was refused, of a request that must be refused before it is sent. */
export const refusal = <A>(result: Result.Result<A, AttemptError>): string => {
  assert(Result.isFailure(result), "it was not refused")
  assert.strictEqual(result.failure.outcome, "unsent")
  const { reason } = result.failure
  assert(reason._tag === "Unsupported")
  return reason.feature
}
