/**
 * Gemini's embeddings on the wire: `embedContent` for one text, `batchEmbedContents` for several.
 *
 * It opens no connection (`Gemini` does) and packs nothing.
 *
 * **Shape**: one vector per text, in the order of the texts.
 *
 * **Source**: Gemini API reference, "Embeddings" (v1beta, read November 2026).
 *
 * @since 0.1.0
 */
import type { Embeddings, EmbedRequest } from "@infermesh/core/operation/Embed"
import type { TokenUsage } from "@infermesh/core/operation/Usage"
import * as Usage from "@infermesh/core/operation/Usage"
import type { AttemptError } from "@infermesh/core/provider/Provider"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

import type { Json } from "../RequestBody.ts"
import { merge, unsupported } from "../RequestBody.ts"
import * as ResponseBody from "../ResponseBody.ts"
import { Count, nullish } from "../ResponseBody.ts"
import * as Vector from "../Vector.ts"

// ---- request body

/**
 * The most that one request may hold.
 *
 * **Units**: texts; tokens of all texts together.
 *
 * **Source**: the API refuses more than 100 requests in one batch; `gemini-embedding-001` reads 2,048 tokens of a text
 * ("Embeddings", read November 2026).
 *
 * @category constants
 * @since 0.1.0
 */
export const limits = { texts: 100, tokens: 100 * 2048 }

// ---- response

// A Schema of the numbers would cost more than all the rest.
const VectorBody = Schema.Struct({ values: Schema.optionalKey(Schema.Unknown) })

const Body = Schema.Struct({
  embedding: nullish(VectorBody),
  embeddings: nullish(Schema.Array(VectorBody)),
  usageMetadata: nullish(Schema.Struct({ promptTokenCount: Count }))
})

/**
 * A response body, as far as it is used.
 *
 * @category models
 * @since 0.1.0
 */
export type Body = typeof Body.Type

/**
 * Reads a response body.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = ResponseBody.reader("Gemini embedding", Schema.decodeUnknownResult(Body))

// ---- encode

/**
 * The method to call and the body to send; `model` is the model's resource name.
 *
 * **Details**: each text of a batch is a request of its own, so extra fields (`taskType`, …) go into each.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (
  { options, texts }: EmbedRequest,
  model: string,
  extraBody: Json
): Result.Result<
  { readonly method: "embedContent" | "batchEmbedContents"; readonly body: Json },
  AttemptError
> => {
  if (options.user !== undefined) {
    return Result.fail(unsupported("gemini", "the option 'user'", "Leave it out for this provider"))
  }
  const requests = texts.map((text) =>
    merge(
      {
        ...extraBody,
        model,
        content: { parts: [{ text }] },
        ...(options.dimensions === undefined ? {} : { outputDimensionality: options.dimensions })
      },
      options.extraBody
    )
  )
  const [only] = requests
  return Result.succeed(
    requests.length === 1 && only !== undefined
      ? { method: "embedContent", body: only }
      : { method: "batchEmbedContents", body: { requests } }
  )
}

// ---- decode

/**
 * The vectors in a response body.
 *
 * **Errors**: `InvalidResponseError` when there are not as many as texts.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (
  body: Body,
  texts: number,
  model: string
): Result.Result<Embeddings, AttemptError> => {
  const given = body.embeddings ?? (body.embedding ? [body.embedding] : [])
  const vectors = given.flatMap(({ values }) => Vector.fromNumbers(values) ?? [])
  return vectors.length === texts
    ? Result.succeed({ modelId: model, vectors })
    : Result.fail(
        ResponseBody.invalid(
          `the answer has ${vectors.length} vectors for ${texts} texts`,
          usage(body)
        )
      )
}

/**
 * The usage in a response body; older models report none.
 *
 * @category decoding
 * @since 0.1.0
 */
export const usage = ({ usageMetadata }: Body): TokenUsage | undefined => {
  const tokens = usageMetadata?.promptTokenCount
  return tokens === undefined || tokens === null
    ? undefined
    : Usage.make({ promptTokens: tokens, completionTokens: 0 })
}
