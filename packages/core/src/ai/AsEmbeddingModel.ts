/**
 * `effect/ai`'s `EmbeddingModel` on top of `Inference`.
 *
 * `effect/ai` gathers concurrent calls into one list without a limit; here it is packed into requests again.
 *
 * @since 0.1.0
 */
import * as EmbeddingModel from "effect/ai/EmbeddingModel"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

import type { EmbedBatchOptions } from "../inference/EmbedBatch.ts"
import { embedBatch } from "../inference/EmbedBatch.ts"
import { Inference } from "../inference/InferenceService.ts"
import { toAiError } from "./AiErrors.ts"

/**
 * The embedding model that `Inference` is.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Omit<EmbedBatchOptions<"array", never>, "vectors" | "onItem" | "onProgress"> = {}
): Layer.Layer<EmbeddingModel.EmbeddingModel, never, Inference> =>
  Layer.effect(
    EmbeddingModel.EmbeddingModel,
    Effect.flatMap(Inference, (inference) =>
      EmbeddingModel.make({
        embedMany: ({ inputs }) =>
          embedBatch(inputs, { ...options, vectors: "array", mode: "failFast" }).pipe(
            Effect.provideService(Inference, inference),
            Effect.mapError((error) => toAiError(error, "embedMany")),
            Effect.map(({ successes }) => ({
              results: successes.map(([, { embedding }]) => [...embedding]),
              usage: {
                inputTokens: successes.reduce<number | undefined>(
                  (sum, [, { tokenUsage }]) =>
                    tokenUsage === undefined ? sum : (sum ?? 0) + tokenUsage.promptTokens,
                  undefined
                )
              }
            }))
          )
      })
    )
  )
