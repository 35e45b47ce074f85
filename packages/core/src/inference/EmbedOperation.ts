/**
 * The embed operation: one request over several texts, and its vectors made the result.
 *
 * It makes exactly one request; many texts are packed into requests by `EmbedBatch`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"

import * as KeptAnswer from "../cache/KeptAnswer.ts"
import type { Plan } from "../Call.ts"
import type { InferenceError } from "../InferenceError.ts"
import type { Embeddings, EmbedRequest, EmbedResult } from "../operation/Embed.ts"
import { EmbedModelOptions } from "../operation/Embed.ts"
import { vectorFault } from "../operation/EmbedFault.ts"
import type { TimeOptions } from "../operation/GenerateOptions.ts"
import type { RouteOptions } from "../operation/RouteOptions.ts"
import * as RouteOptionsModule from "../operation/RouteOptions.ts"
import type { Answer } from "../provider/Provider.ts"
import { AttemptError } from "../provider/Provider.ts"
import { InvalidInput } from "../Reason.ts"
import type { Environment } from "./GenerateOperation.ts"
import { unsupported } from "./GenerateOperation.ts"
import * as Options from "./Options.ts"
import * as Run from "./Run.ts"

/**
 * How vectors are given: as `Float32Array`, the default, or as plain arrays of numbers.
 *
 * @category models
 * @since 0.1.0
 */
export type VectorType = "float32" | "array"

/**
 * The type of a vector.
 *
 * @category models
 * @since 0.1.0
 */
export type Vector<T extends VectorType> = T extends "array" ? ReadonlyArray<number> : Float32Array

/**
 * What a caller may set on one embedding request.
 *
 * @category models
 * @since 0.1.0
 */
export interface EmbedOptions<T extends VectorType = "float32">
  extends EmbedModelOptions, RouteOptions, TimeOptions {
  /** `float32` takes half the memory of `array` and is what the wire carries. */
  readonly vectors?: T | undefined
  /** Keeps the parsed response body in the result; off by default. */
  readonly rawResponse?: boolean | undefined
}

/**
 * Builds the operation.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (environment: Environment) => {
  const run = Run.run(environment)
  return <T extends VectorType = "float32">(
    texts: ReadonlyArray<string>,
    options: EmbedOptions<T> = Options.none
  ): Effect.Effect<EmbedResult<Vector<T>>, InferenceError> => {
    const plan = prepare(texts, options, environment.defaults)
    if (Result.isFailure(plan)) return Effect.fail(Run.refused("embed", plan.failure))
    return run(plan.success, (outcome) => {
      const { answer, metrics } = outcome
      const { modelId, vectors } = answer.value
      const result: EmbedResult<Float32Array | ReadonlyArray<number>> = {
        modelId,
        embeddings:
          options.vectors === "array" ? vectors.map((vector) => Array.from(vector)) : vectors,
        tokenUsage: answer.usage,
        requestId: answer.requestId,
        cost: Run.price(environment.pricing, outcome, modelId),
        metrics,
        rawResponse: options.rawResponse === true ? answer.body : undefined
      }
      return Effect.succeed(result as EmbedResult<Vector<T>>)
    })
  }
}

const checkOptions = Options.checker(EmbedModelOptions, [
  "vectors",
  "rawResponse",
  "timeout",
  "deadline"
])

const prepare = (
  texts: ReadonlyArray<string>,
  options: EmbedOptions<VectorType>,
  defaults: RouteOptions & TimeOptions
): Result.Result<Plan<Embeddings>, InvalidInput> => {
  const problem = checkTexts(texts) ?? checkOptions(options) ?? checkVectors(options.vectors)
  if (problem !== undefined) return Result.fail(problem)
  const limits = Run.timeLimits(options, defaults)
  if (limits instanceof InvalidInput) return Result.fail(limits)
  const { dimensions, extraBody, headers, user } = options
  const request: EmbedRequest = { texts, options: { dimensions, extraBody, headers, user } }
  const route = RouteOptionsModule.of(options, defaults)
  return Result.succeed({
    operation: "embed",
    ...route,
    send: (connection) =>
      connection.embed === undefined
        ? unsupported("embeddings")
        : Effect.flatMap(connection.embed(request), (answer) => complete(answer, texts.length)),
    // An embedding has no output tokens, and no message around its texts.
    size: { texts, messageCount: 0, maxOutputTokens: 0, choices: 1 },
    reuse: KeptAnswer.embeddings({ model: route.model, tags: route.tags, request }),
    ...limits
  })
}

/** What cannot be used of a paid answer is a failed attempt; what it used is settled all the same. */
const complete = (
  answer: Answer<Embeddings>,
  texts: number
): Effect.Effect<Answer<Embeddings>, AttemptError> => {
  const reason = vectorFault(answer.value.vectors, texts)
  if (reason === undefined) return Effect.succeed(answer)
  const { rateLimits, requestId, usage } = answer
  return Effect.fail(new AttemptError({ reason, outcome: "unknown", requestId, rateLimits, usage }))
}

const checkTexts = (texts: ReadonlyArray<string>): InvalidInput | undefined => {
  if (!Array.isArray(texts) || texts.length === 0) {
    return new InvalidInput({
      input: "texts",
      problem: Array.isArray(texts) ? "the list is empty" : "it is no list",
      hint: "Give at least one text"
    })
  }
  for (const [index, text] of texts.entries()) {
    const problem = checkText(text)
    if (problem !== undefined) return new InvalidInput({ input: `texts[${index}]`, problem })
  }
  return undefined
}

const checkVectors = (vectors: string | undefined): InvalidInput | undefined =>
  vectors === undefined || vectors === "float32" || vectors === "array"
    ? undefined
    : new InvalidInput({
        input: "vectors",
        problem: `there is no vector type '${vectors}'`,
        hint: 'It is "float32" or "array"'
      })

/**
 * What is wrong with a text to embed; `undefined` when nothing is.
 *
 * @category guards
 * @since 0.1.0
 */
export const checkText = (text: unknown): string | undefined =>
  typeof text !== "string"
    ? `it is ${text === null ? "null" : `a ${typeof text}`}, not a string`
    : text === ""
      ? "it is empty; providers refuse empty texts"
      : undefined
