import { assert, describe, it } from "@effect/vitest"
import { isEverybodys, isOneTexts } from "@infermesh/core/batch/Blame"
import { InferenceError } from "@infermesh/core/InferenceError"
import { unusable } from "@infermesh/core/operation/EmbedFault"
import type { Reason } from "@infermesh/core/Reason"
import {
  ContextWindowExceeded,
  ModelNotFound,
  NoDeployment,
  QuotaUnsatisfiable,
  Unsupported
} from "@infermesh/core/Reason"
import { AiError } from "effect/ai"

const failed = (reason: Reason, deployment?: string) =>
  new InferenceError({ operation: "embed", attempts: 1, reason, deployment })

const refused = (status: number, parameter?: string) =>
  new AiError.InvalidRequestError({
    description: "no",
    http: { response: { status, headers: {} } },
    ...(parameter === undefined ? {} : { parameter })
  })

const oneTexts: ReadonlyArray<readonly [what: string, reason: Reason]> = [
  ["a bad request", refused(400)],
  ["a bad request of nobody's status", new AiError.InvalidRequestError({ description: "no" })],
  ["a request that is too large", refused(413)],
  ["a request that cannot be processed", refused(422)],
  ["an unfit input", refused(400, "input")],
  ["an unfit input, named by its path", refused(400, "$.input[3]")],
  ["unfit content, as Gemini names it", refused(400, "requests[3].content.parts[0].text")],
  ["too long a text", new ContextWindowExceeded({ description: "too long" })],
  ["refused content", new AiError.ContentPolicyError({ description: "no" })],
  [
    "more than the quota ever allows",
    new QuotaUnsatisfiable({ limit: "tpm", allowed: 1, needed: 2 })
  ],
  ["a vector that is missing", unusable("missing")]
]

const everybodys: ReadonlyArray<readonly [what: string, reason: Reason]> = [
  ["a refused key", new AiError.AuthenticationError({ kind: "InvalidKey" })],
  ["a key that may not", new AiError.AuthenticationError({ kind: "InsufficientPermissions" })],
  ["an unknown model", new ModelNotFound({ model: "m", description: "" })],
  ["a spent account", new AiError.QuotaExhaustedError({})],
  ["an address that is no endpoint's", refused(404)]
]

const nobodys: ReadonlyArray<readonly [what: string, reason: Reason]> = [
  ["an option that the model has not", refused(400, "dimensions")],
  ["a method that is not allowed", refused(405)],
  ["an overloaded provider", new AiError.InternalProviderError({ description: "" })],
  ["a rate limit", new AiError.RateLimitError({})],
  ["an answer of another API", new AiError.InvalidResponseError({ description: "" })],
  ["no deployment", new NoDeployment({ problem: "" })],
  ["no such endpoint", new Unsupported({ provider: "p", feature: "embeddings" })]
]

describe("isOneTexts", () => {
  for (const [what, reason] of oneTexts) {
    it(`blames a text for ${what}`, () => assert.isTrue(isOneTexts(failed(reason))))
  }
  for (const [what, reason] of [...everybodys, ...nobodys]) {
    it(`blames no text for ${what}`, () => assert.isFalse(isOneTexts(failed(reason))))
  }
})

describe("isEverybodys", () => {
  for (const [what, reason] of everybodys) {
    it(`knows that ${what} meets every request, unless another deployment may do better`, () => {
      assert.isTrue(isEverybodys(failed(reason)))
      assert.isFalse(isEverybodys(failed(reason, "replica-1")))
    })
  }
  for (const [what, reason] of [...oneTexts, ...nobodys]) {
    it(`lets the batch go on after ${what}`, () => assert.isFalse(isEverybodys(failed(reason))))
  }
})
