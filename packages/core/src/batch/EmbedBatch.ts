/**
 * Many texts to embed: packed into requests, and one result or failure per text.
 *
 * A request that fails because of one of its texts is bisected until only that text fails. A failure that would meet every
 * text (a refused key, a spent quota, an unknown model) is not tried piece by piece: all its texts fail with it, once.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"

import { byteLength } from "../admission/TokenEstimate.ts"
import type { EmbedOptions, Vector, VectorType } from "../inference/EmbedOperation.ts"
import { checkText } from "../inference/EmbedOperation.ts"
import * as Run from "../inference/Run.ts"
import type { InferenceError } from "../InferenceError.ts"
import type { EmbeddingResult, EmbedResult } from "../operation/Embed.ts"
import * as Usage from "../operation/Usage.ts"
import { InvalidInput } from "../Reason.ts"
import type { Settled } from "./Batch.ts"
import type { PackLimits } from "./Packing.ts"
import { apportion, pack } from "./Packing.ts"

/**
 * A text and its position in the batch.
 *
 * @category models
 * @since 0.1.0
 */
export interface Item {
  readonly index: number
  readonly text: string
}

/**
 * Texts of one request, unless the call says otherwise: what the Python library uses.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultMicroBatchSize = 32

/** Tokens of one request: OpenAI refuses more than 300,000 (API reference, embeddings); a tenth is left for estimates. */
const defaultMaxTokens = 270_000

/** The rule of thumb of the tokenizers' makers: four bytes of English a token. */
const bytesPerToken = 4

/**
 * Limits of a request from a batch's options; fails when they cannot be used.
 *
 * @category constructors
 * @since 0.1.0
 */
export const packLimits = (options: {
  readonly microBatchSize?: number | undefined
  readonly maxTokensPerRequest?: number | undefined
}): Result.Result<PackLimits, InvalidInput> => {
  const limits = {
    microBatchSize: options.microBatchSize ?? defaultMicroBatchSize,
    maxTokensPerRequest: options.maxTokensPerRequest ?? defaultMaxTokens
  }
  for (const [input, value] of Object.entries(limits)) {
    if (!Number.isInteger(value) || value < 1) {
      return Result.fail(
        new InvalidInput({ input, problem: `${value} is not a whole number of at least 1` })
      )
    }
  }
  return Result.succeed({ texts: limits.microBatchSize, tokens: limits.maxTokensPerRequest })
}

/**
 * Embeds a stretch of a batch and settles each of its texts.
 *
 * @category combinators
 * @since 0.1.0
 */
export const settle = <T extends VectorType>(
  embed: (
    texts: ReadonlyArray<string>,
    options: EmbedOptions<T>
  ) => Effect.Effect<EmbedResult<Vector<T>>, InferenceError>,
  options: EmbedOptions<T>,
  limits: PackLimits
) => {
  type Outcome = Settled<EmbeddingResult<Vector<T>>, InferenceError>

  const request = (items: ReadonlyArray<Item>): Effect.Effect<ReadonlyArray<Outcome>> =>
    Effect.matchEffect(
      embed(
        items.map(({ text }) => text),
        options
      ),
      {
        onSuccess: (result) => Effect.succeed(shares(items, result)),
        onFailure: (error) =>
          items.length > 1 && isForOneText(error) ? bisect(items) : all(items, error)
      }
    )
  const bisect = (items: ReadonlyArray<Item>) => {
    const middle = items.length >> 1
    return Effect.map(
      Effect.all([request(items.slice(0, middle)), request(items.slice(middle))], {
        concurrency: 2
      }),
      ([left, right]) => [...left, ...right]
    )
  }
  const all = (items: ReadonlyArray<Item>, error: InferenceError) =>
    Effect.succeed(items.map(({ index }): Outcome => ({ index, result: Result.fail(error) })))

  return (items: ReadonlyArray<Item>): Effect.Effect<ReadonlyArray<Outcome>> => {
    const bad: Array<Outcome> = []
    const good: Array<Item> = []
    for (const item of items) {
      const problem = checkText(item.text)
      if (problem === undefined) good.push(item)
      else {
        const reason = new InvalidInput({ input: `texts[${item.index}]`, problem })
        bad.push({ index: item.index, result: Result.fail(Run.refused("embed", reason)) })
      }
    }
    const packs = pack(good, ({ text }) => Math.ceil(byteLength(text) / bytesPerToken), limits)
    return Effect.map(Effect.forEach(packs, request, { concurrency: "unbounded" }), (settled) =>
      [...settled.flat(), ...bad].toSorted((left, right) => left.index - right.index)
    )
  }
}

/** Whether a failure can be the fault of one text among several. */
const isForOneText = (error: InferenceError): boolean => {
  switch (error.reason._tag) {
    case "InvalidRequestError":
    case "ContextWindowExceeded":
    case "ContentPolicyError":
    case "QuotaUnsatisfiable":
      return true
    default:
      return false
  }
}

/** The results of one request, each with its share of the usage and the cost, so that sums over items are right. */
const shares = <V>(
  items: ReadonlyArray<Item>,
  result: EmbedResult<V>
): ReadonlyArray<Settled<EmbeddingResult<V>, InferenceError>> => {
  const weights = items.map(({ text }) => byteLength(text))
  const sum = weights.reduce((left, right) => left + right, 0)
  const prompt = apportion(result.tokenUsage?.promptTokens ?? 0, weights)
  const total = apportion(result.tokenUsage?.totalTokens ?? 0, weights)
  return items.map(({ index }, position) => ({
    index,
    result: Result.succeed({
      modelId: result.modelId,
      embedding: result.embeddings[position] as V,
      tokenUsage:
        result.tokenUsage === undefined
          ? undefined
          : Usage.make({
              promptTokens: prompt[position] ?? 0,
              completionTokens: 0,
              totalTokens: total[position] ?? 0
            }),
      requestId: result.requestId,
      cost: result.cost === undefined ? undefined : (result.cost * (weights[position] ?? 0)) / sum,
      metrics: result.metrics
    })
  }))
}
