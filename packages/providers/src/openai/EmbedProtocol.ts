/**
 * OpenAI's embeddings on the wire: a request to a body, and a body to vectors.
 *
 * It opens no connection (`EmbedEndpoint` does), packs nothing, and knows no vendor but by its `Dialect`. Vectors travel as
 * base64 where the vendor can: a quarter of the bytes, and no number is parsed or checked by a Schema. A server that answers
 * with numbers all the same is read too.
 *
 * **Shape**: one vector per text, in the order of the texts, whatever the order of the answer.
 *
 * **Source**: OpenAI API reference, "Create embeddings"; Voyage "Text embedding models", Jina "Embeddings API", Mistral
 * "Embeddings" (read November 2026).
 *
 * @since 0.1.0
 */
import type { Embeddings, EmbedRequest } from "@infermesh/core/operation/Embed"
import { unusable } from "@infermesh/core/operation/EmbedFault"
import type { TokenUsage } from "@infermesh/core/operation/Usage"
import * as Usage from "@infermesh/core/operation/Usage"
import type { Answer } from "@infermesh/core/provider/Provider"
import { AttemptError } from "@infermesh/core/provider/Provider"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

import type { Json } from "../RequestBody.ts"
import { unsupported } from "../RequestBody.ts"
import type { Context, Read } from "../ResponseBody.ts"
import * as ResponseBody from "../ResponseBody.ts"
import { Count, nullish } from "../ResponseBody.ts"
import * as Vector from "../Vector.ts"
import type { Dialect } from "./Dialect.ts"
import * as Fault from "./Fault.ts"

// ---- request body

/**
 * The most that one request to OpenAI may hold.
 *
 * **Units**: texts; tokens of all texts together.
 *
 * **Source**: OpenAI API reference, "Create embeddings", `input`: arrays of at most 2,048, and 300,000 tokens summed across
 * all inputs of a request (read November 2026).
 *
 * @category constants
 * @since 0.1.0
 */
export const limits = { texts: 2048, tokens: 300_000 }

/** The fields by which vendors let the form of a vector be chosen: OpenAI's; Voyage's and Mistral's; Jina's. */
const formFields = ["encoding_format", "output_dtype", "embedding_type"]

/** What those fields say of vectors of 32-bit numbers, written as base64 or as JSON numbers. */
const fullPrecision = new Set<unknown>([undefined, null, "float", "base64"])

// ---- response

const Item = Schema.Struct({
  index: Count,
  // A Schema of the numbers would cost six times the rest of the request.
  embedding: Schema.optionalKey(Schema.Unknown)
})

const Body = Schema.Struct({
  data: nullish(Schema.Array(Item)),
  model: nullish(Schema.String),
  usage: nullish(Schema.Struct({ prompt_tokens: Count, total_tokens: Count })),
  error: Schema.optionalKey(Schema.Unknown)
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
export const parse = ResponseBody.reader("list of embeddings", Schema.decodeUnknownResult(Body))

// ---- encode

/**
 * The body of a request; `more` are the deployment's own fields, over which the request's win.
 *
 * **Errors**: `Unsupported` for `user` where the vendor takes none.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (
  { options, texts }: EmbedRequest,
  dialect: Dialect,
  model: string,
  more: Json
): Result.Result<Json, AttemptError> => {
  if (options.user !== undefined && dialect.embedUser === false) {
    return Result.fail(
      unsupported(dialect.name, "the option 'user'", "Leave it out for this provider")
    )
  }
  const extra: Json = { ...more, ...options.extraBody }
  // A form of the caller's own choice stands.
  const base64 = dialect.base64Embeddings === true && !formFields.some((field) => field in extra)
  return Result.succeed({
    model,
    input: texts,
    ...(base64 && { encoding_format: "base64" }),
    ...more,
    ...(options.dimensions !== undefined && {
      [dialect.dimensionsField ?? "dimensions"]: options.dimensions
    }),
    ...(options.user !== undefined && { user: options.user }),
    ...options.extraBody
  })
}

// ---- decode

/**
 * The answer in a response body, its vectors in the order of the texts; `asked` is the body of the request.
 *
 * **Errors**: `InvalidResponseError` where there is not exactly one vector for each text, or one that cannot be read; an
 * error with status 200 is what it would be with its own. Whether the vectors fit together is checked by the operation, for
 * all providers alike.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (
  { json, value: body }: Read<Body>,
  asked: Json,
  texts: number,
  context: Context
): Result.Result<Pick<Answer<Embeddings>, "value" | "usage" | "body">, AttemptError> => {
  if (body.error !== undefined && body.error !== null) {
    return Result.fail(ResponseBody.inBand(body.error, Fault, context))
  }
  const used = usage(body)
  const fail = (description: string) =>
    Result.fail(
      new AttemptError({ reason: unusable(description), outcome: "unknown", usage: used })
    )
  const items = body.data
  if (items === undefined || items === null) {
    return Result.fail(ResponseBody.invalid("the answer has no list of vectors", used))
  }
  if (items.length !== texts) return fail(`it has ${items.length} vectors for ${texts} texts`)
  const vectors = new Array<Float32Array>(texts)
  const read = reader(asked)
  for (const [position, { embedding, index }] of items.entries()) {
    // Servers that number nothing answer in order.
    const at = index ?? position
    if (!Number.isInteger(at) || at < 0 || at >= texts || at in vectors) {
      return fail(`the index ${at} of a vector is no text's, or comes twice`)
    }
    const vector = read(embedding)
    if (vector === undefined) {
      return fail(
        `the vector of text ${at + 1} of ${texts} is no list of numbers, nor their base64`
      )
    }
    vectors[at] = vector
  }
  return Result.succeed({
    value: { modelId: body.model ?? context.model, vectors },
    usage: used,
    body: json
  })
}

/** Reads a vector as it was asked for: of other numbers the base64 has other bytes, which would pass for these. */
const reader = (asked: Json): ((embedding: unknown) => Float32Array | undefined) => {
  const full = formFields.every((field) => fullPrecision.has(asked[field]))
  return (embedding) =>
    typeof embedding !== "string"
      ? Vector.fromNumbers(embedding)
      : full
        ? Vector.fromBase64(embedding)
        : undefined
}

/**
 * The usage in a response body; Voyage reports the total only, which is all that an embedding has.
 *
 * @category decoding
 * @since 0.1.0
 */
export const usage = (body: Body): TokenUsage | undefined => {
  const total = body.usage?.total_tokens ?? undefined
  const prompt = body.usage?.prompt_tokens ?? total
  return prompt === undefined
    ? undefined
    : Usage.make({ promptTokens: prompt, completionTokens: 0, totalTokens: total })
}
