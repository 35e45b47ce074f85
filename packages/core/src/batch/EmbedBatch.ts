/**
 * Many texts to embed: packed into requests, and one result or failure per text.
 *
 * A request that fails because of one of its texts is bisected until only that text fails. A failure that would meet every
 * text (a refused key, a spent quota, an unknown model) is not tried piece by piece: all its texts fail with it, once, and
 * where nothing has succeeded before, the texts that were not sent yet fail with it too.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"

import { byteLength } from "../admission/TokenEstimate.ts"
import type { EmbedOptions, Vector, VectorType } from "../inference/EmbedOperation.ts"
import { checkText } from "../inference/EmbedOperation.ts"
import * as Run from "../inference/Run.ts"
import type { InferenceError } from "../InferenceError.ts"
import type { EmbeddingResult, EmbedResult } from "../operation/Embed.ts"
import * as Usage from "../operation/Usage.ts"
import { InvalidInput } from "../Reason.ts"
import type { Settled } from "./Batch.ts"
import { isEverybodys, isOneTexts } from "./Blame.ts"
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
  /** Why it cannot be sent, where it cannot: such a text travels with its neighbours and costs nothing. */
  readonly problem: string | undefined
  /** The length in UTF-8, by which usage and cost are shared out; 0 where it cannot be sent. */
  readonly bytes: number
}

/**
 * A text of a batch, looked at.
 *
 * @category constructors
 * @since 0.1.0
 */
export const item = (index: number, text: string): Item => {
  const problem = checkText(text)
  return { index, text, problem, bytes: problem === undefined ? byteLength(text) : 0 }
}

/**
 * Texts of one request, unless the call says otherwise: what the Python library uses.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultMicroBatchSize = 32

/** Tokens are estimated here and counted by the provider: a tenth of its limit is left for the difference. */
const estimatedShare = 0.9

/** Tokens of one request where the provider names no limit: nine tenths of the 300,000 that OpenAI takes. */
const defaultMaxTokens = 270_000

/** The rule of thumb of the tokenizers' makers: four bytes of English a token. */
const bytesPerToken = 4

/**
 * Limits of a request: those of a batch's options, and never more than the provider takes; fails when they cannot be used.
 *
 * @category constructors
 * @since 0.1.0
 */
export const packLimits = (
  options: {
    readonly microBatchSize?: number | undefined
    readonly maxTokensPerRequest?: number | undefined
  },
  provider: PackLimits = { texts: Infinity, tokens: Infinity }
): Result.Result<PackLimits, InvalidInput> => {
  const limits = {
    microBatchSize: options.microBatchSize ?? defaultMicroBatchSize,
    maxTokensPerRequest:
      options.maxTokensPerRequest ??
      Math.min(defaultMaxTokens, Math.ceil(provider.tokens * estimatedShare))
  }
  for (const [input, value] of Object.entries(limits)) {
    if (!Number.isInteger(value) || value < 1) {
      return Result.fail(
        new InvalidInput({ input, problem: `${value} is not a whole number of at least 1` })
      )
    }
  }
  return Result.succeed({
    texts: Math.min(limits.microBatchSize, provider.texts),
    tokens: Math.min(limits.maxTokensPerRequest, provider.tokens)
  })
}

/**
 * The packs of a stream of texts; none is held back once it has as many texts as a request may.
 *
 * @category combinators
 * @since 0.1.0
 */
export const packed = <E, R>(
  items: Stream.Stream<Item, E, R>,
  limits: PackLimits
): Stream.Stream<ReadonlyArray<Item>, E, R> =>
  Stream.mapAccumArray(
    items,
    (): ReadonlyArray<Item> => [],
    (open, arrived): readonly [ReadonlyArray<Item>, ReadonlyArray<ReadonlyArray<Item>>] => {
      const packs = pack([...open, ...arrived], tokensOf, limits)
      const last = packs.at(-1) ?? []
      return last.length < limits.texts ? [last, packs.slice(0, -1)] : [[], packs]
    },
    { onHalt: (open) => (open.length === 0 ? [] : [open]) }
  )

const tokensOf = ({ bytes }: Item): number => Math.ceil(bytes / bytesPerToken)

/**
 * Embeds a pack and settles each of its texts. With `isolate`, a request that fails for one of its texts is bisected; without
 * it nothing more is sent for a pack in which a text has failed.
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
  isolate: boolean
) => {
  type Outcome = Settled<EmbeddingResult<Vector<T>>, InferenceError>
  let succeeded = false
  /** Why nothing more is sent. */
  let given: InferenceError | undefined

  const fail = (items: ReadonlyArray<Item>, error: InferenceError): ReadonlyArray<Outcome> =>
    items.map(({ index }) => ({ index, result: Result.fail(error) }))

  const request = (items: ReadonlyArray<Item>): Effect.Effect<ReadonlyArray<Outcome>> =>
    Effect.suspend(() => {
      if (given !== undefined) {
        return Effect.succeed(fail(items, Run.refused("embed", given.reason)))
      }
      return Effect.matchEffect(
        embed(
          items.map(({ text }) => text),
          options
        ),
        {
          onSuccess: (result) => {
            succeeded = true
            return Effect.succeed(shares(items, result))
          },
          onFailure: (error) => {
            if (isolate && items.length > 1 && isOneTexts(error)) return bisect(items)
            if (!succeeded && isEverybodys(error)) given = error
            return Effect.succeed(fail(items, error))
          }
        }
      )
    })
  const bisect = (items: ReadonlyArray<Item>) => {
    const middle = items.length >> 1
    return Effect.map(
      Effect.all([request(items.slice(0, middle)), request(items.slice(middle))], {
        concurrency: 2
      }),
      ([left, right]) => [...left, ...right]
    )
  }

  return (items: ReadonlyArray<Item>): Effect.Effect<ReadonlyArray<Outcome>> => {
    const good = items.filter(({ problem }) => problem === undefined)
    if (good.length === items.length) return request(items)
    const bad = items.flatMap((one): ReadonlyArray<Outcome> => {
      if (one.problem === undefined) return []
      const reason = new InvalidInput({ input: `texts[${one.index}]`, problem: one.problem })
      return [{ index: one.index, result: Result.fail(Run.refused("embed", reason)) }]
    })
    if (good.length === 0 || !isolate) return Effect.succeed(bad)
    return Effect.map(request(good), (settled) =>
      [...settled, ...bad].toSorted((left, right) => left.index - right.index)
    )
  }
}

/** The results of one request, each with its share of the usage and the cost, so that sums over items are right. */
const shares = <V>(
  items: ReadonlyArray<Item>,
  result: EmbedResult<V>
): ReadonlyArray<Settled<EmbeddingResult<V>, InferenceError>> => {
  const weights = items.map(({ bytes }) => bytes)
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
